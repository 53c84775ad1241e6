"""Compares a text that was interpolated with the template it came from, and reads off what stood in the holes.

Literal parts are looked for from the left, so that any template and text take one pass each.
"""

from __future__ import annotations

from collections.abc import Mapping


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
    if not holes:
        return {} if template == text else None
    if not text.startswith(parts[0]) or not text.endswith(parts[-1]) or len(text) < len(parts[0]) + len(parts[-1]):
        return None
    found: dict[str, str] = {}
    at, last = len(parts[0]), len(text) - len(parts[-1])
    for hole, after in zip(holes, [*parts[1:-1], None], strict=True):
        end = last if after is None else text.find(after, at, last)
        if end < 0 or found.setdefault(hole, text[at:end]) != text[at:end]:
            return None
        at = end + len(after or "")
    return found
