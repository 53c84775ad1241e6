"""A version that was raised in one file and forgotten in another: the failing check shows both, a commit that brought
the failure wrote the new one, and the files that still say the old one are told the new one.

Which of two versions is meant, only that commit says. Without one there is no candidate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from pathlib import PurePosixPath

from workers import lockfiles
from workers.domain import Attempt, Candidate, Confidence, Diagnosis, FailureClass
from workers.policy import is_test
from workers.ports import Workbench

_CLASSES = frozenset({
    FailureClass.TEST, FailureClass.ERROR, FailureClass.LINT, FailureClass.BUILD, FailureClass.UNKNOWN,
})  # fmt: skip
_VERSION = r"\d{1,6}(?:\.\d{1,6}){1,3}(?:[-.+]?[A-Za-z]\w{0,20})?"
_SAYS = re.compile(
    rf"""[ \t]*["']?(?:__version__|version|release)["']?[ \t]*[:=][ \t]*["']?(?P<version>{_VERSION})["']?,?\s*""",
    re.IGNORECASE,
)
"""A whole line that says the version of something, in any of the usual files."""
_BARE = re.compile(rf"(?P<version>{_VERSION})\s*")
_FILES = re.compile(
    r"(?:^|/)(?:__init__|__about__|_?version|setup|conf)\.py$|(?:^|/)(?:pyproject\.toml|setup\.cfg|Cargo\.toml|VERSION"
    r"|package\.json|version\.txt|CITATION\.cff|meson\.build|galaxy\.yml|Chart\.yaml)$"
)
_MANIFESTS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "package.json", "Cargo.toml"})
_MOST = 3
"""Files that may have been forgotten; more of them say that the version is no version of this project."""


class Version:
    """The fixer. It has one candidate per failure."""

    name = "version"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """A check that compares: its words are looked at when it is asked."""
        return diagnosis.cls in _CLASSES

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The forgotten files with the new version."""
        if any(attempt.candidate.fixer == self.name for attempt in tried):
            return None
        raised = _raised(bench.blame.diff)
        if raised is None or not _shown(bench, *raised[:2]):
            return None
        old, new, where = raised
        edits = dict(_forgotten(bench, old, new, where))
        if not edits or len(edits) > _MOST:
            return None
        files = ", ".join(edits)
        return Candidate(
            fixer=self.name,
            patch=bench.tree.diff(edits),
            reasoning=f"The version went from {old} to {new} in {where}, and {files} still said {old}: the check "
            "compares them.",
            confidence=Confidence.MEDIUM,
            title=f"Raise the version to {new} in {files}"[:120],
        )


def _raised(diff: str) -> tuple[str, str, str] | None:
    """(old version, new version, file) of the one version that a diff changes; None for none or several."""
    found: dict[tuple[str, str], str] = {}
    path, gone = "", ""
    for line in diff.split("\n"):
        if line.startswith("+++ "):
            path = line[4:].removeprefix("b/").split("\t")[0]
        elif line.startswith("-") and not line.startswith("--- "):
            gone = _said(path, line[1:500]) or gone
        elif line.startswith("+"):
            new = _said(path, line[1:500])
            if gone and new and gone != new and _FILES.search(path):
                found.setdefault((gone, new), path)
                gone = ""
        else:
            gone = ""
    if len(found) != 1:
        return None
    ((old, new), where) = next(iter(found.items()))
    return old, new, where


def _said(path: str, line: str) -> str:
    """The version that a line of a file says; empty for none."""
    match = (_SAYS if "." in PurePosixPath(path).name else _BARE).fullmatch(line)
    return match["version"] if match else ""


def _shown(bench: Workbench, *versions: str) -> bool:
    """The failing output has both of them, each by itself."""
    said = [bench.reproduction.before.output.text, *(finding.message for finding in bench.diagnosis.findings)]
    text = "\n".join(said)
    return all(re.search(rf"(?<![\w.]){re.escape(version)}(?![\w.]*\w)", text) for version in versions)


def _forgotten(bench: Workbench, old: str, new: str, where: str) -> Iterator[tuple[str, bytes]]:
    """Files of the same project that say the old version, in one line, with the new one."""
    paths = bench.tree.paths()
    roots = {PurePosixPath(path).parent for path in paths if PurePosixPath(path).name in _MANIFESTS}
    for path in paths:
        ours = _FILES.search(path) and not is_test(path) and _project(path, roots) == _project(where, roots)
        data = bench.tree.read(path) if ours else None
        if data is None or len(data) > 1 << 20 or lockfiles.of(path, data):
            continue
        lines = data.decode("utf-8", "surrogateescape").splitlines(keepends=True)
        at = [number for number, line in enumerate(lines) if _said(path, line[:500]) == old]
        if len(at) == 1:
            lines[at[0]] = lines[at[0]].replace(old, new)
            yield path, "".join(lines).encode("utf-8", "surrogateescape")


def _project(path: str, roots: Set[PurePosixPath]) -> PurePosixPath | None:
    return next((folder for folder in PurePosixPath(path).parents if folder in roots), None)
