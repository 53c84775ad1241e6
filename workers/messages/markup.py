"""Markdown that untrusted text cannot break out of: fences longer than any inside, no mentions, references or HTML."""

from __future__ import annotations

import re

LIMIT = 60_000
"""Characters of a body: GitHub takes 65,536 and refuses more; the rest is for what it adds itself."""

_REFERENCE = re.compile(r"(?<=\w)?([@#])(?=\w)")
_CLOSING = re.compile(r"\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(\s+)(?=[#@\w/-]*#\d)", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SPECIAL = re.compile(r"([\\`*{}\[\]<>|]|(?<!\w)_|_(?!\w))")
_CODE = re.compile(r"`([^`\n]+)`")
ZERO_WIDTH = "\u200b"


def quote(text: str) -> str:
    """Inline code that holds the text whole, whatever backticks it has. One line."""
    line = " ".join(_INVISIBLE.sub("", text).split()).replace("|", "\\|") or " "
    ticks = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fence(text: str, language: str = "text", limit: int = 8_000) -> str:
    """A fenced block longer than any fence inside; the middle of long text is cut and counted."""
    body = _INVISIBLE.sub("", text).strip("\n")
    if len(body) > limit:
        half = limit // 2
        body = f"{body[:half]}\n... {len(body) - limit} characters left out ...\n{body[-half:]}"
    ticks = "`" * max(3, 1 + max((len(run) for run in _BACKTICKS.findall(body)), default=0))
    return f"{ticks}{language}\n{body}\n{ticks}"


def plain(text: str) -> str:
    """Prose from outside: no formatting but inline code, no HTML, mention, reference, closing keyword or command."""
    flat = " ".join(_INVISIBLE.sub("", text).split())
    pieces = _CODE.split(flat)  # odd pieces stood between backticks
    shown = "".join(quote(piece) if n % 2 else _harmless(piece) for n, piece in enumerate(pieces))
    return f"{ZERO_WIDTH}{shown}" if shown.startswith(("/", "#", ">", "-", "+")) else shown


def _harmless(flat: str) -> str:
    flat = _CLOSING.sub(rf"\1{ZERO_WIDTH}\2", flat)
    flat = _SPECIAL.sub(r"\\\1", flat)
    return _REFERENCE.sub(rf"\1{ZERO_WIDTH}", flat).replace("://", f":{ZERO_WIDTH}//")


def details(summary: str, body: str) -> str:
    """A folded section."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def cut(text: str, limit: int) -> str:
    """The text, or its beginning with a mark that says it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "\u2026"
