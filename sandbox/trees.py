"""How a commit's files get into a container's workspace.

Small trees travel as a tar over the container's standard input into a tmpfs. Big ones, which would take seconds and a
container's memory each time, are prepared once in a volume; every check gets an overlay on top of it, mounted by the
engine, whose writable side is in memory. How big a tree is does not matter to a check then.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import policy
from sandbox.engine import Engine
from sandbox.errors import SandboxError
from sandbox.keeper import Keepers, Upper
from sandbox.prepared import Ground, Prepared
from sandbox.protocol import KEEP_S, tree_message
from sandbox.spec import Limits, Tree
from sandbox.usage import Usage

STREAMED_BYTES, STREAMED_FILES = 64 << 20, 5000
"""Up to here a tree is streamed. More bytes fill the workspace's memory, more files take longer than an overlay."""


@dataclass(frozen=True)
class Placement:
    """A workspace for one container: mounts (in the engine's API form) or none for a tmpfs, what has to be fed (once),
    what to tell about it, and what gives the place back when the container is gone."""

    feed: Iterable[bytes]
    mounts: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    release: Callable[[], None] = field(default=lambda: None, compare=False)


class Trees:
    """Workspaces on one engine. `close` gives back what it holds there; prepared trees stay for the next one."""

    def __init__(self, engine: Engine, owner: str, usage: Usage, runtime: str | None = None) -> None:
        self._engine, self._owner = engine, owner
        self._prepared = Prepared(engine, owner, usage, runtime)
        self._keepers = Keepers(engine, owner)
        self._overlays: bool | None = None

    def place(self, tree: Tree, ground: Ground, limits: Limits, until: float) -> Placement:
        """A workspace with the tree, and what set-up built in it, for one container that is gone by the moment `until`
        (seconds since 1970). Every placement has to be released. Raises EngineDown, EngineFull, SandboxError.
        """
        if is_big(tree, ground) and self._can_overlay():
            return self._overlay(tree, ground, limits, until)
        return streamed(tree, ground.repository)

    def close(self) -> None:
        """Remove the keepers of this process. Never raises."""
        self._keepers.close()

    def _overlay(self, tree: Tree, ground: Ground, limits: Limits, until: float) -> Placement:
        lower = self._prepared.volume(tree, ground)
        upper = self._keepers.take(limits.workspace, ground.image, until)
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "workspace", ground.key, until + KEEP_S)
        name = f"heal-ws-{labels.run[:20]}"
        try:
            self._engine.create_volume(name, labels.as_dict(), policy.overlay_options(lower.path, upper.path))
        except SandboxError:
            self._give_back(name, upper)
            raise
        return Placement(
            (b"PLACED 0\n",),
            policy.workspace_mounts(name, lower.name),
            _notes(tree),
            lambda: self._give_back(name, upper),
        )

    def _give_back(self, name: str, upper: Upper) -> None:
        """A volume that cannot be removed is still mounted: then what is below it must not be touched."""
        unmounted = False
        with contextlib.suppress(SandboxError):
            unmounted = self._engine.remove_volume(name)
        self._keepers.give_back(upper, empty=unmounted)

    def _can_overlay(self) -> bool:
        """A rootless engine may not mount what we ask for; there a big tree has to fit into the workspace's memory."""
        if self._overlays is None:
            self._overlays = not any(
                "rootless" in option for option in self._engine.info().get("SecurityOptions") or ()
            )
        return self._overlays


def streamed(tree: Tree, repository: bool = False) -> Placement:
    """A workspace in memory, into which the tree is sent."""
    return Placement(tree_message(tree.contents, repository), notes=_notes(tree))


def is_big(tree: Tree, ground: Ground) -> bool:
    """Whether the commit's files, and what set-up built among them, are too many or too large to be streamed."""
    held = tree.contents
    return held.size + ground.outputs_bytes > STREAMED_BYTES or held.entries + ground.outputs_files > STREAMED_FILES


def _notes(tree: Tree) -> tuple[str, ...]:
    left = tree.contents.left_out
    told = "entries of the commit were left out: a repository of its own, or a name that no work tree can have"
    return (f"{left} {told}",) if left else ()
