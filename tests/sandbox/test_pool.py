"""What a pool does when nothing can be started ahead of need: nothing that anybody notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.errors import EngineDown, SandboxError
from sandbox.pool import Pool


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
    assert pool.take("kind", starts, 10) is None
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
        assert pool.take("kind", starts, 10) is None
    none.close()
    assert starts.tried == 0
