"""Which parts of a repository a model is shown of a failure, in several views, so that one it failed with is not its
only one.

Texts come as they are in the repository: who writes the prompt cleans and fences them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from workers import clue, repo_map
from workers.fixers.excerpts import shortened, sliced
from workers.globs import matches
from workers.ports import Files, Workbench
from workers.suspects import is_test

FEW = 3
"""What so many commits changed together can still be read."""
_CALLERS, _NAMES, _WORDS = 5, 6, 400
_LEAST = 200
"""Characters below which a part of a file tells nothing."""
_WORD = re.compile(r"[^\W\d]\w{2,80}")
_NAMED_TEST = re.compile(r"^test_|[._]?(?:test|spec)s?$|(?<=[a-z\d])(?:Test|Spec)s?$")
"""What makes the name of a source the name of its test."""


class View(StrEnum):
    """What is put in front of the model beside the failure itself."""

    WHOLE = "whole"  # the suspects, what the test imports, the change, and the map
    STACK = "stack"  # nothing but the files that the failure names
    CALLERS = "callers"  # no change, but who uses what is suspected
    CHANGE = "change"  # what changed comes first, and has the most room


@dataclass(frozen=True)
class Part:
    """A file, or what is shown of it."""

    path: str
    text: str


@dataclass(frozen=True)
class Choice:
    """The files of a view, likeliest first."""

    paths: Sequence[str]
    """All that may be shown of the repository."""
    sources: Sequence[str]
    tests: Sequence[str]


def choose(bench: Workbench, view: View) -> Choice:
    """The files that a view is made of."""
    paths = [path for path in bench.tree.paths() if not matches(path, bench.config.paths.ignore)]
    found = named(bench, paths, view)
    tests = [path for path in found if is_test(path)]
    sources = [path for path in found if not is_test(path)] or _under_test(bench, tests, paths)
    return Choice(paths, sources, tests)


def named(bench: Workbench, paths: Sequence[str], view: View = View.WHOLE) -> list[str]:
    """Files that the diagnosis names, likeliest first, what the culprit changed, then what the tests in it import."""
    known, diagnosis = set(paths), bench.diagnosis
    wanted = [suspect.path for suspect in diagnosis.suspects]
    wanted += [finding.path for finding in diagnosis.findings if finding.path]
    wanted += [finding.test.split("::")[0] for finding in diagnosis.findings if finding.test]
    changed = clue.paths(change(bench, view))
    wanted = [*changed, *wanted] if view is View.CHANGE else [*wanted, *changed]
    here = [path for path in dict.fromkeys(wanted) if path in known]
    if view is View.STACK and any(not is_test(path) for path in here):
        return here
    return list(
        dict.fromkeys([*here, *(one for path in here if is_test(path) for one in _imports(bench, path, known))])
    )


def tests(bench: Workbench) -> list[str]:
    """The texts of the failing tests' files."""
    paths = [path for path in named(bench, bench.tree.paths()) if is_test(path)]
    return [text for path in paths if (text := _text(bench.tree, path))]


def change(bench: Workbench, view: View = View.WHOLE) -> str:
    """What one of a few commits changed; what many did together distracts, unless it is the view."""
    if view in (View.STACK, View.CALLERS):
        return ""
    diff = bench.blame.diff if bench.blame.count <= FEW or view is View.CHANGE else ""
    files = re.split(r"(?m)^(?=diff --git )", diff)
    ignored = bench.config.paths.ignore
    return "".join(part for part in files if not any(matches(path, ignored) for path in clue.paths(part)))


def parts(bench: Workbench, paths: Sequence[str], budget: int, tests: Sequence[Part] = ()) -> list[Part]:
    """The files in their order within a budget of characters: whole where all of them fit, else each has half of what
    is left for the part that the failure is about, or that the failing tests speak of."""
    names = _names(bench) | {word for test in tests for word in _in(test.text)}
    texts = [(path, text) for path in paths if (text := _text(bench.tree, path)) is not None]
    room = sum(len(text) for _, text in texts) <= budget
    found = []
    for n, (path, text) in enumerate(texts, 1):
        if budget < _LEAST:
            break
        share = budget if room or n == len(texts) or len(text) <= budget // 2 else budget // 2
        part = shortened(sliced(path, text, _lines(bench, path), names, share) or text, share)
        budget -= len(part)
        found.append(Part(path, part))
    return found


