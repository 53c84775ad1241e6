"""A source tree held in memory, for tests: diffs are made by git in a throw-away folder, as the real one does."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from sandbox.spec import Tree
from workers.domain import Sha
from workers.patch import Executable, PatchError


class MemoryTree:
    """`SourceTree` over a dictionary of files."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
        digest = hashlib.sha1(repr(sorted(self.files.items())).encode(), usedforsecurity=False)
        self.sha = Sha(digest.hexdigest())

    def paths(self) -> Sequence[str]:
        return sorted(self.files)

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def tar(self) -> Tree:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for path, data in sorted(self.files.items()):
                info = tarfile.TarInfo(path)
                info.size, info.mode = len(data), 0o644
                archive.addfile(info, io.BytesIO(data))
        return Tree(self.sha, buffer.getvalue())

    def diff(self, edits: Mapping[str, bytes | None]) -> str:
        return _diff(_frozen(self.files), _frozen(edits))

    def apply(self, patch: str) -> Mapping[str, bytes | None]:
        return dict(_applied(_frozen(self.files), patch))


_Frozen = tuple[tuple[str, bytes | None, bool], ...]
"""Files by name: the content, None for one that is gone, and whether it can be run. Equal where git sees none."""


def _frozen(files: Mapping[str, bytes | None]) -> _Frozen:
    return tuple((path, data, isinstance(data, Executable)) for path, data in sorted(files.items()))


@lru_cache(256)
def _diff(files: _Frozen, edits: _Frozen) -> str:
    """Asked several times in each run: once for one git is enough."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root, files)
        _git(root, "init", "-q")
        _git(root, "add", "-A")
        before = _git(root, "write-tree").strip()
        _write(root, edits)
        _git(root, "add", "-A")
        return _git(root, "diff", "--cached", "--no-ext-diff", "--no-renames", "--no-color", before)


@lru_cache(256)
def _applied(files: _Frozen, patch: str) -> tuple[tuple[str, bytes | None], ...]:
    known = {path: data for path, data, _ in files}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _write(root, files)
        _git(root, "init", "-q")
        done = subprocess.run(["git", "apply", "-"], cwd=root, input=patch.encode(), capture_output=True, check=False)
        if done.returncode:
            raise PatchError(done.stderr.decode())
        after = {
            str(file.relative_to(root)): _read(file)
            for file in root.rglob("*")
            if file.is_file() and ".git" not in file.relative_to(root).parts
        }
    now = {path: after.get(path) for path in {*after, *known}}
    return tuple((path, data) for path, data in now.items() if data != known.get(path) or isinstance(data, Executable))


def _write(root: Path, files: _Frozen) -> None:
    for path, data, executable in files:
        target = root / path
        if data is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if executable:
            target.chmod(0o755)


def _read(file: Path) -> bytes:
    return Executable(file.read_bytes()) if file.stat().st_mode & 0o100 else file.read_bytes()


def _git(root: Path, *args: str) -> str:
    return subprocess.run(
        ["git", "-c", "core.autocrlf=false", *args], cwd=root, capture_output=True, check=True
    ).stdout.decode()
