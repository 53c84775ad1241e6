"""How a commit's files get into a container's workspace.

Small trees travel as a tar over the container's standard input into a tmpfs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.protocol import tree_message
from sandbox.spec import Tree


@dataclass(frozen=True)
class Placement:
    """A workspace for one container: mounts (in the engine's API form) or none for a tmpfs, what has to be fed (once),
    what to tell about it, and what gives the place back when the container is gone."""

    feed: Iterable[bytes]
    mounts: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    release: Callable[[], None] = field(default=lambda: None, compare=False)


def place(tree: Tree) -> Placement:
    """A workspace with the tree in it."""
    return Placement(tree_message(tree.contents), notes=_notes(tree))


def _notes(tree: Tree) -> tuple[str, ...]:
    left = tree.contents.left_out
    told = "entries of the commit were left out: a repository of its own, or a name that no work tree can have"
    return (f"{left} {told}",) if left else ()
