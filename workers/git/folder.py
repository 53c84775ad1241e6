"""What a checkout's git folder is made of, looked at before git is let near it: nothing in it may stand for something
elsewhere, so that neither reading nor writing in it reaches the files of somebody else.

Git follows all of it without a word: links among refs, objects and logs, borrowed object folders, and a `.git` that is
only a pointer to another repository.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from workers.errors import UsageError
from workers.git.command import Command, GitFailed

_FILES = ("HEAD", "config", "config.worktree", "packed-refs", "shallow", "index", "commondir", "gitdir")
_BELOW = ("info/attributes", "info/grafts", "objects/info/alternates", "objects/info/http-alternates")
_TREES = ("objects", "refs", "logs", "reftable")
_LARGEST = 1 << 28
_POINTER = 4096
"""Bytes of a file that says where a folder is."""


def inspect(path: Path) -> None:
    """Look at the git folder of the checkout that a path lies in, if there is one. Raises `UsageError` when it leads
    elsewhere, or holds what git would wait for without an end."""
    top = next((one for one in (path, *path.parents) if os.path.lexists(one / ".git")), None)
    if top is None:
        return
    own = top / ".git"
    if own.is_symlink() or not own.is_dir():
        folder = own.resolve() if own.is_symlink() else _pointed(own, own.read_bytes() if _is_plain(own) else b"")
    else:
        folder = own
    if folder is None or not folder.is_dir():
        return  # git has its own words for that
    _look(folder)
    common = folder / "commondir"
    if common.exists():
        shared = _resolved(folder, common.read_bytes())
        if shared is None or folder.resolve().parent != shared / "worktrees":
            raise UsageError(f"{folder} uses the refs and objects of another repository: heal that one instead.")
        _look(shared)
    if folder is not own and not _names_back(folder, top):
        raise UsageError(
            f"{own} points to {folder}, which does not name {top} as its work tree: if the two belong together, "
            f"`git config core.worktree` there says so."
        )


def _look(folder: Path) -> None:
    for name in (*_FILES, *_BELOW, *(one.name for one in folder.glob("sharedindex.*"))):
        _must_be_plain(folder / name)
    for name in ("objects/info/alternates", "objects/info/http-alternates"):
        if (folder / name).exists() and (folder / name).read_bytes().strip():
            raise UsageError(
                f"{folder} borrows objects from elsewhere ({name}), and Heal reads nothing outside of a checkout: "
                f"`git repack -a -d`, then remove that file."
            )
    for name in _TREES:
        for entry in _entries(folder / name):
            _refuse(entry)


def _entries(folder: Path) -> Iterator[Path]:
    """Everything below a folder that is neither a plain file nor a folder, itself included; however deep it goes."""
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        yield folder
        return
    left = [os.fspath(folder)]
    while left:
        with os.scandir(left.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                elif not entry.is_file(follow_symlinks=False):
                    yield Path(entry.path)


def _must_be_plain(path: Path) -> None:
    if os.path.lexists(path) and not _is_plain(path):
        _refuse(path)


def _is_plain(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST


def _refuse(path: Path) -> None:
    raise UsageError(f"{path} is a link, no plain file, or too large: Heal does not follow it.")


def _pointed(own: Path, said: bytes) -> Path | None:
    match = re.match(rb"gitdir: ([^\n]+)", said[:_POINTER])
    return _resolved(own.parent, match[1]) if match else None


def _resolved(base: Path, said: bytes) -> Path | None:
    """The folder that a pointer in a file names, as git reads it: relative to where the file lies."""
    text = said[:_POINTER].rstrip(b"\r\n")
    return (base / os.fsdecode(text)).resolve() if text and b"\0" not in text else None


def _names_back(folder: Path, top: Path) -> bool:
    """The git folder says that this is its work tree: as a linked one's does, or a submodule's."""
    linked = folder / "gitdir"
    if linked.exists():
        return _resolved(folder, linked.read_bytes()) == (top / ".git").resolve()
    for name in ("config.worktree", "config"):
        try:
            said = Command(folder).run_outside("config", "--file", name, "--no-includes", "--get", "core.worktree")
        except GitFailed:
            continue
        return _resolved(folder, said) == top.resolve()
    return False
