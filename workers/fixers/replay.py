"""A patch of ours once more, on files that have moved on since it was made: that of a pull request that is made anew,
or one that people merged for the same failure before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from workers.domain import Attempt, Candidate, Change, Confidence, Diagnosis, Lesson, Usage
from workers.patch import PatchError, read_answer
from workers.patch.essence import essence
from workers.ports import SourceTree, Workbench
from workers.redact import MARK


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
        diff = "" if tried else _again(self._patch, bench.tree)
        return replace(self._before, fixer=self.name, patch=diff, usage=Usage(), error="") if diff else None


class Remembered:
    """The fixer that goes first: a failure that came back is mended as it was before, without a thought.

    What people merged for this very failure in this repository is proposed where it still finds its place; the newest
    first, each change once, and none that people turned down since. It is verified like any other patch.
    """

    name = "remembered"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """A failure that has a name to remember it by."""
        return bool(diagnosis.fingerprint)

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next of the merged fixes that is not among those tried."""
        known = {essence(lesson.patch) for lesson in bench.experience.rejected}
        known |= {essence(attempt.candidate.patch) for attempt in tried}
        for lesson in bench.experience.accepted:
            diff = "" if _blanked(lesson.patch) else _again(lesson.patch, bench.tree)
            if diff and essence(diff) not in known:
                return _merged(lesson, diff, doubtful=bool(bench.experience.rejected))
        return None


def _merged(lesson: Lesson, diff: str, *, doubtful: bool) -> Candidate:
    """The fix of an earlier pull request. Of medium class when people turned another one down for the same failure, or
    when it is about packages or generated files: what they are made of may have moved on since."""
    why = f"#{lesson.number} mended this very failure with the same change, and was merged."
    trust = Confidence.MEDIUM if doubtful or lesson.change is not Change.EDIT else Confidence.HIGH
    title = f"Apply the change of #{lesson.number} again"
    return Candidate(Remembered.name, diff, why, trust, title=title, change=lesson.change)


def _blanked(patch: str) -> bool:
    """What is remembered had something that looked like a secret, and is not the whole change any more."""
    return any(MARK in line for line in patch.split("\n") if line.startswith("+"))


def _again(patch: str, tree: SourceTree) -> str:
    """The patch as a diff of these files; "" where it finds no place or changes nothing."""
    try:
        return tree.diff(_placed(patch, tree))
    except PatchError:
        return ""


def _placed(patch: str, tree: SourceTree) -> Mapping[str, bytes | None]:
    try:
        return tree.apply(patch)
    except PatchError:
        return read_answer(patch, tree)
