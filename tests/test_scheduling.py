"""The order of the files: what waits runs beside what computes, the longest first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scheduling import LONG, ROOT, SECONDS, UNKNOWN_S, expected, next_file, taken, waits

QUEUE = ("long story", "long sum", "story", "sum")
WAITING = frozenset({"long story", "story"})


@pytest.mark.parametrize(
    ("queue", "at_work", "chosen"),
    [
        (QUEUE, 0, "long story"),
        (QUEUE, 2, "long story"),
        (QUEUE, 3, "long sum"),
        (QUEUE[2:], 3, "sum"),
        (QUEUE[2:3], 3, "story"),
        (QUEUE[3:], 0, "sum"),
    ],
)
def test_one_process_is_kept_for_what_computes(queue: tuple[str, ...], at_work: int, chosen: str) -> None:
    """Three of four processes take what waits, the fourth the rest; nobody is idle because only the other kind is left,
    and of each kind the first in the queue goes."""
    assert next_file(queue, WAITING, at_work, room=3) == chosen


def test_the_table_is_of_this_suite() -> None:
    """Every file in it exists and is long: who moves or deletes one is reminded."""
    table: dict[str, float] = json.loads(SECONDS.read_text())
    assert [file for file in table if not (ROOT / file).is_file()] == []
    assert min(table.values()) >= LONG


def test_what_is_not_in_the_table_has_a_place() -> None:
    """A file with containers begins early, any other late."""
    assert waits("tests/sandbox/test_run.py")
    assert not waits("tests/sandbox/test_pure.py")
    assert expected("tests/sandbox/test_run.py", {}) == UNKNOWN_S
    assert expected("tests/sandbox/test_pure.py", {}) == 0
    assert expected("tests/sandbox/test_run.py", {"tests/sandbox/test_run.py": 9}) == 9


def test_the_table_is_made_from_a_report(tmp_path: Path) -> None:
    """Sums per file, the long ones alone."""
    cases = [("tests.bot.test_a", 6.0), ("tests.bot.test_a", 3.2), ("tests.bot.test_b", 7.0)]
    lines = [f'<testcase classname="{name}" name="test_{n}" time="{s}"/>' for n, (name, s) in enumerate(cases)]
    (tmp_path / "junit.xml").write_text(f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>")
    assert taken(tmp_path / "junit.xml") == {"tests/bot/test_a.py": 9}
