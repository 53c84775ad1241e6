"""A pytest plugin that appends one JSON line per finished test to the file named by $HEAL_REPORT.

Standard library only, Python 3.8 and later. It only listens: nothing it does or fails to do changes the outcome of a
test, and each line is written at once, so a run that dies keeps the tests it had finished. What it needs is held from
the start: while a test is reported its fixtures are still there, and some put others in the place of `os.environ`.
"""

import contextlib
import os
from json import dumps
from os import close, getpid, write
from os import open as open_file

MESSAGE_LIMIT = 2000
_ENVIRONMENT = os.environ
_TARGET = _ENVIRONMENT.get("HEAL_REPORT")
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def _message(report):
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    if crash is not None:
        return f"{crash.path}:{crash.lineno}: {crash.message}"
    longrepr = getattr(report, "longrepr", None)
    if isinstance(longrepr, tuple) and len(longrepr) == 3:
        return "{}:{}: {}".format(*longrepr)
    return str(longrepr or "")


def _write(entry):
    if not _TARGET:
        return
    line = dumps(entry).encode("ascii") + b"\n"
    handle = open_file(_TARGET, _APPEND, 0o644)
    try:
        write(handle, line)
    finally:
        close(handle)


def _entry(report, when, status):
    message = "" if status == "passed" else _message(report)[:MESSAGE_LIMIT]
    seconds = round(getattr(report, "duration", 0.0) or 0.0, 6)
    return {"runner": "pytest", "process": getpid(), "id": report.nodeid, "status": status, "when": when,
            "seconds": seconds, "message": message}  # fmt: skip


def _status(report):
    if report.when == "call":
        return report.outcome if report.outcome in ("passed", "failed", "skipped") else None
    if report.outcome == "failed":
        return "error"
    return "skipped" if report.outcome == "skipped" and report.when == "setup" else None


class _Listener:
    def pytest_runtest_logreport(self, report):
        with contextlib.suppress(Exception):  # the outcome of a test must never depend on its report
            status = _status(report)
            if status is not None:
                _write(_entry(report, report.when, status))

    def pytest_collectreport(self, report):
        with contextlib.suppress(Exception):  # as above
            if report.outcome == "failed":
                _write(_entry(report, "collect", "error"))


def pytest_configure(config):
    # Workers of pytest-xdist send their reports to the controller, which is the one that writes. Inside of a test
    # pytest is what is being tested, not what tests.
    if not hasattr(config, "workerinput") and "PYTEST_CURRENT_TEST" not in _ENVIRONMENT:
        config.pluginmanager.register(_Listener(), "heal-report-listener")
