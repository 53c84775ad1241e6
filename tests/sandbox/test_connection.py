"""How the engine is reached."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, cast

import pytest
from docker.errors import NotFound

from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from tests.sandbox.conftest import STATE

pytestmark = pytest.mark.engine


def about_to_ask(engine: Engine) -> Callable[[], int]:
    """A thread that has chosen its connections and does not use them yet; calling it does, and gives the status."""
    api = engine.client().api
    chosen = cast(Any, api.get_adapter(api.base_url)).get_connection(f"{api.base_url}/_ping")
    return lambda: int(chosen.urlopen("GET", "/_ping", timeout=30).status)


def test_no_call_takes_the_connection_of_another(engine: Engine) -> None:
    """Between choosing its connections and using them, a thread may be overtaken by any number of others."""
    ask = about_to_ask(engine)
    for number in range(100):
        with contextlib.suppress(NotFound):
            engine.client().api.inspect_container(f"none-{number}")
    assert ask() == 200


def test_the_end_of_a_run_closes_no_connection_that_is_used(engine: Engine) -> None:
    """A container of the run may be removed in the background meanwhile: it would stay. The next run connects anew."""
    sandbox = DockerSandbox(None, "tests-rest", state_dir=STATE)
    before = sandbox.engine.client()
    ask = about_to_ask(sandbox.engine)
    sandbox.rest()
    assert ask() == 200
    assert sandbox.engine.client() is not before
    sandbox.close()
