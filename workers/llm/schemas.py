"""Makes the strict JSON schema of a model's answer from the pydantic model that reads it.

Strict schemas require every property and allow no other, or endpoints refuse them.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from workers.llm.exchange import Schema

_UNKNOWN_TO_STRICT = ("default", "title")


def strict(model: type[BaseModel]) -> Schema:
    """The schema of `model`, every property required."""
    return _strict(model.model_json_schema())


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in schema.items() if name not in _UNKNOWN_TO_STRICT}
    for name in ("properties", "$defs"):
        if name in made:
            made[name] = {key: _strict(value) for key, value in made[name].items()}
    if "properties" in made:
        made |= {"required": list(made["properties"]), "additionalProperties": False}
    if "items" in made:
        made["items"] = _strict(made["items"])
    if "anyOf" in made:
        made["anyOf"] = [_strict(one) for one in made["anyOf"]]
    return made
