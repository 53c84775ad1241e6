"""Whether a patch is right for one of our red repositories: what it touches, what it adds, and the hidden tests.

A patch need not be the gold's text: it has to do what the gold does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sandbox.spec import Limits, Step
from workers.bench.case import Fixed, Ruling
from workers.bench.ci.red import RedCase
from workers.overlay import Overlay
from workers.patch import PatchError
from workers.ports import SourceTree

_WALL_S = 300.0


@dataclass(frozen=True)
class Gold:
    """`workers.bench.case.Judge` for one case."""

    case: RedCase

    def __call__(self, fixed: Fixed) -> Ruling:
        """The rules that need no run first; then the hidden tests, on the files with the patch."""
        problem = broken(self.case, fixed.patch, fixed.tree)
        if problem:
            return Ruling(False, problem)
        if not self.case.hidden_check:
            return Ruling(True)
        hidden = {path: text.encode() for path, text in self.case.hidden.items()}
        ran = fixed.environment.run(
            Step("hidden", self.case.hidden_check),
            Overlay(fixed.tree, hidden).tar(),
            fixed.patch.encode("utf-8", "surrogateescape"),
            Limits(wall_s=_WALL_S),
            cancel=fixed.cancel,
        )
        return Ruling(ran.green, "" if ran.green else "the hidden tests are red with it")


def broken(case: RedCase, patch: str, tree: SourceTree) -> str:
    """The rule of the case that a patch breaks, as a sentence; empty for none."""
    try:
        edits = tree.apply(patch)
    except PatchError as error:
        return f"it does not apply: {error}"
    if not case.gold:
        return "no patch is right here"
    stray = sorted(set(edits) - set(case.allowed))
    if stray:
        return f"it touches {', '.join(stray)}"
    added = tuple(added_lines(edits, tree))
    for line in added:
        if any(re.search(pattern, line) for pattern in case.never):
            return f"it adds what must not be added: {line.strip()}"
        if case.must and not any(re.match(pattern, line) for pattern in case.must):
            return f"it adds something else: {line.strip()}"
    if case.exact and edits != tree.apply(case.gold):
        return "its files are not the gold's"
    return ""


def added_lines(edits: Mapping[str, bytes | None], tree: SourceTree) -> Iterator[str]:
    """The lines that stand in a changed file and in no place of it before."""
    for path, data in edits.items():
        before = set((tree.read(path) or b"").decode(errors="replace").splitlines())
        yield from (line for line in (data or b"").decode(errors="replace").splitlines() if line not in before)
