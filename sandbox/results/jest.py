"""What jest prints, as test cases named `file::outer > inner`; a file that passes is one case named like the file."""

from __future__ import annotations

import re

from sandbox.capture import begun
from sandbox.results.cases import Cases, Found

RUNNER = "jest"
_FILE = re.compile(r"^(PASS|FAIL) (?:\S+ )??(\S+\.\w+)(?: \([\d.]+ ?m?s\))?$")
_HEADING = re.compile(r"^  \u25cf (.+)$")
_TOLD = re.compile(r"^Tests: .*?(\d{1,9}) total$", re.MULTILINE)
_NOT_RUN = re.compile(r"(\d{1,9}) (?:skipped|todo)")
_END = re.compile(r"^(?:Test Suites:|Summary of all failing tests)")


class _Reader:
    def __init__(self) -> None:
        self.cases = Cases()
        self._file, self._passed, self._named = "", True, False
        self._test, self._said = "", []  # type: tuple[str, list[str]]

    def line(self, line: str) -> None:
        if file := _FILE.match(line):
            self.file()
            self._file, self._passed, self._named = file[2], file[1] == "PASS", False
        elif _END.match(line):
            self.file()
        elif (heading := _HEADING.match(line)) and not self._passed:
            self._close()
            self._test = heading[1] if heading[1] != "Console" else ""
        elif self._test and len(self._said) < 60:
            self._said.append(begun(line.strip(), 500))

    def _close(self) -> None:
        if self._test:
            loaded = self._test != "Test suite failed to run"
            title = self._test.replace(" \u203a ", " > ")
            name = f"{self._file}::{title}" if loaded else self._file
            self.cases.add(name, "failed" if loaded else "error", message="\n".join(self._said).strip())
            self._named = True
        self._test, self._said = "", []

    def file(self) -> None:
        self._close()
        if self._file and not self._named:
            self.cases.add(self._file, "passed" if self._passed else "failed")
        self._file, self._passed = "", True


def parse(text: str) -> Found | None:
    """None when jest's closing lines are not there."""
    told = list(_TOLD.finditer(text))
    if not told:
        return None
    reader = _Reader()
    for line in text.split("\n"):
        reader.line(line)
    reader.file()
    ran = sum(int(match[1]) - sum(map(int, _NOT_RUN.findall(match[0]))) for match in told)
    return Found(RUNNER, reader.cases.tests(), max(0, ran))
