"""What an engine is asked: counted, because the number of calls is what a promise about speed can be held to."""

from __future__ import annotations

from sandbox.engine import Engine


def requests_of(engine: Engine) -> list[tuple[str, str]]:
    """From now on, method and URL of every request to this engine are added to the list that is returned."""
    asked: list[tuple[str, str]] = []
    session = engine.client().api  # the SDK's client is a session of `requests`
    session.hooks["response"].append(lambda answer, **_: asked.append((answer.request.method, answer.request.url)))
    return asked
