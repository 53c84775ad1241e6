"""The projects that are measured (`corpus.txt`), and their files, read from bare git directories as the product does.

Chosen before anything was measured: well-known projects of six languages, each with every workflow file of its newest
commit at the time. One line per project: language, owner/name, commit, names of the files in `.github/workflows`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from workers.domain import Sha
from workers.git.command import Command
from workers.git.mirror import Mirror
from workers.git.tree import MirrorTree
from workers.ports import SourceTree

LIST = Path(__file__).with_name("corpus.txt")
FOLDER = ".github/workflows"
_AUTHOR = "Heal <heal@localhost>"


@dataclass(frozen=True)
class Project:
    """One line of the list. `files` are paths in the repository."""

    language: str
    name: str
    sha: Sha
    files: tuple[str, ...]


def read(text: str) -> tuple[Project, ...]:
    """The projects of a list; empty lines and lines that begin with `#` say nothing."""
    lines = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return tuple(
        Project(language, name, Sha(sha), tuple(f"{FOLDER}/{file}" for file in files))
        for language, name, sha, *files in lines
    )


def git_directory(dataset: Path, name: str) -> Path | None:
    """Where the dataset keeps a project: `owner+name`, itself a bare git directory or with one in it; None if not."""
    folder = dataset / name.replace("/", "+")
    return next((at for at in (folder, *sorted(folder.glob("*"))) if (at / "objects").is_dir()), None)


@contextmanager
def opened(git: Path, sha: Sha) -> Iterator[SourceTree]:
    """The commit's tree, its files read once: the checkout stage has done that before anything is planned.

    Nothing is checked out, and no git process runs under the directory's own configuration. A dataset may lack large
    files: they are taken out of the tree. Raises `workers.errors.Stop` when the commit is not there.
    """
    with TemporaryDirectory(prefix="heal-survey-") as folder:
        mirror = Mirror(Path(folder) / "mirror")
        tree = mirror.borrow(git / "objects", sha)
        absent = _absent(mirror.git, sha)
        if absent:
            without = tree.commit(dict.fromkeys(absent), "without large files", _AUTHOR, mirror.directory / "objects")
            tree = MirrorTree(mirror.git, without)
        tree.tar()
        yield tree


def _absent(git: Command, sha: Sha) -> list[str]:
    """The files whose content the directory does not hold: git writes BAD for their size."""
    listed = git.run("ls-tree", "-r", "-l", "-z", "--full-tree", sha)
    entries = (entry.partition(b"\t") for entry in listed.split(b"\0")[:-1])
    return [os.fsdecode(path) for meta, _, path in entries if meta.split()[3] == b"BAD"]
