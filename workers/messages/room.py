"""How much fits where on GitHub, and how a message is made to fit: what matters least gives way first.

A cut message is still whole Markdown: no fence and no folded section stays open, and no line is torn within an inline
code, because half of one would set the other half free.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

OUTPUT = 64_000
"""Bytes of a check run's summary and of its text. GitHub's description says 65,535 characters, GitHub itself counts
bytes (github/docs#35252)."""

_MARK = "\u2026"
_OPEN_FENCE = re.compile(r"(`{3,})[a-z]*")
_OPEN_FOLD = "<details>"
_CLOSE_FOLD = "</details>"
_SHORTEST = 200
"""Characters below which a part is not worth cutting any more."""


class Worth(IntEnum):
    """What a part of a message is for; the lowest gives way first."""

    ASIDE = 0  # logs, the recipe, what was tried: a link leads to all of it
    REASONING = 1  # what a model or a fixer thinks
    FACTS = 2  # findings, causes
    PROOF = 3  # the evidence, and what identifies the message


@dataclass(frozen=True)
class Part:
    """A part in ever shorter forms, the whole one first. One whose last form is empty can be left out."""

    worth: Worth
    forms: tuple[str, ...]


def in_bytes(text: str) -> int:
    """What GitHub counts in a check run's output."""
    return len(text.encode(errors="replace"))


def assemble(parts: Sequence[Part], limit: int, size: Callable[[str], int] = len) -> str:
    """The parts in their order, a blank line between them, within the limit."""
    chosen = [0] * len(parts)

    def whole() -> str:
        return "\n\n".join(text for text in map(form, range(len(parts))) if text)

    def form(n: int) -> str:
        return parts[n].forms[chosen[n]]

    while size(text := whole()) > limit:
        shorter = [n for n, part in enumerate(parts) if chosen[n] + 1 < len(part.forms)]
        if not shorter:
            return _squeezed([form(n) for n in range(len(parts))], limit, size)
        least = min(shorter, key=lambda n: (parts[n].worth, -size(form(n))))
        chosen[least] += 1
    return text


def _squeezed(texts: list[str], limit: int, size: Callable[[str], int]) -> str:
    """Nothing can be left out: the longest parts are cut, so that each still says something."""
    while size(text := "\n\n".join(one for one in texts if one)) > limit:
        longest = max(range(len(texts)), key=lambda n: size(texts[n]))
        had = size(texts[longest])
        texts[longest] = shorten(texts[longest], max(_SHORTEST, had - (size(text) - limit)), size)
        if size(texts[longest]) >= had:
            return shorten(text, limit, size)
    return text


def shorten(text: str, limit: int, size: Callable[[str], int] = len) -> str:
    """Our own Markdown cut after a line, with all that is open closed again."""
    if size(text) <= limit:
        return text
    kept: list[str] = []
    used, fence, folds = 0, "", 0
    for line in text.split("\n"):
        fence_after, folds_after = _fence(line, fence), folds + _folded(line, fence)
        room = limit - used - 1 - size(_ending(fence_after or fence, folds_after))
        if size(line) > room:
            kept.append(_torn(line if fence and fence_after else _prose(line), room, size))
            break
        kept.append(line)
        used += size(line) + 1
        fence, folds = fence_after, folds_after
    return "\n".join(kept).rstrip("\n") + _ending(fence, folds)


def _fence(line: str, fence: str) -> str:
    """The fence that is open after a line, '' for none."""
    if fence:
        return "" if line == fence else fence
    found = _OPEN_FENCE.fullmatch(line)
    return found[1] if found else ""


def _folded(line: str, fence: str) -> int:
    if fence:
        return 0
    return 1 if line.startswith(_OPEN_FOLD) else -1 if line == _CLOSE_FOLD else 0


def _ending(fence: str, folds: int) -> str:
    """The mark that something is missing, and what closes everything that is open."""
    folded = f"\n\n{_CLOSE_FOLD}" * folds
    return f"\n{_MARK}\n{fence}{folded}" if fence else f"{folded}\n\n{_MARK}"


def _prose(line: str) -> str:
    """What of a line outside a fence may be torn: half an inline code would set the other half free, and half a row or
    a half-opened fold is none."""
    return "" if line.startswith(("|", "<", "`")) else line.partition("`")[0].rstrip("\\")


def _torn(line: str, room: int, size: Callable[[str], int]) -> str:
    """As much of a line as there is room for."""
    most = max(room, 0)
    return (line[:most] if size is len else clipped(line, most)).rstrip("\\")


def clipped(text: str, most: int) -> str:
    """The beginning of a text without markup, no character of it torn; `most` in bytes."""
    return text.encode(errors="replace")[:most].decode(errors="ignore")
