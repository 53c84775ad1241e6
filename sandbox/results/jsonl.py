"""The lines of our own reporters (`sandbox/images/heal_*`) as test cases. The bytes were written by untrusted code.

Anything that is not a line of the expected shape is passed over: a broken report means fewer tests, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.capture import begun
from sandbox.results.cases import CASES_LIMIT, Cases, Found, case
from sandbox.spec import TestCase

_BROKEN_LIMIT = 10_000
"""Unreadable lines after which the rest of a report is not looked at: reading them costs time."""
_WHOLE = 1_999
"""Characters of a message that no reporter has cut: they do so at 2,000."""
RUNNERS = ("pytest", "unittest", "jest", "mocha")


def parse(report: bytes) -> tuple[Found, ...]:
    """One answer per runner that wrote, its tests in the order of their first appearance.

    Of several runs of one test in one process the last counts, of several processes (tox, a script that calls the
    runner twice) the worst. A failing teardown turns a passed or skipped test into an error.
    """
    last: dict[tuple[str, str, str], TestCase] = {}
    for entry in _entries(report):
        one = _case(entry)
        if one is None:
            continue
        key = (_word(entry, "runner") or "pytest", _word(entry, "process"), one.id)
        before = last.get(key)
        if entry.get("when") == "teardown" and before is not None and before.status in ("failed", "error"):
            continue
        if before is not None or len(last) < CASES_LIMIT:
            last[key] = one
    runners: dict[str, Cases] = {}
    for (runner, _, _), one in last.items():
        if runner in RUNNERS:
            runners.setdefault(runner, Cases()).take(one)
    return tuple(Found(runner, cases.tests()) for runner, cases in runners.items())


def readable(report: bytes) -> bool:
    """Whether anything in it has the form of a line, whoever wrote it."""
    return next(_entries(report), None) is not None


def _entries(report: bytes) -> Iterator[dict[str, Any]]:
    broken = 0
    for line in report.split(b"\n"):
        if not (line.startswith(b"{") and line.endswith(b"}")):
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            broken += 1
            if broken > _BROKEN_LIMIT:
                return
            continue
        if isinstance(entry, dict):
            yield entry


def _case(entry: dict[str, Any]) -> TestCase | None:
    name, status, message, seconds = (entry.get(key) for key in ("id", "status", "message", "seconds"))
    if not isinstance(name, str) or not isinstance(status, str):
        return None
    number = isinstance(seconds, (int, float)) and 0 <= seconds < 1e9
    return case(
        name,
        status,
        float(seconds) if number and seconds is not None else 0.0,
        begun(message, _WHOLE) if isinstance(message, str) else "",
    )


def _word(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return str(value)[:40] if isinstance(value, (str, int)) else ""
