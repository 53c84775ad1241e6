"""A write is sent while the answer of its guard holds, or not at all."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from github import Github

from tests.workers.forge.scripted import Reply, Scripted, scripted
from workers.errors import LeaseLost, Retryable
from workers.fencing import begun_by
from workers.github.api import READS_ONLY, Api
from workers.github.punctual import Punctual, TooLate

Write = Callable[[Api], object]
WRITES: dict[str, Write] = {
    "rest": lambda api: api.send("POST", "/check-runs", {"name": "heal"}),
    "graphql": lambda api: api.mutate("resolveReviewThread", {"threadId": "x"}, "thread { id }"),
}


def writer(server: Scripted, *until: float, pace: float | None = None) -> Api:
    """Its guard allows a write until these times, one after the other; after the last one the lease is lost."""
    left = list(until)

    def guard() -> float:
        if not left:
            raise LeaseLost
        return left.pop(0)

    return Api(Github(base_url=server.url, retry=READS_ONLY, seconds_between_writes=pace).requester, guard)


@pytest.mark.fault(58)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_begins_too_late_is_not_sent(write: Write) -> None:
    """The guard is asked again: who has lost the lease meanwhile sends nothing."""
    with scripted(Reply(200, b"{}")) as server:
        api = writer(server, time.monotonic())
        with pytest.raises(LeaseLost):
            write(api)
    assert server.seen == []


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_still_has_the_lease_sends_it_once(write: Write) -> None:
    """Slow is not lost: the second answer of the guard counts."""
    with scripted(Reply(200, b"{}")) as server:
        write(writer(server, time.monotonic(), math.inf))
    assert [method for method, _, _ in server.seen] == ["POST"]


def test_a_machine_that_is_always_too_slow_parks_the_run() -> None:
    """It does not try for ever."""
    with scripted(Reply(200, b"{}")) as server, pytest.raises(Retryable):
        WRITES["rest"](writer(server, *[time.monotonic()] * 9))
    assert server.seen == []


def test_the_pause_between_two_writes_is_before_the_look() -> None:
    """GitHub asks for a second between writes; a lease that ends in it is noticed."""
    with scripted(Reply(200, b"{}")) as server:
        api = writer(server, math.inf, time.monotonic() + 0.2, pace=0.3)
        WRITES["rest"](api)
        with pytest.raises(LeaseLost):
            WRITES["rest"](api)
    assert len(server.seen) == 1


def test_the_clock_is_looked_at_before_every_piece() -> None:
    """A long body may be stopped in the middle. One that ends too early is none for GitHub."""
    body = Punctual(b"x" * 40_000, math.inf)
    pieces: Iterator[bytes] = iter(body)
    sent = next(pieces)
    body._until = time.monotonic()
    with pytest.raises(TooLate):
        next(pieces)
    assert (len(body), len(sent)) == (40_000, 16_384)


def test_a_body_can_be_sent_again() -> None:
    """The request that goes out once more with a new token has the whole of it too."""
    with scripted(Reply(401), Reply(200, b'{"id": 1}')) as server:
        api = writer(server, math.inf)
        api.renew = lambda: Github(base_url=server.url, retry=READS_ONLY).requester
        assert api.send("POST", "/here", {"name": "heal"}) == {"id": 1}
    assert [headers["content-length"] for _, _, headers in server.seen] == ["16", "16"]


@pytest.mark.fault(58)
def test_stopped_between_the_guard_and_the_request() -> None:
    """SIGSTOP where no lock and no database can help: the process goes on after its time and changes nothing."""
    with scripted(Reply(201, b'{"id": 1}')) as server:
        command = [sys.executable, "-m", "tests.workers.forge.sleeper", server.url, "0.2"]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None
        until = float(worker.stdout.readline())
        assert os.WIFSTOPPED(os.waitpid(worker.pid, os.WUNTRACED)[1])
        while time.monotonic() < until:
            time.sleep(0.01)
        os.kill(worker.pid, signal.SIGCONT)
        assert worker.communicate(timeout=20)[0].split() == ["lost"]
    assert server.seen == []


def test_an_answer_holds_for_a_part_of_the_lease() -> None:
    """What was allowed last and is on its way by then has the rest of the lease to arrive."""
    assert begun_by(100.0, 60.0) == 120.0
