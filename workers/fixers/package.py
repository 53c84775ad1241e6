"""A folder of modules that lacks its `__init__.py`, and for that alone an import fails: the empty file is added.

Which folders are meant, `workers.unmarked` proves from what the import system said and from the tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from workers.domain import Attempt, Candidate, Change, Confidence, Diagnosis, FailureClass
from workers.ports import Workbench
from workers.unmarked import unmarked

_CLASSES = frozenset({FailureClass.DEPENDENCY, FailureClass.IMPORT, FailureClass.ERROR, FailureClass.UNKNOWN})


class Package:
    """The fixer. It has one candidate per failure."""

    name = "package"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Something cannot be imported."""
        return diagnosis.cls in _CLASSES

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The folders' empty files, or None when none is known to lack, or it was tried."""
        if any(attempt.candidate.fixer == self.name for attempt in tried):
            return None
        marks = unmarked(bench.diagnosis, bench.tree)
        if not marks:
            return None
        what = " and ".join(f"`{mark}`" for mark in marks)
        return Candidate(
            fixer=self.name,
            patch=bench.tree.diff(dict.fromkeys(marks, b"")),
            reasoning=f"What cannot be imported is there, in a folder that is no package, as those around it are: "
            f"{what} {'was' if len(marks) == 1 else 'were'} missing.",
            confidence=Confidence.MEDIUM,
            title=f"Add the missing {marks[0]}",
            change=Change.PACKAGE,
        )
