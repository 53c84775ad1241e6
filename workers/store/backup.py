"""A consistent copy of the database while everything runs: SQLite by its own backup, PostgreSQL by `pg_dump`."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from workers.errors import UsageError
from workers.store.database import normal_url

_PAGES = 1000
"""Pages that are copied before writers get a turn."""


def back_up(url: str, file: Path) -> int:
    """Write a copy that nobody else may read; gives its size in bytes.

    Raises `UsageError` when the file exists, when there is nothing to copy, and when the database's own tool is missing
    or fails. What was written until then is removed.
    """
    parsed = make_url(normal_url(url))
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise UsageError(f"{file} exists; a backup never takes the place of another file") from None
    try:
        if parsed.get_backend_name() == "sqlite":
            _copy(Path(parsed.database or ""), file)
        else:
            _dump(parsed, file)
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return file.stat().st_size


def _copy(source: Path, file: Path) -> None:
    if not source.is_file():
        raise UsageError(f"there is no database at {source}")
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as before,
            closing(sqlite3.connect(file)) as after,
        ):
            before.backup(after, pages=_PAGES)
            found = after.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{source} is damaged: {error}") from error
    if found != "ok":
        raise UsageError(f"{source} is damaged: {found}")


def _dump(url: URL, file: Path) -> None:
    """The password goes by the environment: an argument is seen by every user of the machine."""
    plain = url.set(drivername="postgresql", password=None).render_as_string()
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    command = ["pg_dump", "--format=custom", "--no-owner", f"--file={file}", f"--dbname={plain}"]
    try:
        done = subprocess.run(command, env={**os.environ, **secret}, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UsageError("pg_dump is not installed; it comes with PostgreSQL's client programs") from None
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UsageError(f"pg_dump failed: {said}")
