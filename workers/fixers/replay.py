"""The patch of our own pull request once more, on files that have moved on since it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from workers.domain import Attempt, Candidate, Confidence, Diagnosis, Usage
from workers.patch import PatchError, read_answer
from workers.ports import SourceTree, Workbench


class Replay:
    """The fixer. Its one candidate is the remembered patch, placed by its content where it does not apply exactly.

    `before` is the candidate that the pull request was made of: its words and its class stay, for the change is the
    same and is verified anew. It cost nothing this time.
    """

    name = "replay"

    def __init__(self, patch: str, before: Candidate | None = None) -> None:
        self._patch = patch
        self._before = before or Candidate(
            self.name, patch, "The change that this pull request had before.", Confidence.MEDIUM
        )

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Whatever fails: the run would not be here if the patch had not mended it."""
        del diagnosis
        return True

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The patch for these files; None when it was tried, or finds no place in them."""
        if tried:
            return None
        try:
            diff = bench.tree.diff(_placed(self._patch, bench.tree))
        except PatchError:
            return None
        if not diff:
            return None
        return replace(self._before, fixer=self.name, patch=diff, usage=Usage(), error="")


def _placed(patch: str, tree: SourceTree) -> Mapping[str, bytes | None]:
    try:
        return tree.apply(patch)
    except PatchError:
        return read_answer(patch, tree)
