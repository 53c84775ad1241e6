"""How a step starts a tool: alone, by a runner with options, as a module, from an environment's folder."""

from __future__ import annotations

import pytest

from workers.scripts import invocations


@pytest.mark.parametrize(
    ("script", "prefix", "args"),
    [
        ("pytest -q", (), ("-q",)),
        ("uv run --frozen --extra dev pytest -x", ("uv", "run", "--frozen", "--extra", "dev"), ("-x",)),
        ("uv run --python=3.12 -- pytest", ("uv", "run", "--python=3.12", "--"), ()),
        ("uvx --from pytest pytest tests", ("uvx", "--from", "pytest"), ("tests",)),
        ("npx --yes pytest", ("npx", "--yes"), ()),
        ("python -X dev -m pytest tests", ("python", "-X", "dev", "-m"), ("tests",)),
        (".tox/py/bin/python3.11 -m pytest", (".tox/py/bin/python3.11", "-m"), ()),
        ("coverage run --branch -m pytest", ("coverage", "run", "--branch", "-m"), ()),
        ("poetry run python -m pytest | tee log", ("poetry", "run", "python", "-m"), ()),
    ],
)
def test_a_call_is_seen_with_what_stands_before_it(script: str, prefix: tuple[str, ...], args: tuple[str, ...]) -> None:
    """What stands before a tool starts it again."""
    (call,) = invocations(script, "pytest")
    assert (call.prefix, call.args) == (prefix, args)


@pytest.mark.parametrize(
    "script",
    ["uv run --with pytest python x.py", "uv pip install pytest", "pip install pytest", "echo pytest", "git -m pytest",
     "python x.py pytest"],
)  # fmt: skip
def test_a_name_among_arguments_is_no_call(script: str) -> None:
    """Installing or naming a tool does not run it."""
    assert invocations(script, "pytest") == ()
