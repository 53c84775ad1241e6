"""The head and the tail of lines that come in one after the other, and how many came between the two.

Lines are kept raw while they come in, because most of them are dropped again; what stays is cleaned and redacted once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO, StringIO, TextIOWrapper

from workers.logs.text import clean_line, unstamped
from workers.redact import Redactor, without_key_blocks


@dataclass(frozen=True)
class Room:
    """How many bytes of raw lines are kept of the beginning and of the end."""

    head: int
    tail: int

    @property
    def whole(self) -> int:
        return self.head + self.tail

    def scaled(self, most: int) -> Room:
        """The same shape in at most so many bytes."""
        if self.whole <= most:
            return self
        return Room(self.head * most // self.whole, self.tail * most // self.whole)


class Kept:
    """Holds at most its room plus one block, whatever is added."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.lines = 0
        self._head = bytearray()
        self._full = False
        self._tail: deque[bytes] = deque()
        self._tail_size = 0

    def add(self, block: bytes) -> None:
        """One or more whole lines, each with its newline."""
        self.lines += block.count(b"\n")
        if not self._full:
            room = self.room.head - len(self._head)
            if len(block) <= room:
                self._head += block
                return
            cut = block.rfind(b"\n", 0, room) + 1 if room > 0 else 0
            self._head += block[:cut]
            self._full = True
            block = block[cut:]
        self._tail.append(block)
        self._tail_size += len(block)
        while self._tail_size - len(self._tail[0]) >= self.room.tail:
            self._tail_size -= len(self._tail.popleft())

    def take(self, later: Kept) -> None:
        """Add what another one kept, and count what it did not."""
        head, tail, missing = later.parts()
        for block in (head, tail):
            if block:
                self.add(block)
        self.lines += missing

    def shrunk(self, room: Room) -> Kept:
        """The same lines, of which less is kept."""
        head, tail, missing = self.parts()
        less = Kept(room)
        if not missing:
            less.add(head + tail)
            return less
        less._head += _first(head, room.head)
        less._full = True
        less._tail.append(_last(tail, room.tail))
        less._tail_size = len(less._tail[0])
        less.lines = self.lines
        return less

    def parts(self) -> tuple[bytes, bytes, int]:
        """Head, tail and the number of lines that are missing between them."""
        tail = _last(b"".join(self._tail), self.room.tail)
        return bytes(self._head), tail, self.lines - self._head.count(b"\n") - tail.count(b"\n")

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return len(self._head) + self._tail_size

    def raw_lines(self) -> Iterator[bytes]:
        """The lines that were kept."""
        head, tail, _ = self.parts()
        return (line.rstrip(b"\n") for line in BytesIO(head + tail))

    def shown(self, redactor: Redactor) -> tuple[str, int]:
        """The clean text without secrets, and how many lines are missing in it."""
        head, tail, missing = self.parts()
        if not missing:
            return _shown(head + tail, redactor, cut_before=False).strip("\n"), 0
        gap = f"[... {missing} lines left out ...]\n"
        texts = (_shown(head, redactor, cut_before=False), gap, _shown(tail, redactor, cut_before=True))
        return "".join(texts).strip("\n"), missing


def _first(lines: bytes, size: int) -> bytes:
    """As many whole lines from the beginning as fit."""
    return lines if len(lines) <= size else lines[: lines.rfind(b"\n", 0, size) + 1 if size > 0 else 0]


def _last(lines: bytes, size: int) -> bytes:
    """As many whole lines from the end as fit."""
    if len(lines) <= size:
        return lines
    newline = lines.find(b"\n", len(lines) - size - 1)
    return lines[newline + 1 :]


def _shown(raw: bytes, redactor: Redactor, *, cut_before: bool) -> str:
    """Line by line: a list of a million short lines would take fifty times their size."""
    lines = TextIOWrapper(BytesIO(raw), "utf-8", "replace", newline="\n")
    text = StringIO()
    for line in without_key_blocks((clean_line(unstamped(line[:-1])) for line in lines), inside=cut_before):
        text.write(line + "\n")
    return redactor(text.getvalue())
