"""What dead workers leave is found by its labels and removed; what lives, and what is not ours, stays."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest

from sandbox import policy
from sandbox.engine import Engine, Volume
from sandbox.images.build import resolve
from sandbox.reaper import expired, reap, remove_all, unfinished
from sandbox.spec import Limits


@pytest.fixture
def owner(engine: Engine) -> Iterator[str]:
    name = f"tests-{uuid.uuid4().hex[:12]}"
    yield name
    remove_all(engine, name)


def left_behind(engine: Engine, owner: str, deadline: float) -> str:
    labels = policy.Labels(owner, "run", "check", "key", deadline)
    settings = policy.check_container(resolve("debian"), "unused", {}, Limits(), labels)
    return str(engine.client().containers.create(**{**settings, "mounts": []}).id)


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
def test_half_made_environments_go(engine: Engine, owner: str) -> None:
    """A volume that no marker names goes when its set-up cannot be running any more; a finished one stays."""
    labels = policy.Labels(owner, "run", "environment", "key", time.time() - 1).as_dict()
    for name in ("half", "whole"):
        engine.create_volume(f"{owner}-{name}", labels)
    engine.create_volume(f"{owner}-marker", {**labels, "heal.role": "marker", "heal.volume": f"{owner}-whole"})
    assert reap(engine, owner).volumes == 1
    assert engine.volume(f"{owner}-half") is None
    assert engine.volume(f"{owner}-whole") is not None


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
