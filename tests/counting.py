"""During which tests no lines are counted for coverage. Counting makes all of Python two to four times as slow, tests
and libraries too: what a test adds to the count must be worth that."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

UNCOUNTED = frozenset({"uncounted", "story", "postgres", "hypothesis"})
"""Marks of tests that go through the same lines as others: with much, many times, on another database, or through all
parts at once. The count that `make test` asks for is reached without them."""


def adds(marks: Iterable[str]) -> bool:
    """Whether a test with these marks adds to the count."""
    return UNCOUNTED.isdisjoint(marks)


@contextmanager
def uncounted() -> Iterator[None]:
    """No lines are counted meanwhile: not here, not in new threads, not in processes that are started."""
    here, in_threads = sys.gettrace(), threading.gettrace()
    inherited = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("COVERAGE_")}
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(here)
        threading.settrace(in_threads)
        os.environ.update(inherited)
