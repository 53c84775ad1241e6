"""What every reader of a format makes: test cases with clean, capped texts, one for each id."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.capture import begun, plain
from sandbox.spec import TestCase

ID_LIMIT, MESSAGE_LIMIT, CASES_LIMIT = 2_000, 4_000, 100_000
STATUSES = ("skipped", "passed", "failed", "error")
"""From harmless to worst: of two tests with one id the worse one stands for both."""


@dataclass(frozen=True)
class Found:
    """What one runner was seen to do. `told` is how many tests it says it ran, skipped ones left out."""

    runner: str
    tests: tuple[TestCase, ...] = ()
    told: int | None = None


class Cases:
    """Collects tests in the order of their first appearance; beyond CASES_LIMIT they are left out."""

    def __init__(self) -> None:
        self._cases: dict[str, TestCase] = {}

    def add(self, name: str, status: str, seconds: float = 0.0, message: str = "") -> None:
        """Take one test; a name without a printable character, or a status that is none, is passed over."""
        self.take(case(name, status, seconds, message))

    def take(self, one: TestCase | None) -> None:
        if one is None:
            return
        before = self._cases.get(one.id)
        if before is None and len(self._cases) >= CASES_LIMIT:
            return
        if before is None or STATUSES.index(one.status) >= STATUSES.index(before.status):
            self._cases[one.id] = one if before is None or one.message else _with_message(one, before.message)

    def known(self, name: str) -> bool:
        """Whether there is a test of this name."""
        return clean_id(name) in self._cases

    def tests(self) -> tuple[TestCase, ...]:
        return tuple(self._cases.values())


def case(name: str, status: str, seconds: float = 0.0, message: str = "") -> TestCase | None:
    name = clean_id(name)
    if not name or status not in STATUSES:
        return None
    usable = math.isfinite(seconds) and 0 <= seconds < 1e9
    return TestCase(name, status, float(seconds) if usable else 0.0, printable(message[: 4 * MESSAGE_LIMIT]))


def clean_id(name: str) -> str:
    """A test's name on one line, without control codes."""
    return " ".join(plain(name[: 4 * ID_LIMIT].encode("utf-8", "replace")).split())[:ID_LIMIT]


def printable(text: str) -> str:
    """Without escapes, control codes but newline and tab, and lone surrogates (UTF-8 refuses them)."""
    return begun(plain(text.encode("utf-8", "replace")), MESSAGE_LIMIT)


def ran(tests: Iterable[TestCase]) -> int:
    """How many of the tests were run."""
    return sum(one.status != "skipped" for one in tests)


def _with_message(one: TestCase, message: str) -> TestCase:
    return TestCase(one.id, one.status, one.seconds, message)
