"""Where the mirrors of repositories lie on a worker's disk, and how those of repositories that are gone leave it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

_LEAVING = ".gone"


def folder(state_dir: Path) -> Path:
    """The folder of all mirrors."""
    return state_dir.expanduser() / "mirrors"


def mirror(mirrors: Path, repo_id: int) -> Path:
    """The mirror of one repository, by GitHub's id of it."""
    return mirrors / f"{repo_id}.git"


def drop(mirrors: Path, gone: Callable[[Iterable[int]], Iterable[int]]) -> int:
    """Delete the mirrors of those repositories that `gone` picks from the ids of all; gives how many there were.

    A mirror is moved aside first: whoever wants it meanwhile begins a new one.
    """
    _clear(mirrors)
    held = {int(path.stem): path for path in mirrors.glob("*.git") if path.stem.isdecimal()}
    picked = list(gone(held)) if held else []
    for repo_id in picked:
        with suppress(FileNotFoundError):  # another process of this machine was faster
            held[repo_id].rename(mirrors / f"{repo_id}{_LEAVING}")
    _clear(mirrors)
    return len(picked)


def _clear(mirrors: Path) -> None:
    for path in mirrors.glob(f"*{_LEAVING}"):
        shutil.rmtree(path, ignore_errors=True)
