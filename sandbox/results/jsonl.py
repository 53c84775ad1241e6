"""The reporter's lines (`sandbox/images/heal_report.py`) as test cases. The bytes were written by untrusted code.

Anything that is not a line of the expected shape is passed over: a broken report means fewer tests, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.spec import TestCase

_STATUSES = frozenset({"passed", "failed", "error", "skipped"})
_ID_LIMIT, _MESSAGE_LIMIT = 2000, 4000


def parse(report: bytes) -> tuple[TestCase, ...]:
    """One case per test id, in the order of first appearance; of several runs of one test the last one counts.

    A failing teardown turns a passed or skipped test into an error and leaves a failed one failed.
    """
    cases: dict[str, TestCase] = {}
    for entry in _entries(report):
        case = _case(entry)
        if case is None:
            continue
        before = cases.get(case.id)
        if entry.get("when") == "teardown" and before is not None and before.status in ("failed", "error"):
            continue
        cases[case.id] = case
    return tuple(cases.values())


def _entries(report: bytes) -> Iterator[dict[str, Any]]:
    for line in report.split(b"\n"):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry


def _case(entry: dict[str, Any]) -> TestCase | None:
    name, status, message, seconds = (entry.get(key) for key in ("id", "status", "message", "seconds"))
    if not isinstance(name, str) or not name or not isinstance(status, str):
        return None
    if status not in _STATUSES:
        return None
    usable = isinstance(seconds, (int, float)) and 0 <= seconds < 1e9
    return TestCase(
        id=_printable(name)[:_ID_LIMIT],
        status=status,
        seconds=float(seconds) if usable and seconds is not None else 0.0,
        message=_printable(message)[:_MESSAGE_LIMIT] if isinstance(message, str) else "",
    )


def _printable(text: str) -> str:
    """Without NUL (databases refuse it) and without lone surrogates (UTF-8 refuses them)."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
