"""The lists of requirements in a repository of Python: where they are, how one line is added in their own style, and
what differs between two states of such a file.
"""

from __future__ import annotations

import configparser
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from workers import lockfiles
from workers.requirements import normal, setup_py
from workers.tables import dig, toml

_REQUIREMENT = re.compile(
    r"[ \t]*(?P<name>[A-Za-z0-9][\w.-]{0,100})(?:[ \t]*\[[^\]\n]{0,200}\])?[ \t]*(?:[=<>~!;@ #].{0,500})?$"
)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_BOUND = re.compile(r"(?:<|!=)[0-9][A-Za-z0-9.!_-]{0,60}")
_HEADER = re.compile(r"^\[+(?P<name>[^\]\n]{1,200})\]+[ \t]*(?:#.*)?$")
_IN_ARRAY = re.compile(r"(?:[ \t\n,]{1,1000}|#[^\n]{0,1000})|(?P<string>\"(?:[^\"\\\n]|\\.){0,500}\"|'[^'\n]{0,500}')")
_Keys = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A list of requirements: the file, and the keys that lead to it; no keys in a file that is one list."""

    path: str
    keys: _Keys = ()


def places(path: str, data: bytes) -> tuple[Place, ...]:
    """The lists of one file, those that are needed at run time first."""
    name, text = PurePosixPath(path).name, data.decode("utf-8", "replace")
    if name == "pyproject.toml":
        return tuple(Place(path, keys) for keys in _toml_lists(toml(text) or {}))
    if name == "setup.cfg":
        config = _cfg(text)
        keys = [("options", "install_requires")] if config.get("options", "install_requires") else []
        extras = config.section("options.extras_require")
        return tuple(Place(path, one) for one in (*keys, *(("options.extras_require", key) for key in extras)))
    is_list = "require" in path.lower() and "constraint" not in name.lower() and name.endswith((".txt", ".in"))
    return (Place(path),) if is_list and not lockfiles.of(path, data) else ()


def names(place: Place, data: bytes) -> frozenset[str]:
    """The normal names of what a list holds."""
    return frozenset(_entries(_held(place, data)))


def entries(place: Place, data: bytes) -> tuple[str, ...]:
    """What a list holds, as it is written; nothing for a table of Poetry, which is no list."""
    held = _held(place, data)
    return tuple(one.strip() for one in held if isinstance(one, str)) if isinstance(held, list) else ()


def with_one(place: Place, data: bytes, name: str, bound: str = "") -> bytes | None:
    """The file with one requirement more, without a version or with a bound of it, in the list's order and style; None
    when this cannot be done so that nothing else changes."""
    plain = _PLAIN.fullmatch(name) and (not bound or (_BOUND.fullmatch(bound) and "poetry" not in place.keys))
    if not plain or b"\r" in data or b"--hash=" in data:
        return None
    text, line = data.decode("utf-8", "surrogateescape"), f"{name}{bound}"
    if PurePosixPath(place.path).name == "pyproject.toml":
        new = _in_toml(text, place.keys, line)
    elif place.keys:
        new = _in_cfg(text, place.keys, line)
    else:
        new = _in_lines(text, line)
    made = new.encode("utf-8", "surrogateescape") if new is not None else None
    return made if made is not None and added(place.path, data, made) == frozenset({normal(name)}) else None


def added(path: str, before: bytes, after: bytes) -> frozenset[str] | None:
    """The normal names of the requirements that came to the file's lists; None when anything else differs."""
    old, new = (data.decode("utf-8", "replace") for data in (before, after))
    gone, came = _lines_changed(old, new)
    found: list[str] | None = came
    if PurePosixPath(path).name == "pyproject.toml":
        try:
            found = _grown(toml(old) or {}, toml(new) or {}, ())
        except RecursionError:
            return None
        few = found is not None and len(gone) <= len(found) and len(came) <= len(found) * 2
    else:
        few = bool(places(path, before)) and not any(map(str.strip, gone)) and _same_but_lists(path, old, new)
    if not few or found is None or not all(map(_REQUIREMENT.fullmatch, found)):
        return None
    return frozenset(_entries(found))


def _held(place: Place, data: bytes) -> object:
    """The list, or Poetry's table, as it was read."""
    text, name = data.decode("utf-8", "replace"), PurePosixPath(place.path).name
    if name == "setup.py":
        return [one.text for one in setup_py.written(data)]
    if name == "pyproject.toml":
        return dig(toml(text), *place.keys)
    return (_cfg(text).get(*place.keys) if place.keys else text).splitlines()


