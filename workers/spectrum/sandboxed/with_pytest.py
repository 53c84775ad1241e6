"""pytest's sessions: a plug-in that hands on what the hooks tell, and pytest's items as tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from .outcomes import Hung, alarm

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    from collections.abc import Callable

    from .outcomes import Outcomes
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Test:
    """An item."""

    def __init__(self, item: Any) -> None:
        self.item = item
        self.name: str = item.nodeid
        self.file = self.name.split("::")[0]
        self.module = getattr(item, "module", None)

    @property
    def shared(self) -> list[Any]:
        return list(getattr(getattr(self.item, "callspec", None), "params", {}).values())

    def alone(self) -> str:
        """Empty when it passes, else what was raised, which may be `Hung`."""
        self.item.repr_failure = self.item._repr_failure_py = _described  # noqa: SLF001 - nobody reads the long form
        reports = runtestprotocol(self.item, log=False, nextitem=None)
        for report in reports:
            if not report.passed:
                return str(report.longrepr or report.outcome)
        return "" if any(report.when == "call" for report in reports) else "nothing ran"


def _described(error: Any, *_args: Any, **_kwargs: Any) -> str:
    if isinstance(error.value, Hung):
        return Hung.__name__
    return _ADDRESS.sub("", f"{type(error.value).__name__}: {str(error.value)[:200]}")


class Run:
    """A session that has collected everything."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.broken = bool(session.testsfailed)
        self.tests = [Test(item) for item in session.items]

    def whole(self, watcher: Outcomes, limit: Callable[[str], float]) -> None:
        """Everything in its order, by the normal protocol."""
        self.session.config.pluginmanager.register(_Plugin(watcher), "heal-whole")
        items = self.session.items
        for at, item in enumerate(items):
            following = items[at + 1] if at + 1 < len(items) else None
            with alarm(limit(item.nodeid)):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if watcher.enough:
                break


class _Plugin:
    def __init__(self, watcher: Outcomes) -> None:
        self.watcher = watcher
        self.session: Any = None
        self.rootdir = ""

    def pytest_sessionstart(self, session: Any) -> None:
        self.session = session
        self.rootdir = str(session.config.rootpath if hasattr(session.config, "rootpath") else session.config.rootdir)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if self.watcher.chosen(Test(item))]

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.watcher.fail(report.nodeid, 0.0, collected=False)
            self._stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool | None:
        return self.watcher.serve(Run(session)) or None

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.watcher.began(nodeid)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        with self.watcher.around(item.nodeid):
            yield

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.watcher.fail(report.nodeid, report.duration)
            self._stop()
        elif report.when == "call" and report.passed:
            self.watcher.succeed(report.nodeid, report.duration)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.watcher.finished(nodeid)

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        if call.excinfo is not None:
            self.watcher.raised(node.nodeid, call.excinfo.value)

    def _stop(self) -> None:
        if self.watcher.enough and self.session is not None:
            self.session.shouldstop = "a test failed"


def session(args: list[str], watcher: Outcomes) -> dict[str, Any]:
    """One session; names of tests are pytest's node ids."""
    plugin = _Plugin(watcher)
    code = pytest.main([*args, "-p", "no:cacheprovider"], plugins=[plugin])
    return {"code": int(code), **watcher.told(), "rootdir": plugin.rootdir}
