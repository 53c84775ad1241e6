"""Containers that wait for their command: used once, never needed for a right answer, never left behind."""

from __future__ import annotations

import copy
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection

import pytest

from sandbox import policy, trees
from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.errors import EngineBusy
from sandbox.grants import Grant
from sandbox.images.build import resolve
from sandbox.pool import Keep
from sandbox.reaper import reap, remove_all
from sandbox.slots import Slot
from sandbox.spec import Ending, Limits, Plan, Result, Step
from tests.sandbox.conftest import STATE
from tests.sandbox.trees import ADDER, FIX, tree

pytestmark = pytest.mark.engine
SMALL = Limits(wall_s=20, memory=96 << 20, cpus=1.0, pids=64, workspace=16 << 20, tmp=16 << 20)
NAME = Step("check", "hostname")  # a container's host name is the beginning of its id
FORK = multiprocessing.get_context("fork")


class Pooled:
    """A sandbox of its own, with an owner of its own, on the shared environment."""

    def __init__(self, engine: Engine, keep: Keep = Keep()) -> None:
        self.owner = f"tests-{uuid.uuid4().hex[:12]}"
        self.sandbox = DockerSandbox(None, self.owner, state_dir=STATE, keep=keep)
        self.environment = self.sandbox.prepare(Plan("python", (), Step("check", "true")), tree())
        self._engine = engine

    def containers(self) -> set[str]:
        """Beginnings of the ids of all containers of this owner."""
        return {name[:12] for name in self._engine.containers(f"heal.owner={self.owner}")}

    def waiting(self, count: int) -> set[str]:
        """Wait until so many containers wait, and say which."""
        places = self.sandbox._pool._places
        within(20, lambda: len(places) == count and all(place.made.is_set() for place in places))
        return {place.slot.id[:12] for place in places if place.slot}

    def run(self, step: Step = NAME, cancel: threading.Event | None = None, limits: Limits = SMALL) -> Result:
        return self.environment.run(step, tree(), limits=limits, cancel=cancel)

    def gone(self) -> None:
        """Wait until no container is left."""
        within(20, lambda: not self.containers())


def within(seconds: float, true: Callable[[], bool]) -> None:
    """On a machine that does nothing else; there may be three times as much to do."""
    deadline = time.monotonic() + 3 * seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture
def pooled(engine: Engine, bare: DockerEnvironment) -> Iterator[Pooled]:
    """Closing it leaves no container, whatever the test did."""
    made = Pooled(engine)
    yield made
    made.sandbox.close()
    assert not made.containers()
    remove_all(engine, made.owner)


def test_each_is_used_once_and_as_many_as_expected(pooled: Pooled) -> None:
    """Two expected runs get the two that waited; a third starts cold, and nothing more is started ahead."""
    pooled.environment.warm(tree(), 2, SMALL)
    ahead = pooled.waiting(2)
    used = [pooled.run().output.text.strip() for _ in range(3)]
    assert set(used[:2]) == ahead
    assert used[2] not in ahead
    pooled.gone()


def test_only_a_run_of_the_same_kind_gets_one(pooled: Pooled) -> None:
    """Another commit, other limits, or another network get a container of their own; only the time limit may differ."""
    pooled.environment.warm(tree(), 1, SMALL)
    (ahead,) = pooled.waiting(1)
    other_tree = pooled.environment.run(NAME, tree(sha="1" * 40), limits=SMALL)
    other_limits = pooled.run(limits=replace(SMALL, memory=128 << 20))
    granted = copy.copy(pooled.environment)
    granted._grant = Grant(("example.org",))
    other_network = granted.run(NAME, tree(), limits=SMALL)
    assert ahead not in {other.output.text.strip() for other in (other_tree, other_limits, other_network)}
    assert pooled.run(limits=replace(SMALL, wall_s=5)).output.text.strip() == ahead


def told(result: Result) -> object:
    """All of a result but what was measured."""
    text = re.sub(r"\d+\.\d+s", "", result.output.text)
    tests = [(test.id, test.status, test.message) for test in result.tests]
    return result.ending, result.exit_code, text, tests, result.evidence, result.notes


def test_a_waiting_container_gives_the_result_of_a_cold_one(with_pytest: DockerEnvironment) -> None:
    """Green and red, output, tests, evidence: only what is measured differs, and all of that is measured. Of an
    earlier run's patch and files nothing is there."""
    step = Step("check", "ls -A /ws /tmp /heal/in; touch /ws/left /tmp/left; python -m pytest -q -p no:cacheprovider")

    def both() -> list[Result]:
        return [with_pytest.run(step, tree(ADDER), patch, inputs={"a": b"1"}) for patch in (FIX, None)]

    cold = both()
    with_pytest.warm(tree(ADDER), 2)
    within(20, lambda: len(with_pytest._pool._places) == 2)
    warm = both()
    assert not with_pytest._pool._places
    assert [told(one) for one in warm] == [told(one) for one in cold]
    assert [one.ending for one in cold] == [Ending.PASSED, Ending.FAILED]
    assert all(one.wall_s > one.cpu_s / 2 > 0.05 and one.peak_memory > 1 << 20 for one in warm)


def test_one_that_died_is_replaced(pooled: Pooled, engine: Engine) -> None:
    """A container that died while it waited is removed, and the run that would have had it is right all the same."""
    pooled.environment.warm(tree(), 1, SMALL)
    (ahead,) = pooled.waiting(1)
    engine.client().containers.get(ahead).kill()
    pooled.gone()
    result = pooled.run()
    assert result.green
    assert result.output.text.strip() != ahead


