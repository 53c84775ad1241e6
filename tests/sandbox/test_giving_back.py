"""What was taken is given back whatever fails meanwhile: the engine is away, a container dies, somebody interrupts."""

from __future__ import annotations

import socket
import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from docker.errors import APIError, NotFound

from sandbox import networks, policy
from sandbox.admission import Room
from sandbox.engine import Engine, Volume
from sandbox.engine_errors import Missing
from sandbox.errors import EngineDown, SandboxError
from sandbox.keeper import COUNT, Keepers
from sandbox.life import Life
from sandbox.services import Companions, _Set
from sandbox.slots import Slot
from sandbox.spec import Limits
from sandbox.stream import Caps, Marks, Stream
from sandbox.trees import Placement

MEMORY = 1 << 30


class Away:
    """An engine of a gibibyte that answers nothing but what admission asks."""

    def __init__(self) -> None:
        self.room = Room(self, share=1.0)

    def memory(self) -> int:
        return MEMORY

    def memory_in_use(self, _: str) -> dict[str, int]:
        return {}

    def client(self) -> Any:
        raise EngineDown("away")

    def remove_container(self, _: str) -> None:
        raise EngineDown("away")


class Beside(Companions):
    def __init__(self, released: list[str]) -> None:
        self.released = released

    def release(self) -> None:
        self.released.append("companions")
        raise EngineDown("away")


def test_one_failure_keeps_nothing_else_from_being_given_back() -> None:
    """Container, place, companions and way out in this order, each although the one before failed; and only once."""
    given: list[str] = []

    def fails(what: str) -> None:
        given.append(what)
        raise EngineDown(what)

    life = cast(Life, SimpleNamespace(remove=lambda: fails("container")))
    way_out = cast(Any, SimpleNamespace(shut=lambda: given.append("way out")))
    slot = Slot(life, {}, "nonce", Placement((), release=lambda: fails("place")), Beside(given), way_out)
    with pytest.raises(EngineDown):
        slot.discard()
    assert given == ["container", "place", "companions", "way out"]
    slot.discard()
    assert len(given) == 4


def test_services_leave_their_room_when_the_engine_is_away() -> None:
    """Otherwise each engine restart would make the room of a long-lived worker smaller."""
    engine = Away()
    ticket = engine.room.try_enter(MEMORY, "us")
    assert ticket is not None
    labels = policy.Labels("us", "run", "service", "key", 0)
    made = _Set(cast(Engine, engine), (), labels, None, Limits(), 1, ticket, pause="pause")
    with pytest.raises(EngineDown):
        made.release()
    assert engine.room.try_enter(MEMORY, "us") is not None


def test_an_engine_that_leaves_while_a_keeper_starts_is_away() -> None:
    """It is told as such, so that the run is tried again later, and not as a keeper that is broken."""
    removed: list[str] = []

    def away(_: str) -> None:
        raise requests.ConnectionError("away")

    keeper = SimpleNamespace(id="keeper", start=lambda: None)
    client = SimpleNamespace(containers=SimpleNamespace(create=lambda **_: keeper, get=away))
    engine = SimpleNamespace(
        client=lambda: client, create_volume=lambda name, *_: Volume(name, {}, "/path"),
        remove_container=removed.append, remove_volume=removed.append,
    )  # fmt: skip
    with pytest.raises(EngineDown):
        Keepers(cast(Engine, engine), "us").take(1 << 20, "image", 0)
    assert len(removed) == 1 + COUNT


def test_nobody_waits_for_a_container_that_has_ended() -> None:
    """One that ends before it is ready is told at once, not after the time it was given."""
    here, there = socket.socketpair()
    stream = Stream(here, Caps(100, 100, 100, 1000), Marks(ready=b"READY"))
    life = Life(cast(Any, None), cast(Any, None), stream, lambda: None)
    stream.begin()
    threading.Timer(0.1, there.close).start()
    began = time.monotonic()
    assert not life.ready(30)
    assert time.monotonic() - began < 5
    stream.close()


def test_an_interrupt_leaves_no_container() -> None:
    """A worker's time limit strikes anywhere, between creating a container and starting it too."""
    removed: list[str] = []
    here, there = socket.socketpair()

    def interrupted() -> None:
        raise KeyboardInterrupt

    def remove(name: str, **_: object) -> None:
        removed.append(name)
        there.close()

    container = SimpleNamespace(id="one", start=interrupted)
    api = SimpleNamespace(attach_socket=lambda *_, **__: here, remove_container=remove)
    client = SimpleNamespace(containers=SimpleNamespace(create=lambda **_: container), api=api)
    with pytest.raises(KeyboardInterrupt):
        Life.begin(cast(Any, client), {}, Caps(100, 100, 100, 1000), Marks())
    assert removed == ["one"]


def refusing(answers: list[Exception]) -> tuple[Engine, list[str]]:
    """An engine that answers one request to remove after the other with these, then removes; and what it was asked."""
    asked: list[str] = []

    def remove(name: str, **_: object) -> None:
        asked.append(name)
        if answers:
            raise answers.pop(0)

    client = SimpleNamespace(api=SimpleNamespace(remove_container=remove))
    return cast(Engine, SimpleNamespace(client=lambda: client)), asked


def test_an_engine_that_refuses_to_remove_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy one does not see the process end in time; nobody else would look at that container for minutes."""
    monkeypatch.setattr("sandbox.life.time.sleep", lambda _: None)
    busy = APIError("500", explanation="cannot kill container: context deadline exceeded")
    engine, asked = refusing([busy, busy])
    Engine.remove_container(engine, "one")
    assert len(asked) == 3
    engine, asked = refusing([busy] * 3)
    with pytest.raises(SandboxError, match="deadline exceeded"):
        Engine.remove_container(engine, "one")
    engine, asked = refusing([NotFound("404")])
    Engine.remove_container(engine, "one")
    assert len(asked) == 1
    engine, asked = refusing([requests.ConnectionError()])
    with pytest.raises(EngineDown):
        Engine.remove_container(engine, "one")
    assert len(asked) == 1


def test_a_network_goes_although_a_client_left_meanwhile() -> None:
    """Between the look at who is on it and taking that one off it, the client's container may be removed."""
    removed: list[bool] = []

    def gone(*_: object, **__: object) -> None:
        raise Missing("no such container")

    network = SimpleNamespace(attrs={"Containers": {"one": {}}}, disconnect=gone, remove=lambda: removed.append(True))
    client = SimpleNamespace(networks=SimpleNamespace(get=lambda _: network))
    assert networks.remove(cast(Engine, SimpleNamespace(client=lambda: client)), "net")
    assert removed
