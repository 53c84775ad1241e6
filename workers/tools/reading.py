"""What a tool's module is given to read: lines short enough for any pattern, without marks that others put before them.

Output is written by untrusted code. A pattern that looks at a line in linear time is not enough when one line holds
everything, so lines are cut here, once, for all tools.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding

LINE = 4_000
"""Characters of a line that a tool sees. The longest real findings are JSON lines of one to three thousand."""
_MARK = re.compile(r"##\[(?:error|warning|notice)\]|#\d{1,4} \d{1,6}\.\d{1,3} ")
"""What the runner makes of workflow commands, and how BuildKit numbers what a step of a Dockerfile prints."""
_EMPTY = re.compile(r"\n{4,}")
_LEAVES = "Process completed with exit code"


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


@dataclass  # not frozen: the protocol is one of modules, whose names can be assigned
class Reader:
    """A tool's module that sees readable output only."""

    tool: Tool
    NAME: str = field(init=False)
    RUNS_TESTS: bool = field(init=False)

    def __post_init__(self) -> None:
        self.NAME, self.RUNS_TESTS = self.tool.NAME, self.tool.RUNS_TESTS

    def recognises(self, command: str, output: str) -> bool:
        return self.tool.recognises(command, readable(output))

    def findings(self, output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
        return self.tool.findings(readable(output), tests)

    def classify(self, output: str, findings: Sequence[Finding]) -> FailureClass:
        return self.tool.classify(readable(output), findings)

    def fix_commands(self, command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
        return self.tool.fix_commands(command, findings)


@lru_cache(maxsize=8)  # every tool is asked about the same one or two outputs
def readable(output: str) -> str:
    """The output with its lines cut at `LINE`, without carriage returns at their ends, others' marks, and more than two
    empty lines in a row: hundreds of thousands of them would be looked at by every tool."""
    return _EMPTY.sub("\n\n\n", "\n".join(_line(line) for line in output.split("\n")))


def _line(line: str) -> str:
    line = line[:LINE].rstrip("\r")
    mark = _MARK.match(line) if line.startswith("#") else None
    if mark is None:
        return line
    bare = line[mark.end() :]
    return "" if bare.startswith(_LEAVES) else bare
