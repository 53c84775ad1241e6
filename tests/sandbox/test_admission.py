"""How many containers run at once: by memory, in this process and beside others."""

from __future__ import annotations

import threading

import pytest

from sandbox.admission import Room
from sandbox.errors import Cancelled, EngineBusy


class Machine:
    """An engine's machine with 1000 bytes; `beside` is what other processes run there."""

    def __init__(self, beside: dict[str, int] | None = None) -> None:
        self.beside = beside or {}

    def memory(self) -> int:
        return 1000

    def memory_in_use(self, owner: str) -> dict[str, int]:
        assert owner == "us"
        return self.beside


def test_let_in_up_to_the_share() -> None:
    """700 of 1000 bytes may be used; then patience ends with EngineBusy, and what leaves makes room."""
    room = Room(Machine(), patience_s=0)
    first = room.enter(400, "us")
    room.enter(300, "us")
    with pytest.raises(EngineBusy):
        room.enter(1, "us")
    room.leave(first)
    room.enter(400, "us")


def test_containers_of_other_processes_count_once() -> None:
    """Others' containers take room, those of this process are not counted again when the engine lists them."""
    machine = Machine({"theirs": 300})
    room = Room(machine, patience_s=0)
    ticket = room.enter(400, "us")
    ticket.container = "ours"
    machine.beside["ours"] = 400
    with pytest.raises(EngineBusy):
        room.enter(1, "us")
    del machine.beside["theirs"]
    room.enter(300, "us")


def test_the_first_is_always_let_in() -> None:
    """A container larger than the share runs when it is alone, but not ahead of need."""
    room = Room(Machine(), patience_s=0)
    assert room.try_enter(2000, "us", ahead=True) is None
    room.enter(2000, "us")


def test_half_of_the_room_is_kept_for_what_is_to_run_now() -> None:
    """What is started ahead of need gets 350 bytes at most, all that runs counted."""
    room = Room(Machine(), patience_s=0)
    assert room.try_enter(300, "us", ahead=True)
    assert room.try_enter(100, "us", ahead=True) is None
    room.enter(400, "us")


def test_waiting_for_room() -> None:
    """Who waits gets in when somebody leaves, and out when cancelled."""
    room = Room(Machine())
    held = room.enter(700, "us")
    left = threading.Event()

    def leave() -> None:
        left.set()
        room.leave(held)

    threading.Timer(0.1, leave).start()
    room.enter(700, "us")
    assert left.is_set()
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(Cancelled):
        room.enter(1, "us", cancel)


def test_what_waits_is_given_up_for_what_runs() -> None:
    """Whoever holds something idle is asked until there is room."""
    room = Room(Machine(), patience_s=0)
    idle = [room.enter(300, "us"), room.enter(300, "us")]

    def give_up() -> bool:
        if not idle:
            return False
        room.leave(idle.pop())
        return True

    room.offer(give_up)
    room.enter(400, "us")
    assert len(idle) == 1
    with pytest.raises(EngineBusy):
        room.enter(700, "us")
    assert not idle


def test_a_ticket_is_divided_without_making_room() -> None:
    """A container and its services get in together, and leave one by one."""
    room = Room(Machine(), patience_s=0)
    whole = room.enter(700, "us")
    part = room.split(whole, 300)
    assert (whole.need, part.need) == (400, 300)
    with pytest.raises(EngineBusy):
        room.enter(1, "us")
    room.leave(part)
    room.enter(300, "us")
