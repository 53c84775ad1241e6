"""A stream of bytes as blocks of whole lines, at constant memory whatever the stream holds.

A line longer than `LONGEST_LINE` is cut and says how much of it is missing; it never ends inside a word, because the
half of a secret has no shape to know it by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

LONGEST_LINE = 8 << 10
"""Bytes."""
CUT_NOTE = b"bytes of this line left out ...]"


def blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Each block is one or more lines with their newlines; a last line without one is given one. How the stream was
    cut into chunks makes no difference to the lines."""
    carry = b""
    long: _LongLine | None = None
    for chunk in chunks:
        rest = chunk
        if long is not None:
            head, newline, rest = chunk.partition(b"\n")
            long.feed(head)
            if not newline:
                continue
            yield long.line()
            long = None
        end = rest.rfind(b"\n") + 1
        if end:
            yield _shortened(carry + rest[:end])
            carry = rest[end:]
        else:
            carry += rest
        if len(carry) > LONGEST_LINE:
            long = _LongLine()
            long.feed(carry)
            carry = b""
    if long is not None:
        yield long.line()
    elif carry:
        yield _shortened(carry + b"\n")


def _shortened(block: bytes) -> bytes:
    """The block with its long lines cut. Looks at one place in every 8 KiB only, unless there is a long line."""
    parts: list[bytes] = []
    start = at = 0
    while len(block) - at > LONGEST_LINE + 1:
        newline = block.rfind(b"\n", at, at + LONGEST_LINE + 1)
        if newline >= 0:
            at = newline + 1
            continue
        end = block.index(b"\n", at)
        long = _LongLine()
        long.feed(block[at:end])
        parts += [block[start:at], long.line()]
        start = at = end + 1
    return b"".join((*parts, block[start:])) if parts else block


@dataclass
class _LongLine:
    """What a terminal would show of a line that is too long to be kept: the beginning of what its last carriage return
    left."""

    text: bytearray = field(default_factory=bytearray)
    over: int = 0
    returned: bool = False

    def feed(self, data: bytes) -> None:
        first, *others = data.split(b"\r")
        self._add(first)
        for part in others:
            self.returned = True
            self._add(part)

    def _add(self, part: bytes) -> None:
        if not part:
            return
        if self.returned:
            self.text.clear()
            self.over, self.returned = 0, False
        room = LONGEST_LINE - len(self.text)
        self.text += part[:room]
        self.over += max(0, len(part) - room)

    def line(self) -> bytes:
        if not self.over:
            return bytes(self.text) + b"\n"
        half = LONGEST_LINE // 2
        border = max(self.text.rfind(b" ", half), self.text.rfind(b"\t", half))
        kept = bytes(self.text[: border if border > 0 else half])
        return kept + b" [... %d %b\n" % (len(self.text) - len(kept) + self.over, CUT_NOTE)
