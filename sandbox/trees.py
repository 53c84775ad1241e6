"""How a commit's files get into a container's workspace.

Small trees travel as a tar over the container's standard input into a tmpfs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.protocol import message
from sandbox.spec import Tree


@dataclass(frozen=True)
class Placement:
    """A workspace for one container: mounts (in the engine's API form) or none for a tmpfs, what has to be fed, and
    what gives the place back when the container is gone."""

    feed: tuple[bytes, ...]
    mounts: tuple[Mapping[str, Any], ...] = ()
    release: Callable[[], None] = field(default=lambda: None, compare=False)


def place(tree: Tree) -> Placement:
    """A workspace with the tree in it."""
    return Placement(message("TREE", tree.archive))
