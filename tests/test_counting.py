"""What is counted for coverage, and what is not."""

from __future__ import annotations

import os
import sys
import threading
from types import FrameType

import pytest

from tests.counting import adds, uncounted

VARIABLE = "COVERAGE_PROCESS_CONFIG"


def tracing(frame: FrameType, event: str, argument: object) -> None:
    """Stands for what counts lines."""


@pytest.mark.parametrize(
    ("marks", "counts"),
    [((), True), (("engine", "fault"), True), (("engine", "story"), False), (("hypothesis",), False)],
)
def test_what_goes_through_the_lines_of_others_adds_nothing(marks: tuple[str, ...], counts: bool) -> None:
    """Stories, properties, the second database, and what says so."""
    assert adds(marks) is counts


@pytest.mark.uncounted
def test_nothing_is_counted_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither here nor in a new thread nor in a process that is started; afterwards all is as before."""
    monkeypatch.setenv(VARIABLE, "x")
    seen: list[object] = []

    def look() -> None:
        thread = threading.Thread(target=lambda: seen.append(sys.gettrace()))
        thread.start()
        thread.join()
        seen.extend((sys.gettrace(), os.environ.get(VARIABLE)))

    sys.settrace(tracing)
    threading.settrace(tracing)
    try:
        with uncounted():
            look()
        look()
    finally:
        sys.settrace(None)
        threading.settrace(None)
    assert seen == [None, None, None, tracing, tracing, "x"]
