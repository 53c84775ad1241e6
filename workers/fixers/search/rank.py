"""Which candidates to try, likeliest first: suspiciousness of the line times the prior of the edit.

Priors follow from how often people mend a statement in that way, see `priors`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from workers.fixers.search.evidence import Pair
from workers.fixers.search.priors import lifts
from workers.fixers.search.seen import seen
from workers.fixers.search.templates import mutations
from workers.fixers.search.templates.literals import wanted
from workers.fixers.search.templates.raised import directed
from workers.fixers.source import Mutation, Source, parses, sources, spliced
from workers.ports import SourceTree
from workers.spectrum.evidence import Trace

_IMPORT_TIME = 0.3
"""Weight of module-level code: it runs when the tests are collected, for all of them alike."""
_ON_FRAME = 1.4
_CHANGED = 3.0
"""Lines that the commit changed which brought the failure come first, unless hardly a failing test executes them."""
_DIRECTED = 2.0
_MADE = 100_000
"""Candidates of one file that are ranked at all."""
TWO = "two edits"
_NOTHING: Mapping[str, frozenset[int]] = {}


@dataclass(frozen=True)
class Ranked:
    """A candidate with its score and its place in the list that is screened. `beside` is the other half of a pair of
    edits, where that is in another file."""

    id: int
    score: float
    mutation: Mutation
    before: bytes
    beside: Ranked | None = None

    @property
    def text(self) -> bytes:
        """The changed file."""
        return spliced(self.before, self.mutation.splices)

    @property
    def texts(self) -> dict[str, bytes]:
        """Every changed file, by its path."""
        return {self.mutation.path: self.text, **(self.beside.texts if self.beside else {})}

    @property
    def size(self) -> int:
        """How long the changed files are."""
        return sum(map(len, self.texts.values()))


def ranked(
    tree: SourceTree, trace: Trace, limit: int, changed: Mapping[str, frozenset[int]] = _NOTHING
) -> list[Ranked]:
    """At most `limit` candidates that parse and differ, best first. `changed` are the culprit's lines, by path."""
    known = sources(tree)
    suspects = {path for path in trace.counts if any(f for f, _ in trace.counts[path].values())}
    suspects |= {frame[0] for failure in trace.exceptions.values() for frame in failure.frames}
    made: list[tuple[Mutation, float]] = []
    for path in sorted(suspects & set(known)):
        for mutation, score in islice(_scored(known[path], trace, known), _MADE):
            likelier = _CHANGED if changed.get(path, frozenset()) & _places(mutation) else 1.0
            made.append((_native(known[path], mutation), score * likelier))
    lift = lifts(mutation for mutation, _ in made)
    scored = [(-score * lift.get(one.kind, 1.0), place, one) for place, (one, score) in enumerate(made)]
    scored.sort(key=lambda row: row[:2])
    return list(_distinct(scored, known, limit))


def joined(pairs: Sequence[Pair], candidates: Sequence[Ranked]) -> list[Ranked]:
    """What the screening made of two candidates each; a pair that cannot be, whoever reported it, is none."""
    known = {candidate.id: candidate for candidate in candidates}
    made: dict[int, Ranked] = {}
    for pair in pairs:
        two = [known[number] for number in pair.of if number in known]
        both = _both(*two) if len(two) == 2 and pair.id not in known else None
        if both is not None:
            made[pair.id] = replace(both, id=pair.id)
    return list(made.values())


def _both(one: Ranked, other: Ranked) -> Ranked | None:
    """Two candidates as one, unless they change the same place."""
    apart = one.mutation.path != other.mutation.path
    splices = one.mutation.splices if apart else tuple(sorted((*one.mutation.splices, *other.mutation.splices)))
    if not all(a[1] <= b[0] and a[0] < b[0] for a, b in pairwise(splices)):
        return None
    place = f"{other.mutation.path}:{other.mutation.line}" if apart else f"line {other.mutation.line}"
    what = f"{one.mutation.what}, and in {place} {other.mutation.what}"
    mutation = replace(one.mutation, splices=splices, kind=TWO, what=what, sure=False)
    return Ranked(one.id, min(one.score, other.score), mutation, one.before, other if apart else None)


def _scored(source: Source, trace: Trace, known: Mapping[str, Source]) -> Iterator[tuple[Mutation, float]]:
    others = {path: other for path, other in known.items() if path != source.path}
    frames = {line for failure in trace.exceptions.values() for path, line, _ in failure.frames if path == source.path}
    for failure in trace.exceptions.values():
        for mutation in directed(source, failure, others):
            yield mutation, _DIRECTED * mutation.prior
    for mutation in wanted(source, tuple(trace.exceptions.values())):
        suspicion = _suspicion(source, mutation.node, mutation.line, trace)
        if suspicion:
            yield mutation, suspicion * mutation.prior
    for mutation in mutations(source, lambda node: bool(_suspicion(source, node, 0, trace)), seen(source, trace)):
        suspicion = _suspicion(source, mutation.node, mutation.line, trace)
        if suspicion:
            yield mutation, suspicion * mutation.prior * (_ON_FRAME if mutation.line in frames else 1.0)


def _native(source: Source, mutation: Mutation) -> Mutation:
    """New lines end as the file's own do."""
    if b"\r\n" not in source.data or not any("\n" in new for _, _, new in mutation.splices):
        return mutation
    splices = tuple((a, b, new.replace("\r\n", "\n").replace("\n", "\r\n")) for a, b, new in mutation.splices)
    return replace(mutation, splices=splices)


def _places(mutation: Mutation) -> set[int]:
    return {mutation.line, getattr(mutation.node, "lineno", mutation.line)}


def _suspicion(source: Source, node: ast.AST | None, line: int, trace: Trace) -> float:
    """Of the line, or of the statement's lines; what runs at import, and no test executes, counts a little, unless that
    is where it raised."""
    statement = source.statement(node) if node is not None else None
    lines = {line, getattr(node, "lineno", line)}
    if statement is not None and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        lines |= source.header(statement)
    raised = trace.raised.get(source.path, frozenset())
    best = 1.0 if raised & lines else max(trace.ochiai(source.path, line) for line in lines)
    if best:
        return best
    function = source.function(node) if node is not None else None
    if node is None or function is None or _default(source, node):
        return _IMPORT_TIME if raised or source.path in trace.counts else 0.0
    return _IMPORT_TIME if any(function.lineno <= at <= (function.end_lineno or 0) for at in raised) else 0.0


def _default(source: Source, node: ast.AST) -> bool:
    """The node is in a function's header, which runs at import."""
    return isinstance(source.statement(node), ast.FunctionDef | ast.AsyncFunctionDef)


def _distinct(scored: list[tuple[float, int, Mutation]], known: Mapping[str, Source], limit: int) -> Iterator[Ranked]:
    """Each text once, as long as it can be parsed; only the statement that changed is read for that."""
    seen: set[tuple[str, int, bytes]] = set()
    count = 0
    for negative, _, mutation in scored:
        source = known[mutation.path]
        start, end = source.piece(mutation.splices)
        piece = spliced(source.data[start:end], tuple((a - start, b - start, new) for a, b, new in mutation.splices))
        key = (mutation.path, start, piece)
        if key in seen or piece == source.data[start:end] or not parses(piece):
            continue
        seen.add(key)
        yield Ranked(count, -negative, mutation, source.data)
        count += 1
        if count >= limit:
            return
