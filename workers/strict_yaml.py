"""Reads YAML that strangers wrote: no tags but named ones, no repeated keys, bounded size, depth and aliases, and YAML
1.2's booleans.

`on`, `off`, `yes` and `no` stay words, as on GitHub; every value's place in the text is kept for messages.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]

_MAX_DEPTH = 40
_MAX_NODES = 50_000
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class YamlProblem(Exception):  # noqa: N818 - a finding about someone's file
    """Why the text was refused. `line` and `column` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Tagged:
    """A value under a tag that the reader of the file knows (`!reference [a, b]`)."""

    tag: str
    value: object


@dataclass(frozen=True)
class Document:
    """The value and where each part of it starts: path of keys and indexes -> (line, column), from 1."""

    value: object
    places: Mapping[Path, tuple[int, int]]

    def place(self, path: Path) -> tuple[int, int]:
        """The place of a path, or of the nearest thing around it that is in the text."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


@dataclass
class _Reader:
    events: Iterator[yaml.Event]
    max_aliases: int
    tags: Collection[str] = ()
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    anchors: dict[str, tuple[object, int]] = field(default_factory=dict)
    aliases: int = 0
    nodes: int = 0

    def read(self, event: yaml.Event, path: Path) -> object:
        self.count(event, 1)
        self.places.setdefault(path, _place(event))
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        if not isinstance(event, yaml.NodeEvent):
            raise _problem("something that is no value", event)
        before = self.nodes
        if len(path) > _MAX_DEPTH:
            raise _problem("nested too deeply", event)
        value = self.tagged(event, path)
        if event.anchor:
            self.anchors[event.anchor] = (value, self.nodes - before)
        return value

    def tagged(self, event: yaml.NodeEvent, path: Path) -> object:
        tag = getattr(event, "tag", None)
        if tag is None:
            return self.value(event, path)
        if tag not in self.tags:
            raise _problem("tags (`!...`) are not allowed", event)
        return Tagged(tag, self.value(event, path))

    def value(self, event: yaml.NodeEvent, path: Path) -> object:
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0] and event.style in (None, "")
            return _scalar(event.value) if plain else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        return self.mapping(path)

    def alias(self, event: yaml.AliasEvent) -> object:
        self.aliases += 1
        if self.aliases > self.max_aliases:
            raise _problem(f"more than {self.max_aliases} aliases", event)
        if event.anchor not in self.anchors:
            raise _problem(f"alias *{event.anchor} has no finished anchor before it", event)
        value, size = self.anchors[event.anchor]
        self.count(event, size)
        return value

    def count(self, event: yaml.Event, n: int) -> None:
        self.nodes += n
        if self.nodes > _MAX_NODES:
            raise _problem("too many values", event)

    def sequence(self, path: Path) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.read(event, (*path, len(items))))
        return items

    def mapping(self, path: Path) -> dict[str, object]:
        items: dict[str, object] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _problem("a key must be a word", event)
            key = event.value
            if key in items:
                raise _problem(f'key "{key}" is there twice', event)
            self.places[(*path, key)] = _place(event)
            items[key] = self.read(next(self.events), (*path, key))
        return items


def load(text: str, *, max_bytes: int, max_aliases: int, tags: Collection[str] = ()) -> Document:
    """Read one document; values under one of the `tags` are `Tagged`. Raises `YamlProblem` with the place of what is
    wrong."""
    size = len(text.encode(errors="replace"))
    if size > max_bytes:
        raise YamlProblem(f"the file has {size} bytes, more than the {max_bytes} allowed")
    return _document(_Reader(_events(text), max_aliases, tags))


def _events(text: str) -> Iterator[yaml.Event]:
    """One by one, so that what is nested too deeply is refused before the rest is parsed: for each opening bracket the
    parser looks at all that are open, so 64 kB of them took it five seconds."""
    try:
        yield from yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = error.problem or error.context or "not YAML"
        raise YamlProblem(message, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise YamlProblem(f"characters that YAML does not allow ({type(error).__name__})") from error


def _document(reader: _Reader) -> Document:
    value: object = None
    documents = 0
    for event in reader.events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _problem("more than one document in the file", event)
        elif isinstance(event, yaml.NodeEvent):
            value = reader.read(event, ())
    return Document(value, reader.places)


def _scalar(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= 40 and _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _problem(message: str, event: yaml.Event) -> YamlProblem:
    return YamlProblem(message, *_place(event))
