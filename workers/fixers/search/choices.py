"""Which plausible candidates are shown, in which order: one of each behaviour, honest ones only.

What makes the examples in the code true goes first, then the score decides. Between scores that hardly differ, the
largest group that behaves alike goes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log

from workers import cheats
from workers.fixers.search import judge
from workers.fixers.search.evidence import Plausible, Screening
from workers.fixers.search.rank import Ranked
from workers.ports import Workbench

Choice = tuple[Ranked, Plausible, int]
"""A candidate, what the screening says of it, and how many behaviours the plausible ones have."""
_STEP = log(1.5)
"""Scores that differ by less than this factor are as good as each other."""
_READ = 40
"""Plausible candidates that are read; more of them say that the tests say little."""


def chosen(bench: Workbench, candidates: Sequence[Ranked], run: Screening) -> list[Choice]:
    """The best of each behaviour, best first."""
    known = {candidate.id: candidate for candidate in candidates}
    hits = sorted((hit for hit in run.plausible if hit.id in known), key=lambda hit: hit.id)[:_READ]
    meanings: dict[str, list[Plausible]] = {}
    for hit in hits:
        if _honest(bench, known[hit.id]):
            meanings.setdefault(judge.meaning(known[hit.id]), []).append(hit)
    groups: dict[object, list[Plausible]] = {}
    for meaning, alike in meanings.items():
        numbers = [run.clusters[hit.id] for hit in alike if hit.id in run.clusters]
        groups.setdefault(numbers[0] if numbers else meaning, []).append(_plainest(alike, known))
    sizes = Counter({group: len(rows) for group, rows in groups.items()})
    best = [(_first(rows, known), sizes[group]) for group, rows in groups.items()]
    best.sort(key=lambda row: (row[0].untrue, -_bucket(known[row[0].id].score), -row[1], row[0].id))
    return [(known[hit.id], hit, len(best)) for hit, _ in best]


def _plainest(alike: Sequence[Plausible], known: dict[int, Ranked]) -> Plausible:
    """Of those that mean the same, the one of a surer kind, then the shortest: no `0 + x` where `x` is meant."""

    def order(hit: Plausible) -> tuple[bool, int, int]:
        one = known[hit.id]
        return one.mutation.kind in judge.RISKY, one.size, hit.id

    return min(alike, key=order)


def _first(rows: Sequence[Plausible], known: dict[int, Ranked]) -> Plausible:
    """Of those that do the same, the one with the better score, then the shortest."""
    return min(rows, key=lambda hit: (hit.untrue, -_bucket(known[hit.id].score), known[hit.id].size, hit.id))


def _bucket(score: float) -> int:
    return round(log(max(score, 1e-9)) / _STEP)


def _honest(bench: Workbench, candidate: Ranked) -> bool:
    """The same reading that the verifier does: what it would refuse is not compared with the rest."""
    plan = bench.reproduction.plan
    return not cheats.review(candidate.texts, bench.tree, bench.diagnosis, plan, allow_test_edits=False)
