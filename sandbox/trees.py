"""How a commit's files get into a container's workspace.

Small trees travel as a tar over the container's standard input into a tmpfs. Big ones, which would take seconds and a
container's memory each time, are prepared once in a volume; every check gets an overlay on top of it, mounted by the
engine, whose writable side is in memory. How big a tree is does not matter to a check then.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from sandbox import policy
from sandbox.engine import Engine, Volume
from sandbox.engine_errors import MountFailed, translated
from sandbox.errors import SandboxError
from sandbox.keeper import Keepers, Upper
from sandbox.prepared import Ground, Prepared
from sandbox.protocol import KEEP_S, tree_message
from sandbox.spec import Limits, Tree
from sandbox.usage import Usage

STREAMED_BYTES, STREAMED_FILES = 64 << 20, 5000
"""Up to here a tree is streamed. More bytes fill the workspace's memory, more files take longer than an overlay."""

_TRIAL_S = 120
_NO_OVERLAYS = "the engine mounts no overlays: the files of this large commit take the check's own memory"


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
        self._overlays = True

    def place(self, tree: Tree, ground: Ground, limits: Limits, until: float, cancel: Event | None = None) -> Placement:
        """A workspace with the tree, and what set-up built in it, for one container that is gone by the moment `until`
        (seconds since 1970). Every placement has to be released. Raises as `Prepared.volume`.
        """
        if not is_big(tree, ground):
            return streamed(tree, ground.repository)
        if self._overlays:
            try:
                return self._overlay(tree, ground, limits, until, cancel)
            except MountFailed:
                self._overlays = False
        in_memory = streamed(tree, ground.repository)
        return replace(in_memory, notes=(*in_memory.notes, _NO_OVERLAYS))

    def rest(self) -> None:
        """Hold nothing for the next check that it cannot have anew at once. Never raises."""
        self._keepers.rest()

    def close(self) -> None:
        """Remove the keepers of this process. Never raises."""
        self._keepers.close()

    def _overlay(self, tree: Tree, ground: Ground, limits: Limits, until: float, cancel: Event | None) -> Placement:
        lower = self._prepared.volume(tree, ground, lambda empty: self._try(empty, ground, limits.workspace), cancel)
        name, release = self._mountable(lower, ground, limits.workspace, until)
        return Placement((b"PLACED 0\n",), policy.workspace_mounts(name, lower.name), _notes(tree), release)

    def _mountable(self, lower: Volume, ground: Ground, size: int, until: float) -> tuple[str, Callable[[], None]]:
        """The name of a volume that the engine will mount as an overlay, and what gives it back."""
        upper = self._keepers.take(size, ground.image, until)
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "workspace", ground.key, until + KEEP_S)
        name = f"heal-ws-{labels.run[:20]}"
        try:
            self._engine.create_volume(name, labels.as_dict(), policy.overlay_options(lower.path, upper.path))
        except BaseException:
            self._give_back(name, upper)
            raise
        return name, lambda: self._give_back(name, upper)

    def _try(self, lower: Volume, ground: Ground, size: int) -> None:
        """Raises MountFailed where the engine cannot do it (an old kernel, a rootless engine): before a tree is
        prepared in vain, and only then."""
        until = time.time() + _TRIAL_S
        name, release = self._mountable(lower, ground, size, until)
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "trial", ground.key, until)
        settings = policy.trial_container(ground.image, policy.workspace_mounts(name, lower.name), labels)
        try:
            with translated():
                container = self._engine.client().containers.create(**settings)
            try:
                with translated():
                    container.start()
            finally:
                self._engine.remove_container(str(container.id))
        finally:
            release()

    def _give_back(self, name: str, upper: Upper) -> None:
        """A volume that cannot be removed is still mounted: then what is below it must not be touched."""
        unmounted = False
        with contextlib.suppress(SandboxError):
            unmounted = self._engine.remove_volume(name)
        self._keepers.give_back(upper, empty=unmounted)


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
