"""What dead workers leave is found by its labels and removed; what lives, and what is not ours, stays."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from sandbox import policy
from sandbox.engine import Engine, Image, Volume
from sandbox.errors import SandboxError
from sandbox.images.build import resolve
from sandbox.process import gone, this_process
from sandbox.reaper import Reaped, abandoned, expired, reap, remove_all, stale, unfinished
from sandbox.spec import Limits, Service
from tests.remains import left_behind


@pytest.fixture
def owner(engine: Engine) -> Iterator[str]:
    name = f"tests-{uuid.uuid4().hex[:12]}"
    yield name
    remove_all(engine, name)


@pytest.mark.fault(39)
@pytest.mark.engine
def test_only_late_containers_of_the_owner_go(engine: Engine, owner: str) -> None:
    """Past its deadline a container is removed; one with time left, and another owner's, stay."""
    now = time.time()
    late, alive = left_behind(engine, owner, now - 1), left_behind(engine, owner, now + 600)
    other = f"{owner}-other"
    left_behind(engine, other, now - 1)
    assert reap(engine, owner).containers == 1
    assert set(engine.containers(f"heal.owner={owner}")) == {alive} - {late}
    assert len(engine.containers(f"heal.owner={other}")) == 1
    remove_all(engine, other)


@pytest.mark.engine
def test_what_an_image_says_of_itself_makes_nothing_ours(engine: Engine, owner: str) -> None:
    """A container that somebody starts from an image with our labels, and that image, stay; nor does it count as ours
    in memory that a service's image claims."""
    says = policy.Labels(owner, "run", "setup", "key", 1.0).as_dict() | {policy.MEMORY_LABEL: "-1000000000000"}
    lines = "".join(f"LABEL {name}={value}\n" for name, value in says.items())
    recipe = f"FROM {resolve('debian')}\nENTRYPOINT sleep 60\n{lines}".encode()
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(recipe)
        archive.addfile(entry, io.BytesIO(recipe))
    context.seek(0)
    engine.build(context, f"{owner}/theirs:1", {})
    theirs = engine.client().containers.create(f"{owner}/theirs:1")
    labels = policy.Labels(owner, "another", "service", "key", time.time() + 600)
    service = policy.service_container(
        f"{owner}/theirs:1", Service("x", "x"), {}, Limits(), labels, "", own=False, root=True
    )
    ours = engine.client().containers.create(**{**service, "network_mode": "none"})
    try:
        theirs.start()
        ours.start()
        assert engine.memory_in_use(owner) == {str(ours.id): 0}
        assert reap(engine, owner).containers == 0
        assert list(engine.containers(f"heal.owner={owner}")) == [ours.id]
        remove_all(engine, owner)
        theirs.reload()
        assert theirs.status == "running"
    finally:
        theirs.remove(force=True)
    remove_all(engine, owner)
    assert reap(engine, owner) == Reaped(0, 0, 0)
    assert engine.has_image(f"{owner}/theirs:1")
    engine.remove_image(f"{owner}/theirs:1")


@pytest.mark.engine
def test_half_made_environments_go(engine: Engine, owner: str) -> None:
    """A volume that no marker names goes when its set-up cannot be running any more; a finished one stays."""
    labels = policy.Labels(owner, "run", "environment", "key", time.time() - 1).as_dict()
    for name in ("half", "whole"):
        engine.create_volume(f"{owner}-{name}", labels)
    engine.create_volume(f"{owner}-marker", {**labels, "heal.role": "marker", "heal.volume": f"{owner}-whole"})
    assert reap(engine, owner).volumes == 1
    assert engine.volume(f"{owner}-half") is None
    assert engine.volume(f"{owner}-whole") is not None


def committed(engine: Engine, owner: str, key: str) -> str:
    """An image as a set-up leaves it whose worker died right after: with its container's labels."""
    labels = {**policy.Labels(owner, "run", "setup", key, time.time() + 600).as_dict(), "heal.process": _dead()}
    container = engine.client().containers.create(resolve("debian"), ["true"], labels=labels)
    made = container.commit("heal-sandbox/environment", f"{owner}-{key}")
    container.remove()
    return str(made.id)


@pytest.mark.engine
def test_images_of_unfinished_environments_go(engine: Engine, owner: str) -> None:
    """The image that a killed set-up had made goes; one that a marker points to stays."""
    half, whole = committed(engine, owner, "half"), committed(engine, owner, "whole")
    marks = policy.Labels(owner, "run", "marker", "whole", time.time() + 600).as_dict()
    engine.create_volume(f"{owner}-marker", {**marks, "heal.volume": "x", "heal.image": whole})
    assert reap(engine, owner) == Reaped(0, 0, 0, images=1)
    assert not engine.has_image(half)
    assert engine.has_image(whole)


