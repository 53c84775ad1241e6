"""The tools that turn jobs red: one module each knows its output, its classes of failure and its own repair command.

Adding a tool is one file and one line in `_MODULES`; the order decides when two recognise the same step.
"""

from __future__ import annotations

from workers.scripts import commands
from workers.tools import (
    actionlint,
    ava,
    bandit,
    biome,
    black,
    bun,
    cargo,
    cargo_test,
    checkstyle,
    cmake,
    codespell,
    ctest,
    deno,
    deno_test,
    docker,
    doctest,
    eslint,
    flake8,
    gcc,
    go_build,
    go_test,
    gofmt,
    golangci,
    gradle,
    hadolint,
    isort,
    javac,
    jest,
    junit,
    kotlinc,
    ktlint,
    make,
    markdownlint,
    maven,
    mocha,
    mypy,
    ninja,
    node,
    node_test,
    nox,
    npm,
    pdm,
    pip,
    pipenv,
    pnpm,
    poetry,
    pre_commit,
    prettier,
    pylint,
    pyright,
    pytest,
    rubocop,
    ruff,
    rustfmt,
    shellcheck,
    spotless,
    stylelint,
    tap,
    towncrier,
    tox,
    tsc,
    unittest,
    uv,
    vitest,
    wrapped,
    yamllint,
    yarn,
)
from workers.tools.formatting import FORMATTERS
from workers.tools.reading import Reader, Tool

__all__ = ["TOOLS", "WRAPPERS", "Tool", "only_look", "script"]

_WRAPPERS: tuple[Tool, ...] = (
    pre_commit,
    tox,
    nox,
    docker,
    node,
    pnpm,
    yarn,
    npm,
    maven,
    gradle,
    ninja,
    make,
)
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
    towncrier,
    yamllint,
    actionlint,
    shellcheck,
    hadolint,
    markdownlint,
    ctest,
    gcc,
    cmake,
    eslint,
    stylelint,
    biome,
    prettier,
    tsc,
    deno,
    golangci,
    gofmt,
    go_build,
    rustfmt,
    cargo,
    rubocop,
    ktlint,
    *FORMATTERS,
    checkstyle,
    spotless,
    javac,
    kotlinc,
    jest,
    vitest,
    mocha,
    ava,
    bun,
    deno_test,
    node_test,
    tap,
    go_test,
    cargo_test,
    junit,
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
_LOOKING = frozenset(
    (ruff.NAME, black.NAME, isort.NAME, mypy.NAME, flake8.NAME, pyright.NAME, pylint.NAME, bandit.NAME, codespell.NAME,
     yamllint.NAME, actionlint.NAME, shellcheck.NAME, hadolint.NAME, markdownlint.NAME, eslint.NAME, stylelint.NAME,
     prettier.NAME, golangci.NAME, gofmt.NAME, rustfmt.NAME, rubocop.NAME, *(one.NAME for one in FORMATTERS))
)  # fmt: skip


def only_look(script: str) -> bool:
    """Every command of the script is a linter, formatter or type checker: it leaves nothing that later steps need."""
    tools = [tool for tool in TOOLS if tool.NAME in _LOOKING]
    return all(any(tool.recognises(command, "") for tool in tools) for command in commands(script))


_NAMES = frozenset(tool.NAME for tool in _MODULES)


def script(check: str, output: str) -> str:
    """A step's script, followed by the commands that make, tox and their like printed: tools are called in both."""
    return wrapped.script(check, output, _NAMES)
