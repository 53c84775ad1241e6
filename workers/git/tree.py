"""The files of one commit, read from a bare repository: listed, archived, diffed and patched without a work tree.

Everything written goes to a scratch folder that disappears, so a mirror is only ever read here.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from sandbox.archives import Archive, FileArchive, members
from sandbox.spec import Tree
from workers.domain import Sha
from workers.git.command import Command, GitFailed
from workers.git.listing import SIZE_LIMIT, Listing, listing, unreadable
from workers.patch import Executable, PatchError
from workers.scratch import scratch_folder

FILE, EXECUTABLE = "100644", "100755"
IN_MEMORY = 16 << 20
"""An archive larger than this is read from a temporary file, so that it takes no memory."""

_PER_ENTRY = 1024
"""Bytes of an archive that an entry takes beside its content."""

DIFF = ("--cached", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")


@dataclass(frozen=True)
class Scratch:
    """A private index and object folder on top of a repository."""

    git: Command
    env: Mapping[str, str]

    def run(self, *args: str, stdin: bytes | None = None) -> bytes:
        """One git command that reads the repository and writes only here."""
        return self.git.run(*args, stdin=stdin, env=self.env)


class MirrorTree:
    """`workers.ports.SourceTree` over a bare repository."""

    def __init__(self, git: Command, sha: Sha, limit: int = SIZE_LIMIT, in_memory: int = IN_MEMORY) -> None:
        self.sha = sha
        self._git = git
        self._limit, self._in_memory = limit, in_memory

    def paths(self) -> Sequence[str]:
        """Every regular file, sorted. Symlinks and submodules are left out: they have no content of their own."""
        return self._paths

    def mode(self, path: str) -> str:
        """The file's mode as git writes it; the plain one for a file that is not there yet."""
        return self._modes.get(path, FILE)

    def mode_with(self, path: str, content: bytes | None) -> str:
        """The file's mode after an edit."""
        return EXECUTABLE if isinstance(content, Executable) else self.mode(path)

    def committed_at(self) -> str:
        """When the commit was made, as an ISO date in UTC; empty when it does not say."""
        try:
            text = self._git.run("cat-file", "commit", self.sha).decode(errors="replace")
            found = re.search(r"^committer [^\n]{0,1000} (\d{1,12}) [+-]\d{4}$", text.split("\n\n")[0], re.MULTILINE)
            return datetime.fromtimestamp(int(found[1]), UTC).isoformat() if found else ""
        except (GitFailed, ValueError, OverflowError):
            return ""

    def read(self, path: str) -> bytes | None:
        """The content of a regular file, else None. Served from the archive."""
        member = self._members.get(path)
        if member is None:
            return None
        offset, size = member
        return self._archive.archive[offset : offset + size]

    def tar(self) -> Tree:
        """All files as an uncompressed tar, exactly as committed."""
        return self._archive

    def diff(self, edits: Mapping[str, bytes | None]) -> str:
        """The unified diff from this tree to one with the edits; raises `PatchError` for edits it cannot show."""
        with self._scratch() as scratch:
            self._stage(scratch, edits)
            raw = scratch.run("diff-index", *DIFF, "-p", "--src-prefix=a/", "--dst-prefix=b/", self.sha)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise PatchError("the edit touches text that is not UTF-8") from error

    def apply(self, patch: str) -> Mapping[str, bytes | None]:
        """The changed files after the patch; raises `PatchError` unless it applies and touches plain files only.

        What it makes executable is `workers.patch.Executable`."""
        if "GIT binary patch" in patch:
            raise PatchError("the patch holds binary data")
        with self._scratch() as scratch:
            try:
                scratch.run("apply", "--cached", "--whitespace=nowarn", "-p1", "-", stdin=_encoded(patch))
            except GitFailed as failure:
                raise PatchError(_reason(failure)) from failure
            changes, executable = _changes(scratch.run("diff-index", *DIFF, "--raw", "-z", "--no-abbrev", self.sha))
            found = _contents(scratch, changes)
        return {path: Executable(data) if data is not None and path in executable else data
                for path, data in found.items()}  # fmt: skip

    def hash(self, edits: Mapping[str, bytes | None]) -> str:
        """The id of the tree object after the edits, the same on every git host."""
        with self._scratch() as scratch:
            self._stage(scratch, edits)
            return scratch.run("write-tree").decode().strip()

    def commit(self, edits: Mapping[str, bytes | None], message: str, author: str, objects: Path) -> Sha:
        """A commit with the edits on top of this one, its objects written to another repository's object folder."""
        name, _, email = author.rpartition(" ")
        who = {
            f"GIT_{role}_{part}": text
            for role in ("AUTHOR", "COMMITTER")
            for part, text in (("NAME", name), ("EMAIL", email.strip("<>")))
        }
        with self._scratch(objects) as scratch:
            self._stage(scratch, edits)
            tree = scratch.run("write-tree").decode().strip()
            env = {**scratch.env, **who}
            made = self._git.run("commit-tree", tree, "-p", self.sha, "-F", "-", stdin=message.encode(), env=env)
        return Sha(made.decode().strip())

    @contextmanager
    def _scratch(self, objects: Path | None = None) -> Iterator[Scratch]:
        entries = self._entries  # looked at first: a tree that unfolds too far would do so in an index as well
        with scratch_folder() as folder:
            private = objects or folder / "objects"
            private.mkdir(exist_ok=True)
            env = {
                "GIT_INDEX_FILE": str(folder / "index"),
                "GIT_OBJECT_DIRECTORY": str(private),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self._git.directory / "objects"),
            }
            scratch = Scratch(self._git, env)
            if entries:
                try:
                    scratch.run("read-tree", self.sha)
                except GitFailed as failure:
                    raise unreadable(self.sha, failure) from failure
            yield scratch

    def _stage(self, scratch: Scratch, edits: Mapping[str, bytes | None]) -> None:
        written: list[str] = []
        removed: list[str] = []
        for path, content in sorted(edits.items()):
            if path in self._special:
                raise PatchError(f"{path} is a symlink or a submodule")
            if content is None:
                if path not in self._modes:
                    raise PatchError(f"{path} cannot be deleted: there is no such file")
                removed.append(f"0 {'0' * len(self.sha)}\t{path}\0")
                continue
            if b"\0" in content:
                raise PatchError(f"{path} would become binary")
            blob = scratch.run("hash-object", "-w", "--no-filters", "--stdin", stdin=content).decode().strip()
            written += ["--cacheinfo", f"{self.mode_with(path, content)},{blob},{path}"]
        try:
            scratch.run("update-index", "-z", "--index-info", stdin=_encoded("".join(removed)))
            # Unlike --index-info this fails for paths git does not allow: `.git`, `..`, empty parts.
            scratch.run("update-index", "--add", *written)
        except GitFailed as failure:
            raise PatchError(_reason(failure)) from failure

    @cached_property
    def _listing(self) -> Listing:
        return listing(self._git, self.sha, self._limit)

    @cached_property
    def _entries(self) -> Mapping[str, str]:
        return self._listing.modes

    @cached_property
    def _modes(self) -> Mapping[str, str]:
        return {path: mode for path, mode in self._entries.items() if mode in {FILE, EXECUTABLE}}

    @cached_property
    def _special(self) -> frozenset[str]:
        return frozenset(self._entries) - frozenset(self._modes)

    @cached_property
    def _paths(self) -> Sequence[str]:
        return tuple(sorted(self._modes))

    @cached_property
    def _archive(self) -> Tree:
        if not self._entries:  # looked at first: it knows the size before anything is unfolded
            return Tree(self.sha, bytes(10240))
        try:
            archive = self._packed(self._listing.size + _PER_ENTRY * len(self._entries) > self._in_memory)
        except GitFailed as failure:
            raise unreadable(self.sha, failure) from failure
        return Tree(self.sha, archive)

    def _packed(self, in_file: bool) -> Archive:
        if not in_file:
            return self._git.run("archive", "--format=tar", self.sha, timeout=120)
        with scratch_folder() as folder:
            path = folder / "tar"
            self._git.run("archive", "--format=tar", f"--output={path}", self.sha, timeout=120)
            return FileArchive(path)

    @cached_property
    def _members(self) -> Mapping[str, tuple[int, int]]:
        # Only offsets are taken from the tar: nothing is ever extracted on the host.
        archive = members(self._archive.archive)
        return {os.fsdecode(member.name): (member.content, member.size) for member in archive if member.is_file}


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise PatchError("the patch holds text that is not UTF-8") from error


