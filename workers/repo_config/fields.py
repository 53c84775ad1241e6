"""The keys of the file as a tree that can be asked: which field stands at a path, what it may hold, what is near it.

A path is what pydantic and the YAML reader call a place: names of keys, and positions in lists.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """A key that holds a value: its path and its field."""

    path: tuple[str, ...]
    field: FieldInfo

    @property
    def name(self) -> str:
        """As people write it: `policy.max_files`."""
        return ".".join(self.path)


def leaves(model: type[BaseModel], before: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every key with a value of its own, in the order of the file."""
    for name, field in model.model_fields.items():
        if (section := _model(field.annotation)) is not None:
            yield from leaves(section, (*before, name))
        else:
            yield Leaf((*before, name), field)


def section_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The section at a path; None where a value stands or nothing is known."""
    section: type[BaseModel] | None = model
    rest = list(path)
    while rest and section is not None:
        field = section.model_fields.get(str(rest.pop(0)))
        section = _model(field.annotation) if field else None
        if section is None and field is not None and rest:
            section = _values(field.annotation)
            rest.pop(0)  # the free name of an entry
    return section


def field_at(model: type[BaseModel], path: Path) -> tuple[Path, FieldInfo] | None:
    """The innermost field around a path, with the part of the path that leads to it."""
    for end in range(len(path), 0, -1):
        section = section_at(model, path[: end - 1])
        field = section.model_fields.get(str(path[end - 1])) if section else None
        if field is not None:
            return path[:end], field
    return None


def bounds(field: FieldInfo) -> tuple[float, float] | None:
    """The least and the greatest number, where a field has both."""
    low = next((rule.ge for rule in field.metadata if isinstance(rule, annotated_types.Ge)), None)
    high = next((rule.le for rule in field.metadata if isinstance(rule, annotated_types.Le)), None)
    return (low, high) if isinstance(low, int | float) and isinstance(high, int | float) else None


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The words a field takes, when it takes only some."""
    held = typing.get_args(field.annotation) if typing.get_origin(field.annotation) is typing.Literal else ()
    return tuple(one for one in held if isinstance(one, str))


def near(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant."""
    found = difflib.get_close_matches(word[:100], known, n=3)
    found.sort(key=lambda name: sorted(name) != sorted(word))  # swapped letters are the likeliest slip
    return found[0] if found else None


def example(field: FieldInfo) -> object:
    """A value that shows what is meant: the field's own example, else its default."""
    return field.examples[0] if field.examples else field.get_default(call_default_factory=True)


def nested(path: Sequence[str | int], value: object) -> object:
    """The tree of keys that holds the value at the path and nothing else."""
    for name in reversed(path):
        value = {str(name): value}
    return value


def _model(kind: object) -> type[BaseModel] | None:
    if typing.get_origin(kind) is not None or not isinstance(kind, type):  # `tuple[str, ...]` calls itself a type, too
        return None
    return kind if issubclass(kind, BaseModel) else None


def _values(kind: object) -> type[BaseModel] | None:
    """What the entries of a mapping are."""
    return _model(typing.get_args(kind)[1]) if typing.get_origin(kind) is dict else None
