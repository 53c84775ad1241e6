"""What vitest prints, as test cases named `file::outer > inner`; a file that passes is one case named like the file."""

from __future__ import annotations

import re

from sandbox.capture import begun
from sandbox.results.cases import Cases, Found

RUNNER = "vitest"
_NAMED = r"(?:\|[^|]*\| )?(?P<file>[^\s>]+\.\w+)(?: > (?P<test>.+?))?"
_ROW = re.compile(
    rf"^ ?(?P<mark>[\u2713\u2714\u00d7\u276f\u2193]) {_NAMED}(?: \(\d+ tests?[^()]*\))?(?: \d+(?:\.\d+)?m?s)?$"
)
_FAILED = re.compile(rf"^ FAIL  {_NAMED}(?: \[ .* \])?$")
_TOLD = re.compile(r"^ +Tests  (.*)$", re.MULTILINE)
_COUNT = re.compile(r"(\d{1,9}) (?:passed|failed)")
_ENDS = ("\u23af", " Test Files ")
"""A rule closes each failure, and the closing lines the last one, where a log was cut or filtered."""
_STATUS = {"\u2713": "passed", "\u2714": "passed", "\u00d7": "failed", "\u2193": "skipped"}


def parse(text: str) -> Found | None:
    """None when vitest's closing lines are not there."""
    told = _TOLD.findall(text)
    if not told:
        return None
    cases = Cases()
    open_name, said = "", []  # type: tuple[str, list[str]]
    for line in text.split("\n"):
        failed, row = _FAILED.match(line), _ROW.match(line)
        if open_name and (failed or line.startswith(_ENDS)):
            cases.add(open_name, "failed" if "::" in open_name else "error", message="\n".join(said).strip())
            open_name, said = "", []
        if failed:
            open_name = _id(failed)
        elif open_name and len(said) < 60:
            said.append(begun(line.rstrip(), 500))
        elif row and row["mark"] in _STATUS:
            cases.add(_id(row), _STATUS[row["mark"]])
    return Found(RUNNER, cases.tests(), sum(int(n) for line in told for n in _COUNT.findall(line)))


def _id(match: re.Match[str]) -> str:
    return f"{match['file']}::{match['test']}" if match["test"] else match["file"]
