"""What a run uses of the sandbox, counted for every stage alike and outside of them: the purse sets seconds and
candidates aside before the first command of a stage, and gets the figures when the stage is over.

A command may take no longer than what is granted has left. Where that ends it, more is asked for, and the run is over
its budget when there is none: a command is never judged by a limit that is not its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event, Lock

from sandbox.spec import (
    SETUP_LIMITS,
    Did,
    Ending,
    Environment,
    Finding,
    Limits,
    Plan,
    Result,
    Sandbox,
    Session,
    Sessions,
    Step,
    Tree,
)
from workers.llm.budgets import Use
from workers.llm.purse import Purse
from workers.ports import Batch

_LEAST_S = 1.0
"""Seconds; nothing is begun with less."""
_AHEAD = 2
"""So many times what is needed is set aside at once: what ends early makes room for the next command, so that a stage
asks the database once or twice, not for every command."""


@dataclass
class _Count:
    """What one stage has used so far. `held` are the seconds that commands which run now may take."""

    key: str
    of_candidate: bool
    granted: Use | None = None
    held: float = 0.0
    used: Use = field(default_factory=Use)

    @property
    def taken(self) -> float:
        """Seconds that are used or may be."""
        return self.used.seconds + self.held


@dataclass
class Meter:
    """Counts one stage at a time; what runs between stages is looked up, not worked out, and counts for nothing."""

    purse: Purse
    _count: _Count | None = field(default=None, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @contextmanager
    def stage(self, key: str, *, of_candidate: bool = False) -> Iterator[None]:
        """A stage. What `of_candidate` tries is one candidate, once it has run anything."""
        count = self._count = _Count(key, of_candidate)
        try:
            yield
        finally:
            self._count = None
            if count.granted is not None:
                self.purse.used(key, count.used)

    def take(self, seconds: float, least: float = _LEAST_S) -> float:
        """How many of these seconds a command may take; give them back. Raises `Stop(OVER_BUDGET)` where there are
        fewer than the least."""
        count = self._count
        if count is None:
            return seconds
        with self._lock:
            granted = count.granted
            if granted is None or count.taken + seconds > granted.seconds:
                granted = self._ask(count, seconds, min(least, seconds))
            allowed = min(seconds, granted.seconds - count.taken)
            count.held += allowed
            return allowed

    def give(self, allowed: float, took: float) -> None:
        """A command is over that could have taken `allowed` seconds."""
        count = self._count
        if count is not None:
            with self._lock:
                count.held -= allowed
                count.used += Use(max(0.0, took))

    @contextmanager
    def batch(self, wanted: int) -> Iterator[Batch]:
        """Candidates that are tried all at once: as many as there is room for, with one more left for the verifier.
        Raises `Stop(OVER_BUDGET)` where there is none."""
        count = self._count
        if count is None:
            yield Batch(wanted)
            return
        before, asked = count.used.candidates, count.granted or Use()
        most, least = Use(asked.seconds, before + wanted + 1), Use(count.taken, before + 2)
        batch = Batch(self._aside(count, most, least).candidates - before - 1)
        try:
            yield batch
        finally:
            count.used += Use(0.0, batch.size if batch.tried is None else max(0, min(batch.tried, batch.size)))

    def _ask(self, count: _Count, seconds: float, least: float) -> Use:
        more, enough = (count.taken + seconds) * _AHEAD, count.taken + least
        if not count.of_candidate or count.used.candidates:
            candidates = count.granted.candidates if count.granted else 0
            return self._aside(count, Use(more, candidates), Use(enough, count.used.candidates))
        granted = self._aside(count, Use(more, 1), Use(enough, 1))
        count.used += Use(0.0, 1)
        return granted

    def _aside(self, count: _Count, wanted: Use, least: Use) -> Use:
        count.granted = granted = self.purse.set_aside(count.key, wanted, least)
        return granted


class Metered:
    """`sandbox.spec.Sandbox` whose use is counted. A set-up counts by the clock, and ends by its own limit."""

    def __init__(self, sandbox: Sandbox, meter: Meter) -> None:
        self._sandbox, self._meter = sandbox, meter

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> Environment:
        """As `sandbox.spec.Sandbox.prepare`."""
        allowed, started = self._meter.take(SETUP_LIMITS.wall_s), time.monotonic()
        try:
            made = self._sandbox.prepare(plan, tree, cancel)
        finally:
            self._meter.give(allowed, time.monotonic() - started)
        return _WithSessions(made, made, self._meter) if isinstance(made, Sessions) else _Counted(made, self._meter)

    def doctor(self) -> list[Finding]:
        """As `sandbox.spec.Sandbox.doctor`."""
        return self._sandbox.doctor()


class _Counted:
    """`sandbox.spec.Environment` whose runs are counted."""

    def __init__(self, environment: Environment, meter: Meter) -> None:
        self._environment, self._meter = environment, meter
        self.key, self.image, self.notes = environment.key, environment.image, environment.notes

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None:  # noqa: B008 - a frozen value
        """As `sandbox.spec.Environment.warm`."""
        self._environment.warm(tree, count, limits)

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        inputs: Mapping[str, bytes] | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """As `sandbox.spec.Environment.run`. What was cut short runs once more where its whole time can be had."""
        least = _LEAST_S
        while True:
            allowed = self._meter.take(limits.wall_s, least)
            result = self._run(step, tree, patch, replace(limits, wall_s=allowed), inputs, cancel)
            if result.ending is not Ending.TIMEOUT or allowed >= limits.wall_s:
                return result
            least = limits.wall_s

    def _run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None,
        limits: Limits,
        inputs: Mapping[str, bytes] | None,
        cancel: Event | None,
    ) -> Result:
        started, took = time.monotonic(), None
        try:
            result = self._environment.run(step, tree, patch, limits, inputs, cancel)
            took = result.wall_s
        finally:  # where nobody measured it, the clock has
            self._meter.give(limits.wall_s, time.monotonic() - started if took is None else took)
        return result


class _WithSessions(_Counted):
    """One in which sessions can be opened; what counts is the time of their commands."""

    def __init__(self, sessions: Sessions, environment: Environment, meter: Meter) -> None:
        super().__init__(environment, meter)
        self._sessions = sessions

    def session(
        self,
        step: Step,
        tree: Tree,
        patch: bytes = b"",
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        cancel: Event | None = None,
    ) -> Session:
        """As `sandbox.spec.Sessions.session`."""
        return _CountedSession(self._sessions.session(step, tree, patch, limits, cancel), self._meter)


class _CountedSession:
    """`sandbox.spec.Session` whose commands are counted."""

    def __init__(self, session: Session, meter: Meter) -> None:
        self._session, self._meter = session, meter

    def run(self, script: str, seconds: float) -> Did:
        """As `sandbox.spec.Session.run`."""
        allowed, started = self._meter.take(seconds), time.monotonic()
        try:
            return self._session.run(script, allowed)
        finally:
            self._meter.give(allowed, time.monotonic() - started)

    def close(self) -> None:
        """As `sandbox.spec.Session.close`."""
        self._session.close()
