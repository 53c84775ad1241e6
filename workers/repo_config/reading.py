"""Reads the text of a `heal.yml`: strict YAML, then the model; all that is wrong is told at once, with its places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from workers import strict_yaml
from workers.repo_config.model import RepoConfig
from workers.repo_config.problems import Problem, problem, shown

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 64 * 1024
MAX_ALIASES = 20
MOST_PROBLEMS = 50
PATH = ".github/heal.yml"


class ConfigError(Exception):
    """The file is refused. `problems` are all that is wrong with it, in the order of the text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def parse(text: str, path: str = PATH) -> RepoConfig:
    """What the file says, everything else at its default; an empty one means all defaults. Raises `ConfigError`."""
    return read(text, RepoConfig, path).settled()


def read(text: str, model: type[M], path: str = PATH) -> M:
    """The text as the model, in which only the keys of the text are set. Raises `ConfigError`."""
    try:
        document = strict_yaml.load(text.removeprefix("\ufeff"), max_bytes=MAX_BYTES, max_aliases=MAX_ALIASES)
    except strict_yaml.YamlProblem as wrong:
        raise ConfigError([Problem(path, wrong.line, wrong.column, "", wrong.message)]) from wrong
    value = {} if document.value is None else document.value
    if not isinstance(value, dict):
        raise ConfigError([Problem(path, 1, 1, "", f"expected keys and values, got {shown(value)}")])
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = sorted(error.errors(), key=lambda details: document.place(details["loc"]))
        raise ConfigError([problem(one, document, model, path) for one in found[:MOST_PROBLEMS]]) from error
