"""A script of the repository that nobody may run: it begins with `#!`, and its file is not executable.

Which one is meant, `workers.not_executable` reads off what the shell said; nothing but the file's mode changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from workers import patch
from workers.domain import Attempt, Candidate, Change, Confidence, Diagnosis, FailureClass
from workers.not_executable import not_executable
from workers.ports import Workbench

_CLASSES = frozenset({FailureClass.WORKFLOW, FailureClass.BUILD, FailureClass.ERROR, FailureClass.UNKNOWN})


class Executable:
    """The fixer. It has one candidate per failure."""

    name = "executable"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """A command could not be started."""
        return diagnosis.cls in _CLASSES

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The first such script made executable, or None when there is none that is not, or it was tried."""
        path = next(iter(not_executable(bench.diagnosis, bench.tree)), None)
        if path is None or any(attempt.candidate.fixer == self.name for attempt in tried):
            return None
        diff = bench.tree.diff({path: patch.Executable(bench.tree.read(path) or b"")})
        if not diff:
            return None
        return Candidate(
            fixer=self.name,
            patch=diff,
            reasoning=f"`{path}` is run as a program and was not allowed to: it is executable now, and its content is "
            "the same.",
            confidence=Confidence.HIGH,
            title=f"Make {path} executable",
            change=Change.MODE,
        )
