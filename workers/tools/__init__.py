"""The tools that turn jobs red: one module each knows its output, its classes of failure and its own repair command.

Adding a tool is one file and one line in `TOOLS`; the order decides when two recognise the same step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.tools import (
    ava,
    biome,
    black,
    bun,
    cargo,
    cargo_test,
    checkstyle,
    deno,
    deno_test,
    eslint,
    flake8,
    go_build,
    go_test,
    gofmt,
    golangci,
    gradle,
    isort,
    javac,
    jest,
    junit,
    kotlinc,
    ktlint,
    maven,
    mocha,
    mypy,
    node,
    node_test,
    npm,
    pnpm,
    prettier,
    pytest,
    ruff,
    rustfmt,
    spotless,
    stylelint,
    tap,
    tsc,
    unittest,
    vitest,
    yarn,
)


class Tool(Protocol):
    """What a module in this folder offers."""

    NAME: str
    RUNS_TESTS: bool
    """Its findings are failed tests, compared by their ids; another tool's are compared by rule and message."""

    def recognises(self, command: str, output: str) -> bool:
        """The script calls this tool, or the output can only be its."""

    def findings(self, output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
        """What it complained about, in its order. Paths are as printed."""

    def classify(self, output: str, findings: Sequence[Finding]) -> FailureClass:
        """The kind of failure, as far as the tool alone can say."""

    def fix_commands(self, command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
        """Shell commands by which the tool mends this itself, with the options of the failing command."""


TOOLS: tuple[Tool, ...] = (
    pytest,
    unittest,
    ruff,
    black,
    isort,
    mypy,
    flake8,
    # what reads a source file goes before what runs it
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
    ktlint,
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
    # these run others, so they are asked last
    node,
    pnpm,
    yarn,
    npm,
    maven,
    gradle,
)
