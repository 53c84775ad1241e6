"""Offline repair of Python test failures: trace the failing tests, mutate suspicious lines, screen in one container.

Nothing of the project is run outside the sandbox, and nothing is paid twice: both runs are remembered by `bench.once`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from workers import clue, spared, spectrum
from workers.domain import Attempt, Candidate, Diagnosis
from workers.fixers.kept import following
from workers.fixers.search import evidence, judge
from workers.fixers.search.choices import chosen
from workers.fixers.search.evidence import Plausible, Screening
from workers.fixers.search.rank import Ranked, joined, ranked
from workers.ports import Workbench
from workers.spectrum.command import Call
from workers.spectrum.evidence import Trace

_WALL_TIMES = 4
"""How many times its budget the container of the screening may last: twice on a busy machine, and to compare what it
found."""


@dataclass(frozen=True)
class Search:
    """The fixer. `budget_s` bounds the screening, and after the first plausible patch it looks on for `grace_s` and at
    `grace_n` more candidates at least: seconds of the processors that the tests take, so that neither what is found nor
    what is called the only one hangs on a machine's load. On the clock it may take twice as long."""

    budget_s: float = 60.0
    grace_s: float = 1.5
    grace_n: int = 400
    limit: int = 6000
    shown: int = 3
    name: str = "search"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Python tests that fail or raise."""
        return spectrum.traceable(diagnosis)

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The best plausible patch of each meaning, one per call."""
        return following(bench, self.name, tried, lambda: self._candidates(bench), self.shown)

    def _candidates(self, bench: Workbench) -> list[dict[str, object]]:
        trace = spectrum.traced(bench)
        if trace is None:
            return []
        candidates = ranked(bench.tree, trace, self.limit, clue.lines(bench.blame.diff, bench.tree))
        if not candidates:
            return []
        with bench.batch(len(candidates)) as batch:
            candidates = candidates[: batch.size]
            run = self._screened(bench, trace, candidates)
            batch.tried = None if run.stopped == evidence.CUT_OFF else run.tried
        candidates = [*candidates, *joined(run.pairs, candidates)]
        return [self._row(bench, *choice, trace, run) for choice in chosen(bench, candidates, run)][: self.shown]

    def _screened(self, bench: Workbench, trace: Trace, candidates: Sequence[Ranked]) -> Screening:
        how = spectrum.started(bench)
        plan = self._screen_plan(how, trace, candidates)
        plan["endless"] = sorted(trace.hung & {test.id for test in spared.slow(bench.reproduction.before)})
        return evidence.screening(spectrum.inside(bench, how, plan, self.budget_s * _WALL_TIMES))

    def _row(
        self, bench: Workbench, candidate: Ranked, plausible: Plausible, groups: int, trace: Trace, run: Screening
    ) -> dict[str, object]:
        return {
            "patch": bench.tree.diff(candidate.texts),
            "reasoning": judge.reasoning(candidate, trace, run, groups),
            "confidence": judge.confidence(candidate, plausible, groups, trace, run).value,
            "alternatives": groups - 1,
            "title": candidate.mutation.title,
        }

    def _screen_plan(self, how: Call, trace: Trace, candidates: Sequence[Ranked]) -> dict[str, object]:
        return {
            "mode": "screen",
            "args": how.args,
            "failing": sorted(trace.failed),
            "passing": sorted(trace.passed),
            "uncollected": sorted(trace.uncollected),
            "rootdir": trace.rootdir,
            "quick_s": trace.seconds,
            "full_s": trace.seconds,
            "budget_s": self.budget_s,
            "grace_s": self.grace_s,
            "grace_n": self.grace_n,
            "procs": max(1, min(2, os.cpu_count() or 1)),
            "candidates": [{"id": c.id, "edits": {c.mutation.path: c.mutation.splices}} for c in candidates],
        }
