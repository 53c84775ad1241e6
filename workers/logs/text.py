"""Lines of a log as a person reads them: cleaned of what only terminals need, shortened, made comparable.

Any text is accepted, in linear time: it is written by untrusted code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from workers.redact import redact

_STAMP = re.compile(r"^\ufeff?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z) ?")
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_KEPT_CONTROLS = frozenset("\n\t")
_EXIT = re.compile(r"^##\[error\]Process completed with exit code (-?\d{1,10})\.?$")
_ERROR_WORD = re.compile(
    r"^##\[error\]|^E  |\b\w*(?:Error|Exception)\b|\berror\b|\bFAILED\b|\bfatal\b|\bFAIL\b"
    r"|would reformat|incorrectly sorted",
    re.IGNORECASE,
)
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"), "<time>"),
    (re.compile(r"""(['"`])(?:(?!\1).){0,200}\1"""), "<value>"),
    (re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{7,64}\b"), "<hex>"),
    (re.compile(r"(?<![\w/])(?:/[\w.+@-]+){2,}/([\w.+@-]+)"), r"<root>/\1"),
    (re.compile(r"\d+(?:\.\d+)*"), "<n>"),
)


def clean(text: str) -> str:
    """The text without byte order mark, time stamps, colours, control, zero-width and direction characters."""
    return "\n".join(clean_line(unstamped(line)) for line in text.split("\n"))


def clean_line(line: str) -> str:
    """One line as a terminal would show it: what a carriage return overwrote is gone."""
    parts: Iterator[str] = reversed(line.split("\r"))
    return visible(next((part for part in parts if part), ""))


def unstamped(line: str) -> str:
    """The line without the runner's time stamp."""
    return _STAMP.sub("", line, count=1)


def stamp(line: str) -> str:
    """When the runner wrote the line, as it wrote it; empty when it did not say so."""
    found = _STAMP.match(line)
    return found[1] if found else ""


def visible(text: str) -> str:
    """The text without escape sequences and characters that show nothing."""
    text = _ANSI.sub("", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(char for char in text if char in _KEPT_CONTROLS or unicodedata.category(char)[0] != "C")


def exit_code(line: str) -> int | None:
    """The code in the runner's last word of a failed step; None for any other line."""
    found = _EXIT.match(line)
    return int(found[1]) if found else None


def excerpt(text: str, limit: int) -> str:
    """At most `limit` characters: the start and, with three quarters of the room, the end; the rest is counted.

    Secrets go before anything is cut: half of one has no shape by which it could be found later.
    """
    if len(text) <= limit or len(text := redact(text)) <= limit:
        return text
    room = max(0, limit - 48)
    head, tail = room // 4, room - room // 4
    note = f"\n[... {len(text) - head - tail} characters left out ...]\n"
    return (text[:head] + note + (text[-tail:] if tail else ""))[: max(0, limit)]


def ending(text: str, most: int) -> str:
    """The last `most` characters, without secrets where something is cut."""
    return text if len(text) <= most else redact(text)[-most:]


def normalise(line: str) -> str:
    """The line with everything masked that differs between two days or two machines, for comparing failures.

    Secrets go too: a stored log does not show them any more, a fresh output may.
    """
    line = redact(line)
    for pattern, mask in _MASKS:
        line = pattern.sub(mask, line)
    return " ".join(line.split())


def signature_lines(text: str, limit: int = 40) -> tuple[str, ...]:
    """The last lines that speak of an error, normalised, in order, without repeats."""
    found: dict[str, None] = {}
    for line in reversed(text.split("\n")):
        if len(found) >= limit:
            break
        if line.strip() and _ERROR_WORD.search(line) and exit_code(line) is None:
            found.setdefault(normalise(line.removeprefix("##[error]")))
    return tuple(reversed(found))
