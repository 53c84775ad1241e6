"""The tar of a commit: what is in it, what of it may be unpacked, and how it is read a piece at a time.

Archives come from `git archive`, so they hold directories, files and symlinks. Whatever else stands in one, and every
name that could lead out of the workspace, into a repository or past what a file system can name, is left out before
it is sent anywhere. Nothing is ever extracted here.
"""

from __future__ import annotations

import os
import re
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

BLOCK = 512
PIECE = 1 << 20
"""How much of an archive is in memory at once while it is sent."""
_MODEST = 256 << 10
"""What a header that extends the next one (a long name) may weigh; git writes some hundred bytes."""
_NAME_MAX, _PATH_MAX = 255, 4096
_FILE, _OLD_FILE, _LINK, _FOLDER = b"0", b"\0", b"2", b"5"
_PAX, _PAX_ALL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"


class Archive(Protocol):
    """An uncompressed tar: bytes, or a file that would be too much for memory. Any thread may read parts of it."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class FileArchive:
    """An archive in a file, which is deleted at once and lives as long as this object. Any thread may read it."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        path.unlink()
        self._size = os.fstat(self._fd).st_size
        weakref.finalize(self, os.close, self._fd)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(self._size)
        return os.pread(self._fd, max(0, stop - start), start)


@dataclass(frozen=True)
class Member:
    """One entry: its name, where all that belongs to it begins and ends, and where its content is (bytes)."""

    name: bytes
    kind: bytes
    begin: int
    end: int
    content: int
    size: int

    @property
    def is_file(self) -> bool:
        return self.kind in (_FILE, _OLD_FILE)

    @property
    def is_welcome(self) -> bool:
        """It can be unpacked, into the workspace and not into a repository."""
        if self.kind not in (_FILE, _OLD_FILE, _LINK, _FOLDER, _PAX_ALL):
            return False
        parts = self.name.rstrip(b"/").split(b"/")
        strange = {b"..", b".git", b""} if self.kind != _PAX_ALL else set()
        return strange.isdisjoint(parts) and len(self.name) < _PATH_MAX and max(map(len, parts)) <= _NAME_MAX


@dataclass(frozen=True)
class Contents:
    """What of an archive is unpacked: how many entries, in which parts of it, and how many were left out."""

    archive: Archive
    entries: int
    left_out: int
    parts: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Bytes that `pieces` gives."""
        return sum(end - begin for begin, end in self.parts)

    def pieces(self) -> Iterator[bytes]:
        """The archive without what is left out, never more than a mebibyte at once."""
        for begin, end in self.parts:
            for start in range(begin, end, PIECE):
                yield self.archive[start : min(start + PIECE, end)]


def contents(archive: Archive) -> Contents:
    """Look at every entry. What does not look like a tar is kept as it is: the container's tar will say so."""
    entries = left_out = kept = 0
    parts: list[tuple[int, int]] = []
    for member in members(archive):
        if member.is_welcome:
            entries += member.kind != _PAX_ALL
            continue
        left_out += 1
        parts.append((kept, member.begin))
        kept = member.end
    parts.append((kept, len(archive)))
    return Contents(archive, entries, left_out, tuple((begin, end) for begin, end in parts if begin < end))


def members(archive: Archive) -> Iterator[Member]:
    """The entries in their order, up to the end of the archive or the first bytes that are no header."""
    begin = at = 0
    long_name: bytes | None = None
    while len(header := archive[at : at + BLOCK]) == BLOCK and header[0]:
        size = _number(header[124:136])
        if size is None or header[257:262] != b"ustar":
            return
        kind, content = header[156:157], at + BLOCK
        at = content + (size + BLOCK - 1) // BLOCK * BLOCK
        if kind in (_PAX, _LONG_NAME, _LONG_LINK) and size <= _MODEST:
            extended = archive[content : content + size]
            if kind != _LONG_LINK:
                long_name = extended.rstrip(b"\0") if kind == _LONG_NAME else _pax_path(extended) or long_name
            continue
        yield Member(long_name or _name(header), kind, begin, min(at, len(archive)), content, size)
        begin, long_name = at, None


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[262] == 0 else b""  # GNU's own format keeps times there
    return prefix + b"/" + name if prefix else name


def _number(field: bytes) -> int | None:
    """A size: octal digits, or base 256 when the first bit is set."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.strip(b" \0") or b"0"
    return int(digits, 8) if re.fullmatch(rb"[0-7]+", digits) else None


def _pax_path(records: bytes) -> bytes | None:
    """The value of `path` among records of the form `length key=value\\n`."""
    found = None
    while records:
        digits, _, _ = records.partition(b" ")
        if not digits.isdigit() or not 0 < int(digits) <= len(records):
            return found
        record, records = records[: int(digits)], records[int(digits) :]
        key, _, value = record[len(digits) + 1 :].rstrip(b"\n").partition(b"=")
        if key == b"path":
            found = value
    return found
