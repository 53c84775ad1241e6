"""What is wrong with a `heal.yml`, said in words: the place, what was expected, what was meant, and how it is right.

Whatever is offered as a correction was tried: it is a valid file by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from workers.repo_config import fields
from workers.repo_config.fields import Path
from workers.strict_yaml import Document

_SHOWN = 80
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_KEPT = 500
"""Characters of a wrong value that is still offered back in a correction."""
_TWO_WAYS = ("publish",)
"""Where the one rule over several keys is broken: `mode: push` beside another way."""
_REASONS: Mapping[str, str] = {
    "bool_type": "true or false",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "model_type": "keys and values",
    "dict_type": "keys and values",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where (from 1), at which key, why. `snippet` is how it could stand there, as YAML."""

    path: str
    line: int
    column: int
    key: str
    reason: str
    snippet: str = ""

    def __str__(self) -> str:
        key = f" {self.key} -" if self.key else ""
        return f"{self.path}:{self.line}:{self.column}{key} {self.reason}"


def problem(details: ErrorDetails, document: Document, model: type[BaseModel], path: str) -> Problem:
    """What one of pydantic's findings means for the person who wrote the file."""
    location = details["loc"] or _TWO_WAYS
    line, column = document.place(location)
    unknown = details["type"] == "extra_forbidden"
    reason = _unknown(location, model) if unknown else _expected(details, location, model)
    value = details["input"] if details["loc"] else "push"
    meant = _meant(location, value, model) if unknown else _corrected(location, value, model)
    return Problem(path, line, column, ".".join(map(str, location)), reason, meant)


def shown(value: object) -> str:
    """A value of the file in a sentence."""
    text = (
        f'"{value}"'
        if isinstance(value, str)
        else {dict: "keys and values", list: "a list", type(None): "nothing"}.get(type(value), str(value).lower())
    )
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _unknown(location: Path, model: type[BaseModel]) -> str:
    section = fields.section_at(model, location[:-1]) or model
    allowed = sorted(section.model_fields)
    meant = fields.near(str(location[-1]), allowed)
    hint = f' Did you mean "{meant}"?' if meant else ""
    if not meant and (home := _home(str(location[-1]), model)):
        hint = f' It belongs under "{".".join(home[:-1])}".' if home[:-1] else " It belongs to the top of the file."
    return f"unknown key.{hint} Allowed: {', '.join(allowed)}"


def _home(key: str, model: type[BaseModel]) -> tuple[str, ...] | None:
    """Where a key of this name is at home, if there is one such place only."""
    found = [leaf.path for leaf in fields.leaves(model) if leaf.path[-1] == key]
    return found[0] if len(found) == 1 else None


def _expected(details: ErrorDetails, location: Path, model: type[BaseModel]) -> str:
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    found = fields.field_at(model, location)
    got = f", got {shown(value)}"
    if kind == "literal_error":
        return f"expected {context.get('expected')}{got}"
    if found and found[0] == location and (limits := fields.bounds(found[1])):
        example = fields.example(found[1])
        word = f", or such as `{example}`" if isinstance(example, str) else ""
        return f"expected a number between {limits[0]:g} and {limits[1]:g}{word}{got}"
    if kind in ("too_long", "string_too_long"):
        what = "characters" if kind == "string_too_long" else "entries"
        return f"expected at most {context['max_length']} {what}{got}"
    if kind == "missing":
        return "this key is needed"
    if kind == "string_too_short":
        return f"expected text{got}"
    if kind == "value_error" and not details["loc"]:
        return str(context["error"])
    plain = details["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"expected {_REASONS.get(kind, plain)}{got}"


def _meant(location: Path, value: object, model: type[BaseModel]) -> str:
    """An unknown key as the known one that it resembles, or in the section where it is at home."""
    section = fields.section_at(model, location[:-1]) or model
    key = fields.near(str(location[-1]), sorted(section.model_fields))
    path: Path | None = (*location[:-1], key) if key else _home(str(location[-1]), model)
    return _corrected(path, value, model) if path else ""


def _corrected(location: Path, value: object, model: type[BaseModel]) -> str:
    """The key with the nearest value that is valid."""
    found = fields.field_at(model, location)
    if found is None:
        return ""
    path, field = found
    fits = path == location and len(str(value)) <= _KEPT
    wishes = [*(_near(value, field) if fits else ()), fields.example(field)]
    return next((text for wish in wishes if (text := snippet(path, wish)) and _valid(model, text)), "")


def _near(value: object, field: FieldInfo) -> Iterator[object]:
    """What was probably meant by a value, nearest first."""
    yield value
    if isinstance(value, str):
        yield [value]
        value = (float(value) if "." in value else int(value)) if _NUMBER.fullmatch(value) else value
    if isinstance(value, str) and (word := fields.near(value, fields.choices(field))):
        yield word
    if (limits := fields.bounds(field)) and isinstance(value, int | float) and not isinstance(value, bool):
        yield min(max(value, limits[0]), limits[1])


def snippet(path: Sequence[str | int], value: object) -> str:
    """The key with this value as YAML, inside the sections it belongs to."""
    if isinstance(value, BaseModel):  # a section: its first key shows how it is written
        first = next(fields.leaves(type(value)))
        path, value = (*path, *first.path), fields.example(first.field)
    if isinstance(value, tuple):
        value = list(value)
    try:
        return yaml.safe_dump(fields.nested(path, value), default_flow_style=False, sort_keys=False, width=100)
    except yaml.YAMLError:
        return ""


def _valid(model: type[BaseModel], text: str) -> bool:
    try:
        model.model_validate(yaml.safe_load(text))
    except ValidationError:
        return False
    return True
