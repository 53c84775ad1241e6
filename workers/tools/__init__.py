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
    doctest,
    flake8,
    gcc,
    hadolint,
    isort,
    markdownlint,
    mypy,
    pdm,
    pip,
    pipenv,
    poetry,
    pylint,
    pyright,
    pytest,
    ruff,
    shellcheck,
    unittest,
    uv,
    yamllint,
)
from workers.tools.reading import Reader, Tool

__all__ = ["TOOLS", "Tool"]

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
)
TOOLS: tuple[Tool, ...] = tuple(Reader(module) for module in _MODULES)
