"""A session that has collected everything and runs nothing itself: its children try candidates on live functions."""

from __future__ import annotations

import copy
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import compare, examples, pairs
from .allowance import Allowance
from .children import answer
from .outcomes import Hung, Outcomes, alarm
from .pool import Pool
from .swapping import Swapper

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    from .children import Row, Tell

BATCH, NEAR = 24, 12
"""Candidates of one child, and passing tests beside the failing ones that each must not break at once."""
HANG_S, CONTROL_S, SLOW_S, SILENT_S = 0.5, 30.0, 20.0, 6.0
"""Of the first test that may hang, of all of them, of one test in the whole run, and of silence."""
LEAST_S, TIMES = 0.04, 8
"""Of one test of a candidate at first: so many times what it takes without one, and this at least."""
FURTHER = ((2, 6, 0.6), (4, 24, 2.4))
"""How many times as long it may take in the second and in the third turn of its candidate: so many times at least, and
more, up to so many seconds, where tests are quick. Most candidates that hang are endless, and most that are right end
as soon as the tests do that end without them."""
TURNS = 1 + len(FURTHER)
HUNG = "it took too long"
_PLAIN = (list, dict, set, tuple, int, float, str, bool, bytes, type(None))


class Warm(Outcomes):
    """In place of the tests' loop it serves the candidates."""

    def __init__(self, plan: dict[str, Any], candidates: list[Row], swapper: Swapper, say: Tell) -> None:
        super().__init__()
        self.plan, self.candidates, self.swapper, self.say = plan, candidates, swapper, say
        self.run: Any = None
        self.state = State()
        self.tests: list[tuple[Any, float]] = []
        self.near: list[tuple[Any, float]] = []
        self.endless: dict[str, float] = {}
        self.untrue: set[str] = set()
        self.first = ""
        self.plausible: list[Row] = []

    def serve(self, run: Any) -> bool:
        """Nothing is served where children would not see what the session sees: after a failed collection, or with
        threads, which a fork leaves behind."""
        threads = len(list(Path("/proc/self/task").iterdir())) > 1 or threading.active_count() > 1
        self.run = run
        if not run.broken and not threads and self._control():
            self._serve()
        return True

    def _control(self) -> bool:
        """Which failing tests fail alone too, how and how fast; they go before the passing ones."""
        self.swapper.find()
        wanted = set(self.plan["failing"])
        items = [test for test in self.run.tests if test.name in wanted]
        self.state.keep(items, self.swapper)

        files = {item.file for item in items}
        green, endless = set(self.plan["passing"]), set(self.plan.get("endless", ()))
        near = [test for test in self.run.tests if test.name in green and test.file in files][:NEAR]

        def measure() -> Row:
            allowance, found, hung = Allowance(CONTROL_S), [], 0
            for item in [*items, *near]:
                began = time.process_time()
                if item.name in endless:
                    found.append([item.name, HUNG, 0.0])
                elif not allowance.over:
                    how = run(item, max(0.25, HANG_S / (1 + hung)))
                    hung += how == HUNG
                    found.append([item.name, how, time.process_time() - began])
            return {"tests": found, "examples": self._examples()}

        told = answer(measure, CONTROL_S + 30)
        self.untrue = set(told.get("examples", ()))
        known = {name: (how, s) for name, how, s in told.get("tests", ())}
        red = sorted((known[i.name][1], at) for at, i in enumerate(items) if known.get(i.name, ("", 0))[0])
        ended = [seconds for how, seconds in known.values() if how != HUNG]
        usual = _limit(max(ended, default=0.0))
        self.endless = {name: usual for name, (how, _) in known.items() if how == HUNG}
        self.tests = [(items[at], self.endless.get(items[at].name, _limit(seconds))) for seconds, at in red]
        quick = [(item, limit) for item, limit in self.tests if item.name not in self.endless]
        self.tests = quick or self.tests  # all of them run before a candidate is called plausible
        self.first = known[self.tests[0][0].name][0] if red else ""
        passed = [item for item in near if known.get(item.name) and not known[item.name][0]]
        self.near = [(item, _limit(known[item.name][1])) for item in passed]
        return bool(self.tests)

    def _serve(self) -> None:
        self.say({"kind": "warm"})
        pool = Pool(self.plan, self._quick, self._full, self._tell)
        pool.batch = BATCH
        if self.endless:  # then nothing is called the only one, however many were tried
            pool.longest = 1
        longest = max(limit for _, limit in [*self.tests, *self.near])
        pool.silent = tuple(SILENT_S + 10 * allowed(longest, turn) for turn in range(TURNS))
        pool.waiting.extend(self.candidates)
        signal.signal(signal.SIGTERM, lambda _number, _frame: pool.found())
        while not pool.begun and not pool.over:
            pool.step(again=False)
        if not pool.plausible and not pool.over and len(self.tests) > 1:
            self._combine(pool)
        while pool.busy and not pool.over:
            pool.step()
        stopped = pool.stopped()
        compare.clusters(self.plausible, self.swapper, [i for i, _ in [*self.tests, *self.near]], self.say)
        self.say({"kind": "served", "stopped": stopped, "tried": pool.tried})

    def _combine(self, pool: Pool) -> None:
        """Two candidates at once go before those that hung."""
        some = Pool(self.plan, self._partly, self._full, lambda _row: None)
        some.batch, some.silent, some.budget = BATCH, pool.silent[:1], pool.allowed(pool.budget.left_s / 2)
        some.waiting.extend(self.candidates[: pairs.LOOKED])
        while some.busy and not some.over:
            some.step()
        some.stopped()
        pool.ended_s += some.spent
        both = pairs.paired(some.partly, len(self.tests), max(row["id"] for row in self.plan["candidates"]) + 1)
        for row in both:
            self.say({"kind": "pair", "id": row["id"], "of": row["of"], "alone": row["alone"]})
        self.candidates = [*self.candidates, *both]
        pool.waiting.extend(both)

    def _partly(self, work: list[Row], tell: Tell) -> None:
        for candidate in work:
            verdict, mended = self._one(candidate, every=True)
            tell({"id": candidate["id"], **verdict, "green": False, "mends": mended})
            if verdict.get("hung"):
                return

    def _tell(self, row: Row) -> None:
        self.say(row)
        if row["kind"] == "plausible":
            self.plausible += [c for c in self.candidates if c["id"] == row["id"]]

    def _quick(self, work: list[Row], tell: Tell) -> None:
        for candidate in work:
            verdict, _ = self._one(candidate)
            tell({"id": candidate["id"], **verdict})
            if verdict.get("hung"):
                return  # what it left behind is unknown
        if len(work) > 1:
            self.state.restore()
            item, limit = self.tests[0]
            enough = limit if self.first == HUNG else max(limit, HANG_S / 2)
            if run(item, enough) != self.first and limit < HANG_S:
                tell({"dirty": True})

    def _one(self, candidate: Row, every: bool = False) -> tuple[Row, list[int]]:
        """How it goes, and which of the failing tests it mends: `every` one is run, else all until one fails."""
        mended: list[int] = []
        self.state.restore()
        try:
            if not self.swapper.apply(candidate["edits"]):
                return {"green": False, "cold": True}, []
            turn = candidate.get("turn", 0)
            for at, (item, limit) in enumerate([*self.tests, *self.near]):
                how = run(item, allowed(limit, turn))
                mended += [at] if not how and at < len(self.tests) else []
                if how == HUNG or (how and not (every and at < len(self.tests))):
                    return {"green": False, "hung": how == HUNG}, []
        except (SyntaxError, ValueError, RecursionError):
            return {"green": False}, []
        finally:
            self.swapper.restore()
        return {"green": len(mended) == len(self.tests)}, mended

    def _full(self, work: list[Row], tell: Tell) -> None:
        """Everything in its order, as usual; the first that broke ends it."""
        if not self.swapper.apply(work[0]["edits"]):
            return
        green = set(self.plan["passing"]) | set(self.plan["failing"])
        outcomes = Whole(green)

        def limit(name: str) -> float:
            endless = self.endless.get(name)
            longest = allowed(endless, TURNS - 1) if endless else SLOW_S
            return longest * (4 if work[0].get("turn") else 1)

        self.run.whole(outcomes, limit)
        untrue = set(self._examples())
        broken = dict.fromkeys(untrue - self.untrue, 0.0)
        hung = bool(green & outcomes.hung)
        failed = {**outcomes.failed, **broken}
        tell({"failed": failed, "passed": outcomes.passed, "untrue": len(untrue), "hung": hung})

    def _examples(self) -> list[str]:
        return [example for original in self.swapper.files.values() for example in examples.failing(original)]


