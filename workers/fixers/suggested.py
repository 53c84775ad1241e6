"""The code that reviewers wrote themselves: suggestion blocks applied as they are, together or as many as hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from workers.domain import Attempt, Candidate, Confidence, Diagnosis
from workers.fixers.revising import Patched, lines, patched
from workers.patch import PatchError
from workers.ports import Revision, Workbench
from workers.remarks import suggestion


@dataclass(frozen=True)
class Place:
    """Lines `start` to `end` of a file, counted from 1, both included, and what a remark wants there."""

    remark: int
    path: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Suggested:
    """The fixer: all suggestions at once, then all but one, then one alone."""

    name: str = "suggestion"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Whatever failed, a person has written the code."""
        del diagnosis
        return True

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next selection of suggestions on top of the change as it stands."""
        if bench.revision is None:
            return None
        mine = sum(attempt.candidate.fixer == self.name for attempt in tried)
        try:
            files = patched(bench, bench.revision)
        except PatchError as error:
            return None if mine else _failed(self.name, (), str(error))
        places = [place for place in places_of(bench.revision) if _fits(place, files)]
        chosen = next((one for n, one in enumerate(_selections(places)) if n == mine), None)
        return self._candidate(files, bench.revision, chosen) if chosen else None

    def _candidate(self, files: Patched, revision: Revision, chosen: Sequence[Place]) -> Candidate:
        meets = tuple(place.remark for place in chosen)
        authors = ", ".join(dict.fromkeys(revision.remarks[n].author for n in meets))
        edits = {path: replaced(files.read(path) or b"", here) for path, here in _by_path(chosen).items()}
        if all(files.read(path) == data for path, data in edits.items()):
            return _failed(self.name, meets, "the lines are like this already")
        try:
            patch = files.diff(edits)
        except PatchError as error:
            return _failed(self.name, meets, str(error))
        many = "suggestions" if len(chosen) > 1 else "suggestion"
        return Candidate(
            fixer=self.name,
            patch=patch,
            reasoning=f"{revision.reasoning} Changed as {authors} suggested in a review.".strip(),
            confidence=revision.confidence,
            title=f"apply the {many} of a review",
            meets=meets,
        )


def places_of(revision: Revision) -> list[Place]:
    """The suggestions whose lines are still part of the change."""
    found = []
    for n in revision.wanted:
        remark = revision.remarks[n]
        text = suggestion(remark.body)
        if text is not None and remark.path and remark.line:
            found.append(Place(n, remark.path, remark.start_line or remark.line, remark.line, text))
    return found


def replaced(content: bytes, places: Sequence[Place]) -> bytes:
    """The file with the places' lines replaced, last first, in its own line ends."""
    found = lines(content)
    crlf = content.count(b"\r\n") * 2 > content.count(b"\n")
    for place in sorted(places, key=lambda one: one.start, reverse=True):
        text = place.text.encode("utf-8", "replace")
        new = lines(text.replace(b"\n", b"\r\n") if crlf else text)
        if place.end == len(found) and not found[-1].endswith(b"\n") and new:
            new[-1] = new[-1].rstrip(b"\r\n")
        found[place.start - 1 : place.end] = new
    return b"".join(found)


def _fits(place: Place, files: Patched) -> bool:
    content = files.read(place.path)
    return content is not None and 1 <= place.start <= place.end <= len(lines(content))


def _selections(places: Sequence[Place]) -> Iterator[Sequence[Place]]:
    """All of them, all but one, one alone: each selection once, and none in which two want the same line."""
    everything = list(places)
    but_one = [[one for one in everything if one is not left] for left in everything] if len(everything) > 2 else []
    alone = [[one] for one in everything] if len(everything) > 1 else []
    for chosen in ([everything] if everything else []) + but_one + alone:
        if not _clash(chosen):
            yield chosen


def _clash(places: Sequence[Place]) -> bool:
    ordered = sorted(places, key=lambda one: (one.path, one.start))
    return any(a.path == b.path and b.start <= a.end for a, b in pairwise(ordered))


def _by_path(places: Sequence[Place]) -> Mapping[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in places:
        found.setdefault(place.path, []).append(place)
    return found


def _failed(name: str, meets: tuple[int, ...], why: str) -> Candidate:
    return Candidate(name, "", "", Confidence.MEDIUM, error=why, meets=meets)
