"""A source tree in memory: the second implementation of `workers.ports.SourceTree`, for pure tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sandbox.spec import Tree
from workers.domain import Sha


class MemoryTree:
    """Files by path. It can be read; it makes no diffs."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = {path: text.encode() for path, text in files.items()}
        self.sha = Sha(hashlib.sha1(repr(sorted(self._files.items())).encode()).hexdigest())  # noqa: S324 - like git

    def paths(self) -> Sequence[str]:
        return sorted(self._files)

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def tar(self) -> Tree:
        raise NotImplementedError

    def diff(self, edits: Mapping[str, bytes | None]) -> str:
        raise NotImplementedError

    def apply(self, patch: str) -> Mapping[str, bytes | None]:
        raise NotImplementedError
