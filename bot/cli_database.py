"""What operators do with the database from the command line: remove what is old, copy it, bring it up to date."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer

from bot.cli_sandbox import size
from workers.settings import PruneSettings
from workers.store.backup import back_up
from workers.store.database import open_engine
from workers.store.retention import Retention, kept


def prune(compact: bool, as_json: bool) -> None:
    """Remove what the settings do not keep, and say how much that was."""
    settings = PruneSettings()
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
