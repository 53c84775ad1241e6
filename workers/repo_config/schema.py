"""The file's JSON Schema for editors, and a full example: both made from the model.

The schema is draft 2020-12. It accepts what the worker accepts, and every key has its description and default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema

from workers.repo_config import fields
from workers.repo_config.model import RepoConfig

DRAFT = "https://json-schema.org/draft/2020-12/schema"
NAME = "heal-v1.json"


class _Plain(GenerateJsonSchema):
    """As pydantic writes it, without the titles, and closed where names of keys are bound to a pattern."""

    schema_dialect = DRAFT

    def generate(self, schema: CoreSchema, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        made = super().generate(schema, mode)
        return {"$schema": self.schema_dialect, **_tidied(made)}


_TITLES = {"RepoConfig": "heal.yml", "Bounds": "The operator's policy"}


def schema(model: type[BaseModel] = RepoConfig) -> dict[str, Any]:
    """The schema of `.github/heal.yml`, or of the operator's policy."""
    made = model.model_json_schema(schema_generator=_Plain)
    return {**made, "title": _TITLES[model.__name__], "description": model.__doc__}


def schema_text(model: type[BaseModel] = RepoConfig) -> str:
    """The schema as it is printed and served."""
    return json.dumps(schema(model), indent=2) + "\n"


def example() -> str:
    """A file with every key, each with a value that shows how it is written and a comment that says what it does."""
    return "\n".join([*_HEAD, *_written(RepoConfig, "")]) + "\n"


_HEAD = (
    f"# yaml-language-server: $schema=https://<your instance>/schema/{NAME}",
    "#",
    "# Every key of .github/heal.yml. All of them may be left out; the file counts on the default branch only.",
    "",
)


def _written(model: type[BaseModel], indent: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{indent}# {field.description}"
        section = fields.section_at(model, (name,))
        if section is not None:
            yield f"{indent}{name}:"
            yield from _written(section, f"{indent}  ")
        else:
            text = yaml.safe_dump(_plain(fields.example(field)), default_flow_style=True, width=10_000).strip()
            yield f"{indent}{name}: {text.removesuffix('...').strip()}"
        if not indent:
            yield ""


def _plain(value: object) -> object:
    """As YAML has it: lists for tuples, and whole numbers without a point."""
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _tidied(node: Any) -> Any:
    if isinstance(node, list):
        return [_tidied(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _tidied(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
    if "patternProperties" in kept:
        kept.setdefault("additionalProperties", False)
    return kept
