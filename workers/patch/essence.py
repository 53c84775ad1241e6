"""What a diff changes, whatever the lines around it and their numbers: to see that two diffs are the same change."""

from __future__ import annotations


def essence(patch: str) -> tuple[str, ...]:
    """The files' names with the lines taken out and put in, in order. Works on any text, in time linear in it."""
    kept: list[str] = []
    inside = False
    for line in patch.splitlines():
        if line.startswith("diff --git "):
            inside = False
        elif line.startswith("@@ "):
            inside = True
        elif line.startswith(("+", "-") if inside else ("+++ ", "--- ")):
            kept.append(line.rstrip())
    return tuple(kept)
