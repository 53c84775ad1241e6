"""Reads a data set out of git: a checkout or a bare repository, at its HEAD, without running anything of it.

Nothing is checked out, no hook and no filter runs, and what is not committed is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from workers.domain import Sha
from workers.errors import UsageError
from workers.git.command import Command, GitFailed
from workers.git.tree import MirrorTree


def read(data: MirrorTree, path: str) -> bytes:
    """A file that the data has to have. Raises `UsageError` where it has not."""
    content = data.read(path)
    if content is None:
        raise UsageError(f"The data set has no file {path}: is it the right repository, and a whole one?")
    return content


def text(data: MirrorTree, path: str) -> str:
    """The same as text."""
    return read(data, path).decode(errors="replace")


def opened(place: Path | None, repository: str, needs: Sequence[str]) -> MirrorTree:
    """The data set in a folder. Raises `UsageError` where it is not, naming the repository that has to be cloned.

    `needs` are paths that a repository of this data has.
    """
    how = f"git clone https://github.com/{repository}, and give its folder with --dataset"
    if place is None:
        raise UsageError(f"this bench needs the data of {repository}: {how}")
    git = found(place)
    if git is None:
        raise UsageError(f"{place} is no git repository; this bench needs the data of {repository}: {how}")
    try:
        data = MirrorTree(git, Sha(git.run("rev-parse", "--verify", "--quiet", "HEAD").decode().strip()))
        known = set(data.paths())
    except GitFailed as failure:
        raise UsageError(f"{place} has no commit to read: {how}") from failure
    missing = [path for path in needs if path not in known]
    if missing:
        raise UsageError(f"{place} has no {missing[0]}, so it is not {repository}: {how}")
    return data


def found(place: Path) -> Command | None:
    """Git for the repository in a folder: bare, or a checkout's."""
    for folder in (place / ".git", place):
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
            return Command(folder.resolve())
    return None