def _reason(failure: GitFailed) -> str:
    lines = [line.removeprefix("error: ").removeprefix("fatal: ") for line in failure.stderr.strip().splitlines()]
    return "; ".join(lines[:3])[:300] or "the patch does not apply"


def _changes(raw: bytes) -> tuple[Mapping[str, str | None], frozenset[str]]:
    """Path to new blob (None when deleted) from `diff-index --raw -z`, and the paths that become executable; refuses
    everything else but plain files."""
    fields = raw.split(b"\0")[:-1]
    executable: set[str] = set()
    changes: dict[str, str | None] = {}
    for meta, name in zip(fields[::2], fields[1::2], strict=True):
        before, after, _, blob, status = meta.decode().lstrip(":").split(" ")
        path = os.fsdecode(name)
        if status == "D" and before in {FILE, EXECUTABLE}:
            changes[path] = None
        elif (status == "A" and after == FILE) or (status == "M" and before == after and after in {FILE, EXECUTABLE}):
            changes[path] = blob
        elif (status, before, after) == ("M", FILE, EXECUTABLE):
            changes[path] = blob
            executable.add(path)
        else:
            raise PatchError(f"{path}: only the content of plain files may change, not their kind or mode")
    return changes, frozenset(executable)


def _contents(scratch: Scratch, changes: Mapping[str, str | None]) -> Mapping[str, bytes | None]:
    blobs = [blob for blob in changes.values() if blob]
    stream = io.BytesIO(scratch.run("cat-file", "--batch", stdin="".join(f"{blob}\n" for blob in blobs).encode()))
    found: dict[str, bytes] = {}
    for blob in blobs:
        size = int(stream.readline().split()[2])
        found[blob] = stream.read(size)
        stream.read(1)
    if any(b"\0" in content for content in found.values()):
        raise PatchError("a file would become binary")
    return {path: None if blob is None else found[blob] for path, blob in changes.items()}
