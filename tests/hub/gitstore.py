"""A bare repository on disk and the plumbing on it. REST and git transport both end here, so they agree."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_PRE_RECEIVE = """#!/bin/sh
[ "$HUB_WORKFLOWS" = 1 ] && exit 0
zero=0000000000000000000000000000000000000000
while read old new ref; do
  [ "$new" = "$zero" ] && continue
  [ "$old" = "$zero" ] && old=$(git rev-parse --verify -q HEAD || git hash-object -t tree /dev/null)
  hit=$(git diff --name-only "$old" "$new" -- .github/workflows | head -1)
  if [ -n "$hit" ]; then
    echo "refusing to allow a GitHub App to create or update workflow \\`$hit\\` without \\`workflows\\` permission" >&2
    exit 1
  fi
done
"""
_CONFIG = """
[uploadpack]
\tallowAnySHA1InWant = true
\tallowReachableSHA1InWant = true
\tallowFilter = true
[http]
\treceivepack = true
[receive]
\tdenyDeleteCurrent = ignore
"""
_WHOLE_ID = re.compile("[0-9a-f]{40}")


class GitError(Exception):
    """A git command ended with an error; the text is what it said."""


@dataclass(frozen=True)
class Signature:
    """Who and when, as git stores it; `date` is ISO 8601."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class CommitInfo:
    """A commit as git has it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class Entry:
    """One line of a tree. `sha` None deletes when given to `write_tree`."""

    mode: str
    kind: str
    sha: str | None
    path: str
    size: int | None = None


@dataclass(frozen=True)
class GitStore:
    """The bare repository at `path`."""

    path: Path

    def run(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Run git in the repository and return what it prints; raises GitError."""
        whole = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
            **(env or {}),
        }
        done = subprocess.run(["git", "-C", str(self.path), *args], input=stdin, env=whole, capture_output=True)
        if done.returncode:
            raise GitError(done.stderr.decode(errors="replace").strip())
        return done.stdout

    def text(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        return self.run(*args, stdin=stdin, env=env).decode(errors="replace")

    def _about(self, objects: Sequence[str], *args: str) -> str:
        """What git says of these objects alone. Named in full they never change: it is asked once."""
        fixed = all(_WHOLE_ID.fullmatch(one) for one in objects)
        return _remembered(self, args) if fixed else self.text(*args)

    def init(self, branch: str) -> None:
        self.path.mkdir(parents=True)
        self.run("init", "-q", "--bare", f"--initial-branch={branch}", ".")
        with (self.path / "config").open("a") as config:
            config.write(_CONFIG)
        hook = self.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_PRE_RECEIVE)
        hook.chmod(0o755)

    def resolve(self, name: str, kind: str = "commit") -> str | None:
        """The id of a ref, branch, tag or (abbreviated) id; None when there is no such object."""
        found = name
        if not _WHOLE_ID.fullmatch(name):
            found = self.ref(f"refs/heads/{name}") or self.ref(f"refs/tags/{name}") or name
        try:
            wanted = f"{found}^{{{kind}}}"
            return self._about((found,), "rev-parse", "--verify", "-q", "--end-of-options", wanted).strip()
        except GitError:
            return None

    def ref(self, name: str) -> str | None:
        """What a ref points at; None when there is none. Git is asked for those alone that have no file."""
        if name.startswith("refs/"):
            with suppress(OSError, ValueError):
                if _WHOLE_ID.fullmatch(told := (self.path / name).read_text().strip()):
                    return told
        try:
            return self.text("rev-parse", "--verify", "-q", "--end-of-options", name).strip()
        except GitError:
            return None

    def refs(self, prefix: str = "refs") -> dict[str, str]:
        lines = self.text("for-each-ref", "--format=%(refname) %(objectname)", prefix).splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def update_ref(self, name: str, new: str, old: str | None = None) -> None:
        self.run("update-ref", name, new, *([old] if old else []))

    def delete_ref(self, name: str) -> None:
        self.run("update-ref", "-d", name)

    def is_ancestor(self, old: str, new: str) -> bool:
        try:
            self._about((old, new), "merge-base", "--is-ancestor", old, new)
        except GitError:
            return False
        return True

    def merge_base(self, a: str, b: str) -> str | None:
        try:
            return self._about((a, b), "merge-base", a, b).strip()
        except GitError:
            return None

    def commit(self, sha: str) -> CommitInfo:
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
        fields = self._about((sha,), "show", "-s", f"--format={form}", sha, "--").split("\0")
        return CommitInfo(
            sha=fields[0].strip(),
            tree=fields[1],
            parents=tuple(fields[2].split()),
            author=Signature(fields[3], fields[4], fields[5]),
            committer=Signature(fields[6], fields[7], fields[8]),
            message=fields[9].rstrip("\n"),
        )

    def log(self, start: str, limit: int = 250, path: str = "") -> list[str]:
        return self.text("rev-list", f"--max-count={limit}", start, "--", *([path] if path else [])).split()

    def between(self, base: str, head: str) -> list[str]:
        """The commits of head that base does not have, oldest first."""
        return self._about((base, head), "rev-list", "--reverse", f"{base}..{head}").split()

    def fresh(self, head: str) -> list[str]:
        """The commits of head that no branch has yet."""
        return self.text("rev-list", head, "--not", "--branches").split()

    def is_ref_name(self, name: str) -> bool:
        """Whether git and GitHub take it as the name of a ref."""
        try:
            self.run("check-ref-format", name)
        except GitError:
            return False
        return len(name.encode()) <= 255

    def conflicts(self, base: str, head: str) -> bool:
        """Whether git cannot merge the two by itself."""
        try:
            self._about((base, head), "merge-tree", "--write-tree", base, head)
        except GitError:
            return True
        return False

    def blob(self, sha: str) -> bytes:
        return self.run("cat-file", "blob", sha)

    def kind(self, sha: str) -> str | None:
        try:
            return self.text("cat-file", "-t", sha).strip()
        except GitError:
            return None

    def write_blob(self, content: bytes) -> str:
        return self.text("hash-object", "-w", "--stdin", stdin=content).strip()

    def tree(self, sha: str, recursive: bool = False) -> list[Entry]:
        flags = ("-r", "-t") if recursive else ()
        found = []
        for line in self.text("ls-tree", "-l", "-z", *flags, sha).split("\0"):
            if line:
                head, path = line.split("\t", 1)
                mode, kind, oid, size = head.split()
                found.append(Entry(mode, kind, oid, path, None if size == "-" else int(size)))
        return found

    def entry(self, commit: str, path: str) -> Entry | None:
        """The entry at a path; for the root a tree entry with an empty path."""
        if not path:
            return Entry("040000", "tree", self.text("rev-parse", f"{commit}^{{tree}}").strip(), "")
        line = self.text("ls-tree", "-l", "-z", commit, "--", path).split("\0")[0]
        if not line:
            return None
        mode, kind, oid, size = line.split("\t", 1)[0].split()
        return Entry(mode, kind, oid, path, None if size == "-" else int(size))

    def write_tree(self, base: str | None, entries: Sequence[Entry]) -> str:
        """The tree that results from putting the entries over a base tree."""
        with tempfile.TemporaryDirectory(dir=self.path) as scratch:
            env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            if base:
                self.run("read-tree", base, env=env)
            for one in (e for e in entries if e.kind == "tree" and e.sha):
                self.run("read-tree", f"--prefix={one.path}/", str(one.sha), env=env)
            lines = b"".join(
                f"0 {'0' * 40}\t{e.path}\0".encode() if e.sha is None else f"{e.mode} {e.sha}\t{e.path}\0".encode()
                for e in entries
                if e.kind != "tree" or e.sha is None
            )
            if lines:
                self.run("update-index", "-z", "--index-info", stdin=lines, env=env)
            return self.text("write-tree", env=env).strip()

    def write_commit(
        self, tree: str, parents: Sequence[str], message: str, author: Signature, committer: Signature
    ) -> str:
        env = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": author.date,
            "GIT_COMMITTER_NAME": committer.name,
            "GIT_COMMITTER_EMAIL": committer.email,
            "GIT_COMMITTER_DATE": committer.date,
        }
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return self.text("commit-tree", tree, *flags, stdin=message.encode(), env=env).strip()

    def numstat(self, base: str, head: str) -> list[tuple[str, str, int, int, str, str]]:
        """Per changed file: status letter, path, added, deleted, blob id after (or before), the path it had before."""
        told = self._about((base, head), "diff", "--raw", "--numstat", "--abbrev=40", "--no-renames", "-z", base, head)
        parts, raw, counts = iter(told.split("\0")), {}, {}
        for part in parts:
            if part.startswith(":"):
                raw[next(parts)] = part.split()[2:]
            elif part:
                more, less, path = part.split("\t", 2)
                counts[path] = (0 if more == "-" else int(more), 0 if less == "-" else int(less))
        found = []
        for path, (before, after, letter) in raw.items():
            plus, minus = counts.get(path, (0, 0))
            found.append((letter[0], path, plus, minus, before if letter[0] == "D" else after, path))
        return found

    def patch(self, base: str, head: str, path: str) -> str:
        """The hunks of one file's diff, without the file headers."""
        text = self._about((base, head), "diff", "--no-renames", base, head, "--", path)
        start = text.find("\n@@")
        return text[start + 1 :].rstrip("\n") if start >= 0 else ""

    def archive(self, sha: str) -> bytes:
        return self.run("archive", "--format=tar", sha)

    def empty_tree(self) -> str:
        return self.text("hash-object", "-t", "tree", "-w", "/dev/null").strip()


@lru_cache(4096)
def _remembered(store: GitStore, args: tuple[str, ...]) -> str:
    return store.text(*args)
