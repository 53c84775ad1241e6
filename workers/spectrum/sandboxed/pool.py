"""Candidates that wait, are tried on the failing tests in children, and then, when they pass, on everything."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .allowance import Allowance, used
from .children import Child, wait

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    from .children import Row, Tell

    Try = Callable[[list[Row], Tell], None]

LONGEST = 5
"""How many times longer the look after a plausible candidate may be drawn out, until enough others were tried."""


class Job:
    """A child, the candidates it has still to try, and those that failed in it."""

    def __init__(self, child: Child, work: list[Row], full: bool) -> None:
        self.child, self.work, self.full = child, work, full
        self.failed: list[Row] = []


class Pool:
    """`quick` tries some candidates in one child and tells of each how it went; `full` tries one on all tests.

    What a child leaves undone is done by another one. `silent` is how long a child may say nothing, by the turn of its
    candidates: one that hung has as many turns as there are limits, each after all others had theirs. `late` are those
    that hung on all tests: they have one more turn there. `partly` are those of which `quick` says which tests they
    mend, without mending all. Seconds are those of each of `procs` processors that the children had.
    """

    def __init__(self, plan: dict[str, Any], quick: Try, full: Try, say: Tell) -> None:
        self.plan, self.quick, self.full, self.say = plan, quick, full, say
        self.waiting: deque[Row] = deque()
        self.again: deque[Row] = deque()
        self.survivors: deque[Row] = deque()
        self.late: deque[Row] = deque()
        self.running: list[Job] = []
        self.batch, self.longest = 1, LONGEST
        self.silent: tuple[float, ...] = (2.0, 8.0)
        self.failing = set(plan["failing"])
        self.tests = self.failing - set(plan["uncollected"])
        self.passing = set(plan["passing"])
        self.ended_s = 0.0
        self.use(int(plan["procs"]))
        self.tried = self.plausible = self.enough = 0
        self.partly: list[tuple[Row, list[int]]] = []

    @property
    def busy(self) -> bool:
        return bool(self.running or self.survivors or self.waiting or self.late or self.again)

    def use(self, procs: int) -> None:
        """Begin with so many children at once."""
        self.procs = procs
        self.budget = self.grace = self.drawn_out = self.allowed(self.plan["budget_s"])

    @property
    def spent(self) -> float:
        """Seconds of processor time that the children took, with those before them."""
        return self.ended_s + sum(used(job.child.pid) for job in self.running)

    def allowed(self, seconds: float) -> Allowance:
        """From now on, on each processor."""
        return Allowance(seconds, self.procs, lambda: self.spent)

    @property
    def over(self) -> bool:
        return self.budget.over or (self.grace.over and (self.looked or self.drawn_out.over))

    @property
    def looked(self) -> bool:
        """After a plausible candidate, enough others were tried; those that wait for a second chance do not count."""
        return bool(self.plausible and not self.survivors and (self.tried >= self.enough or not self.waiting))

    @property
    def begun(self) -> bool:
        """Every candidate has had its first turn."""
        return not (self.running or self.survivors or self.waiting or self.late)

    def step(self, again: bool = True) -> None:
        """Keep the children busy and take what they tell; with first turns alone, unless `again`."""
        self._fill(again)
        wait([job.child for job in self.running], 0.05)
        for job in self.running:
            rows = job.child.poll()
            if job.full:
                self._fully(job, rows)
            else:
                self._quickly(job, rows)
        self._account()

    def stopped(self) -> str:
        """Why it ends, and the end of all children."""
        complete = not self.busy
        for job in self.running:
            job.child.end("over")
        self._account()
        return "all" if complete else "grace" if self.looked else "budget"

    def _account(self) -> None:
        """Children that have ended go; what they took is kept."""
        self.ended_s += sum(job.child.cpu_s for job in self.running)
        self.running = [job for job in self.running if not job.child.ended]

    def _fill(self, again: bool) -> None:
        while len(self.running) < self.procs:
            queue = self.survivors or self.waiting or self.late or (self.again if again else None)
            if not queue:
                return
            full = queue is self.survivors or queue is self.late
            size = 1 if full or queue is self.again else self.batch
            work = [queue.popleft() for _ in range(min(size, len(queue)))]
            turn = work[0].get("turn", 0)
            limit = (self.plan["full_s"] * 3 + 5) * (4 if turn else 1) if full else self.silent[turn]
            run = self.full if full else self.quick
            child = Child(lambda tell, run=run, work=work: run(work, tell), limit)  # type: ignore[misc]
            self.running.append(Job(child, work, full))

    def _quickly(self, job: Job, rows: list[Row]) -> None:
        for row in rows:
            if row.get("dirty"):  # one candidate spoiled the next ones: each by itself, from now on
                self.batch = 1
                self.waiting.extendleft(reversed(job.failed))
                self.tried -= len(job.failed)
            elif job.work and row.get("id") == job.work[0]["id"] and "green" in row:
                self._tried(job, row)
        if not job.child.ended or not job.work:
            return
        if job.child.ended in ("timeout", "crash"):
            self._tried(job, {"hung": job.child.ended == "timeout"})
        self.waiting.extendleft(reversed(job.work))

    def _tried(self, job: Job, row: Row) -> None:
        candidate = job.work.pop(0)
        if row.get("cold"):
            self.say({"kind": "cold", "id": candidate["id"]})
            return
        if row.get("mends"):
            self.partly.append((candidate, row["mends"]))
        turn = candidate.get("turn", 0)
        self.tried += not turn
        if row.get("hung") and turn + 1 < len(self.silent):
            # It may need more, or the machine may have been busy: once more, after all others and with more time.
            self.again.append({**candidate, "turn": turn + 1})
            return
        (self.survivors if row.get("green") else job.failed).append(candidate)

    def _fully(self, job: Job, rows: list[Row]) -> None:
        candidate = job.work[0]
        for row in rows:
            passed, failed = set(row.get("passed", ())), set(row.get("failed", ()))
            green = "failed" in row and not failed and bool(passed) and self.tests <= passed
            if row.get("hung") and not candidate.get("turn"):  # it may be slow, or the machine may have been
                self.late.append({**candidate, "turn": 1})
            elif green and not self.passing - passed:
                self.found()
                fixed, untrue = len(passed - self.passing), int(row.get("untrue", 0))
                self.say({"kind": "plausible", "id": candidate["id"], "fixed": fixed, "untrue": untrue})
            else:
                broken = sorted((self.passing - passed) | failed)[:5]
                self.say({"kind": "regression", "id": candidate["id"], "broken": broken})
        if job.child.ended == "timeout" and not candidate.get("turn"):
            self.late.append({**candidate, "turn": 1})

    def found(self, more: int | None = None) -> None:
        """A plausible candidate, here or elsewhere: look on only a little, at so many more at least."""
        self.plausible += 1
        self.enough = self.enough or self.tried + (self.plan["grace_n"] if more is None else more)
        if self.plausible == 1:
            self.grace = self.allowed(self.plan["grace_s"])
            self.drawn_out = self.allowed(self.plan["grace_s"] * self.longest)
