"""What a diff changes, whatever the lines around it and their numbers: to see that two diffs are the same change, or
that one takes the other back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator


def essence(patch: str) -> tuple[str, ...]:
    """The files' names with the lines taken out and put in, in order. Works on any text, in time linear in it."""
    return tuple(line for line, _ in _lines(patch))


def undoes(later: str, earlier: str) -> bool:
    """In some file the later diff takes out all that the earlier one put in, and puts back all that it took out.

    Empty lines are nobody's change.
    """
    back, made = _by_file(later), _by_file(earlier)
    return any(
        name in back and (out or put) and put <= back[name][0] and out <= back[name][1]
        for name, (out, put) in made.items()
    )


def _by_file(patch: str) -> dict[str, tuple[Counter[str], Counter[str]]]:
    """For each file the lines taken out and those put in."""
    found: dict[str, tuple[Counter[str], Counter[str]]] = {}
    name = ""
    for line, inside in _lines(patch):
        text = line[1:].strip()
        if not inside:
            name = line[4:].removeprefix("a/").removeprefix("b/") if line[4:] != "/dev/null" else name
        elif text:
            found.setdefault(name, (Counter(), Counter()))[line[0] == "+"][text] += 1
    return found


def _lines(patch: str) -> Iterator[tuple[str, bool]]:
    """The lines that count, and whether they are a file's content or its name."""
    inside = False
    for line in patch.splitlines():
        if line.startswith("diff --git "):
            inside = False
        elif line.startswith("@@ "):
            inside = True
        elif line.startswith(("+", "-") if inside else ("+++ ", "--- ")):
            yield line.rstrip(), inside
