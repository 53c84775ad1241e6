"""The tools that turn jobs red: one module each knows its output, its classes of failure and its own repair command.

Adding a tool is one file and one line in `_MODULES`; the order decides when two recognise the same step.
"""

from __future__ import annotations

from workers.tools import (
    actionlint,
    bandit,
    black,
    cmake,
    codespell,
    ctest,
    docker,
    doctest,
    flake8,
    gcc,
    hadolint,
    isort,
    make,
    markdownlint,
    mypy,
    ninja,
    nox,
    pdm,
    pip,
    pipenv,
    poetry,
    pre_commit,
    pylint,
    pyright,
    pytest,
    ruff,
    shellcheck,
    tox,
    unittest,
    uv,
    wrapped,
    yamllint,
)
from workers.tools.reading import Reader, Tool

__all__ = ["TOOLS", "WRAPPERS", "Tool", "script"]

_WRAPPERS: tuple[Tool, ...] = (pre_commit, tox, nox, docker, ninja, make)
_MODULES: tuple[Tool, ...] = (
    pytest,
    unittest,
    doctest,
    ruff,
    black,
    isort,
    mypy,
    flake8,
    pyright,
    pylint,
    bandit,
    codespell,
    yamllint,
    actionlint,
    shellcheck,
    hadolint,
    markdownlint,
    ctest,
    gcc,
    cmake,
    uv,
    poetry,
    pdm,
    pipenv,
    pip,
    *_WRAPPERS,
)
TOOLS: tuple[Tool, ...] = tuple(Reader(module) for module in _MODULES)
WRAPPERS = frozenset(tool.NAME for tool in _WRAPPERS)
"""The names of tools that run others: whoever speaks inside, also by a report of single tests, goes first."""
_NAMES = frozenset(tool.NAME for tool in _MODULES)


def script(check: str, output: str) -> str:
    """A step's script, followed by the commands that make, tox and their like printed: tools are called in both."""
    return wrapped.script(check, output, _NAMES)
