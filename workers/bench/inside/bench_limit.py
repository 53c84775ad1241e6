"""A pytest plugin that is put beside programs which may loop for ever: `--cpu-limit` seconds of processor time for each
test, which is the same on a busy machine. Standard library and pytest only.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

_AGAIN_S = 0.1
"""After this it is said again, to a program that caught it."""


def pytest_addoption(parser: Any) -> None:
    """Without the option nothing is limited."""
    parser.addoption("--cpu-limit", type=float, default=0.0, help="seconds of processor time that a test may take")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: Any) -> Iterator[None]:
    """Fail the test that takes more."""
    seconds = item.config.getoption("--cpu-limit")

    def ring(_number: int, _frame: object) -> None:
        pytest.fail(f"took more than {seconds:g} s of processor time")

    handler = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, _AGAIN_S if seconds else 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)
