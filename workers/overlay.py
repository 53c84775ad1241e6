"""The files of a commit with new ones laid over them: how a test that is in no commit yet is run, and its fix proposed.

What is proposed on top stays a change of the commit itself: the new files belong to whoever laid them.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from functools import cached_property

from sandbox.archives import PIECE, Archive, FileArchive, members
from sandbox.spec import Tree
from workers.domain import Sha
from workers.patch import PatchError
from workers.ports import SourceTree
from workers.scratch import scratch_folder

_IN_MEMORY = 16 << 20
"""Archives that are larger than this are put together in a file."""


class Overlay:
    """`workers.ports.SourceTree` over another one. None of the new paths is a path of the tree below."""

    def __init__(self, below: SourceTree, files: Mapping[str, bytes]) -> None:
        self._below = below
        self._files = dict(sorted(files.items()))
        digest = hashlib.sha256(repr((below.sha, self._files)).encode()).hexdigest()
        self.sha = Sha(digest[: len(below.sha)])
        """Names these very files, as a commit's does; no commit has it."""

    def paths(self) -> Sequence[str]:
        """Those of both."""
        return sorted({*self._below.paths(), *self._files})

    def read(self, path: str) -> bytes | None:
        """The new file, else the one below."""
        return self._files[path] if path in self._files else self._below.read(path)

    def tar(self) -> Tree:
        """The archive below with the new files at its end."""
        return self._tree

    def diff(self, edits: Mapping[str, bytes | None]) -> str:
        """As a change of the tree below. Raises `PatchError` for edits of the new files."""
        self._refuse(edits)
        return self._below.diff(edits)

    def apply(self, patch: str) -> Mapping[str, bytes | None]:
        """As a change of the tree below. Raises `PatchError` where it changes the new files."""
        edits = self._below.apply(patch)
        self._refuse(edits)
        return edits

    def _refuse(self, edits: Mapping[str, bytes | None]) -> None:
        for path in edits:
            if path in self._files:
                raise PatchError(f"{path} is the test that shows the failure: it must stay as it is")

    @cached_property
    def _tree(self) -> Tree:
        below = self._below.tar().archive
        end = max((member.end for member in members(below)), default=0)
        added = io.BytesIO()
        with tarfile.open(fileobj=added, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path, content in self._files.items():
                info = tarfile.TarInfo(path)
                info.size, info.mode = len(content), 0o644
                archive.addfile(info, io.BytesIO(content))
        return Tree(self.sha, _joined(below, end, added.getvalue()))


def _joined(below: Archive, end: int, added: bytes) -> Archive:
    """The first `end` bytes of one archive, then another."""
    if end <= _IN_MEMORY:
        return below[0:end] + added
    with scratch_folder() as folder:
        path = folder / "tar"
        with path.open("wb") as file:
            for start in range(0, end, PIECE):
                file.write(below[start : min(start + PIECE, end)])
            file.write(added)
        return FileArchive(path)
