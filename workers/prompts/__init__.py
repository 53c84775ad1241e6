"""The words a model gets, as template files beside this module. A missing variable is an error, not an empty place."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(name: str, **values: object) -> str:
    """The prompt `name` with its values. Plain text: nothing is escaped."""
    environment = Environment(  # noqa: S701 - text for a model, not HTML
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    return environment.get_template(f"{name}.txt.j2").render(**values)
