"""Reads pytest: its summary lines, failure sections and, better, the per-test report of our own plug-in.

Every `--tb` style but `no` says where a test failed; without a summary the rows of `-v` or the sections name the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import doctest, pytest_trouble
from workers.tools.exceptions import class_of, kind_of
from workers.tools.plain import MESSAGE, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "kind_of", "recognises"]

NAME = "pytest"
RUNS_TESTS = True
_CRASH = re.compile(r"^(?P<path>\S{1,400}\.py):(?P<line>\d{1,7}): (?P<message>[^\n]+)")
"""How our plug-in reports a failure: where it was raised, then the message."""
_ID = r"(?:[^\s\[(][^\s\[]{0,600}|[^\s\[(:][^\[\n:]{0,300}\.\w{1,5}(?:::[^\[\n]{1,400}?)?)(?:\[.{0,1500}?\])?"
_SUMMARY = re.compile(
    rf"^(?:SUB)?(?:FAILED|ERROR)(?:\[[^\]\n]{{0,200}}\])?(?: ?\([^)\n]{{1,200}}\))? (?P<test>{_ID})(?: - "
    rf"(?P<said>.*))?$",
    re.MULTILINE,
)
_OF_FILE = re.compile(r"\.|::")
"""What a word after ERROR has when it is a test and not a log's."""
_ROW = re.compile(r"^(?:\[gw\d{1,3}\] \[ *\d{1,3}%\] )?(?:FAILED|ERROR) (\S{1,300}::\S.{0,600})$", re.MULTILINE)
_ROW_AFTER = re.compile(r"^(\S{1,300}::\S.{0,600}?) (?:FAILED|ERROR)(?: {1,80}\[ {0,3}\d{1,3}%\])?$", re.MULTILINE)
_PLACE = re.compile(
    r"^(?P<path>(?:[A-Za-z]:)?[^\s:][^:\n]{0,400}\.py):(?P<line>\d{1,7})(?:: (?P<kind>[A-Za-z_][\w.]{0,200})|: ?$|$)",
    re.MULTILINE,
)
_LINE_STYLE = re.compile(r"^(?P<path>[^\s:][^:\n]{0,400}\.py):(?P<line>\d{1,7}): (?P<said>\S.*)$", re.MULTILINE)
_UNREADABLE = re.compile(r'^E +File "(?P<path>[^"\n]{1,400})", line (?P<line>\d{1,7})$', re.MULTILINE)
_FRAME = re.compile(r'^ {2}File "(?P<path>[^"\n]{1,400})", line (?P<line>\d{1,7})', re.MULTILINE)
_MESSAGE = re.compile(r"^E {3,40}(\S.*)$", re.MULTILINE)
_SECTION = re.compile(r"^_{1,200} (?!_ )(.{1,600}?) _{1,200}$", re.MULTILINE)
"""A title that is as wide as the terminal has one underscore on each side; between frames stand many with spaces."""
_CONFTEST = re.compile(r"^ImportError while loading conftest '(?P<path>[^'\n]{1,400})'", re.MULTILINE)
_CHAIN = re.compile(
    r"^(?:During handling of the above exception|The above exception was the direct cause)", re.MULTILINE
)
_CAPTURED = re.compile(r"^-{3,200} Captured ", re.MULTILINE)
_NEXT_PART = re.compile(r"^={3,200} ", re.MULTILINE)
_FIXTURE = re.compile(r"^fixture '[^'\n]{1,200}' not found")
_FOREIGN = re.compile(r"(?:site|dist)-packages/|/lib/python\d|^<")


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME) or invocations(command, "py.test")) or "= test session starts =" in output


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:
    """One finding per failed test, from the report where there is one, else from what was printed."""
    reported = [test for test in tests if test.status in ("failed", "error")]
    if reported:
        return tuple(_finding(test.id, test.message, "") for test in reported)
    sections = _Sections(output)
    said = {match["test"]: match["said"] or "" for match in _SUMMARY.finditer(output) if _OF_FILE.search(match["test"])}
    if not said:
        said = dict.fromkeys(_rows(output), "") or sections.tests()
    crashed = pytest_trouble.crashes(output)
    texts = {test: crashed.get(test) or sections.of(test) for test in said}
    places = _line_style(output, [test for test in said if not texts[test]])
    printed = tuple(_finding(test, texts[test] or places.get(test, ""), words) for test, words in said.items())
    found = unique(printed) or pytest_trouble.alone(output)
    return found or unique([*_collection(output), *pytest_trouble.said(output)][:20])


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:
    """By the exceptions' names: only assertions is a test failure, one that stops the import goes first."""
    if special := pytest_trouble.classify(findings):
        return special
    kinds = [finding.rule or kind_of(finding.message) for finding in findings]
    if not any(kinds):  # the summary is cut short on narrow terminals
        kinds = [kind_of(text) for text in _MESSAGE.findall(output)] or kinds
    return class_of(kinds)


