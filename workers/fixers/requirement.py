"""A module that the repository imports and nothing lists: its distribution is added where such things are listed, and
the lock file follows. Only names that a table or the lock knows; the verifier installs anew from the patched files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from workers import scripts
from workers.domain import Attempt, Candidate, Change, Confidence, Diagnosis, FailureClass
from workers.fixers import locks
from workers.fixers.kept import following
from workers.policy import is_test
from workers.ports import SourceTree, Workbench
from workers.requirements import Missing, distribution, missing, normal
from workers.requirements.lists import Place, names, places, with_one

SHOWN = 2
"""Places that are tried: each costs an environment."""
_CLASSES = frozenset({FailureClass.DEPENDENCY, FailureClass.IMPORT, FailureClass.TYPE, FailureClass.LINT})
_LISTS = ("pyproject.toml", "setup.cfg")
_FOR_TESTS = ("test", "tests", "testing", "dev", "develop", "development", "ci")
_FOR_TYPES = ("typing", "types", "mypy", "type-check", "typecheck", "lint", "linting", "dev", "develop", "ci", "test")
_PROJECT = (("uv", "sync"), ("uv", "run"), ("poetry", "install"), ("pdm", "install"), ("pdm", "sync"))
_RUNTIME = ("dependencies", "install_requires")


class Requirement:
    """The fixer. It has a candidate for each place where the package may belong, likeliest first."""

    name = "requirement"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """A module or its types are missing, and nothing else is wrong."""
        return (
            diagnosis.cls in _CLASSES and bool(diagnosis.findings) and all(missing([one]) for one in diagnosis.findings)
        )

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The package in the next place."""
        return following(bench, self.name, tried, lambda: _rows(bench), SHOWN)


def ranked(tree: SourceTree, setup: str, chosen: Sequence[str], *, runtime: bool) -> list[Place]:
    """All places, likeliest first: those that the set-up installs, then by what they are for. `chosen` are the names of
    groups that fit, best first."""
    found = [
        place
        for path in tree.paths()
        if PurePosixPath(path).name in _LISTS or "require" in path.lower()
        for place in places(path, tree.read(path) or b"")
    ]
    return sorted(found, key=lambda place: _rank(place, setup, chosen, runtime=runtime))


def _rank(place: Place, setup: str, chosen: Sequence[str], *, runtime: bool) -> tuple[object, ...]:
    name = PurePosixPath(place.path).name
    group = _group(place)
    at_run_time = not group
    fit = chosen.index(group) if group in chosen else len(chosen) + at_run_time
    depth = place.path.count("/")
    if runtime:
        return (not at_run_time, not _installed(place, setup), not name.endswith(".in"), depth, fit, place.path)
    return (not _installed(place, setup), fit, group not in setup, depth, place.path, place.keys)


def _group(place: Place) -> str:
    """What the list is for, in a word; empty for what is needed at run time."""
    if place.keys:
        if place.keys[-1] == "dev-dependencies":
            return "dev"
        words = place.keys[-2] if place.keys[-1] == "dependencies" and "group" in place.keys else place.keys[-1]
        return "" if words in _RUNTIME else words.lower()
    stem = PurePosixPath(place.path).name.rpartition(".")[0].lower()
    words = re.sub(r"requirements?|constraints?", "", stem).strip("-_. ")
    return "" if words in ("", "base", "common", "main", "prod", "production", "app") else words


def _installed(place: Place, setup: str) -> bool:
    """The job's set-up installs from this list, as far as its commands show."""
    name = PurePosixPath(place.path).name
    if not place.keys:
        return name in setup
    called = (scripts.words(command)[:2] for command in scripts.commands(setup))
    return scripts.installs_project(setup) or any(words in _PROJECT for words in called)


def _rows(bench: Workbench) -> list[dict[str, object]]:
    asked = missing(bench.diagnosis.findings)
    known = {one: distribution(one, bench.tree) for one in asked}
    if not asked or not all(known.values()) or any(_ours(bench.tree, one) for one in asked):
        return []
    where = [path for one in asked for path in _importing(bench.tree, one)]
    stubs = all(one.stubs for one in asked)
    if not where or len({one.stubs for one in asked}) > 1:
        return []
    plan = bench.reproduction.plan
    setup = "\n".join(step.script for step in (*plan.setup, plan.check))
    runtime = not stubs and not all(map(is_test, where))
    brought = list(dict.fromkeys(name for name in known.values() if name))
    order = ranked(bench.tree, setup, _FOR_TYPES if stubs else _FOR_TESTS, runtime=runtime)
    rows = (_row(bench, place, brought, asked, where) for place in order)
    return [row for _, row in zip(range(SHOWN), filter(None, rows), strict=False)]


def _row(
    bench: Workbench, place: Place, brought: Sequence[str], asked: Sequence[Missing], where: Sequence[str]
) -> dict[str, object] | None:
    """The candidate for one place; None where it cannot be written there, or is listed there already."""
    before = bench.tree.read(place.path) or b""
    if {normal(name) for name in brought} & names(place, before):
        return None
    after: bytes | None = before
    for name in brought:
        after = with_one(place, after, name) if after is not None else None
    if after is None:
        return None
    edits = _with_lock(bench, {place.path: after})
    if edits is None:
        return None
    what = " and ".join(f"`{name}`" for name in brought)
    modules = " and ".join(f"`{one.module}`" for one in asked)
    types = "The types of " if asked[0].stubs else ""
    listed = f"{place.path} ({'.'.join(place.keys)})" if place.keys else place.path
    return {
        "patch": bench.tree.diff(edits),
        "reasoning": f"{types}{modules}, imported in {where[0]}, {'come' if types else 'comes'} with {what}, "
        f"which nothing listed: it was added to {listed}, and the environment made anew from it.",
        "confidence": Confidence.MEDIUM.value,
        "alternatives": 0,
        "title": f"Add {', '.join(brought)} to {PurePosixPath(place.path).name}",
        "change": Change.REQUIREMENT.value,
    }


def _with_lock(bench: Workbench, edits: Mapping[str, bytes]) -> Mapping[str, bytes] | None:
    """The edits with the lock file that follows from them; None where it has to follow and cannot be written."""
    path = next(iter(edits))
    found = locks.beside(bench, path) if PurePosixPath(path).name == "pyproject.toml" else None
    if found is None:
        return edits
    lock, file = found
    folder = str(PurePosixPath(file).parent)
    made = locks.written(bench, lock.command, folder, (file,), bench.tree.diff(edits).encode())
    return {**edits, **made} if made.get(file) else None


def _ours(tree: SourceTree, one: Missing) -> bool:
    """The repository has a module of that name: then a path is wrong, and no package missing."""
    top = re.escape(one.module.split(".")[0])
    return any(re.match(rf"(?:src/|lib/|python/)?{top}(?:\.pyi?$|/)", path) for path in tree.paths())


def _importing(tree: SourceTree, one: Missing) -> list[str]:
    """The repository's own files that import it, sources first."""
    top = re.escape(one.module.split(".")[0])
    imports = re.compile(rf"^[ \t]*(?:import|from)[ \t]+(?:[\w.]+[ \t]*,[ \t]*){{0,10}}{top}(?![\w])", re.MULTILINE)
    found = (
        path for path in tree.paths()
        if path.endswith(".py") and imports.search((tree.read(path) or b"").decode("utf-8", "replace"))
    )  # fmt: skip
    return sorted(found, key=lambda path: (is_test(path), path))
