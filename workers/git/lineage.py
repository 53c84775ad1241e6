"""The first-parent history between two commits of a mirror, and what the commits changed, as bounded text.

Knows how to read it without a work tree; the objects have to be there already.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workers.domain import Commit, Sha
from workers.git.command import Command, GitFailed
from workers.git.tree import MirrorTree

MOST_COMMITS = 256
"""How far back a history is read: what came longer ago is hardly the news that a red job is about."""

_FORMAT = "%H%x00%P%x00%an%x00%aI%x00%s"
_FIELDS = 5
_TEXT = 200
"""Characters of a name or a subject."""
_MOST_FILES, _MOST_BYTES, _DIFF_LIMIT = 40, 128 << 10, 60_000


class _Change(NamedTuple):
    """One changed path with the blobs before and after, None where there is none."""

    path: bytes
    before: str | None
    after: str | None


@dataclass(frozen=True)
class MirrorLineage:
    """`workers.ports.Lineage` over a bare repository: commits oldest first, both ends included."""

    git: Command
    commits: tuple[Commit, ...]

    def tree(self, at: int) -> MirrorTree:
        """The files of a commit by its position."""
        return MirrorTree(self.git, self.commits[at].sha)

    def diff(self, before: int, after: int) -> str:
        """What changed between two positions, text files only; what is left out for its size is named at the end."""
        old, new = self.commits[before].sha, self.commits[after].sha
        try:
            return _diff(self.git, old, new)
        except GitFailed:
            return ""  # a clue that cannot be read is no reason to end a run


def first_parents(git: Command, sha: Sha, most: int) -> tuple[Commit, ...]:
    """The commit and its first parents, newest first, as far as the repository holds them."""
    options = (f"--format={_FORMAT}", "-z", "--first-parent", f"--max-count={most}", "--no-mailmap", "--no-color")
    said = git.run("log", *options, "--no-show-signature", "--no-notes", "--end-of-options", sha)
    fields = said.decode(errors="replace").split("\0")
    rows = [fields[at : at + _FIELDS] for at in range(0, len(fields) - _FIELDS + 1, _FIELDS)]
    return tuple(
        Commit(Sha(sha), tuple(map(Sha, parents.split())), author[:_TEXT], at, subject[:_TEXT])
        for sha, parents, author, at, subject in rows
    )


def since(history: Sequence[Commit], good: Sha) -> tuple[Commit, ...]:
    """Of a history, newest first, what came since a commit, oldest first, that commit included; else nothing."""
    at = next((n for n, commit in enumerate(history) if commit.sha == good), None)
    return () if at is None else tuple(reversed(history[: at + 1]))


def _diff(git: Command, old: Sha, new: Sha) -> str:
    changes = _changes(git, old, new)
    large = _large(git, {blob for change in changes for blob in (change.before, change.after) if blob})
    small = [change for change in changes if not large & {change.before, change.after}][:_MOST_FILES]
    text = ""
    if small:
        options = ("-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--diff-filter=AMD")
        paths = [os.fsdecode(change.path) for change in small]
        said = git.run("diff-tree", *options, old, new, "--", *paths, env={"GIT_LITERAL_PATHSPECS": "1"})
        text = _without_binary(said.decode(errors="replace"))[:_DIFF_LIMIT]
    left = len(changes) - len(small)
    return text + (f"\n({left} more changed files are not shown)\n" if left else "")


def _changes(git: Command, old: Sha, new: Sha) -> list[_Change]:
    raw = git.run("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", old, new).split(b"\0")
    pairs = zip(raw[::2], raw[1::2], strict=False)
    rows = [(meta.decode(errors="replace").split(" "), path) for meta, path in pairs]
    plain = [(meta, path) for meta, path in rows if not {"120000", "160000"} & {meta[0][1:], meta[1]}]
    return [_Change(path, *(blob if blob.strip("0") else None for blob in meta[2:4])) for meta, path in plain]


def _large(git: Command, blobs: set[str]) -> set[str | None]:
    """Those of the blobs that are too large to be shown, or missing; found out without reading any."""
    asked = "".join(f"{blob}\n" for blob in sorted(blobs)).encode()
    rows = [line.split() for line in git.run("cat-file", "--batch-check", stdin=asked).decode().splitlines()]
    return {row[0] for row in rows if len(row) != 3 or int(row[2]) > _MOST_BYTES}


def _without_binary(diff: str) -> str:
    """The files of a diff that are text."""
    parts = [f"diff --git {part}" for part in ("\n" + diff).split("\ndiff --git ")[1:]]
    return "".join(f"{part.rstrip(chr(10))}\n" for part in parts if "\nBinary files " not in part)
