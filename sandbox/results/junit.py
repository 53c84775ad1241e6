"""JUnit's XML (surefire, gradle, pytest, jest-junit, vitest, mocha xunit, phpunit, ...) as test cases.

A stream of events, so that a file that ends early yields its finished tests. A document type is refused: entities are
the way to make a small file large. The bytes were written by untrusted code.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from xml.parsers import expat

from sandbox.results.cases import CASES_LIMIT, MESSAGE_LIMIT, Cases
from sandbox.spec import TestCase

SIZE_LIMIT = 8 << 20
_DEPTH = 64
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9_.-]+)["']""")
_ENCODINGS = {"utf-16": "utf-16", "iso-8859-1": "iso-8859-1", "latin-1": "iso-8859-1", "us-ascii": "us-ascii"}
"""Those that expat decodes itself; any other name is read as UTF-8."""
_WORSE = {"failure": "failed", "error": "error", "skipped": "skipped"}


class _Refused(Exception):  # noqa: N818
    """The document is one that we do not go on reading."""


@dataclass
class _Case:
    name: str
    seconds: float
    status: str = "passed"
    message: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self) -> None:
        self.cases = Cases()
        self.suites = 0
        self._depth, self._count = 0, 0
        self._case: _Case | None = None
        self._inside = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _Refused
        tag = tag.rpartition(":")[2]
        self.suites += tag in ("testsuite", "testsuites")
        if tag == "testcase":
            self._case = _Case(_name(attributes), _seconds(attributes.get("time", "")))
        elif self._case is not None and tag in _WORSE:
            self._inside = tag
            if self._case.status in ("passed", "skipped"):
                self._case.status = _WORSE[tag]
                self._case.message = [attributes.get("message", "")[: 2 * MESSAGE_LIMIT]]

    def text(self, data: str) -> None:
        if self._inside and self._case is not None and sum(map(len, self._case.message)) < 2 * MESSAGE_LIMIT:
            self._case.message.append(data[: 2 * MESSAGE_LIMIT])

    def end(self, tag: str) -> None:
        self._depth -= 1
        tag = tag.rpartition(":")[2]
        if tag == self._inside:
            self._inside = ""
        if tag == "testcase" and self._case is not None:
            head, body = (self._case.message or [""])[0], "".join(self._case.message[1:]).strip()
            # Most runners begin the text with the message; then the text alone says it all.
            message = body if body.startswith(head) else f"{head}\n{body}".strip()
            self.cases.add(self._case.name, self._case.status, self._case.seconds, message)
            self._case = None
            self._count += 1
            if self._count >= CASES_LIMIT:
                raise _Refused

    def refuse(self, *_: object) -> None:
        raise _Refused


def parse(report: bytes) -> tuple[TestCase, ...] | None:
    """The finished tests of one file; None when it is no report at all. Ids are `class::name`, or `file::name`."""
    reader = _Reader()
    named = _ENCODING.search(report[:200])
    encoding = _ENCODINGS.get(named[1].decode().lower(), "utf-8") if named else None
    parser = expat.ParserCreate(encoding)
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    # As one piece: fed in small ones, expat reads a long token again with each of them.
    with contextlib.suppress(expat.ExpatError, _Refused):
        parser.Parse(report[:SIZE_LIMIT], True)
    tests = reader.cases.tests()
    return tests if tests or reader.suites else None


def _name(attributes: dict[str, str]) -> str:
    owner = attributes.get("classname") or attributes.get("file") or ""
    name = attributes.get("name", "")
    return f"{owner}::{name}" if owner else name


def _seconds(text: str) -> float:
    try:
        return float(text[:30].replace(",", ""))
    except ValueError:
        return 0.0
