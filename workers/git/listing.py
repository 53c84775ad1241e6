"""What a commit's tree holds, file by file, and whether it is a tree that git would have made.

Objects that come over the network were checked by git on their way in; those of a checkout on this machine were
written by whoever made it, and git reads most nonsense without a word.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workers.domain import Outcome, Sha
from workers.errors import Retryable, Stop
from workers.git.command import Command, GitFailed

SIZE_LIMIT = 512 << 20
"""Bytes of all files together: a few kilobytes on the wire can unfold to any size."""

_MOST_FILES = 500_000
_DEEPEST = 1024
"""Folders above a file: git itself goes down by recursion, and ends without a word where its stack does."""


@dataclass(frozen=True)
class Listing:
    """The mode of every file, link and submodule by its path, and the bytes of all files together."""

    modes: Mapping[str, str]
    size: int


def listing(git: Command, sha: Sha, limit: int = SIZE_LIMIT) -> Listing:
    """All entries of a commit's tree. Raises `Stop` for one that is damaged, unsafe, or larger than we handle."""
    try:
        raw = git.run("ls-tree", "-r", "-z", "--full-tree", sha)
        rows = [line.partition(b"\t") for line in raw.split(b"\0")[:-1]]
        names = [name for _, _, name in rows]
        if len(names) > _MOST_FILES:
            raise larger(sha)
        if problem := _unsafe(names):
            raise Stop(Outcome.UNSUPPORTED, f"The tree of commit {sha[:12]} is none that git makes: {problem}.")
        metas = [meta.decode().split() for meta, _, _ in rows]
        size = _size(git, [blob for _, kind, blob in metas if kind == "blob"])
    except GitFailed as failure:
        raise (larger(sha) if failure.too_large or failure.timed_out else unreadable(sha, failure)) from failure
    if size > limit:
        raise larger(sha)
    return Listing({os.fsdecode(name): meta[0] for name, meta in zip(names, metas, strict=True)}, size)


def _size(git: Command, blobs: Sequence[str]) -> int:
    """Bytes of the blobs together. Those that are missing count for nothing: they are missed when they are read."""
    times = Counter(blobs)
    asked = "".join(f"{blob}\n" for blob in times).encode()
    said = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked).decode()
    pairs = (line.split() for line in said.splitlines())
    return sum(times[blob] * int(size) for blob, size in pairs if size.isdigit())


def larger(sha: Sha) -> Stop:
    """The end of a run whose commit is too large."""
    return Stop(Outcome.UNSUPPORTED, f"The files of commit {sha[:12]} are larger than Heal handles.")


def unreadable(sha: Sha, failure: GitFailed) -> Stop | Retryable:
    """The end of a run whose commit lacks objects, or holds broken ones. A git that was killed says nothing of them: it
    is tried again."""
    if failure.killed:
        return Retryable(f"git was killed while it read commit {sha[:12]}", blame="git", after=5)
    return Stop(Outcome.UNSUPPORTED, f"The files of commit {sha[:12]} could not be read.")


def _unsafe(names: Sequence[bytes]) -> str:
    """What is wrong with the paths, in words that hold none of them: they may be anything. Git sorts whole paths by
    their bytes, so order tells names that come twice, too."""
    folders: set[bytes] = set()
    for before, name in zip((b"", *names), names, strict=False):
        if name.count(b"/") > _DEEPEST:
            return f"its folders are nested more than {_DEEPEST} deep"
        above = name.rpartition(b"/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition(b"/")[0]
        if not {b"", b".", b"..", b".git"}.isdisjoint(name.lower().split(b"/")):
            return "it holds a name that leads out of it, or into git's own files"
        if name <= before:
            return "its entries are out of order, or come twice"
    return "a name is a file and a folder" if not folders.isdisjoint(names) else ""
