"""What is kept of a stream that may never end: its beginning, its end, and a count of everything between.

Pure: bytes in, text out; nothing here knows where the bytes come from. Where something is cut away, the line that the
cut tears goes as well: half of somebody's key has no shape by which it could be found and blanked later.
"""

from __future__ import annotations

import re

from sandbox.spec import Output

_LINE_LIMIT = 8192
_WORD = 1024
"""More than a key without its own shape, or a password in an address, is long: what may be torn in a line that has no
end nearby."""
_KEY = 16 << 10
"""More than a private key of many lines is long."""
_LINE_ENDS = re.compile(rb"[\r\n]")
_KEY_BEGINS = re.compile(rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY")
_KEY_ENDS = re.compile(rb"-----END [A-Z ]{0,40}PRIVATE KEY[^\r\n]{0,80}")
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
        if not self.dropped:
            return Output(plain(bytes(self._head + self._tail)))
        head, tail = _untorn_end(bytes(self._head)), _untorn_start(bytes(self._tail))
        dropped = self.total - len(head) - len(tail)
        gap = f"\n[... {dropped} bytes left out ...]\n"
        return Output(plain(head) + gap + plain(tail), dropped)


def plain(data: bytes) -> str:
    """Untrusted bytes as text: no terminal escapes, no control codes but newline and tab, no endless lines."""
    text = _ESCAPES.sub("", data.decode("utf-8", "replace").replace("\r\n", "\n"))
    text = _CONTROLS.sub("", text.replace("\r", "\n"))
    if len(text) <= _LINE_LIMIT:
        return text
    return "\n".join(_cut(line) for line in text.split("\n"))


def begun(text: str, limit: int) -> str:
    """At most `limit` characters of a text's beginning; when it is cut, without the word that the cut tears."""
    if len(text) <= limit:
        return text
    sure = limit - min(_WORD, limit // 2)
    space = max(text.rfind(mark, sure, limit) for mark in " \t\n")
    return text[: max(sure, space + 1)]


def _cut(line: str) -> str:
    if len(line) <= _LINE_LIMIT:
        return line
    kept = begun(line, _LINE_LIMIT)
    return f"{kept} [... {len(line) - len(kept)} characters left out ...]"


def _untorn_end(head: bytes) -> bytes:
    """Without the line that was cut off, or what of an endless one may be half of a key."""
    near = len(head) - _LINE_LIMIT
    last = max(head.rfind(b"\n", max(0, near)), head.rfind(b"\r", max(0, near)))
    return head[: last + 1] if last >= 0 else head[: max(0, len(head) - _WORD)]


def _untorn_start(tail: bytes) -> bytes:
    """The same for the other side of the cut, and without the rest of a private key of many lines."""
    first = _LINE_ENDS.search(tail, 0, _LINE_LIMIT)
    tail = tail[first.end() :] if first else tail[_WORD:]
    closed = _KEY_ENDS.search(tail, 0, _KEY)
    if closed and not _KEY_BEGINS.search(tail, 0, closed.start()):
        return tail[closed.end() :]
    return tail
