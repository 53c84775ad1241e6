"""What the sandboxed runs report, read as the untrusted text it is: the trace of the red state, and the screening.

Anything that has not the expected shape is dropped; sizes are bounded by the sandbox's report limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Failure(_Value):
    """One raised exception: its type and message, the project's frames (path, line, function), and likely names."""

    type: str
    message: str
    frames: tuple[tuple[str, int, str], ...] = ()
    near: tuple[str, ...] = ()


class Trace(_Value):
    """The red state: tests by outcome with seconds, executed lines as {path: {line: (failing, passing tests)}}."""

    failed: Mapping[str, float]
    passed: Mapping[str, float]
    counts: Mapping[str, Mapping[int, tuple[int, int]]] = Field(default_factory=dict)
    exceptions: Mapping[str, Failure] = Field(default_factory=dict)
    seconds: float = 1.0
    rootdir: str = ""

    @property
    def failing_tests(self) -> int:
        """Failing tests that could run, not files that could not be collected."""
        return sum("::" in name for name in self.failed)

    def ochiai(self, path: str, line: int) -> float:
        """Suspiciousness of a line: 1 when all failing and no passing tests execute it, 0 when no failing one does."""
        failing, passing = self.counts.get(path, {}).get(line, (0, 0))
        return failing / sqrt(max(1, self.failing_tests) * (failing + passing)) if failing else 0.0


class Plausible(_Value):
    """A candidate that made the failing tests pass and broke none."""

    id: int
    fixed: int = 1


class Screening(_Value):
    """How the screening went. `stopped` is all, budget, grace, or a message when it could not run."""

    plausible: tuple[Plausible, ...]
    tried: int = 0
    stopped: str = ""


def trace(report: bytes) -> Trace | str:
    """The trace, or why there is none."""
    for row in _rows(report):
        if row.get("kind") == "error":
            return str(row.get("message", ""))[:300]
        if row.get("kind") == "trace":
            try:
                return Trace.model_validate(row)
            except ValidationError as error:
                return f"the trace is unreadable: {error.error_count()} fields"
    return "the traced run left no report"


def screening(report: bytes) -> Screening:
    """The plausible candidates in the order they were found."""
    found: list[Plausible] = []
    tried, stopped = 0, "the run was cut off"
    for row in _rows(report):
        try:
            if row.get("kind") == "plausible":
                found.append(Plausible.model_validate(row))
            elif row.get("kind") == "done":
                tried, stopped = int(str(row.get("tried", 0))), str(row.get("stopped", ""))
            elif row.get("kind") == "error":
                stopped = str(row.get("message", ""))[:300]
        except (ValidationError, ValueError):
            continue
    return Screening(plausible=tuple(found), tried=tried, stopped=stopped)


def _rows(report: bytes) -> Iterator[Mapping[str, object]]:
    lines: Sequence[bytes] = report.splitlines()
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row
