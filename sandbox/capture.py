"""What is kept of a stream that may never end: its beginning, its end, and a count of everything between.

Pure: bytes in, text out; nothing here knows where the bytes come from.
"""

from __future__ import annotations

import re

from sandbox.spec import Output

_LINE_LIMIT = 8192
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Those above 127 steer some terminals too; the last two ranges turn the order of what is read."""


class Capture:
    """Keeps the first `head` and the last `tail` bytes it is fed; `total` counts all of them."""

    def __init__(self, head: int, tail: int) -> None:
        self._head_limit, self._tail_limit = head, tail
        self._head, self._tail = bytearray(), bytearray()
        self.total = 0

    def feed(self, data: bytes) -> None:
        self.total += len(data)
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * self._tail_limit:
            self._cut_tail()

    def _cut_tail(self) -> None:
        del self._tail[: max(0, len(self._tail) - self._tail_limit)]

    @property
    def dropped(self) -> int:
        self._cut_tail()
        return self.total - len(self._head) - len(self._tail)

    def bytes(self) -> bytes:
        """Everything kept, without a mark where the middle is missing."""
        self._cut_tail()
        return bytes(self._head + self._tail)

    def output(self) -> Output:
        """Everything kept as readable text; where the middle is missing a line says how much."""
        dropped = self.dropped
        if not dropped:
            return Output(plain(bytes(self._head + self._tail)))
        gap = f"\n[... {dropped} bytes left out ...]\n"
        return Output(plain(bytes(self._head)) + gap + plain(bytes(self._tail)), dropped)


def plain(data: bytes) -> str:
    """Untrusted bytes as text: no terminal escapes, no control codes but newline and tab, no endless lines."""
    text = _ESCAPES.sub("", data.decode("utf-8", "replace").replace("\r\n", "\n"))
    text = _CONTROLS.sub("", text.replace("\r", "\n"))
    if len(text) <= _LINE_LIMIT:
        return text
    return "\n".join(_cut(line) for line in text.split("\n"))


def _cut(line: str) -> str:
    if len(line) <= _LINE_LIMIT:
        return line
    return f"{line[:_LINE_LIMIT]} [... {len(line) - _LINE_LIMIT} characters left out ...]"
