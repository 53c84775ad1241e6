"""Promises of the bell: only ids travel, and a Redis that is down or frozen costs little time and raises nothing."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery.app.defaults import NAMESPACES, flatten

from tests.processes import free_port
from tests.workers.store.servers import RedisServer, redis_server
from workers.domain import RunId
from workers.queue import QUEUE, Bell, make_celery, settings

WITHIN_S = 9.0
"""For a bell and a question, which take a second each; a worker's own patience would be five each."""


@pytest.fixture
def broker() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def test_every_setting_exists() -> None:
    """Celery knows each setting by this name; a misspelt one would be ignored in silence."""
    assert set(settings(1800, 5)) <= {name for name, _ in flatten(NAMESPACES)}


@pytest.mark.redis
def test_a_bell_carries_the_id_alone(broker: RedisServer) -> None:
    """What reaches Redis is the run's id under our prefix."""
    assert Bell(broker.url).answers()
    assert Bell(broker.url).ring(RunId("run-1"))
    with broker.client() as client:
        (message,) = client.lrange(f"heal:{QUEUE}", 0, -1)
    assert json.loads(message)["headers"]["task"] == "heal.drive"
    assert json.loads(message)["headers"]["argsrepr"] == "['run-1']"


@pytest.mark.fault(56)
@pytest.mark.redis
@pytest.mark.parametrize("warm", [True, False], ids=["after a first bell", "from the start"])
def test_a_frozen_redis_costs_seconds(broker: RedisServer, warm: bool) -> None:
    """With Redis stopped in its tracks a bell says False within a few seconds; thawed, it rings again."""
    bell = Bell(broker.url)
    if warm:
        assert bell.ring(RunId("run-1"))
    broker.process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    assert not bell.ring(RunId("run-2"))
    assert not bell.answers()
    assert time.monotonic() - started < WITHIN_S
    broker.process.send_signal(signal.SIGCONT)
    assert bell.ring(RunId("run-3"))


@pytest.mark.fault(55)
def test_no_redis_is_told_at_once() -> None:
    """Nothing listens: False, soon."""
    started = time.monotonic()
    bell = Bell(f"redis://127.0.0.1:{free_port()}/0")
    assert not bell.ring(RunId("run-1"))
    assert not bell.answers()
    assert time.monotonic() - started < WITHIN_S


@pytest.mark.fault(56)
@pytest.mark.redis
def test_a_bell_is_over_once_it_was_heard(broker: RedisServer) -> None:
    """A worker with room for one bell hears the next one whatever becomes of the first: there is no receipt that Redis
    could fail to take, after which the worker would wait for room for ever. Nothing of a bell stays in Redis."""
    celery, heard = make_celery(broker.url), list[str]()

    def hear(_: object, message: Any) -> None:
        heard.append(message.headers["argsrepr"])

    with celery.connection_for_read() as connection, celery.amqp.TaskConsumer(connection) as consumer:
        consumer.qos(prefetch_count=1)
        consumer.callbacks[:] = [hear]
        for n in range(3):
            assert Bell(broker.url).ring(RunId(f"run-{n}"))
        while len(heard) < 3:
            connection.drain_events(timeout=30)
    assert heard == ["['run-0']", "['run-1']", "['run-2']"]
    with broker.client() as client:
        assert client.keys("*unacked*") == []
