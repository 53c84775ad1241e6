"""Gates of the verifier that need a comparison of their own: the repository's checkers, its whole suite, the lines."""
