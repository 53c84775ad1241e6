"""What `cargo test` (libtest) and `cargo nextest` print, as test cases named `crate::module::test`."""

from __future__ import annotations

import re

from sandbox.capture import begun
from sandbox.results.cases import Cases, Found

RUNNER = "cargo test"
_CRATE = re.compile(r"^ +(?:Running|Doc-tests) (\S.*)$")
_VERBOSE = re.compile(r"^ +Running `")
_PROGRAM = re.compile(r"^ +Running `(?:[A-Z_]+=\S* )*\S*/deps/([\w-]+)[` ]")  # not of rustc and rustdoc
_HASH = re.compile(r"-[0-9a-f]{16}$")
_BEGIN = re.compile(r"^running \d+ tests?$")
_TEST = re.compile(r"^test (.+?)(?: - should panic)? \.\.\. (.*)$")
_OUTCOME = re.compile(r"^(ok|FAILED|ignored)(?:, .*)?(?: <([\d.]{1,12})s>)?$")
_SECTION = re.compile(r"^---- (.+) (?:stdout|stderr) ----$")
_RESULT = re.compile(r"^test result: \w+\. (\d{1,9}) passed; (\d{1,9}) failed;")
_DIED = re.compile(r"process didn't exit successfully|^error: test failed")
_NEXTEST = re.compile(
    r"^ +(PASS|FAIL|LEAK|TIMEOUT|ABORT|SIG[A-Z]+) \[ *([\d.]{1,12})s\] (?:\( *\d+/\d+\) )?(\S+) (.+)$"
)
_SUMMARY = re.compile(r"^ +Summary \[.*?\] +(\d{1,9})(?:/\d+)? tests? run:")
_STATUS = {"ok": "passed", "FAILED": "failed", "ignored": "skipped", "PASS": "passed", "LEAK": "passed"}
_LINE = re.compile(r"(?: -)? \(line \d+\)$")  # a documentation test moves with every edit above it


class _Reader:
    def __init__(self) -> None:
        self.cases, self.told = Cases(), -1
        self._crate, self._running, self._pending, self._section = "", False, "", ""
        self._failures = True
        self._messages: dict[str, list[str]] = {}

    def line(self, line: str) -> None:
        if _VERBOSE.match(line):
            if started := _PROGRAM.match(line):
                self._finish()
                self._crate = _HASH.sub("", started[1])
        elif crate := _CRATE.match(line):
            self._finish()
            program = crate[1].rpartition("(")[2].rpartition("/")[2].rstrip(")")
            self._crate = _HASH.sub("", program)
        elif _BEGIN.match(line):
            self._running, self._section, self._pending = True, "", ""
        elif line in ("failures:", "successes:"):
            self._running, self._section, self._failures = False, "", line == "failures:"
        elif result := _RESULT.match(line):
            self.told = max(self.told, 0) + int(result[1]) + int(result[2])
            self._finish()
        elif (section := _SECTION.match(line)) and self._failures:
            self._section = self._name(section[1])
            self._messages.setdefault(self._section, [])
        elif self._running:
            self._test(line)
        elif self._section and len(self._messages[self._section]) < 60:
            self._messages[self._section].append(begun(line, 500))
        else:
            self._nextest(line)

    def _test(self, line: str) -> None:
        test = _TEST.match(line)
        outcome = _OUTCOME.match(test[2] if test else line)
        name = self._name(test[1]) if test else self._pending
        if name and outcome:
            self.cases.add(name, _STATUS[outcome[1]], _seconds(outcome[2]))
            self._pending = ""
        elif test:
            self._pending = name  # it prints before it ends
        if self._pending and _DIED.search(test[2] if test else line):
            self.cases.add(self._pending, "error", message="the test process died in this test")
            self._pending, self._running = "", False

    def _nextest(self, line: str) -> None:
        if test := _NEXTEST.match(line):
            self.cases.add(f"{test[3]}::{test[4]}", _STATUS.get(test[1], "failed"), _seconds(test[2]))
        elif summary := _SUMMARY.match(line):
            self.told = max(self.told, 0) + int(summary[1])

    def _finish(self) -> None:
        """The messages of a crate's failures come after its tests; with -q they are all that names them."""
        for name, said in self._messages.items():
            self.cases.add(name, "failed", message="\n".join(said).strip("\n"))
        self._messages = {}
        self._running, self._pending, self._section, self._failures = False, "", "", True

    def end(self) -> None:
        self._finish()

    def _name(self, name: str) -> str:
        name = _LINE.sub("", name.removesuffix(" - should panic"))
        return f"{self._crate}::{name}" if self._crate else name


def parse(text: str) -> Found | None:
    """None when nothing of it looks like libtest or nextest."""
    reader = _Reader()
    for line in text.split("\n"):
        reader.line(line)
    reader.end()
    tests = reader.cases.tests()
    return Found(RUNNER, tests, None if reader.told < 0 else reader.told) if tests or reader.told >= 0 else None


def _seconds(text: str | None) -> float:
    return float(text) if text and text.count(".") < 2 and text != "." else 0.0
