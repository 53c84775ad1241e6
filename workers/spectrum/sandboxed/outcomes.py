"""Plug-ins for one pytest session: which tests passed and failed, and an alarm for those that never end."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class Outcomes:
    """Which tests passed and failed; optionally only some tests, optionally stopping at the first failure."""

    def __init__(self, wanted: set[str] | None = None, stop: bool = False) -> None:
        self.wanted, self.stop = wanted, stop
        self.failed: dict[str, float] = {}
        self.passed: dict[str, float] = {}
        self.hung: set[str] = set()
        self.session: Any = None
        self.rootdir = ""

    def pytest_sessionstart(self, session: Any) -> None:
        self.session = session
        self.rootdir = str(session.config.rootpath if hasattr(session.config, "rootpath") else session.config.rootdir)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if self.wanted is not None:
            files = {name for name in self.wanted if "::" not in name}
            items[:] = [i for i in items if i.nodeid in self.wanted or i.nodeid.split("::")[0] in files]

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._fail(report.nodeid, 0.0)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._fail(report.nodeid, report.duration)
        elif report.when == "call" and report.passed and report.nodeid not in self.failed:
            self.passed[report.nodeid] = report.duration

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        if call.excinfo is not None and issubclass(call.excinfo.type, Hung):
            self.hung.add(node.nodeid)

    def _fail(self, name: str, seconds: float) -> None:
        self.failed[name] = seconds
        self.passed.pop(name, None)
        if self.stop and self.session is not None:
            self.session.shouldstop = "a test failed"


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


def session(args: list[str], plugin: Outcomes) -> dict[str, Any]:
    """One session of pytest from beginning to end."""
    import pytest

    code = pytest.main([*args, "-p", "no:cacheprovider"], plugins=[plugin])
    return {"code": int(code), "failed": plugin.failed, "passed": plugin.passed, "rootdir": plugin.rootdir}
