"""What `go test` prints, as text or with -json, as test cases named `package::Test/subtest`.

Without -v a package that passes is one line, so it is one case named like the package.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.results.cases import MESSAGE_LIMIT, Cases, Found

RUNNER = "go test"
_PACKAGE = re.compile(r"^(ok|FAIL)\s+(\S+)(?:\s+(?:\(cached\)|[\d.]+s)(.*)|\s+(\[[^\]]*\]))$")
_TEST = re.compile(r"^ *--- (PASS|FAIL|SKIP): (.+) \(([\d.]{1,12})s\)$")
_RUN = re.compile(r"^=== (RUN|PAUSE|CONT|NAME)\s+(.+)$")
_BUILD = re.compile(r"^# (\S+)(?: \[\S+\])?$")
_STATUS = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "pass": "passed", "fail": "failed", "skip": "skipped"}


class _Text:
    """Reads line by line; the name of a package comes after its tests."""

    def __init__(self) -> None:
        self.cases, self.seen = Cases(), False
        self._builds: dict[str, list[str]] = {}
        self._begin()

    def _begin(self) -> None:
        self._tests: list[tuple[str, str, float]] = []
        self._said: dict[str, list[str]] = {}
        self._running: set[str] = set()
        self._current = ""

    def line(self, line: str) -> None:
        if test := _TEST.match(line):
            self._test(*test.groups())
        elif run := _RUN.match(line):
            self._current = run[2]
            self._running.add(run[2])
        elif package := _PACKAGE.match(line):
            self._package(package[1], package[2], package[3] or package[4] or "")
        elif build := _BUILD.match(line):
            self._current = f"# {build[1]}"
        elif line not in ("FAIL", "PASS"):
            said = self._said if not self._current.startswith("# ") else self._builds
            lines = said.setdefault(self._current, [])
            if len(lines) < 100:
                lines.append(line[:500])

    def _test(self, status: str, name: str, seconds: str) -> None:
        if self._running and name not in self._running:
            return  # with -v every test is announced: this line is a test's own output
        self._tests.append((name, _STATUS[status], float(seconds) if seconds.count(".") < 2 else 0.0))
        self._current = name

    def _package(self, word: str, package: str, remark: str) -> None:
        self.seen = True
        if word == "FAIL" and not any(status == "failed" for _, status, _ in self._tests):
            lines = self._builds.get(f"# {package}") or [line for said in self._said.values() for line in said]
            self.cases.add(package, "error", message="\n".join([*lines[-60:], remark]).strip())
        elif word == "ok" and not self._tests and "no test" not in remark:
            self.cases.add(package, "passed")
        self.flush(f"{package}::")

    def flush(self, prefix: str = "") -> None:
        for name, status, seconds in self._tests:
            message = "\n".join(self._said.get(name, ())).strip("\n") if status == "failed" else ""
            self.cases.add(prefix + name, status, seconds, message)
        self._begin()


def parse(text: str) -> Found | None:
    """None when nothing of it looks like `go test`."""
    lines = text.split("\n")
    events = [event for line in lines if line.startswith("{") and '"Action"' in line for event in _event(line)]
    if any("Package" in event for event in events):
        return Found(RUNNER, _of_events(events).tests())
    reader = _Text()
    for line in lines:
        reader.line(line)
    reader.flush()
    return Found(RUNNER, reader.cases.tests()) if reader.seen else None


def _event(line: str) -> list[dict[str, Any]]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return [event] if isinstance(event, dict) else []


def _of_events(events: list[dict[str, Any]]) -> Cases:
    cases, failed = Cases(), set()
    said: dict[tuple[str, str], str] = {}
    for event in events:
        action, package, test = (str(event.get(key, "")) for key in ("Action", "Package", "Test"))
        if action == "build-output":
            package = str(event.get("ImportPath", "")).split(" ")[0]
        key = (package, test)
        if action in ("output", "build-output") and event.get("OutputType") != "frame":
            said[key] = (said.get(key, "") + str(event.get("Output", "")))[: 2 * MESSAGE_LIMIT]
        elif action in _STATUS and test:
            failed |= {package} if action == "fail" else set()
            message = said.get(key, "") if action == "fail" else ""
            cases.add(f"{package}::{test}", _STATUS[action], _seconds(event), message)
        elif action == "fail" and package not in failed:
            cases.add(package, "error", message=said.get(key, ""))
    return cases


def _seconds(event: dict[str, Any]) -> float:
    elapsed = event.get("Elapsed")
    return float(elapsed) if isinstance(elapsed, (int, float)) and 0 <= elapsed < 1e9 else 0.0
