"""P(solve) = P(a model says a right edit) x P(the engine lands it), and P(a bad pull request) = P(it says a bad one)
x P(the verifier takes it): the second factors, measured without any model."""