def _finding(test: str, text: str, said: str) -> Finding:
    crash = _CRASH.match(text)
    if crash:
        message = crash["message"]
        return Finding(message[:MESSAGE], crash["path"], int(crash["line"]), test, _kind(message) or None)
    text = _CAPTURED.split(_CHAIN.split(text)[-1])[0]
    message = _message(text, said)
    place = _place(text)
    path = place["path"] if place else test.split("::")[0] if ".py" in test else None
    return Finding(message[:MESSAGE], path, int(place["line"]) if place else None, test, _kind(message) or None)


def _message(text: str, said: str) -> str:
    """What the exception says; without one what the summary says, else the last words."""
    messages = [match[1] for match in _MESSAGE.finditer(text)]
    if not messages and (expected := doctest.disagreement(text)):
        return expected
    if not messages:
        messages = [line for line in text.split("\n") if kind_of(line)][-1:]
    lead = next((message for message in messages if kind_of(message)), messages[0] if messages else "")
    return lead or said or (text.strip().split("\n")[-1] if text.strip() else "failed")


def _place(text: str) -> re.Match[str] | None:
    places = list(_UNREADABLE.finditer(text)) or list(_PLACE.finditer(text))
    if not places:
        frames = list(_FRAME.finditer(text))
        places = [frame for frame in frames if not _FOREIGN.search(frame["path"])] or frames
    return places[-1] if places else None


def _kind(message: str) -> str:
    return "FixtureLookupError" if _FIXTURE.match(message) else doctest.kind(message) or kind_of(message)


def _rows(output: str) -> Iterator[str]:
    """The tests that `-v` shows as red, as one process writes them and as the workers of xdist do."""
    for pattern in (_ROW, _ROW_AFTER):
        yield from (match[1] for match in pattern.finditer(output))


def _line_style(output: str, tests: Sequence[str]) -> dict[str, str]:
    """`--tb=line` has a place for each test in the summary's order, and no name; other counts cannot be told apart."""
    _, _, part = output.partition("= FAILURES =")
    lines = [match[0] for match in _LINE_STYLE.finditer(_NEXT_PART.split(part)[0])]
    return dict(zip(tests, lines, strict=True)) if len(lines) == len(tests) else {}


def _collection(output: str) -> list[Finding]:
    """conftest errors have no summary line."""
    place, conftest = next(iter(_PLACE.finditer(output)), None), _CONFTEST.search(output)
    unreadable = next(iter(_UNREADABLE.finditer(output)), None)
    at = place or unreadable
    path = at["path"] if at else conftest["path"] if conftest else None
    line = int(at["line"]) if at else None
    messages = [message for message in _MESSAGE.findall(output) if kind_of(message)]
    return [Finding(message[:MESSAGE], path, line, None, kind_of(message)) for message in messages]


class _Sections:
    """The failure sections by title. Tests of one name in several files have sections of one title."""

    def __init__(self, output: str) -> None:
        parts = _SECTION.split(output)
        self.found: dict[str, list[str]] = {}
        for title, body in zip(parts[1::2], parts[2::2], strict=True):
            self.found.setdefault(title, []).append(_NEXT_PART.split(body, maxsplit=1)[0])

    def of(self, test: str) -> str:
        """The section of a test, by its id: the one that names its file, where several have its title."""
        path, _, rest = test.partition("::")
        name = rest.replace("::", ".")
        titles = (name, f"[doctest] {rest}", f"ERROR collecting {test}", f"ERROR at setup of {name}",
                  f"ERROR at teardown of {name}")  # fmt: skip
        subtests = (title for title in self.found if name and title.startswith(f"{name} "))
        bodies = next((self.found[title] for title in chain(titles, subtests) if title in self.found), [])
        return next((body for body in bodies if path in body), bodies[0] if bodies else "")

    def tests(self) -> dict[str, str]:
        """Ids made from the sections alone: the file is the one of the first place."""
        found: dict[str, str] = {}
        for title, bodies in self.found.items():
            body = _CHAIN.split(bodies[0])[-1]
            place = next(_PLACE.finditer(body), None) or next(_FRAME.finditer(body), None)
            name = title.removeprefix("ERROR at setup of ").removeprefix("ERROR at teardown of ")
            if place and _MESSAGE.search(bodies[0]) and not name.startswith("ERROR collecting "):
                found[f"{place['path']}::{name.replace('.', '::')}"] = ""
            elif name.startswith("ERROR collecting "):
                found[name.removeprefix("ERROR collecting ")] = ""
        return found
