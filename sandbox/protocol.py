"""What we say to the first process of a container: counted messages on its standard input. Pure."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator

from sandbox.archives import Contents
from sandbox.spec import Limits
from sandbox.stream import Caps, Marks

GRACE_S = 30
"""Beyond a command's own time: start of the container, unpacking, report."""
KEEP_S = 3600
"""How long after its deadline a container of ours may be removed by the reaper of another worker."""
_OWN_BYTES = 64 << 10


def message(word: str, data: bytes, *more: str) -> tuple[bytes, bytes]:
    """One counted message: its line, which may hold `more` words, and its bytes."""
    return f"{' '.join((word, str(len(data)), *more))}\n".encode(), data


def marks(nonce: str, files: bool = True) -> Marks:
    """What a check container's first process says: when it is ready for a command, or without `files` for those.

    `nonce` is told to it alone, so nobody else can say the last.
    """
    return Marks(b"HEAL-READY\n" if files else b"HEAL-UP\n", b"HEAL-START\n", f"HEAL-OVER {nonce}\n".encode())


def tree_message(held: Contents, repository: bool = False) -> Iterator[bytes]:
    """The message that brings a commit's files, a piece at a time; they may become a repository of one commit."""
    yield f"TREE {held.size}{' repository' if repository else ''}\n".encode()
    yield from held.pieces()


def tar(files: Iterable[tuple[str, bytes]]) -> bytes:
    """An uncompressed tar of read-only files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o444
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def caps(limits: Limits) -> Caps:
    """How much of the two streams is kept: of standard output the report and our own lines."""
    return Caps(limits.report + _OWN_BYTES, limits.output_head, limits.output_tail, limits.output_kill)
