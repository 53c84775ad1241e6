"""What operators do with the database from the command line: remove what is old, copy it, bring it up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.cli_sandbox import size
from bot.exits import ENVIRONMENT, WRONG_USE, end
from workers.settings import PruneSettings, StoreSettings
from workers.store import schema
from workers.store.backup import back_up
from workers.store.database import open_engine
from workers.store.retention import Retention, kept


def upgrade() -> None:
    """Bring the database to this release's schema."""
    url = StoreSettings().database_url
    with _usable(url):
        schema.upgrade(url)


def prune(compact: bool, as_json: bool) -> None:
    """Remove what the settings do not keep, and say how much that was."""
    settings = PruneSettings()
    with _usable(settings.database_url):
        schema.require(settings.database_url)
        retention = Retention(open_engine(settings.database_url))
        removed = retention.prune(kept(settings))
        if compact:
            retention.compact()
        used = retention.size()
    if as_json:
        typer.echo(json.dumps({**asdict(removed), "bytes": used}))
        return
    typer.echo(
        f"removed {removed.deliveries} deliveries, the logs of {removed.logs} runs, {removed.runs} whole runs and "
        f"{removed.others} other rows; {size(used)} in use"
    )
    if settings.database_cap and used > settings.database_cap:
        typer.echo(
            f"over the cap of {size(int(settings.database_cap))}: the rest has not ended, or is awaited", err=True
        )


def backup(file: Path) -> None:
    """Write the copy, and say how it is brought back."""
    settings = PruneSettings()
    taken = back_up(settings.database_url, file)
    sqlite = settings.database_url.startswith("sqlite")
    how = "stop Heal, put the file in the database's place" if sqlite else "pg_restore --clean --if-exists --dbname=…"
    typer.echo(f"{file}: {size(taken)}. To restore: {how}, then run heal db upgrade", err=True)


@contextmanager
def _usable(url: str) -> Iterator[None]:
    """What is no database, or does not answer, ends the command with one line that names it without its password."""
    try:
        yield
    except ArgumentError:
        end(WRONG_USE, "HEAL_DATABASE_URL is no address of a database; write sqlite:////path or postgresql://…")
    except SQLAlchemyError as error:
        end(ENVIRONMENT, f"the database at {url.split('@')[-1]} cannot be used: {type(error).__name__}")
