"""What a pool gives to whom, and what it does when nothing can be started: nothing that anybody notices."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

import pytest

from sandbox.errors import EngineDown, SandboxError
from sandbox.pool import _MOST_KEPT, Keep, Pool


class Starts:
    """A way to start that never succeeds; counts how often it was tried."""

    def __init__(self, error: SandboxError | None) -> None:
        self.error, self.tried = error, 0

    def __call__(self, on_end: Callable[[], None]) -> None:
        self.tried += 1
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [EngineDown("gone"), None], ids=["fails", "no room"])
def test_a_start_that_fails_is_no_start(error: SandboxError | None) -> None:
    """The run that would have had it starts cold, and closing does not hang."""
    pool, starts = Pool(2), Starts(error)
    pool.expect("kind", 2, starts)
    assert pool.take(["kind"], starts, 10) is None
    pool.close()
    assert pool.waiting("kind") == 0
    assert starts.tried >= 2


def test_none_ahead() -> None:
    """An operator who wants none gets none; a closed pool starts none either."""
    starts = Starts(None)
    none, closed = Pool(0), Pool(2)
    closed.close()
    for pool in (none, closed):
        pool.expect("kind", 2, starts)
        assert pool.take(["kind"], starts, 10) is None
    none.close()
    assert starts.tried == 0


class Container:
    """Stands for one: always fit for use."""

    def __init__(self) -> None:
        self.gone = False

    def ready(self) -> bool:
        return True

    def usable(self, seconds: float) -> bool:
        return seconds > 0

    def discard(self) -> None:
        self.gone = True


class Store:
    """Starts of one key, which succeed, and what they started."""

    def __init__(self) -> None:
        self.made: list[Container] = []

    def __call__(self, on_end: Callable[[], None]) -> Any:
        self.made.append(Container())
        return self.made[-1]


def waits(pool: Pool, key: Hashable, count: int = 1) -> None:
    deadline = time.monotonic() + 30
    while pool.waiting(key) != count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_has_the_files_comes_first() -> None:
    """A run takes one with its commit's files, then one without any, and never one of another commit; when it is over
    those of its commit are destroyed, and of an environment stays what was said first."""
    pool, files, none, other = Pool(2, Keep(1)), Store(), Store(), Store()

    def taken(*keys: str) -> Any:
        return pool.take(keys, files, 10)

    pool.was_red("environment", "any", none)
    pool.was_red("environment", "later", other)
    pool.rest()
    waits(pool, "any")
    assert not other.made
    pool.expect("commit", 2, files)
    waits(pool, "commit", 2)
    assert {taken("commit", "any"), taken("commit", "any")} == set(files.made)
    assert taken("elsewhere") is None
    assert taken("commit", "any") is none.made[0]
    assert taken("commit", "any") is None
    pool.expect("commit", 1, files)
    waits(pool, "commit")
    pool.rest()
    pool.close()
    assert [one.gone for one in files.made] == [False, False, True]


def test_only_the_last_few_environments_keep_one() -> None:
    """However many were red, no more than a handful of containers stay; closing destroys them too."""
    pool, stores = Pool(2, Keep(1)), [Store() for _ in range(_MOST_KEPT + 1)]
    for number, store in enumerate(stores):
        pool.was_red(f"environment {number}", number, store)
        pool.rest()
        waits(pool, number)
    waits(pool, 0, 0)
    assert not pool.give_up()  # they take no room that they could give
    pool.close()
    assert all(store.made[0].gone for store in stores)
