"""Reads a data set out of git: a checkout or a bare repository, at its HEAD, without running anything of it.

Nothing is checked out, no hook and no filter runs, and what is not committed is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from workers.domain import Sha
from workers.errors import UsageError
from workers.git.command import Command, GitFailed


@dataclass(frozen=True)
class DataSet:
    """One commit of a repository of data."""

    git: Command
    sha: Sha

    @cached_property
    def paths(self) -> Sequence[str]:
        """Every file, sorted."""
        listed = self.git.run("ls-tree", "-r", "-z", "--name-only", self.sha).decode(errors="surrogateescape")
        return listed.split("\0")[:-1]

    def read(self, path: str) -> bytes:
        """A file's content. Raises `UsageError` when there is no such file."""
        try:
            return self.git.run("cat-file", "blob", f"{self.sha}:{path}")
        except GitFailed as failure:
            raise UsageError(f"{self.git.directory} has no file {path}: is it the right repository?") from failure

    def text(self, path: str) -> str:
        """A text file's content."""
        return self.read(path).decode(errors="replace")

    def folder(self, prefix: str, suffix: str = "") -> Mapping[str, bytes]:
        """The files right below a folder whose names end so, by name."""
        root = prefix.rstrip("/") + "/"
        names = [path[len(root) :] for path in self.paths if path.startswith(root) and path.endswith(suffix)]
        return {name: self.read(root + name) for name in names if "/" not in name}


def opened(place: Path | None, repository: str, needs: Sequence[str]) -> DataSet:
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
        data = DataSet(git, Sha(git.run("rev-parse", "--verify", "--quiet", "HEAD").decode().strip()))
        known = set(data.paths)
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
