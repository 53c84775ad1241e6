"""What Heal has learned from people's decisions about its fixes: listed for operators, and forgotten one by one."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import typer

from bot.cli_switch import repo_id
from workers.errors import UsageError
from workers.settings import StoreSettings
from workers.store.database import open_engine
from workers.store.lessons import LessonLine, Lessons


def show(repo: str | None, as_json: bool) -> None:
    """Print every lesson, newest first: a line each, or one JSON object a line with the patch and the words."""
    engine = open_engine(StoreSettings().database_url)
    for lesson in Lessons(engine).listed(None if repo is None else repo_id(engine, repo)):
        typer.echo(json.dumps(asdict(lesson)) if as_json else _line(lesson))


def forget(lesson: int) -> None:
    """Remove a lesson. Raises `UsageError` when there is none with this id."""
    if not Lessons(open_engine(StoreSettings().database_url)).forget(lesson):
        raise UsageError(f"there is no lesson {lesson}; `heal lessons` lists them")
    typer.echo(f"lesson {lesson} is forgotten", err=True)


def _line(lesson: LessonLine) -> str:
    where = f"{lesson.repo or f'repository {lesson.repo_id}'}#{lesson.number}"
    what = "merged" if lesson.accepted else "turned down"
    who = f" by {lesson.who}" if lesson.who else ""
    about = ", ".join((lesson.tool, *lesson.rules)) if lesson.tool else "a failure"
    day = datetime.fromtimestamp(lesson.at, UTC).date()
    return f"{lesson.id}  {day}  {where}  {what}{who}  {about} {lesson.fingerprint[:12]}"
