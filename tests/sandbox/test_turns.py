"""Who makes the same thing waits for who makes it already, and may stop waiting."""

from __future__ import annotations

import gc
import multiprocessing
import threading
import time
from contextlib import suppress
from threading import Event

import pytest

from sandbox.errors import Cancelled
from sandbox.turns import Turns

FORK = multiprocessing.get_context("fork")


def test_one_at_a_time_for_each_key() -> None:
    """A second with the same key waits until the first is out, whatever that one raised; another key does not."""
    turns, inside = Turns("making it"), Event()

    def second() -> None:
        with turns.turn("one"):
            inside.set()

    thread = threading.Thread(target=second)
    with suppress(KeyError), turns.turn("one"):
        thread.start()
        with turns.turn("other"):
            assert not inside.wait(0.1)
        raise KeyError
    assert inside.wait(10)
    thread.join()


def test_waiting_can_be_cancelled() -> None:
    """Nobody waits for another's set-up longer than somebody waits for them."""
    turns, cancel = Turns("making it"), Event()
    threading.Timer(0.1, cancel.set).start()
    began = time.monotonic()
    with turns.turn("one"), pytest.raises(Cancelled, match="making it was cancelled"), turns.turn("one", cancel):
        pass
    assert time.monotonic() - began < 5


def test_a_child_does_not_wait_for_its_parent() -> None:
    """What a thread of the parent holds at the moment of the fork nobody would ever release in the child."""

    def take() -> None:
        with turns.turn("one"):
            pass

    turns = Turns("making it")
    with turns.turn("one"):
        child = FORK.Process(target=take)
        child.start()
        child.join(60)
    assert child.exitcode == 0


def test_keys_are_forgotten() -> None:
    """A worker lives for months and meets a new commit every minute."""
    turns = Turns("making it")
    for number in range(100):
        with turns.turn(str(number)):
            pass
    gc.collect()
    assert not turns._locks