def outline(bench: Workbench, choice: Choice, shown: Sequence[Part], limit: int) -> str:
    """What the files that are not shown define, as far as it matters: read once in a run for one choice of files."""
    seeds, words, known = [*choice.sources, *choice.tests], sorted(_words(bench)), sorted(part.path for part in shown)
    return bench.once(
        f"repo_map:{_digest(bench.tree.sha, seeds, words, known, limit)}",
        str,
        lambda: "\n".join(repo_map.outline(bench.tree, choice.paths, seeds, words, limit, known)),
    )


def callers(bench: Workbench, choice: Choice, budget: int) -> list[Part]:
    """Who uses the definitions that are suspected, read once in a run."""
    names = _suspected(bench, choice.sources)
    seeds = [*choice.sources, *choice.tests]
    if not names:
        return []
    stored = bench.once(
        f"callers:{_digest(bench.tree.sha, seeds, names)}", str, lambda: json.dumps(_using(bench, choice, seeds, names))
    )
    found = []
    for path, start, end in json.loads(stored):
        text = "\n".join((_text(bench.tree, path) or "").split("\n")[start - 1 : end])
        if len(text) <= budget:
            budget -= len(text)
            found.append(Part(path, text))
    return found


def _using(bench: Workbench, choice: Choice, seeds: Sequence[str], names: Sequence[str]) -> list[tuple[str, int, int]]:
    found = repo_map.callers(bench.tree, choice.paths, seeds, names, _CALLERS)
    return [(one.path, one.definition.start, one.definition.end) for one in found]


def _suspected(bench: Workbench, sources: Sequence[str]) -> list[str]:
    """The names of the innermost definitions that hold a suspected line."""
    found: list[str] = []
    for path in sources:
        definitions = repo_map.symbols(path, bench.tree.read(path) or b"").definitions
        for line in _lines(bench, path):
            found += [one.name for one in definitions if one.holds(line)][-1:]
    return list(dict.fromkeys(found))[:_NAMES]


def _lines(bench: Workbench, path: str) -> list[int]:
    """The lines of a file that the diagnosis speaks of, likeliest first."""
    places = [(one.path, one.line) for one in bench.diagnosis.suspects]
    places += [(one.path or "", one.line) for one in bench.diagnosis.findings]
    found = [line for where, line in places if where == path and line]
    return list(dict.fromkeys(found))[:_NAMES]


def _names(bench: Workbench) -> frozenset[str]:
    """What the findings and their tests speak of by name."""
    told = (word for one in bench.diagnosis.findings for text in (one.test or "", one.message) for word in _in(text))
    return frozenset(told)


def _words(bench: Workbench) -> frozenset[str]:
    return _names(bench) | frozenset(_in(bench.diagnosis.excerpt))


def _in(text: str) -> list[str]:
    return _WORD.findall(text[-20_000:])[-_WORDS:]


def _imports(bench: Workbench, path: str, known: set[str]) -> Iterable[str]:
    text = _text(bench.tree, path) or ""
    for module in re.findall(r"^[ \t]*(?:from|import)[ \t]+([\w.]+)", text, re.MULTILINE):
        stem = module.replace(".", "/")
        for name in (f"{stem}.py", f"src/{stem}.py", f"{stem}/__init__.py", f"src/{stem}/__init__.py"):
            if name in known:
                yield name


def _under_test(bench: Workbench, tests: Sequence[str], paths: Sequence[str]) -> list[str]:
    """When nothing is suspected: the sources named like the tests, and those that define what the tests use."""
    stems = {_NAMED_TEST.sub("", PurePosixPath(path).stem) for path in tests}
    beside = [path for path in paths if PurePosixPath(path).stem in stems and not is_test(path)]
    stored = bench.once(
        f"linked:{_digest(bench.tree.sha, tests)}",
        str,
        lambda: json.dumps(repo_map.linked(bench.tree, paths, tests, FEW)),
    )
    return list(dict.fromkeys([*beside, *json.loads(stored)]))


def _text(files: Files, path: str) -> str | None:
    data = files.read(path)
    return None if data is None or b"\0" in data else data.decode("utf-8", "replace")


def _digest(*parts_: object) -> str:
    return hashlib.sha256(repr(parts_).encode(errors="replace")).hexdigest()[:32]
