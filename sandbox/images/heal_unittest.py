"""Appends one JSON line per finished unittest test to the file named by $HEAL_REPORT.

Standard library only, Python 3.6 and later. It wraps the methods by which a test tells its result, calls them first and
listens: nothing it does or fails to do changes the outcome of a test. What it needs is held from the start.
"""

import functools
import os
from json import dumps
from os import close, getpid, write
from os import open as open_file

__unittest = True  # unittest leaves our frames out of what it prints

MESSAGE_LIMIT = 2000
_ENVIRONMENT = os.environ  # tests put others in its place
_TARGET = _ENVIRONMENT.get("HEAL_REPORT")
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_LISTENED = ("startTest", "stopTest", "addSuccess", "addFailure", "addError", "addSkip", "addExpectedFailure",
             "addUnexpectedSuccess", "addSubTest")  # fmt: skip
_running = {}  # thread -> [the result object that hears of it, the test's line, its first failed subtest's line]


def listen(result_class):
    """Wrap the methods of unittest.TestResult; subclasses call them, as unittest's own do."""
    for name in _LISTENED:
        if name in result_class.__dict__:
            setattr(result_class, name, _listening(result_class.__dict__[name], globals()["_" + name]))


def _listening(method, hear):
    @functools.wraps(method)
    def call(self, *args, **kwargs):
        answer = method(self, *args, **kwargs)
        try:
            if "PYTEST_CURRENT_TEST" not in _ENVIRONMENT:  # else it is pytest's test that runs unittest
                hear(self, *args, **kwargs)
        except Exception:  # noqa: S110, BLE001 - the outcome of a test must never depend on its report
            pass
        return answer

    return call


def _thread():
    import _thread

    return _thread.get_ident()


def _nested(result):
    """A test that runs other tests, with a result of their own, is one test."""
    outer = _running.get(_thread())
    return outer is not None and outer[0] is not result


def _startTest(result, test):  # noqa: ARG001, N802 - the names are unittest's
    if not _nested(result):
        _running[_thread()] = [result, None, None]


def _stopTest(result, test):  # noqa: ARG001, N802
    mine = _running.get(_thread())
    if mine is not None and mine[0] is result:
        del _running[_thread()]
        line = mine[1] or mine[2]  # with failed subtests unittest says nothing of the test itself
        if line:
            _write(line)


def _tell(result, test, status, message=""):
    if _nested(result):
        return
    test = getattr(test, "test_case", test)  # of a subtest
    line = {"runner": "unittest", "process": getpid(), "id": _name(test), "status": status,
            "message": message[:MESSAGE_LIMIT]}  # fmt: skip
    mine = _running.get(_thread())
    if mine is None:
        _write(line)  # of a class or a module: no test was started
    else:
        mine[1] = line


def _addSuccess(result, test):  # noqa: N802
    _tell(result, test, "passed")


def _addFailure(result, test, error):  # noqa: N802
    _tell(result, test, "failed", _message(error))


def _addError(result, test, error):  # noqa: N802
    _tell(result, test, "error", _message(error))


def _addSkip(result, test, reason):  # noqa: N802
    _tell(result, test, "skipped", str(reason))


def _addExpectedFailure(result, test, error):  # noqa: N802
    _tell(result, test, "skipped", _message(error))


def _addUnexpectedSuccess(result, test):  # noqa: N802
    _tell(result, test, "failed", "unexpected success")


def _addSubTest(result, test, subtest, error):  # noqa: N802
    mine = _running.get(_thread())
    if error is not None and mine is not None and mine[0] is result and mine[2] is None:
        failed = issubclass(error[0], test.failureException)
        name, description = str(test.id()), str(subtest.id())
        description = description[len(name) :].strip() + " " if description.startswith(name) else ""
        mine[2] = {"runner": "unittest", "process": getpid(), "id": _name(test),
                   "status": "failed" if failed else "error",
                   "message": _message(error, description)[:MESSAGE_LIMIT]}  # fmt: skip


def _name(test):
    """The test's dotted name; of a class or a module that could not be set up or imported, its own."""
    name = str(test.id())
    if name.startswith(("setUpClass (", "setUpModule (", "tearDownClass (", "tearDownModule (")):
        return name.partition("(")[2].rstrip(")")
    for prefix in ("unittest.loader._FailedTest.", "unittest.loader.ModuleImportFailure."):
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def _message(error, description=""):
    """Where it was raised, outside of unittest, and what: in the form of our pytest plugin."""
    kind, value, trace = error
    place = ""
    while trace is not None:
        if "__unittest" not in trace.tb_frame.f_globals:
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}: "
        trace = trace.tb_next
    return f"{place}{description}{kind.__name__}: {value}"


def _write(line):
    if not _TARGET:
        return
    handle = open_file(_TARGET, _APPEND, 0o644)
    try:
        write(handle, dumps(line).encode("ascii") + b"\n")
    finally:
        close(handle)
