"""Containers that stay behind when something was red: they know no commit, and the environment's next one gets them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.pool import Keep
from sandbox.reaper import remove_all
from sandbox.spec import Ending, Plan, Result, Step
from sandbox.trees import STREAMED_FILES
from tests.sandbox.test_slots import FORK, SMALL, Pooled, told, within
from tests.sandbox.trees import ADDER, FIX, tree

pytestmark = pytest.mark.engine
RED = Step("check", "hostname; touch /ws/left /tmp/left /heal/left; false")
LOOK = Step("check", "ls -A /ws /tmp /heal /heal/in; sha256sum /ws/*; test -f /heal/started")
NEXT = {**ADDER, "only_next.txt": "of the next commit\n"}
Kept = Callable[[Keep], Pooled]


@pytest.fixture
def kept(engine: Engine, bare: DockerEnvironment) -> Iterator[Kept]:
    """Sandboxes of their own; closing them leaves no container, whatever the test did."""
    made: list[Pooled] = []

    def make(keep: Keep) -> Pooled:
        made.append(Pooled(engine, keep))
        return made[-1]

    yield make
    for one in made:
        one.sandbox.close()
        assert not one.containers()
        remove_all(engine, one.owner)


def red_event(pooled: Pooled) -> str:
    """A red run with a tree, a patch and an input, and its end; the beginning of the id of what stays behind."""
    seen = tree({**ADDER, "secret.txt": "hunter2"}, sha="a" * 40)
    pooled.environment.warm(seen, 3, SMALL)
    assert pooled.environment.run(RED, seen, FIX, SMALL, {"key": b"hunter2"}).ending is Ending.FAILED
    pooled.sandbox.rest()
    (left,) = pooled.waiting(1)
    within(20, lambda: pooled.containers() == {left})
    return left


def test_the_next_commit_gets_what_was_started_before_it_came(kept: Kept, engine: Engine) -> None:
    """Another commit, prepared anew: its first run is in the container that stayed behind, sees what it would see in a
    cold one and nothing of the commit before, and counts for its memory from then on."""
    pooled = kept(Keep(1))
    left = red_event(pooled)
    assert engine.memory_in_use(pooled.owner) == {}
    assert "aaaa" not in repr(engine.client().containers.get(left).attrs)
    environment = pooled.sandbox.prepare(Plan("python", (), Step("check", "true")), tree(NEXT, sha="b" * 40))

    def run(step: Step) -> Result:
        return environment.run(step, tree(NEXT, sha="b" * 40), FIX, SMALL, {"own": b"1"})

    cancel = threading.Event()
    running = threading.Thread(target=lambda: environment.run(Step("check", "sleep 60"), tree(NEXT), None, SMALL,
                                                              cancel=cancel))  # fmt: skip
    running.start()
    within(20, lambda: {name[:12]: used for name, used in engine.memory_in_use(pooled.owner).items()}
           == {left: SMALL.memory})  # fmt: skip
    cancel.set()
    running.join()
    pooled.gone()
    other = red_event(pooled)
    assert other != left
    warm, cold = run(LOOK), run(LOOK)
    assert not pooled.sandbox._pool._places
    assert "only_next.txt" in warm.output.text
    assert not re.search("left|secret|hunter", warm.output.text)
    assert told(warm) == told(cold)


def test_it_ends_when_idle(kept: Kept) -> None:
    """Nobody has to look after it: past its time it ends by itself and is removed."""
    pooled = kept(Keep(1, seconds=0.5))
    pooled.environment.run(RED, tree(), None, SMALL)
    pooled.sandbox.rest()
    within(30, lambda: not pooled.containers() and not pooled.sandbox._pool._places)
    assert pooled.run().green


def test_it_is_in_nobodys_way(kept: Kept, engine: Engine) -> None:
    """It takes no room: a run that needs all of it begins at once, here and in another worker, and it waits on."""
    pooled = kept(Keep(1))
    left = red_event(pooled)
    neighbour = kept(Keep())
    neighbour.environment._owner = pooled.owner
    for one in (pooled, neighbour):
        one.sandbox.engine._memory = 300 << 20  # 210 MiB may be used
        one.sandbox.engine.room.patience_s = 0
        assert one.run(limits=replace(SMALL, memory=205 << 20)).green
        within(20, lambda: pooled.containers() == {left})
    assert pooled.run().output.text.strip() == left


def test_what_cannot_be_shared_is_not_kept(kept: Kept) -> None:
    """Nothing stays after a green run, nor for a big tree, nor when none is wanted."""
    pooled, none = kept(Keep(1)), kept(Keep(0))
    assert pooled.run().green
    pooled.environment.warm(tree(), 1, SMALL)
    big = tree({f"file_{n}": "" for n in range(STREAMED_FILES + 1)})
    assert pooled.environment.run(RED, big, None, SMALL).ending is Ending.FAILED
    pooled.sandbox.rest()
    assert not pooled.sandbox._pool._places
    none.environment.run(RED, tree(), None, SMALL)
    none.sandbox.rest()
    pooled.gone()
    none.gone()


def test_a_forked_process_neither_has_nor_touches_it(kept: Kept) -> None:
    """As with everything that waits."""
    pooled = kept(Keep(1))
    left = red_event(pooled)
    here, there = FORK.Pipe()

    def in_child() -> None:
        there.send(pooled.run().output.text.strip())
        pooled.sandbox.close()

    child = FORK.Process(target=in_child)
    child.start()
    assert here.poll(30)
    assert here.recv() != left
    child.join(20)
    assert pooled.containers() == {left}


def test_a_cancelled_run_ends_only_its_own(kept: Kept) -> None:
    """The event of the run after which it stayed behind means nothing to it."""
    pooled = kept(Keep(1))
    cancel = threading.Event()
    environment = pooled.sandbox.prepare(Plan("python", (), Step("check", "true")), tree(), cancel)
    assert environment.run(RED, tree(), None, SMALL).ending is Ending.FAILED
    pooled.sandbox.rest()
    (left,) = pooled.waiting(1)
    cancel.set()
    assert environment.run(RED, tree(), None, SMALL).ending is Ending.CANCELLED
    assert pooled.run().output.text.strip() == left
