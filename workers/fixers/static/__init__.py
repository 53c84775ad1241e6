"""Repair by what was raised: names, imports, attributes, arguments, keys, encodings and missing `await`s that one edit
puts right. Nothing is run and no model is asked; the verifier judges the patch as any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise

from workers.domain import Attempt, Candidate, Confidence, Diagnosis, FailureClass
from workers.fixers.kept import following
from workers.fixers.source import Mutation, Source, parses, sources, spliced
from workers.fixers.static import (
    arguments,
    attributes,
    awaits,
    encodings,
    failures,
    forms,
    keys,
    modules,
    names,
    renames,
    unevaluated,
)
from workers.ports import SourceTree, Workbench
from workers.spectrum.evidence import Failure

Fix = tuple[Mutation, ...]
"""What puts one failure right: a mutation of each file that is concerned."""
SHOWN = 2
"""Candidates of one run: each costs a verification, and a search that screens many follows."""
_KINDS = frozenset(
    ("NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "AttributeError", "TypeError", "KeyError",
     "UnicodeDecodeError", "UnicodeEncodeError", "RuntimeWarning", "DeprecationWarning", "PendingDeprecationWarning",
     "FutureWarning", "UserWarning", "PytestUnraisableExceptionWarning", "PydanticUserError", "PydanticImportError",
     "PydanticDeprecatedSince20", "ArgumentError", "ObjectNotExecutableError", "MovedIn20Warning", "RemovedIn20Warning",
     "SADeprecationWarning")
)  # fmt: skip
_CLASSES = frozenset(
    {FailureClass.TEST, FailureClass.ERROR, FailureClass.IMPORT, FailureClass.DEPENDENCY, FailureClass.UNKNOWN}
)


class Static:
    """The fixer."""

    name = "static"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Python raised something that is often a slip or a rename."""
        return diagnosis.cls in _CLASSES and bool(failures.kinds(diagnosis) & _KINDS)

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """All failures put right at once, each in its likeliest way; then in its next one."""
        return following(bench, self.name, tried, lambda: _rows(bench))


def fixes(failure: Failure, known: Mapping[str, Source]) -> tuple[Fix, ...]:
    """The corrections of one failure, likeliest first, each of them once and none that cannot be parsed.

    `known` are the files that may be changed. What a release renamed goes before what a name is like.
    """
    table = (forms.reformed(failure, known), renames.renamed(failure, known), awaits.forgotten(failure, known))
    found: dict[object, Fix] = {}
    for fix in [*filter(None, table), *((one,) for one in _directed(failure, known))]:
        found.setdefault(_splices(fix), fix)
    return tuple(fix for fix in found.values() if edits([fix], known))


def corrected(source: Source, failure: Failure, line: int, others: Mapping[str, Source]) -> Iterator[Mutation]:
    """The corrections of the raising line itself, or of the imports of its file."""
    yield from unevaluated.unevaluable(source, failure, line)
    for make in _BY_TYPE.get(failure.type, ()):
        yield from make(source, failure, line, others)
    if failure.type in ("UnicodeDecodeError", "UnicodeEncodeError"):
        yield from encodings.undecodable(source, failure, line)


_BY_TYPE = {
    "NameError": (names.missing,),
    "UnboundLocalError": (names.missing,),
    "ImportError": (modules.unimportable,),
    "ModuleNotFoundError": (modules.unimportable,),
    "AttributeError": (awaits.misused, attributes.lacking),
    "TypeError": (awaits.misused, arguments.misspelt_keyword),
    "KeyError": (keys.absent,),
}


def edits(chosen: Sequence[Fix], known: Mapping[str, Source]) -> Mapping[str, bytes]:
    """The changed files; empty when nothing changes, edits touch each other, or a file could not be parsed any more."""
    splices: dict[str, dict[tuple[int, int, str], None]] = {}
    for mutation in chain.from_iterable(chosen):
        splices.setdefault(mutation.path, {}).update(dict.fromkeys(mutation.splices))
    changed = {path: spliced(known[path].data, tuple(rows)) for path, rows in splices.items()}
    if not all(_apart(list(rows)) for rows in splices.values()) or not all(map(parses, changed.values())):
        return {}
    return {path: data for path, data in changed.items() if data != known[path].data}


def _directed(failure: Failure, known: Mapping[str, Source]) -> Iterator[Mutation]:
    """What the raising frame suggests, then what needs none."""
    path, line, _ = failure.frames[-1] if failure.frames else ("", 0, "")
    found: list[Mutation] = []
    if path in known:
        others = {other: source for other, source in known.items() if other != path}
        found += corrected(known[path], failure, line, others)
    for source in known.values() if failure.type == "TypeError" else ():
        found += arguments.selfless(source, failure)
    yield from sorted(found, key=lambda mutation: (not mutation.sure, -mutation.prior))


def _rows(bench: Workbench) -> list[dict[str, object]]:
    known = sources(bench.tree)
    found = [(failure, fixes(failure, known)) for failure in failures.raised(bench)]
    able = [(failure, ways) for failure, ways in found if ways]
    turns = min(SHOWN, max((len(ways) for _, ways in able), default=0))
    rows = [_row(bench.tree, able, turn, known) for turn in range(turns)]
    return [row for row in rows if row]


def _row(
    tree: SourceTree, able: Sequence[tuple[Failure, tuple[Fix, ...]]], turn: int, known: Mapping[str, Source]
) -> dict[str, object]:
    """One candidate; empty when the corrections do not go together."""
    chosen = {_splices(ways[min(turn, len(ways) - 1)]): (failure, ways) for failure, ways in able}
    picked = [ways[min(turn, len(ways) - 1)] for _, ways in chosen.values()]
    changed = edits(picked, known)
    if not changed:
        return {}
    first = picked[0][0]
    more = len(picked) + len(picked[0]) > 2
    return {
        "patch": tree.diff(changed),
        "reasoning": " ".join(_told(fix, failure) for fix, (failure, _) in zip(picked, chosen.values(), strict=True)),
        "confidence": _confidence(picked).value,
        "alternatives": max(len(ways) for _, ways in chosen.values()) - 1,
        "title": f"{first.title} and more" if more else first.title,
    }


def _confidence(picked: Sequence[Fix]) -> Confidence:
    """High is a known rename, or the one name that a slip of the finger away; everything else is a good guess."""
    return Confidence.HIGH if all(one.sure for fix in picked for one in fix) else Confidence.MEDIUM


def _told(fix: Fix, failure: Failure) -> str:
    where = ", ".join(f"{one.path}:{one.line}" for one in fix[:5])
    rest = f" and {len(fix) - 5} more files" if len(fix) > 5 else ""
    at = f"{failure.frames[-1][0]}:{failure.frames[-1][1]} raised" if failure.frames else "The run raised"
    return f"{fix[0].what} at {where}{rest}; {at} {failure.type}."


def _splices(fix: Fix) -> tuple[tuple[str, tuple[tuple[int, int, str], ...]], ...]:
    return tuple((one.path, one.splices) for one in fix)


def _apart(splices: list[tuple[int, int, str]]) -> bool:
    ordered = sorted(splices)
    return all(one[1] <= two[0] for one, two in pairwise(ordered))
