"""What is kept is known by size and last use; beyond the cap the least recently used goes first, never one in use."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from sandbox import policy
from sandbox.engine import Engine, Volume
from sandbox.environments import DockerSandbox
from sandbox.images.build import resolve
from sandbox.inventory import Item, inventory, items, leaving, prune
from sandbox.reaper import remove_all
from sandbox.spec import Limits, Plan, Step
from sandbox.usage import HOUR_S, Usage, last_used
from tests.sandbox.conftest import STATE
from tests.sandbox.trees import tree

GB = 10**9
SMALL = Limits(wall_s=20, memory=96 << 20)


def item(key: str, size: int, used: float, in_use: bool = False) -> Item:
    return Item("environment", key, "", size, used, in_use, f"volume-{key}")


def names(chosen: list[Item]) -> str:
    return "".join(one.key for one in chosen)


def test_least_recently_used_goes_first() -> None:
    """Down to the cap and no further, in the order of last use; what is in use or was used just now stays."""
    kept = [item("a", 3 * GB, 30), item("b", 2 * GB, 10), item("c", GB, 20, in_use=True), item("d", GB, 40)]
    assert names(leaving(kept, 7 * GB, settled=99)) == ""
    assert names(leaving(kept, 6 * GB, settled=99)) == "b"
    assert names(leaving(kept, 4 * GB, settled=99)) == "ba"
    assert names(leaving(kept, 0, settled=99)) == "bad"
    assert names(leaving(kept, 0, settled=35)) == "ba"
    assert names(leaving(kept, 7 * GB, settled=99, idle=30)) == "ba"


def test_last_use_is_the_latest_note() -> None:
    """Of several notes the latest counts; volumes that are no notes, and notes that hold no time, count for nothing."""
    note = {"heal.role": "used", "heal.key": "k"}
    notes = [Volume("note", {**note, "heal.used": moment}) for moment in ("7200", "3600", "soon")]
    notes.append(Volume("no note", {"heal.key": "k", "heal.used": "99999"}))
    assert last_used(notes) == {"k": 7200.0}


@pytest.mark.engine
def test_several_may_ask_at_once(engine: Engine) -> None:
    """The engine counts for one at a time and refuses the others: whoever asks meanwhile waits, and gets an answer."""
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: inventory(engine, owner), range(3)))
    assert answers == [[]] * 3


def test_items_are_what_the_engine_says() -> None:
    """Volume, marker, notes and image of an environment are one item; what others own is none."""
    labels = {"heal.owner": "us", "heal.role": "environment", "heal.key": "k", "heal.about": "python, repo"}
    volumes: list[dict[str, Any]] = [
        {"Name": "v", "Labels": labels, "UsageData": {"Size": 100, "RefCount": 0}},
        {"Name": "m", "Labels": {"heal.owner": "us", "heal.role": "marker", "heal.key": "k", "heal.volume": "v"}},
        {"Name": "n", "Labels": {"heal.owner": "us", "heal.role": "used", "heal.key": "k", "heal.used": "3600"}},
        {"Name": "s", "Labels": {**labels, "heal.owner": "us/fix-1", "heal.key": "j"}, "UsageData": {"RefCount": 1}},
        {"Name": "o", "Labels": {**labels, "heal.owner": "usual"}},
        {"Name": "x", "Labels": None},
    ]
    images: list[dict[str, Any]] = [
        {"Id": "i", "Size": 70, "SharedSize": 50, "RepoTags": ["heal-sandbox/environment:k"]},
        {"Id": "j", "Size": 9},
        {
            "Id": "somebody else's",
            "Size": 9,
            "Labels": {"heal.key": "j", "heal.owner": "us"},
            "RepoTags": ["postgres:16"],
        },
    ]
    first, second = items(volumes, images, "us", set())
    assert first == Item("environment", "k", "python, repo", 120, 3600.0, False, "v", ("m", "n"), "i")
    assert (second.key, second.in_use, second.image) == ("j", True, None)
    assert items(volumes, images, "us", {"k"})[0].in_use


@pytest.fixture
def alone(engine: Engine) -> Iterator[DockerSandbox]:
    """A sandbox of an owner of its own, so that what is kept is this test's alone."""
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    made = DockerSandbox(None, owner, state_dir=STATE, setup_network="open")
    yield made
    remove_all(engine, owner)
    made.engine.close()


@pytest.mark.engine
def test_environments_go_in_order_of_use(alone: DockerSandbox, engine: Engine) -> None:
    """On the engine: the one used longest ago goes, with its marker and notes, and is made again when it is asked for;
    one that a container uses stays, however old."""
    fill = Step("fill", "head -c 1000000 /dev/zero >/env/file")
    plans = [Plan("debian", (fill,), Step("check", "true"), trust=f"{alone.owner}-{number}") for number in range(3)]
    old, mid, new = (alone.prepare(plan, tree()).key for plan in plans)
    now = time.time()
    for key, hours in ((old, 9), (mid, 8), (new, 0)):
        for volume in engine.volumes(f"heal.key={key}"):
            if volume.labels["heal.role"] == "used":
                engine.remove_volume(volume.name)
        Usage(engine, alone.owner).note(key, now - hours * HOUR_S)
    everything = inventory(engine, alone.owner)
    kept = [one for one in everything if one.kind == "environment"]
    assert [one.key for one in kept] == [new, mid, old]
    assert sum(one.kind == "cache" for one in everything) == 3
    pruned = prune(engine, alone.owner, sum(one.size for one in everything) - 1)
    assert [one.key for one in pruned.items] == [old]
    assert engine.volumes(f"heal.key={old}") == []
    labels = policy.Labels(alone.owner, "run", "check", mid, now + 600)
    settings = policy.check_container(resolve("debian"), kept[1].volume, {}, SMALL, labels)
    using = str(engine.client().containers.create(**settings).id)
    rest = prune(engine, alone.owner, 0, settle_s=0)
    assert [one for one in rest.items if one.kind == "environment"] == [replace(kept[0], in_use=False)]
    assert rest.over  # the other is in use
    engine.remove_container(using)
    assert [one.key for one in prune(engine, alone.owner, 0).items] == [mid]
    result = alone.prepare(plans[0], tree()).run(Step("check", "wc -c </env/file"), tree(), limits=SMALL)
    assert result.output.text.strip() == "1000000"
