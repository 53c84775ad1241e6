"""Compares a text that was interpolated with the template it came from, and reads off what stood in the holes.

Literal parts are looked for from the left, so that any template and text take one pass each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def split(template: str) -> tuple[list[str], list[str]]:
    """The literal parts and, between them, the expressions without `${{ }}`: one less than parts."""
    parts, holes, done = list[str](), list[str](), 0
    while (start := template.find("${{", done)) >= 0 and (end := template.find("}}", start)) >= 0:
        parts.append(template[done:start])
        holes.append(template[start + 3 : end].strip())
        done = end + 2
    return [*parts, template[done:]], holes


def captures(template: str, text: str) -> Mapping[str, str] | None:
    """What each expression of the template became in the text; None when the text is not made from it."""
    parts, holes = split(template)
    between = fill(parts, text)
    if between is None:
        return None
    found: dict[str, str] = {}
    for hole, value in zip(holes, between, strict=True):
        if found.setdefault(hole, value) != value:
            return None
    return found


def fill(parts: Sequence[str], text: str) -> list[str] | None:
    """What stands between the literal parts in the text, one less than parts; None when they are not all of it."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return [] if text == first else None
    at, end = len(first), len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or end < at:
        return None
    found: list[str] = []
    for part in parts[1:-1]:
        there = text.find(part, at, end)
        if there < 0:
            return None
        found.append(text[at:there])
        at = there + len(part)
    return [*found, text[at:end]]