def test_one_stuck_object_does_not_keep_the_others() -> None:
    """What the engine cannot remove is told when the rest is gone: the next pass may find it in the same state."""
    removed: list[str] = []

    class Stuck:
        def containers(self, _: str) -> dict[str, dict[str, str]]:
            return {"stuck": {"heal.owner": "us"}, "late": {"heal.owner": "us"}}

        def remove_container(self, name: str) -> None:
            if name == "stuck":
                raise SandboxError("device or resource busy")
            removed.append(name)

        def volumes(self, _: str) -> list[Volume]:
            return [Volume("half", {"heal.owner": "us", "heal.role": "environment"})]

        def remove_volume(self, name: str) -> bool:
            removed.append(name)
            return True

        def labelled_images(self, _: str) -> list[Image]:
            return []

        def remove_image(self, _: str) -> bool:
            return True

        def client(self) -> object:
            return SimpleNamespace(networks=SimpleNamespace(list=lambda **_: []))

    with pytest.raises(SandboxError, match="busy"):
        reap(cast(Engine, Stuck()), "us")
    assert removed == ["late", "half"]


def test_notes_about_nothing_go() -> None:
    """Of the notes of use only the latest of a key stays, and none of what is gone; markers of lost volumes go."""

    def volume(name: str, role: str, key: str, **labels: str) -> Volume:
        marks = {f"heal.{mark}": value for mark, value in labels.items()}
        return Volume(name, {"heal.role": role, "heal.key": key, "heal.deadline": "5", **marks})

    volumes = [
        volume("environment", "environment", "a"), volume("marker", "marker", "a", volume="environment"),
        volume("old", "used", "a", used="3600"), volume("latest", "used", "a", used="7200"),
        volume("lost", "marker", "b", volume="removed"), volume("of-lost", "used", "b", used="3600"),
        volume("making", "marker", "c", volume="removed", deadline="90000"), volume("fresh", "used", "c", used="36000"),
    ]  # fmt: skip
    assert stale(volumes, 40_000) == ["lost", "old", "of-lost"]


_SESSION = """
import sys
from sandbox.environments import DockerSandbox
from sandbox.spec import Plan, Step, Tree
tree = Tree("0" * 40, b"")
sandbox = DockerSandbox(None, sys.argv[1], setup_network="open")
sandbox.prepare(Plan("debian", (Step("wait", "echo; sleep 600"),), Step("check", "true"), trust=sys.argv[1]), tree)
"""


@pytest.mark.fault(39)
@pytest.mark.engine
def test_a_killed_session_leaves_nothing(engine: Engine, owner: str) -> None:
    """What a process that was killed had made goes at the next passes, its session's label or not, long before its
    deadline; what living processes made, and what another installation owns, stays."""
    mine, other = left_behind(engine, owner, time.time() + 600), f"{owner}-other"
    label = f"heal.owner={owner}/fix-1"
    session = subprocess.Popen([sys.executable, "-c", _SESSION, f"{owner}/fix-1"])
    try:
        deadline = time.monotonic() + 60
        while not any(labels["heal.role"] == "setup" for labels in engine.containers(label).values()):
            assert session.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert reap(engine, owner) == Reaped(0, 0, 0)
    finally:
        session.kill()
        session.wait()
    assert reap(engine, other) == Reaped(0, 0, 0)
    deadline = time.monotonic() + 30
    while engine.containers(label) or engine.volumes(label):  # what was being made when it was killed comes up later
        reap(engine, owner)
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert set(engine.containers(f"heal.owner={owner}")) == {mine}


def test_only_the_same_place_can_tell_that_a_process_is_gone() -> None:
    """A process is gone when its number is free or another's; of other hosts, and without a label, nothing is known."""
    place, number, start = this_process().split(":")
    assert not gone(this_process())
    assert gone(f"{place}:{number}:{int(start) + 1}")
    assert gone(f"{place}:{2**22 + 1}:1")
    assert not gone(f"elsewhere:{2**22 + 1}:1")
    assert not gone("")


def test_shared_proxies_outlive_their_maker() -> None:
    """What an installation's workers share goes at its deadline; what a session made for itself goes with it."""
    labels = {"heal.owner": "us", "heal.role": "proxy", "heal.deadline": "100", "heal.process": _dead()}
    assert not abandoned(labels, "us", 50)
    assert abandoned(labels, "us", 150)
    assert abandoned({**labels, "heal.role": "slot"}, "us", 50)
    assert abandoned({**labels, "heal.owner": "us/fix-1"}, "us", 50)
    assert not abandoned({**labels, "heal.owner": "usual"}, "us", 150)


def _dead() -> str:
    place, number, start = this_process().split(":")
    return f"{place}:{number}:{int(start) + 1}"


def test_deadlines() -> None:
    """A label that is missing or no number counts as past."""
    assert expired({"heal.deadline": "10"}, 11)
    assert not expired({"heal.deadline": "10"}, 9)
    assert expired({"heal.deadline": "soon"}, 0)
    assert expired({}, 1)


def test_unfinished_needs_role_deadline_and_no_marker() -> None:
    """Only environment volumes are looked at, and only late ones without a marker are named."""
    role = {"heal.role": "environment", "heal.deadline": "5"}
    volumes = [Volume("late", role), Volume("new", {**role, "heal.deadline": "50"}), Volume("other", {}),
               Volume("used", role), Volume("marker", {"heal.role": "marker", "heal.volume": "used"})]  # fmt: skip
    assert unfinished(volumes, 10) == ["late"]
