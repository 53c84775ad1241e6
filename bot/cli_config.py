"""How `heal config` talks: what is wrong with a file and how it is right, what counts for a repository, the schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import typer

from bot.cli_fix import harmless
from workers.errors import Stop, UsageError
from workers.messages.config import shown
from workers.redact import Redactor
from workers.repo_config.bounds import Bounds
from workers.repo_config.layers import Effective, Source
from workers.repo_config.model import RepoConfig
from workers.repo_config.problems import Problem
from workers.repo_config.reading import MAX_BYTES, PATH, ConfigError, read
from workers.settings import WorkerSettings


def check(file: str, as_json: bool, policy: bool) -> bool:
    """Say all that is wrong with the file (`-`: standard input); whether it can be used."""
    problems = _problems(file, policy)
    if as_json:
        found = [
            {"line": one.line, "column": one.column, "key": one.key, "reason": one.reason, "snippet": one.snippet}
            for one in problems
        ]
        typer.echo(json.dumps({"valid": not problems, "problems": found}))
    else:
        for line in _told(problems):
            typer.echo(line)
        if not problems:
            typer.echo("The file can be used.")
    return not problems


def show(full_name: str, as_json: bool) -> None:
    """Print what counts for a repository on GitHub, value by value, and who decided it."""
    settings = effective(full_name)
    if as_json:
        typer.echo(json.dumps(as_data(settings)))
        return
    for line in _lines(settings):
        typer.echo(line)


def effective(full_name: str) -> Effective:
    """What counts for `owner/name`, asked of GitHub with the App's key. Raises `UsageError` when that cannot be."""
    from workers.github import App, configs
    from workers.github.session import Purpose, named

    owner, slash, name = full_name.partition("/")
    if not (owner and slash and name) or "/" in name:
        raise UsageError(f"{full_name} is no repository; write it as OWNER/REPO")
    settings = WorkerSettings()
    app = App.of(settings)
    try:
        with closing(named(app, full_name, Redactor(*settings.secrets()))) as session:
            return configs.effective(session, configs.rules_of(settings), Purpose.FILES)
    except Stop as stop:
        raise UsageError(stop.detail) from stop


def as_data(settings: Effective) -> dict[str, object]:
    """The settings as one JSON object."""
    values = {
        value.key: {
            "value": value.value,
            "decided_by": value.source.value,
            **({"wanted": value.wanted} if value.wanted is not None else {}),
        }
        for value in settings.values
    }
    problems = [str(problem) for problem in (*settings.files.problems, *settings.files.others)]
    return {"note": settings.note, "problems": problems, "values": values}


def _problems(file: str, policy: bool) -> tuple[Problem, ...]:
    text = sys.stdin.read(MAX_BYTES + 1) if file == "-" else _text(Path(file))
    try:
        read(text, Bounds if policy else RepoConfig, PATH if file == "-" else file)
    except ConfigError as error:
        return error.problems
    return ()


def _text(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"{path} is no file")
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1).decode(errors="replace")


def _told(problems: tuple[Problem, ...]) -> Iterator[str]:
    for problem in problems:
        yield harmless(str(problem))
        if problem.snippet:
            yield from (f"    {line}" for line in harmless(problem.snippet).rstrip("\n").split("\n"))


def _lines(settings: Effective) -> Iterator[str]:
    if settings.note:
        yield harmless(settings.note)
    for problem in (*settings.files.problems, *settings.files.others):
        yield harmless(str(problem))
    width = max(len(value.key) for value in settings.values)
    for value in settings.values:
        asked = "" if value.wanted is None else f", overruled: {shown(value.wanted)}"
        line = f"{value.key:<{width}}  {shown(value.value)}  ({value.source}{asked})"
        yield typer.style(harmless(line), dim=value.source is Source.DEFAULT)
