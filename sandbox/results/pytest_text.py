"""What pytest prints, as test cases by node id: for runs in which our plug-in could not speak."""

from __future__ import annotations

import re

from sandbox.results.cases import Cases, Found

RUNNER = "pytest"
_ROW = re.compile(r"^([^\s:]+\.py::.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)(?: \([^()]*\))?(?: +\[ *\d+%\])?$")
_SUMMARY = re.compile(r"^(FAILED|ERROR) ([^\s:]+\.py(?:::[^\s\[]+(?:\[.*?\])?)?)(?: - (.*))?$")
_TOLD = re.compile(r"^(?:=+ )?(?:\d+ \w+, )*\d+ \w+ in [\d.]+s(?: \(\d+:\d\d:\d\d\))?(?: =+)?$")
_COUNT = re.compile(r"(\d{1,9}) (?:passed|failed|xpassed)")
_STATUS = {"PASSED": "passed", "FAILED": "failed", "ERROR": "error", "SKIPPED": "skipped", "XFAIL": "skipped",
           "XPASS": "passed"}  # fmt: skip


def parse(text: str) -> Found | None:
    """None when pytest's closing line is not there."""
    cases, told = Cases(), -1
    for line in text.split("\n"):
        if row := _ROW.match(line):
            cases.add(row[1], _STATUS[row[2]])
        elif summary := _SUMMARY.match(line):
            cases.add(summary[2], _STATUS[summary[1]], message=summary[3] or "")
        elif len(line) < 300 and _TOLD.match(line):
            told = max(told, 0) + sum(int(number) for number in _COUNT.findall(line))
    return Found(RUNNER, cases.tests(), told) if told >= 0 else None
