"""The trace of the red state: what a sandboxed run reports of it, read as the untrusted text it is.

Anything that has not the expected shape is dropped; sizes are bounded by the sandbox's report limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from math import sqrt

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Value(BaseModel):
    """A row of a report, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Failure(Value):
    """One raised exception: its type and message, the project's frames (path, line, function), and likely names."""

    type: str
    message: str
    frames: tuple[tuple[str, int, str], ...] = ()
    near: tuple[str, ...] = ()


class Trace(Value):
    """The red state: tests by outcome with seconds, executed lines as {path: {line: (failing, passing tests)}}."""

    failed: Mapping[str, float]
    passed: Mapping[str, float]
    counts: Mapping[str, Mapping[int, tuple[int, int]]] = Field(default_factory=dict)
    exceptions: Mapping[str, Failure] = Field(default_factory=dict)
    uncollected: tuple[str, ...] = ()
    """The failed that are no tests: files that could not be imported."""
    seconds: float = 1.0
    rootdir: str = ""
    runner: str = "pytest"
    types: Mapping[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = Field(default_factory=dict)
    """Of the first calls: {path: {"function:first line": {variable: names of its types}}}."""
    attributes: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """What objects of a type have."""
    signatures: Mapping[str, Mapping[str, tuple[str, ...]]] = Field(default_factory=dict)
    """By path, the parameters of callables that the file names; those with a default end in `=`."""

    @property
    def hung(self) -> frozenset[str]:
        """The tests that were ended because they took too long."""
        return frozenset(name for name, failure in self.exceptions.items() if failure.type == "Hung")

    @cached_property  # asked for with every line
    def failing_tests(self) -> int:
        """Failing tests that could run, not files that could not be collected."""
        return len(set(self.failed) - set(self.uncollected))

    @cached_property
    def raised(self) -> Mapping[str, frozenset[int]]:
        """The lines on which files could not be imported, by path. No test runs them, so nothing is counted of them."""
        found: dict[str, set[int]] = {}
        for name in self.uncollected:
            for path, line, _ in self.exceptions[name].frames if name in self.exceptions else ():
                found.setdefault(path, set()).add(line)
        return {path: frozenset(lines) for path, lines in found.items()}

    def ochiai(self, path: str, line: int) -> float:
        """Suspiciousness of a line: 1 when all failing and no passing tests execute it, 0 when no failing one does."""
        failing, passing = self.counts.get(path, {}).get(line, (0, 0))
        return failing / sqrt(max(1, self.failing_tests) * (failing + passing)) if failing else 0.0


def trace(report: bytes) -> Trace | None:
    """The trace without the lines that only passing tests execute: nobody asks for those, and there are many of them.

    None when the run left none, because there is no runner that can be traced or it was cut off.
    """
    row = next((row for row in rows(report) if row.get("kind") == "trace"), None)
    try:
        found = Trace.model_validate(row) if row is not None else None
    except ValidationError:
        return None
    if found is None or not found.failed:
        return None
    counts = {path: {line: pair for line, pair in lines.items() if pair[0]} for path, lines in found.counts.items()}
    return found.model_copy(update={"counts": counts})


class _Lines(Value):
    """The row of a green run: what failed in it after all, and the executed lines of each file."""

    failed: Mapping[str, float]
    passed: Mapping[str, float]
    lines: Mapping[str, frozenset[int]]


def lines(report: bytes) -> Mapping[str, frozenset[int]] | None:
    """The executed lines by file; None when no test ran to its end, so that nothing is known."""
    row = next((row for row in rows(report) if row.get("kind") == "lines"), None)
    try:
        found = _Lines.model_validate(row) if row is not None else None
    except ValidationError:
        return None
    return found.lines if found is not None and found.passed else None


def rows(report: bytes) -> Iterator[Mapping[str, object]]:
    """The JSON objects among the lines of a report."""
    for line in report.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield row
