"""A release that broke the build: a package that CI had in another version when the job was last green, and that the
failure is about, is kept from that release where it is listed, or beside what is.

Only versions that two logs of CI name are compared, and nothing is bounded that a commit explains. The verifier
installs anew from the patched files; that the code is adapted instead, a person may well prefer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import PurePosixPath

from workers import logs
from workers.domain import Attempt, Candidate, Change, Confidence, Diagnosis, FailureClass, Moved, Since
from workers.fixers import locks
from workers.fixers.kept import following
from workers.fixers.requirement import ranked
from workers.ports import Workbench
from workers.requirements import Missing, distribution, known, normal
from workers.requirements.bounds import bounds, listed, with_bound
from workers.requirements.lists import names

SHOWN = 2
"""Bounds that are tried: each costs an environment."""
_CLASSES = frozenset({
    FailureClass.DEPENDENCY, FailureClass.IMPORT, FailureClass.RESOLUTION, FailureClass.TEST, FailureClass.ERROR,
})  # fmt: skip
_MODULE = r"[A-Za-z_][\w.]{0,200}"
_RAISED = re.compile(
    r"(?:cannot import name ['\"]\w{1,100}['\"] from (?:partially initialized module )?|No module named |\bmodule )"
    rf"['\"](?P<name>{_MODULE})['\"]"
)
_FRAME = re.compile(r"\b(?:site|dist)-packages/(?P<name>[A-Za-z_]\w{0,100})(?:/|\.py\b)")
_CONFLICT = re.compile(r"requires|requirement|incompatible|conflict", re.IGNORECASE)
_PACKAGE = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z0-9][\w.-]{0,100})(?: |==)(?P<version>\d[\w.!+-]{0,60})")
_RUNNERS = frozenset({"pytest", "pluggy"})
"""What runs the tests is in every traceback of one that cannot be collected."""
_LINE = 2000


class Upstream:
    """The fixer. It has a candidate for each way to leave out the release, for each package that may be it."""

    name = "upstream"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Installed code may be what raises, or what cannot be installed."""
        return diagnosis.cls in _CLASSES

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next bound."""
        return following(bench, self.name, tried, lambda: _rows(bench), SHOWN)


def concerned(text: str, bench: Workbench, moved: Sequence[Moved]) -> list[tuple[Moved, str]]:
    """The packages that moved and that a failing output is about, likeliest first, each with what says so."""
    ours = {one.name: one for one in moved}
    lines = [line[:_LINE] for line in text.split("\n")]
    found: dict[str, str] = {}
    for name, why in chain(_raised(lines, bench), _resolved(lines, ours), _traced(lines, bench)):
        if name in ours:
            found.setdefault(name, why)
    return [(ours[name], why) for name, why in found.items()]


def _raised(lines: Sequence[str], bench: Workbench) -> Iterator[tuple[str, str]]:
    """The exception names a module of it."""
    for match in filter(None, map(_RAISED.search, lines)):
        yield _package(match["name"], bench), f"the failure names its module `{match['name']}`"


def _resolved(lines: Sequence[str], moved: Mapping[str, Moved]) -> Iterator[tuple[str, str]]:
    """The installer names it in the version that it has now."""
    for line in filter(_CONFLICT.search, lines):
        for match in _PACKAGE.finditer(line):
            one = moved.get(normal(match["name"]))
            if one is not None and match["version"].rstrip(".") == one.after:
                yield one.name, "the installer names it in a conflict"


def _traced(lines: Sequence[str], bench: Workbench) -> Iterator[tuple[str, str]]:
    """The traceback goes through its files; what is deepest in it comes first."""
    for match in filter(None, map(_FRAME.search, reversed(lines))):
        name = _package(match["name"], bench)
        if name not in _RUNNERS:
            yield name, "the traceback goes through it"


def _package(module: str, bench: Workbench) -> str:
    """The normal name of what brings a module: by the table, else that of the module, which has to be installed."""
    listed = distribution(Missing(module), bench.tree)
    return normal(listed or module.split(".")[0].lstrip("_"))


def _rows(bench: Workbench) -> list[dict[str, object]]:
    before = bench.reproduction.before
    said = [finding.message for finding in bench.diagnosis.findings]
    said += [test.message for test in before.tests if test.status in ("failed", "error")]
    text = logs.clean("\n".join([*said, before.output.text]))
    suspected = bench.blame.suspects  # then an earlier commit was green with these very packages
    if suspected or not any(pattern.search(text) for pattern in (_RAISED, _FRAME, _CONFLICT)):
        return []
    since = bench.since()
    by_package = [
        [_row(bench, since, one, why, bound) for bound in bounds(one.before, one.after)]
        for one, why in concerned(text, bench, since.moved)[:SHOWN]
    ]
    return [row for turn in zip_longest(*by_package) for row in turn if row is not None]


def _row(bench: Workbench, since: Since, one: Moved, why: str, bound: str) -> dict[str, object] | None:
    """The candidate; None where no list can take the bound."""
    for path, made, there in _places(bench, one.name, bound):
        was = f" ({since.green_at})" if since.green_at else ""
        now = f" ({since.red_at})" if since.red_at else ""
        beside = "" if there else ", which lists it now because something else brings it"
        return {
            "patch": bench.tree.diff({path: made}),
            "reasoning": f"The last green run of this job{was} had `{one.name}` {one.before}, this one{now} has "
            f"{one.after}, and {why}. `{one.name}{bound}` leaves that release out in {path}{beside}; the environment "
            f"was made anew from it. To work with {one.after}, the code has to be adapted instead.",
            "confidence": Confidence.MEDIUM.value,
            "alternatives": 0,
            "title": f"Keep {one.name} from {one.after}",
            "change": Change.BOUND.value,
        }
    return None


def _places(bench: Workbench, name: str, bound: str) -> Iterator[tuple[str, bytes, bool]]:
    """(path, the file with the bound, the package is listed there already). Where nothing lists it, it is listed only
    if more than a log knows its name."""
    tree, plan = bench.tree, bench.reproduction.plan
    setup = "\n".join(step.script for step in (*plan.setup, plan.check))
    constraints, own_setup = (
        [place for path in tree.paths() if wanted in PurePosixPath(path).name.lower()
         for place in listed(path, tree.read(path) or b"")]
        for wanted in ("constraint", "setup.py")
    )  # fmt: skip
    every = list(dict.fromkeys((*constraints, *ranked(tree, setup, (), runtime=True), *own_setup)))
    own = [place for place in every if name in names(place, tree.read(place.path) or b"")]
    beside = [place for place in every if "constraint" not in place.path] if known(name, tree) else []
    for place in own or beside:
        made = with_bound(place, tree.read(place.path) or b"", name, bound)
        locked = PurePosixPath(place.path).name == "pyproject.toml" and locks.beside(bench, place.path)
        if made is not None and not locked:
            yield place.path, made, bool(own)