def _limit(seconds: float) -> float:
    return max(LEAST_S, TIMES * seconds)


def allowed(limit: float, turn: int) -> float:
    """What a test may take in a turn of its candidate, where it may take `limit` in the first: the more in one, the
    more in the others."""
    if not turn:
        return limit
    least, times, most = FURTHER[turn - 1]
    return max(least * limit, min(times * limit, most))


def run(item: Any, limit: float) -> str:
    """Empty when the test passes, else what was raised; `HUNG` when it took too long."""
    try:
        with alarm(limit):
            how = str(item.alone())
    except Hung:
        return HUNG
    return HUNG if how == Hung.__name__ else how


class Whole(Outcomes):
    """All tests, until one fails that is known to pass or has to."""

    def __init__(self, green: set[str]) -> None:
        super().__init__()
        self.green = green

    def fail(self, name: str, seconds: float, *, collected: bool = True) -> None:
        super().fail(name, seconds, collected=collected)
        self.enough = self.enough or name in self.green


class State:
    """Plain values that tests share (parameters, module globals, defaults), put back between two candidates.

    Objects with an identity of their own are left alone: copies of them would be other objects.
    """

    def __init__(self) -> None:
        self.values: list[tuple[Any, Any]] = []
        self.defaults: list[tuple[Any, Any]] = []
        self.caches: list[Any] = []

    def keep(self, items: list[Any], swapper: Swapper) -> None:
        modules = {item.module.__name__ for item in items if item.module}
        modules |= {function.__module__ for file in swapper.files.values() for function in file.live}
        shared: list[Any] = [value for item in items for value in item.shared]
        for name in modules & set(sys.modules):
            shared += list(vars(sys.modules[name]).values())
        self.caches = [value for value in shared if callable(getattr(value, "cache_clear", None))]
        for value in shared:
            self._remember(value)
        functions = [function for file in swapper.files.values() for function in file.live]
        self.defaults = [
            (f, copy.deepcopy(f.__defaults__)) for f in functions if f.__defaults__ and _plain(f.__defaults__)
        ]

    def _remember(self, value: Any) -> None:
        if isinstance(value, tuple) and _plain(value):
            for inner in value:
                self._remember(inner)
        elif isinstance(value, (list, dict, set)) and _plain(value):
            self.values.append((value, copy.deepcopy(value)))

    def restore(self) -> None:
        for value, before in self.values:
            if value != before:
                fresh = copy.deepcopy(before)
                if isinstance(value, list):
                    value[:] = fresh
                else:
                    value.clear()
                    value.update(fresh)
        for function, defaults in self.defaults:
            if function.__defaults__ != defaults:
                function.__defaults__ = copy.deepcopy(defaults)
        for cached in self.caches:
            cached.cache_clear()


def _plain(value: Any, depth: int = 6) -> bool:
    """JSON-like through and through, and not huge."""
    if type(value) not in _PLAIN or not depth:
        return False
    if isinstance(value, dict):
        return len(value) < 2000 and all(_plain(inner, depth - 1) for pair in value.items() for inner in pair)
    if isinstance(value, (list, set, tuple)):
        return len(value) < 2000 and all(_plain(inner, depth - 1) for inner in value)
    return True
