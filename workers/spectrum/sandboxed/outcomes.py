"""What a session of tests tells whoever watches it, whatever runner it is, and an alarm for tests that never end."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any


class Outcomes:
    """What one session of a test runner tells: which tests passed and failed, in seconds; optionally of some tests
    only, optionally until the first failure. `uncollected` are those of the failed that are no tests: a file that could
    not be imported, what tidies up after a class. They cannot be asked for alone.
    """

    def __init__(self, wanted: set[str] | None = None, stop: bool = False) -> None:
        self.wanted, self.stop = wanted, stop
        self.failed: dict[str, float] = {}
        self.passed: dict[str, float] = {}
        self.uncollected: set[str] = set()
        self.hung: set[str] = set()
        self.test_files: set[str] = set()
        """The project's files that the tests come from, where the runner is told them by other rules than names."""
        self.enough = False
        """No other test has to be run."""

    def chosen(self, test: Any) -> bool:
        """It is wanted itself, or its file is, which could not be imported before."""
        return self.wanted is None or test.name in self.wanted or test.file in self.wanted

    def serve(self, run: Any) -> bool:  # noqa: ARG002 - for those that do
        """Called when everything is collected; true when the tests are not to be run after it."""
        return False

    def began(self, name: str) -> None:
        """A test begins, with what is set up for it."""

    def around(self, name: str) -> AbstractContextManager[object]:  # noqa: ARG002 - for those that ask
        """What is around the test's own call."""
        return contextlib.nullcontext()

    def finished(self, name: str) -> None:
        """A test is over, with all that belongs to it."""

    def raised(self, name: str, error: BaseException) -> None:
        """A test, or the import of its file, ended with this."""
        if isinstance(error, Hung):
            self.hung.add(name)

    def succeed(self, name: str, seconds: float) -> None:
        """It passed, unless something of it failed before."""
        if name not in self.failed:
            self.passed[name] = seconds

    def fail(self, name: str, seconds: float, *, collected: bool = True) -> None:
        """It failed, whatever passed of it before."""
        self.failed[name] = seconds
        self.passed.pop(name, None)
        if not collected:
            self.uncollected.add(name)
        self.enough = self.enough or self.stop

    def told(self) -> dict[str, Any]:
        """As a row of a report."""
        return {"failed": self.failed, "passed": self.passed, "uncollected": sorted(self.uncollected)}


class Hung(BaseException):
    """A test ran longer than it may. No `Exception`: code that catches those must not swallow it."""


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise `Hung` in the main thread after so much processor time, which a busy machine does not shorten, or after far
    more time on the clock; and again and again after that, where it was swallowed."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hung

    clock = max(5.0, 10 * seconds)
    timers = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, clock))
    handlers = [signal.signal(number, ring) for _, number, _ in timers]
    before = [signal.setitimer(timer, after, after) for timer, _, after in timers]
    try:
        yield
    finally:
        for timer, _, _ in timers:
            signal.setitimer(timer, 0)
        for (timer, number, _), handler, rest in zip(timers, handlers, before):  # noqa: B905 - for Python 3.8
            signal.signal(number, handler)
            signal.setitimer(timer, *rest)


def attempt(work: Callable[[], Any], seconds: float) -> tuple[Any, BaseException | None]:
    """What foreign code gives, or what it raises, be it that it took too long."""
    try:
        with alarm(seconds):
            return work(), None
    except (Exception, Hung) as error:  # noqa: BLE001 - whatever it raises is its answer
        return None, error