def test_one_that_dies_as_it_is_taken_is_replaced(pooled: Pooled, engine: Engine) -> None:
    """Taken alive, dead before it has read its command: run again in a fresh one."""
    pooled.environment.warm(tree(), 1, SMALL)
    (ahead,) = pooled.waiting(1)
    engine.client().containers.get(ahead).pause()  # it reads nothing
    threading.Timer(0.5, engine.client().containers.get(ahead).kill).start()
    result = pooled.run()
    assert result.green
    assert result.output.text.strip() != ahead


def test_cancel_removes_the_container_at_once(pooled: Pooled) -> None:
    """A cancelled run's container is gone when the run returns; what still waits stays."""
    pooled.environment.warm(tree(), 2, SMALL)
    ahead = pooled.waiting(2)
    cancel = threading.Event()

    def cancel_once_taken() -> None:
        within(20, lambda: len(pooled.sandbox._pool._places) == 1)
        cancel.set()

    canceller = threading.Thread(target=cancel_once_taken)
    canceller.start()
    assert pooled.run(Step("check", "hostname; sleep 60"), cancel).ending is Ending.CANCELLED
    canceller.join()
    left = pooled.containers()
    assert left < ahead
    assert pooled.run().output.text.strip() in left


def test_waiting_ones_go_first_when_room_is_needed(pooled: Pooled) -> None:
    """A run that finds no room beside a waiting container gets that one's; without any it is EngineBusy."""
    pooled.sandbox.engine._memory = 300 << 20  # 210 MiB may be used, and 105 MiB ahead of need
    pooled.sandbox.engine.room.patience_s = 0.2
    pooled.environment.warm(tree(), 2, SMALL)
    pooled.waiting(1)  # for the second there is no room
    big = replace(SMALL, memory=192 << 20)
    assert pooled.run(limits=big).green
    pooled.gone()
    cancel = threading.Event()
    other = threading.Thread(target=pooled.run, args=(Step("check", "sleep 30"), cancel))
    other.start()
    within(20, lambda: bool(pooled.containers()))
    with pytest.raises(EngineBusy, match="no room for another container of 192 MiB"):
        pooled.run(limits=big)
    cancel.set()
    other.join()


def test_a_run_can_be_cancelled_while_it_waits_for_room(pooled: Pooled) -> None:
    """It is CANCELLED, without a container."""
    room = pooled.sandbox.engine.room
    held = room.enter(pooled.sandbox.engine.memory(), pooled.owner)
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    assert pooled.run(cancel=cancel).ending is Ending.CANCELLED
    room.leave(held)


def _in_child(pooled: Pooled, answer: Connection) -> None:
    answer.send(pooled.run().output.text.strip())
    pooled.sandbox.close()


def test_a_forked_process_has_its_own(pooled: Pooled) -> None:
    """A child neither uses nor removes what waits for its parent, and works."""
    pooled.environment.warm(tree(), 1, SMALL)
    ahead = pooled.waiting(1)
    here, there = FORK.Pipe()
    child = FORK.Process(target=_in_child, args=(pooled, there))
    child.start()
    assert here.poll(30)
    assert here.recv() not in ahead
    child.join(20)
    assert pooled.containers() == ahead
    assert pooled.run().output.text.strip() in ahead


FORGETFUL = """
import sys, time
from sandbox.environments import DockerSandbox
from sandbox.spec import Plan, Step
from tests.sandbox.trees import tree

environment = DockerSandbox(None, sys.argv[1]).prepare(Plan("python", (), Step("check", "true")), tree())
environment.warm(tree(), 1)
while not environment.waiting(tree()):
    time.sleep(0.02)
print("waits", flush=True)
"""


def test_a_process_that_ends_leaves_nothing(pooled: Pooled) -> None:
    """Also when nobody closed the sandbox."""
    done = subprocess.run([sys.executable, "-c", FORGETFUL, pooled.owner], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("waits\n", "")
    assert not pooled.containers()


def _begin(engine: Engine, owner: str, idle_s: float) -> Slot:
    labels = policy.Labels(owner, "run", "check", "key", time.time() + 60)
    env = policy.check_environment()
    settings = policy.check_container(resolve("debian"), "unused", env, SMALL, labels, idle_s=idle_s)
    slot = Slot.begin(engine, {**settings, "mounts": []}, trees.streamed(tree()), SMALL)
    assert slot.ready()
    return slot


def test_an_orphan_ends_by_itself(pooled: Pooled) -> None:
    """A container that nobody gives a command ends at its own limit."""
    slot = _begin(pooled.sandbox.engine, pooled.owner, idle_s=3)
    within(30, lambda: slot._life.ended)
    slot.discard()


def _wait_forever(pooled: Pooled, answer: Connection) -> None:
    answer.send(_begin(pooled.sandbox.engine, pooled.owner, idle_s=600).id)
    signal.pause()


def test_what_a_dead_worker_left_ends_and_is_reaped(pooled: Pooled, engine: Engine) -> None:
    """When the worker is killed its waiting container ends at once, and past its deadline the reaper removes it."""
    here, there = FORK.Pipe()
    child = FORK.Process(target=_wait_forever, args=(pooled, there))
    child.start()
    assert here.poll(30)
    left = engine.client().containers.get(here.recv())
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join(20)
    assert left.wait(timeout=20)["StatusCode"] == 92
    assert reap(engine, pooled.owner, time.time() + 120).containers == 1
