"""Prepared trees: a commit's files, and what set-up built among them, in a volume on top of which checks work.

Filled once for each commit and environment by a loader container, never written again. As with environments, a second,
empty volume named after the key is made last and points to it, so a half-filled tree is never found.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

from sandbox import policy
from sandbox.admission import Ticket
from sandbox.engine import Engine, Volume
from sandbox.errors import Cancelled, EngineFull, SandboxError
from sandbox.protocol import GRACE_S, KEEP_S, caps, tree_message
from sandbox.spec import Limits, Tree
from sandbox.stream import Stop
from sandbox.turns import Turns
from sandbox.usage import Usage

_LIMITS = Limits(wall_s=600, memory=512 << 20, pids=64, tmp=16 << 20)
_LOADED = b"HEAL-LOADED\n"
_PREPARING = "preparing a large commit"


@dataclass(frozen=True)
class Ground:
    """What an environment brings to a workspace: its image, its volume, its key, and how much set-up left there."""

    image: str
    volume: str
    key: str
    outputs_bytes: int = 0
    outputs_files: int = 0
    repository: bool = False
    """The files become a repository of one commit. Whoever wants that has another environment, so another key."""


class Prepared:
    """The prepared trees of one owner on one engine."""

    def __init__(self, engine: Engine, owner: str, usage: Usage, runtime: str | None = None) -> None:
        self._engine, self._owner, self._usage, self._runtime = engine, owner, usage, runtime
        self._filling = Turns(_PREPARING)

    def volume(
        self,
        tree: Tree,
        ground: Ground,
        attempt: Callable[[Volume], None] = lambda _: None,
        cancel: Event | None = None,
    ) -> Volume:
        """What holds the tree, filled now unless it is there. Raises EngineDown, EngineFull, Cancelled, SandboxError.

        `attempt` is called with the volume before it is filled, and raises when filling it would be in vain.
        """
        key = hashlib.sha256(f"{tree.sha} {ground.key}".encode()).hexdigest()[:32]
        with self._filling.turn(key, cancel):
            found = self._find(key) or self._fill(tree, ground, key, attempt, cancel)
        self._usage.note(key)
        return found

    def _find(self, key: str) -> Volume | None:
        marker = self._engine.volume(f"heal-tree-{key}")
        if marker is None:
            return None
        found = self._engine.volume(marker.labels.get("heal.volume", ""))
        if found is None:  # someone removed it
            self._engine.remove_volume(marker.name)
        return found

    def _fill(
        self, tree: Tree, ground: Ground, key: str, attempt: Callable[[Volume], None], cancel: Event | None
    ) -> Volume:
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "loader", key, time.time() + _LIMITS.wall_s + KEEP_S)
        name = f"heal-tree-{key}-{labels.run[:12]}"
        made = self._engine.create_volume(
            name, {**replace(labels, role="tree").as_dict(), "heal.about": f"commit {tree.sha}"}
        )
        kept: Volume | None = None
        try:
            attempt(made)
            self._load(tree, ground, name, labels, cancel)
            marks = {**replace(labels, role="marker").as_dict(), "heal.volume": name}
            self._engine.create_volume(f"heal-tree-{key}", marks)
            kept = self._find(key)
        finally:
            if kept is None or kept.name != name:
                self._engine.remove_volume(name)
        if kept is None:
            raise SandboxError(f"the prepared files of commit {tree.sha} were removed while they were being made")
        return kept

    def _load(self, tree: Tree, ground: Ground, name: str, labels: policy.Labels, cancel: Event | None) -> None:
        settings = policy.loader_container(ground.image, ground.volume, name, _LIMITS, labels, self._runtime)
        feed = tree_message(tree.contents, ground.repository)
        room = Ticket(0)  # it runs in the room of the check that waits for it: to wait for more would be in vain
        ended = self._engine.run(settings, feed, _LIMITS.wall_s + GRACE_S, caps(_LIMITS), cancel, ticket=room)
        if ended.exit_code == 0 and ended.stdout.endswith(_LOADED):
            return
        if ended.stopped is Stop.CANCELLED:
            raise Cancelled(f"{_PREPARING} was cancelled")
        said = ended.stderr.output().text
        if "No space left on device" in said:
            raise EngineFull(f"the engine's disk has no room for the files of commit {tree.sha}")
        raise SandboxError(f"the files of commit {tree.sha} could not be unpacked: {said[-500:] or ended.stopped}")