def _entries(values: object) -> Iterator[str]:
    """The names in a list's strings, or in a table of Poetry."""
    for value in values if isinstance(values, list | dict) else ():
        if isinstance(value, str) and (match := _REQUIREMENT.match(value)):
            yield normal(match["name"])


# pyproject.toml


def readable(text: str) -> bool:
    """It is TOML with something in it."""
    return bool(toml(text))


def _toml_lists(document: Mapping[str, Any]) -> Iterator[_Keys]:
    if isinstance(dig(document, "project", "dependencies"), list):
        yield ("project", "dependencies")
    if isinstance(dig(document, "tool", "poetry", "dependencies"), dict):
        yield ("tool", "poetry", "dependencies")
    for parent in (("dependency-groups",), ("project", "optional-dependencies"), ("tool", "pdm", "dev-dependencies")):
        groups = dig(document, *parent)
        named = groups if isinstance(groups, dict) else {}
        yield from ((*parent, key) for key in named if isinstance(named[key], list))
    if isinstance(dig(document, "tool", "uv", "dev-dependencies"), list):
        yield ("tool", "uv", "dev-dependencies")
    groups = dig(document, "tool", "poetry", "group")
    for key in groups if isinstance(groups, dict) else ():
        if isinstance(dig(groups, key, "dependencies"), dict):
            yield ("tool", "poetry", "group", key, "dependencies")
    if isinstance(dig(document, "tool", "poetry", "dev-dependencies"), dict):
        yield ("tool", "poetry", "dev-dependencies")


def _grown(old: object, new: object, keys: _Keys) -> list[str] | None:
    """The requirements that lists of the new document have more; None when anything else differs."""
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        poetry = keys[:2] == ("tool", "poetry") and keys[-1:] in (("dependencies",), ("dev-dependencies",))
        more = new.keys() - old.keys()
        if old.keys() - new.keys() or (more and not (poetry and all(new[key] == "*" for key in more))):
            return None
        parts = [_grown(old[key], new[key], (*keys, key)) for key in old]
        return None if None in parts else [*more, *(one for part in parts for one in part or [])]
    if isinstance(old, list) and isinstance(new, list) and _holds_requirements(keys):
        left = list(new)
        for value in old:
            if value not in left:
                return None
            left.remove(value)
        return left if all(isinstance(value, str) for value in left) else None
    return None


def _holds_requirements(keys: _Keys) -> bool:
    return keys in (("project", "dependencies"), ("tool", "uv", "dev-dependencies")) or keys[:-1] in (
        ("dependency-groups",), ("project", "optional-dependencies"), ("tool", "pdm", "dev-dependencies"),
    )  # fmt: skip


def _in_toml(text: str, keys: _Keys, name: str) -> str | None:
    """The document with the requirement in its list, or in Poetry's table."""
    lines = text.split("\n")
    if keys[:2] == ("tool", "poetry"):
        section = table(lines, keys)
        if section is None:
            return None
        first, end = section
        rows = [at for at in range(first, end) if re.match(r"[\w\"'.-]+[ \t]*=", lines[at])]
        place = _in_order([lines[at].split("=")[0].strip(" \"'") for at in rows], name, keep_first="python")
        row = rows[place] if place < len(rows) else (rows[-1] + 1 if rows else first)
        return "\n".join([*lines[:row], f'{name} = "*"', *lines[row:]])
    section = table(lines, keys[:-1])
    if section is None:
        return None
    first, end = section
    begins = re.compile(rf"[\"']?{re.escape(keys[-1])}[\"']?[ \t]*=[ \t]*\[")
    opened = next((at for at in range(first, end) if begins.match(lines[at])), None)
    if opened is None:
        return None
    offset = sum(len(line) + 1 for line in lines[:opened])
    return _in_array(text, text.index("[", text.index("=", offset)), name)


def table(lines: list[str], keys: _Keys) -> tuple[int, int] | None:
    """The lines of a table, its header left out."""
    heads = [(at, match["name"]) for at, line in enumerate(lines) if (match := _HEADER.match(line.strip()))]
    for number, (at, head) in enumerate(heads):
        if tuple(part.strip(" \"'") for part in head.split(".")) == keys:
            return at + 1, heads[number + 1][0] if number + 1 < len(heads) else len(lines)
    return None


