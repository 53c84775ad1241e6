"""Which of several reports of one command is believed: a reporter's own before files before what was printed.

Reports of the same tests are never added up. Only what runs tests of another kind stands beside a reporter: the files
of a Java build know nothing of pytest's tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.results import jsonl, junit, log
from sandbox.results.cases import Cases, Found, ran
from sandbox.results.channel import REFUSED, Reports
from sandbox.spec import LOG, TestCase

_JAVA = re.compile(r"(?:^|/)(?:surefire-reports|failsafe-reports|build/test-results)/")


@dataclass(frozen=True)
class Read:
    """The named tests, where they are from, how many tests other runners tell of, and what is to be said about it."""

    tests: tuple[TestCase, ...]
    source: str
    told: int | None
    notes: tuple[str, ...]


def choose(reports: Reports, output: str) -> Read:
    """The best of what a command left and printed. Never raises; an empty answer says that nothing named a test."""
    reported = jsonl.parse(reports.report)
    notes = [*reports.notes]
    if reports.report.strip() and not reported and not jsonl.readable(reports.report):
        notes.append(f"{REFUSED}: nothing in $HEAL_REPORT can be read; only the reporters should write there")
    java, others = _files(reports, notes)
    printed = log.parse(output)
    names = [found.runner for found in reported]
    if reported or java:
        xml, told = ran(others), ran(_all(reported))
        if others and not java and xml != told:
            notes.append(f"JUnit XML names {xml} tests that ran, the reporter {told}: the reporter is believed")
        tests = (*_all(reported), *java)
        source = " and ".join([*(f"{name} reporter" for name in names), *(["JUnit XML"] if java else [])])
        covered = {*names, *(["maven"] if java else [])}
    elif others:
        tests, source, covered = others, "JUnit XML", {found.runner for found in printed}
    else:
        named = [found for found in printed if found.tests]
        tests, covered = _all(named), set()
        source = f"{LOG} of {', '.join(found.runner for found in printed)}" if printed else ""
    counts = [found.told for found in printed if found.told is not None and found.runner not in covered]
    return Read(tests, source, sum(counts) if counts else None, tuple(notes))


def _files(reports: Reports, notes: list[str]) -> tuple[tuple[TestCase, ...], tuple[TestCase, ...]]:
    """The tests of the Java builds' files, and those of all others; of one test in several files the worst counts."""
    java, others = Cases(), Cases()
    for path, data in reports.files:
        tests = junit.parse(data)
        if tests is None:
            notes.append(f"{REFUSED}: {path} is no JUnit XML")
        for one in tests or ():
            (java if _JAVA.search(path) else others).take(one)
    return java.tests(), others.tests()


def _all(found: list[Found] | tuple[Found, ...]) -> tuple[TestCase, ...]:
    return tuple(test for one in found for test in one.tests)
