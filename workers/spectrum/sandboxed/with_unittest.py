"""unittest's sessions, for environments and commands without pytest: unittest's own loader, suites and results.

Tests are named as unittest names them, and as `heal_unittest` does. What it does with them is its own: `load_tests`,
what is set up for classes and modules, subtests, expected failures, skips.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import re
import sys
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .outcomes import Hung, alarm, attempt
from .project import project_path

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    from contextlib import AbstractContextManager

    from .outcomes import Outcomes

    Around = Callable[[str], AbstractContextManager[object]]

LOAD_S = 60.0
"""How long all files of tests may take to be imported."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_NOT_IMPORTED = "unittest.loader._FailedTest."
_ONE_BY_ONE = sys.version_info >= (3, 11)
"""unittest tells of subtests as they end; before that, when all have."""


class Test:
    """A test case."""

    def __init__(self, case: Any) -> None:
        self.case = case
        self.name = str(case.id())
        self.file: str = type(case).__module__
        self.module = sys.modules.get(self.file)
        self.shared: list[Any] = []

    def alone(self) -> str:
        """Empty when it passes, else what was raised, which may be `Hung`. Its class and module are set up for it."""
        result = _Alone()
        unittest.TestSuite([copy.copy(self.case)]).run(result)
        return result.said if result.said is not None else "nothing ran"


class _Alone(unittest.TestResult):
    """The first thing that is told of a test; nothing is made ready for people."""

    def __init__(self) -> None:
        super().__init__()
        self.failfast = True  # one subtest that fails is enough
        self.said: str | None = None

    def addSuccess(self, test: Any) -> None:  # noqa: N802, ARG002 - the names are unittest's
        self.said = self.said or ""

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802, ARG002
        said = Hung.__name__ if isinstance(err[1], Hung) else f"{err[0].__name__}: {str(err[1])[:200]}"
        self.said = self.said or _ADDRESS.sub("", said)

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self.addError(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802, ARG002
        if err is not None:
            self.addError(test, err)

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802, ARG002
        self.said = self.said or "skipped"

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802, ARG002
        self.said = self.said or "skipped"

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802, ARG002
        self.said = self.said or "unexpected success"


class Run:
    """A session that has loaded everything."""

    def __init__(self, tests: list[Test], broken: bool) -> None:
        self.tests, self.broken = tests, broken

    def whole(self, watcher: Outcomes, limit: Callable[[str], float]) -> None:
        """Everything in its order, as a suite."""
        _run(self.tests, watcher, lambda name: alarm(limit(name)))


class _Listening(unittest.TestResult):
    """Hands on what is told, in the test's own name where it is told of what was set up for it."""

    def __init__(self, watcher: Outcomes, around: Around) -> None:
        super().__init__()
        self.watcher, self.around = watcher, around
        self.turn, self.begun, self.broken = "", False, False
        self.clock = 0.0
        self.open = contextlib.ExitStack()

    def take(self, name: str) -> None:
        """The next test in the suite."""
        self.turn, self.begun = name, False

    def leave(self) -> None:
        """It is over; without having begun it failed where what was set up for others of its class failed too."""
        if not self.begun and self.broken:
            self.watcher.fail(self.turn, 0.0)

    def startTest(self, test: Any) -> None:  # noqa: N802
        super().startTest(test)
        self.begun, self.broken = True, False
        self.clock = time.perf_counter()
        self.open.enter_context(self.around(self.turn))

    def stopTest(self, test: Any) -> None:  # noqa: N802
        self.open.close()
        super().stopTest(test)

    def addSuccess(self, test: Any) -> None:  # noqa: N802, ARG002
        self.watcher.succeed(self.turn, time.perf_counter() - self.clock)

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        if isinstance(test, unittest.TestCase):
            self._failed(err[1])
        elif str(test.id()).startswith("tearDown"):
            self.watcher.fail(str(test.id()), 0.0, collected=False)
            self.watcher.raised(str(test.id()), err[1])
        else:
            self.broken, self.clock = True, time.perf_counter()
            self._failed(err[1])

    def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802, ARG002
        self._failed(err[1])

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802, ARG002
        if err is not None:
            self._failed(err[1])
            if _ONE_BY_ONE and isinstance(err[1], Hung):
                raise err[1]  # the next subtest would hang as well

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802, ARG002
        if not isinstance(test, unittest.TestCase):
            self.broken = False

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        """Nothing: it neither passed nor failed."""

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802, ARG002
        self._failed(AssertionError("unexpected success"))

    def _failed(self, error: BaseException) -> None:
        self.watcher.fail(self.turn, time.perf_counter() - self.clock)
        self.watcher.raised(self.turn, error)


class _Suite(unittest.TestSuite):
    """Tests in a row, each taken by the result before what it needs is set up."""

    def __init__(self, tests: list[Test], result: _Listening) -> None:
        super().__init__(test.case for test in tests)
        self.in_order, self.result = tests, result

    def __iter__(self) -> Iterator[Any]:
        watcher = self.result.watcher
        for test in self.in_order:
            self.result.take(test.name)
            watcher.began(test.name)
            yield test.case
            self.result.leave()
            watcher.finished(test.name)
            if watcher.enough:
                return


class _Program(unittest.TestProgram):
    """`python -m unittest` up to the point where it would run the tests."""

    def runTests(self) -> None:  # noqa: N802
        """Not here."""


def session(args: list[str], watcher: Outcomes) -> dict[str, Any]:
    """One session; the arguments are those of `python -m unittest`."""
    tests = _collected(args, watcher)
    if not watcher.enough and not watcher.serve(Run(tests, bool(watcher.uncollected))):
        _run(tests, watcher, watcher.around)
    return {**watcher.told(), "rootdir": str(Path.cwd())}


def _run(tests: list[Test], watcher: Outcomes, around: Around) -> None:
    result = _Listening(watcher, around)
    _Suite(tests, result).run(result)


def _collected(args: list[str], watcher: Outcomes) -> list[Test]:
    """The wanted tests; what could not be imported is told at once."""
    program, error = attempt(lambda: _Program(module=None, argv=["python -m unittest", *args], exit=False), LOAD_S)
    if error is not None:  # a module that was named, and cannot be imported for another reason than that it is missing
        watcher.fail("tests", 0.0, collected=False)
        watcher.raised("tests", error)
        return []
    tests = []
    for case in _flat(program.test):
        if str(case.id()).startswith(_NOT_IMPORTED):
            name = str(case.id())[len(_NOT_IMPORTED) :]
            watcher.fail(name, 0.0, collected=False)
            watcher.raised(name, _why(case, name, args))
        else:
            tests.append(Test(case))
    files = {project_path(str(getattr(test.module, "__file__", "") or "")) for test in tests}
    watcher.test_files |= files - {""}
    return [test for test in tests if watcher.chosen(test)]


def _flat(suite: Any) -> Iterator[Any]:
    if not isinstance(suite, unittest.TestSuite):
        yield suite
        return
    for inner in suite:
        yield from _flat(inner)


def _why(case: Any, name: str, args: list[str]) -> BaseException:
    """What was raised: the case itself, which stands for the module, has only the text of it."""
    _, told = attempt(case.debug, LOAD_S)
    if isinstance(told, ImportError):
        for module in (name, *(arg for arg in args if f".{name}." in f".{arg}.")):
            _, error = attempt(lambda module=module: importlib.import_module(module), LOAD_S)  # type: ignore[misc]
            if error is not None and not (isinstance(error, ModuleNotFoundError) and error.name == module):
                return error
    return told or ImportError(name)
