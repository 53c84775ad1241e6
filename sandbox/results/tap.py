"""The Test Anything Protocol (`node --test` up to 22, tape, tap, bats, prove) as test cases named `outer > inner`."""

from __future__ import annotations

import re

from sandbox.capture import begun
from sandbox.results.cases import Cases, Found, ran

RUNNER = "TAP"
_VERSION, _PLAN = re.compile(r"^TAP version 1[34]$"), re.compile(r"^1\.\.\d+")
_SUBTEST = re.compile(r"^( *)# Subtest: (.*)$")
_RESULT = re.compile(r"^( *)(not )?ok\b(?: +(\d+))?(?: +-)? *(.*)$")
_DIRECTIVE = re.compile(r"(?:^| )# *(SKIP|TODO)\b", re.IGNORECASE)
_ERROR = re.compile(r"^ *(?:error|message): *(?:\|-|>-)?(.*)$")
_LOCATION = re.compile(r"^ *(?:location|at): *'?(?:[^()]{0,200}\()?([^()]{1,400}?:\d{1,7})\)?'?$")
_VALUES = re.compile(r"^ *((?:operator|expected|actual): *[^|> ].*)$")
_COMMENT = re.compile(r"^# (?!tests |pass |fail |ok$)(.*)$")
_STEP, _DEPTH = 4, 64


class _Reader:
    def __init__(self) -> None:
        self.cases = Cases()
        self._names: list[str] = []
        self._parents: set[int] = set()  # depths at which something was reported below the open subtest
        self._failing = ""
        self._block: list[str] = []

    def line(self, line: str) -> None:
        if subtest := _SUBTEST.match(line):
            self.flush()
            depth = min(len(subtest[1]) // _STEP, _DEPTH)
            self._names[depth:] = [*[""] * (depth - len(self._names)), subtest[2]]
            self._parents.discard(depth)
        elif result := _RESULT.match(line):
            self.flush()
            self._result(min(len(result[1]) // _STEP, _DEPTH), bool(result[2]), result[3] or "", result[4])
        elif self._failing and len(self._block) < 80:
            self._block.append(begun(line, 500))

    def _result(self, depth: int, failed: bool, number: str, text: str) -> None:
        directive = _DIRECTIVE.search(text)
        own = _unescaped(text[: directive.start()] if directive else text).strip() or number
        name = " > ".join(_unescaped(one).strip() for one in [*self._names[:depth], own] if one)
        parent = depth in self._parents
        self._parents.discard(depth)
        self._parents |= set(range(depth))
        if parent:
            return
        if directive:
            self.cases.add(name, "skipped")
        elif failed:
            self._failing = name
        else:
            self.cases.add(name, "passed")

    def flush(self) -> None:
        """The explanation of a failure comes after its line."""
        if self._failing:
            self.cases.add(self._failing, "failed", message=_message(self._block))
        self._failing, self._block = "", []


def parse(text: str) -> Found | None:
    """None when nothing of it looks like TAP."""
    lines = text.split("\n")
    if not any(_VERSION.match(line) or _PLAN.match(line) for line in lines):
        return None
    reader = _Reader()
    for line in lines:
        reader.line(line)
    reader.flush()
    tests = reader.cases.tests()
    return Found(RUNNER, tests, ran(tests)) if tests else None


def _message(block: list[str]) -> str:
    """The place, then the error's text up to the next key."""
    place = next((match[1] for line in block if (match := _LOCATION.match(line)) and "/node_modules/" not in line), "")
    said: list[str] = []
    for line in block:
        if not said and (error := _ERROR.match(line)):
            said = [error[1].strip(" '\"")]
        elif said and re.match(r"^ *[a-zA-Z_]+: ?", line):
            break
        elif said:
            said.append(line.strip())
    text = "\n".join(line for line in said if line) or _without_words(block)
    return f"{place}: {text}" if place else text


def _without_words(block: list[str]) -> str:
    """What tape compared, or what bats says in comments."""
    values = [" ".join(match[1].split()) for line in block if (match := _VALUES.match(line))]
    return "\n".join(values or [match[1].strip() for line in block if (match := _COMMENT.match(line))])


def _unescaped(name: str) -> str:
    return name.replace("\\#", "#").replace("\\\\", "\\")
