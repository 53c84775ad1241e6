"""One requirement that leaves a release out: how the bound is written into a list in its own style, and nothing else.

What is pinned to one version already has it from the repository itself, so that no bound is written there. A setup.py
takes one where the requirement is a plain string of it, a table of Poetry where it is a plain version.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

from workers import lockfiles
from workers.requirements import normal, setup_py
from workers.requirements.lists import Place, entries, places, readable, table, with_one

_SPEC = r"(?:[<>~!]=|[<>])[ \t]*[\w.*+!-]{1,60}"
_ENTRY = re.compile(
    r"(?P<head>(?P<name>[A-Za-z0-9][\w.-]{0,100})(?:[ \t]*\[[^\]\n]{0,200}\])?)"
    rf"(?P<specs>(?:[ \t]*{_SPEC}(?:[ \t]*,[ \t]*{_SPEC}){{0,10}})?)(?P<rest>[ \t]*(?:[;#].{{0,500}})?)"
)
_KEY = re.compile(r"[ \t]*[\"']?(?P<name>[A-Za-z0-9][\w.-]{0,100})[\"']?[ \t]*=")
_VERSION = re.compile(
    r"(?P<head>[^=#\n]{1,110}=[ \t]*(?:\{[^\"'\n]{0,100}?version[ \t]*=[ \t]*)?(?P<quote>[\"']))"
    r"(?P<spec>[^\"'\n]{1,200})(?P<rest>(?P=quote).{0,500})"
)
"""A line of a table of Poetry: a version, or an inline table that begins with one."""
_OPEN = re.compile(r"\*|(?:[\^~]|~=|[<>]=?|!=)[^|=]{1,200}(?:=[^|=]{1,100}){0,5}")
"""A version that leaves something open: neither one alone nor a choice."""
_NUMBERS = re.compile(r"\d{1,9}")


def listed(path: str, data: bytes) -> tuple[Place, ...]:
    """The lists of a file that a bound may stand in: those of requirements, and files of constraints."""
    name = PurePosixPath(path).name.lower()
    constraints = "constraint" in name and name.endswith(".txt") and not lockfiles.of(path, data)
    if constraints or (name == "setup.py" and setup_py.written(data)):
        return (Place(path),)
    return places(path, data)


def with_bound(place: Place, data: bytes, name: str, bound: str) -> bytes | None:
    """The file whose requirement `name` has the bound (`<2.0`), or with a bounded one more where it has none of that
    name; None when this cannot be done so that nothing else changes."""
    if "poetry" in place.keys:
        return _in_poetry(place, data, name, bound)
    before = entries(place, data)
    own = [entry for entry in before if (match := _ENTRY.fullmatch(entry)) and normal(match["name"]) == normal(name)]
    if any(_name(entry) == normal(name) for entry in before if entry not in own) or len(own) > 1:
        return None
    if not own:
        return with_one(place, data, name, bound) if PurePosixPath(place.path).name != "setup.py" else None
    after = _narrowed(own[0], bound)
    if b"\r" in data or b"--hash=" in data:
        return None
    if PurePosixPath(place.path).name == "setup.py":
        made = _in_setup(data, own[0], after)
    else:
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


def _in_setup(data: bytes, old: str, new: str) -> bytes | None:
    places = [one for one in setup_py.written(data) if one.text.strip() == old]
    if len(places) != 1:
        return None
    (one,) = places
    return data[: one.start] + one.text.replace(old, new).encode("utf-8", "replace") + data[one.end :]


def _in_poetry(place: Place, data: bytes, name: str, bound: str) -> bytes | None:
    """The table with the bound behind the version of one package, which stands in one line; None else."""
    text = data.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    span = table(lines, place.keys)
    if span is None or b"\r" in data:
        return None
    rows = [at for at in range(*span) if (key := _KEY.match(lines[at])) and normal(key["name"]) == normal(name)]
    match = _VERSION.fullmatch(lines[rows[0]]) if len(rows) == 1 else None
    if match is None or not _OPEN.fullmatch(match["spec"]):
        return None
    spec = match["spec"].strip()
    more = bound if spec == "*" else f"{spec}{', ' if ', ' in spec else ','}{bound}"
    lines[rows[0]] = f"{match['head']}{more}{match['rest']}"
    made = "\n".join(lines)
    return made.encode("utf-8", "surrogateescape") if readable(made) else None


def _name(entry: str) -> str:
    match = re.match(r"[A-Za-z0-9][\w.-]{0,100}", entry)
    return normal(match[0]) if match else ""
