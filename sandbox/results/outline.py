"""Indented outlines of tests as mocha's and node's `spec` reporters print them, as test cases named `outer > inner`."""

from __future__ import annotations

import re

from sandbox.capture import begun
from sandbox.results.cases import Cases, Found, clean_id

_SUMMARY = {
    "mocha": re.compile(r"^ +(\d{1,9}) (?:passing \(.*\)|failing)$", re.MULTILINE),
    "node --test": re.compile(r"^\u2139 (?:pass|fail|cancelled) (\d{1,9})$", re.MULTILINE),
}
_TIME = r"(?: \(([\d.]{1,12})m?s\))?"
_ROW = re.compile(rf"^( *)(\u2714|\u2713|\u2716|\u25b6|\ufe63|-|\d{{1,6}}\)) (.*?){_TIME}(?: # (SKIP|TODO).*)?$")
_STATUS = {"\u2714": "passed", "\u2713": "passed", "\u2716": "failed", "\ufe63": "skipped", "-": "skipped"}
_ENDS = re.compile(r"^ +\d+ passing|^\u2139 tests |^\u2716 failing tests:")


def parse(text: str) -> Found | None:
    """None when neither mocha's nor node's closing lines are there."""
    for runner, summary in _SUMMARY.items():
        if numbers := summary.findall(text):
            mocha = runner == "mocha"
            cases = _outline(text, mocha)
            (_explained if mocha else _explained_by_node)(text, cases)
            return Found(runner, cases.tests(), sum(map(int, numbers)))
    return None


def _outline(text: str, mocha: bool) -> Cases:
    """The tree before the closing lines. In mocha's a suite is a bare indented line, in node's it begins with an arrow.

    Node prints a suite's name again after its tests, with its verdict: that is no test.
    """
    cases = Cases()
    suites: list[tuple[int, str]] = []
    closed: set[tuple[int, str]] = set()
    for line in text.split("\n"):
        if _ENDS.match(line):
            break
        row = _ROW.match(line)
        indent = len(line) - len(line.lstrip(" "))
        if row is None or row[2] == "\u25b6":
            name = row[3] if row else line.strip()
            if name and (row is not None or (mocha and indent >= 2)):
                suites = [*(one for one in suites if one[0] < indent), (indent, name)][-64:]
                closed.add((indent, name))
            continue
        if not mocha and (indent, row[3]) in closed:
            continue
        suites = [one for one in suites if one[0] < indent]
        status = "skipped" if row[5] else _STATUS.get(row[2], "failed")
        cases.add(" > ".join([*(name for _, name in suites), row[3]]), status, _seconds(row[4]))
    return cases


_HEAD = re.compile(r"^  (\d{1,6})\) (.*)$")


def _explained(text: str, cases: Cases) -> None:
    """Mocha's failures with their messages: numbered, the titles on lines of their own, the last with a colon.

    Titles of several lines are known by the tree only; where that was cut away, the list's own words have to do.
    """
    cut = not any(test.status == "failed" for test in cases.tests())
    _, _, rest = text.partition(" failing\n")
    titles: list[str] | None = None
    name, said = "", []  # type: tuple[str, list[str]]
    for line in [*rest.split("\n"), "  0) "]:
        if head := _HEAD.match(line):
            if name and (cut or cases.known(name)):
                cases.add(name, "failed", message="\n".join(said).strip())
            titles, name, said = [head[2].strip()], "", []
        elif titles is not None:
            if line.strip() and len(titles) < 64:
                titles.append(line.strip())
        elif len(said) < 60:
            said.append(begun(line.strip(), 500))
        if titles and titles[-1].endswith(":"):
            name, titles = " > ".join(titles).removesuffix(":"), None


_PLACE = re.compile(r"^test at (\S.*)$")


def _explained_by_node(text: str, cases: Cases) -> None:
    """Node's failures once more at the end, each under its place, by its own name only."""
    _, _, rest = text.partition("\n\u2716 failing tests:\n")
    failing = {one.id.rpartition(" > ")[2]: one.id for one in cases.tests() if one.status == "failed"}
    place, name, said = "", "", []  # type: tuple[str, str, list[str]]
    for line in [*rest.split("\n"), "test at end"]:
        if at := _PLACE.match(line):
            if name:
                cases.add(name, "failed", message=f"{place}: " + "\n".join(said).strip())
            place, name, said = at[1], "", []
        elif place and not name and (row := _ROW.match(line)):
            name = failing.get(clean_id(row[3]), "")
        elif name and len(said) < 60:
            said.append(begun(line.strip(), 500))


def _seconds(text: str | None) -> float:
    return float(text) / 1000 if text and text.count(".") < 2 and text != "." else 0.0
