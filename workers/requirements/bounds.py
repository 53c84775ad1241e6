"""One requirement that leaves a release out: how the bound is written into a list in its own style, and nothing else.

What is pinned to one version already has it from the repository itself, so that no bound is written there.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

from workers import lockfiles
from workers.requirements import normal
from workers.requirements.lists import Place, entries, places, with_one

_SPEC = r"(?:[<>~!]=|[<>])[ \t]*[\w.*+!-]{1,60}"
_ENTRY = re.compile(
    r"(?P<head>(?P<name>[A-Za-z0-9][\w.-]{0,100})(?:[ \t]*\[[^\]\n]{0,200}\])?)"
    rf"(?P<specs>(?:[ \t]*{_SPEC}(?:[ \t]*,[ \t]*{_SPEC}){{0,10}})?)(?P<rest>[ \t]*(?:[;#].{{0,500}})?)"
)
_NUMBERS = re.compile(r"\d{1,9}")


def listed(path: str, data: bytes) -> tuple[Place, ...]:
    """The lists of a file that a bound may stand in: those of requirements, and files of constraints."""
    name = PurePosixPath(path).name.lower()
    constraints = "constraint" in name and name.endswith(".txt") and not lockfiles.of(path, data)
    return (Place(path),) if constraints else places(path, data)


def with_bound(place: Place, data: bytes, name: str, bound: str) -> bytes | None:
    """The file whose requirement `name` has the bound (`<2.0`), or with a bounded one more where it has none of that
    name; None when this cannot be done so that nothing else changes."""
    before = entries(place, data)
    own = [entry for entry in before if (match := _ENTRY.fullmatch(entry)) and normal(match["name"]) == normal(name)]
    if any(_name(entry) == normal(name) for entry in before if entry not in own) or len(own) > 1:
        return None
    if not own:
        return with_one(place, data, name, bound)
    after = _narrowed(own[0], bound)
    if b"\r" in data or b"--hash=" in data:
        return None
    text = _replaced(place, data.decode("utf-8", "surrogateescape"), own[0], after)
    made = text.encode("utf-8", "surrogateescape") if text is not None else None
    wanted = Counter(before) - Counter(own) + Counter([after])
    return made if made is not None and Counter(entries(place, made)) == wanted else None


def bounds(before: str, after: str) -> tuple[str, ...]:
    """What leaves the later of two versions out, likeliest first: a release that changes more than its last number is
    followed by others like it, a spoiled one by one that is mended. Nothing where the second is not the later."""
    old, new = (tuple(map(int, _NUMBERS.findall(version))) for version in (before, after))
    if not old < new:
        return ()
    found = (f"<{after}", f"!={after}")
    return found if old[:2] != new[:2] else found[::-1]


def _narrowed(entry: str, bound: str) -> str:
    match = _ENTRY.fullmatch(entry)
    if match is None:
        return entry
    comma = ", " if ", " in match["specs"] else ","
    return f"{match['head']}{match['specs']}{comma if match['specs'] else ''}{bound}{match['rest']}"


def _replaced(place: Place, text: str, old: str, new: str) -> str | None:
    """The text with one entry written otherwise; None unless it stands there exactly once."""
    if PurePosixPath(place.path).name == "pyproject.toml":
        quoted = [(f"{quote}{old}{quote}", f"{quote}{new}{quote}") for quote in "\"'"]
        there = [pair for pair in quoted if pair[0] in text]
        return text.replace(*there[0]) if len(there) == 1 and text.count(there[0][0]) == 1 else None
    lines = text.split("\n")
    at = [number for number, line in enumerate(lines) if line.strip() == old]
    if len(at) != 1:
        return None
    lines[at[0]] = lines[at[0]].replace(old, new)
    return "\n".join(lines)


def _name(entry: str) -> str:
    match = re.match(r"[A-Za-z0-9][\w.-]{0,100}", entry)
    return normal(match[0]) if match else ""
