"""Which commit brought the failure? Of a branch that was green before: looks between the last green commit and the red
one, several commits at a time, each on its own files in the sandbox.

What is found is a clue for the fixers and news for people; nothing of it is needed for a fix. So where it would cost
more than the repository allows, or cannot be told for certain, that is said and the run goes on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from threading import Event

from sandbox.race import race
from sandbox.spec import Sandbox
from workers import likeness
from workers.bisect import Found, Search, Seen
from workers.domain import MOST_SUSPECTS, Aim, Blame, Case, Sha
from workers.elsewhere import Elsewhere
from workers.likeness import Likeness
from workers.ports import Forge, Lineage, Once, Origin, Workbench
from workers.reruns import PARALLEL

MOST_RUNS = 80
"""Runs on other commits at most: 256 commits take about 15, the rest is for those that cannot be tried."""

_SEEN = {
    Likeness.ABSENT: Seen.GREEN,
    Likeness.SAME: Seen.RED,
    Likeness.PARTLY: Seen.RED,
    Likeness.OTHER: Seen.OTHER,
}


def blame(case: Case, bench: Workbench, forge: Forge, sandbox: Sandbox, cancel: Event) -> Blame:
    """The commits that may have brought the reproduced failure, at best one. Says in its note why there are more.

    A pull request is not looked into: its base was compared before, so the failure is of its own commits. Neither is
    what an earlier run has looked into, nor a bug report, whose test no earlier commit has. Every round is remembered
    by `bench.once`, so that a run that is taken up again pays for none twice.
    """
    found, budget_s = bench.reproduction, bench.config.limits.bisect
    settled = case.pull_request is not None or case.ours is not None or case.aim is Aim.ISSUE
    if settled or not budget_s:
        return Blame()
    good = forge.last_green(case)
    if good is None:
        return Blame(note="No earlier commit of this branch is known to be green in CI.")
    line = forge.lineage(case, good)
    if line is None:
        return Blame(good=good, note=f"The history since `{good[:7]}`, which was green, is too long or not to be had.")
    failure = likeness.of_run(found.plan, found.before, bench.tree)
    elsewhere = Elsewhere(sandbox, found.plan, failure)
    search, why = Bisection(elsewhere, line, bench.once, cancel).run(budget_s, found.before.wall_s)
    return _told(search, why, line, forge, case)


@dataclass(frozen=True)
class Bisection:
    """The runs of a search."""

    elsewhere: Elsewhere
    line: Lineage
    once: Once
    cancel: Event

    def run(self, budget_s: float, round_s: float) -> tuple[Search, str]:
        """Look until it is settled, or the budget would not cover what is left; why it was given up, else nothing.

        `round_s` is how long a round takes by what is known before the first.
        """
        search, begun, rounds = Search(len(self.line.commits)), time.monotonic(), 0
        while tries := search.next(PARALLEL):
            spent = time.monotonic() - begun
            ahead = (spent / rounds if rounds else round_s) * search.rounds_left(PARALLEL)
            if spent + ahead > budget_s:
                return search, f"to try more commits would take longer than {budget_s:g} s (`limits.bisect`)"
            if runs(search) + len(tries) > MOST_RUNS:
                return search, f"{runs(search)} runs did not settle it"
            search = search.told(self._round(tries, rounds))
            rounds += 1
        return search, ""

    def _round(self, tries: tuple[int, ...], number: int) -> dict[int, Seen]:
        ends = self.line.commits[0].sha[:12], self.line.commits[-1].sha[:12]
        key = f"bisect:{'-'.join(ends)}:{number}:{'.'.join(map(str, tries))}"
        said = self.once(key, str, lambda: " ".join(seen.value for seen in self._raced(tries)))
        return dict(zip(tries, map(Seen, said.split()), strict=True))

    def _raced(self, tries: tuple[int, ...]) -> list[Seen]:
        def look(at: int, ended: Event) -> Seen:
            return _SEEN[self.elsewhere.look(self.line.tree(at), ended)[0]]

        seen = race(tries, look, cancel=self.cancel, at_once=PARALLEL)
        return [one or Seen.OTHER for one in seen]


def runs(search: Search) -> int:
    """How many runs the answers took."""
    return sum(map(len, search.answers.values()))


def _told(search: Search, why: str, line: Lineage, forge: Forge, case: Case) -> Blame:
    found = search.found()
    commits, span, count = line.commits, search.size - 1, len(found.suspects)
    if found.good is None:
        return Blame(good=commits[0].sha, span=span, runs=runs(search), note=_from_outside(search, commits[0].sha))
    suspects = [commits[at] for at in found.suspects[:MOST_SUSPECTS]]
    brought = forge.origin(case, suspects[0].sha) if count == 1 else Origin()
    if count == 1:
        suspects = [replace(suspects[0], login=brought.login)]
    return Blame(
        good=commits[found.good].sha,
        suspects=tuple(suspects),
        count=count,
        pull_request=brought.pull_request,
        diff=line.diff(found.good, found.first_red),
        span=span,
        runs=runs(search),
        note=_limits(found, why),
    )


def _from_outside(search: Search, good: Sha) -> str:
    if Seen.RED in search.answers[0]:
        return (
            f"`{good[:7]}` was green in CI and is red here now in the same way: what broke it is no commit, "
            "but something outside the repository, such as a newer dependency or the date."
        )
    return f"`{good[:7]}` was green in CI and cannot be tried here."


def _limits(found: Found, why: str) -> str:
    """What a reader must not take as proven."""
    notes = [f"{why[0].upper()}{why[1:]}."] if why else []
    if not why and len(found.suspects) > 1:
        notes.append("Those before the last of them could not be tried, or did not answer the same way twice.")
    if not found.steady:
        notes.append("The failure was there before as well and went away: this is how it came back.")
    return " ".join(notes)