def _in_array(text: str, opened: int, name: str) -> str | None:
    """The text with one more string in the array that begins at `opened`."""
    strings, at = _strings(text, opened + 1)
    if at >= len(text) or text[at] != "]":
        return None
    if not strings:
        return f'{text[: opened + 1]}"{name}"{text[at:]}' if not text[opened + 1 : at].strip() else None
    quote = strings[-1][0][0]
    place = _in_order([_called(match[0][1:-1]) for match in strings], name)
    item, inline = f"{quote}{name}{quote}", "\n" not in text[opened : strings[-1].start()]
    if place < len(strings):
        start = strings[place].start()
        line = text.rfind("\n", 0, start) + 1
        return f"{text[:start]}{item},{' ' if inline else chr(10) + text[line:start]}{text[start:]}"
    end, line = strings[-1].end(), text.rfind("\n", 0, strings[-1].start()) + 1
    if inline:
        return f"{text[:end]}, {item}{text[end:]}"
    indent = text[line : strings[-1].start()]
    if indent.strip():
        return None
    rest, comma = text.find("\n", end), text[end : end + 1] == ","
    if rest < 0 or "]" in text[end:rest].partition("#")[0]:
        return None
    if comma:
        return f"{text[:rest]}\n{indent}{item},{text[rest:]}"
    return f"{text[:end]},{text[end:rest]}\n{indent}{item}{text[rest:]}"


def _strings(text: str, at: int) -> tuple[list[re.Match[str]], int]:
    """The strings of an array from here on, and where something else stands: its end, if it holds only strings."""
    found = []
    while match := _IN_ARRAY.match(text, at):
        at = match.end()
        if match["string"]:
            found.append(match)
    return found, at


# setup.cfg


class _Config:
    """A configuration file, as far as it can be read."""

    def __init__(self, text: str) -> None:
        self.parser = configparser.RawConfigParser()
        try:
            self.parser.read_string(text)
        except (configparser.Error, ValueError):
            self.parser = configparser.RawConfigParser()

    def get(self, section: str, key: str) -> str:
        return self.parser.get(section, key, fallback="")

    def section(self, name: str) -> tuple[str, ...]:
        return tuple(self.parser[name]) if self.parser.has_section(name) else ()


def _cfg(text: str) -> _Config:
    return _Config(text)


def _same_but_lists(path: str, old: str, new: str) -> bool:
    """Nothing but lists of requirements differs, where the file holds more than that."""
    if PurePosixPath(path).name != "setup.cfg":
        return True
    before, after = (_cfg(text).parser for text in (old, new))
    if before.sections() != after.sections():
        return False
    keys = [(section, key) for section in after.sections() for key in after[section]]
    return all(
        before.get(section, key, fallback=None) == after.get(section, key)
        or section == "options.extras_require" or (section, key) == ("options", "install_requires")
        for section, key in keys
    )  # fmt: skip


def _in_cfg(text: str, keys: _Keys, name: str) -> str | None:
    lines = text.split("\n")
    section = table(lines, tuple(keys[0].split(".")))
    if section is None:
        return None
    first, end = section
    begins = re.compile(rf"{re.escape(keys[1])}[ \t]*[=:][ \t]*$")
    start = next((at for at in range(first, end) if begins.match(lines[at])), None)
    if start is None:
        return None
    last = start + 1
    while last < end and re.match(r"[ \t]+\S", lines[last]):
        last += 1
    rows = lines[start + 1 : last]
    if not rows:
        return None
    indent = rows[-1][: len(rows[-1]) - len(rows[-1].lstrip())]
    place = _in_order([_called(row.strip()) for row in rows], name)
    return "\n".join([*lines[: start + 1 + place], f"{indent}{name}", *lines[start + 1 + place :]])


# Files that are a list


def _in_lines(text: str, name: str) -> str:
    lines = text.split("\n")
    ends = lines and not lines[-1]
    rows = lines[:-1] if ends else lines
    wanted = [at for at, row in enumerate(rows) if _REQUIREMENT.fullmatch(row)]
    place = _in_order([_called(rows[at]) for at in wanted], name)
    row = wanted[place] if place < len(wanted) else (wanted[-1] + 1 if wanted else len(rows))
    return "\n".join([*rows[:row], name, *rows[row:], *([""] if ends or not text else [])])


def _in_order(known: list[str], name: str, keep_first: str = "") -> int:
    """Where a name goes: in the order of the alphabet where the list has it, else at the end."""
    order = [normal(one) for one in known if one != keep_first]
    ahead = len(known) - len(order)
    if len(order) < 2 or order != sorted(order):
        return len(known)
    return ahead + next((at for at, one in enumerate(order) if one > normal(name)), len(order))


def _called(requirement: str) -> str:
    match = _REQUIREMENT.match(requirement)
    return match["name"] if match else requirement


def _lines_changed(old: str, new: str) -> tuple[list[str], list[str]]:
    """(lines that are gone, lines that came), each as often as it did."""
    before, after = Counter(old.split("\n")), Counter(new.split("\n"))
    return list((before - after).elements()), list((after - before).elements())
