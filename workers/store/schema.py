"""Brings a database to the schema of this release and tells whether it is there. Works from any folder, no ini file.

Alembic is imported to migrate only: every process of ours asks at its start whether the schema is there.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from workers.errors import UsageError
from workers.store.database import open_engine

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x6865616C
"""Advisory lock key in PostgreSQL: two processes that start together migrate one after the other."""


def head() -> str:
    """The revision this release expects."""
    return max(_known())


def revision(engine: Engine) -> str | None:
    """The revision the database is at, None for an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def is_current(engine: Engine) -> bool:
    """The database has exactly the schema of this release."""
    return revision(engine) == head()


def require(url: str) -> None:
    """Return where the database has this release's schema, or does not answer: what starts then waits for it.

    Raises `UsageError` with the command that mends it where it has another schema or is damaged.
    """
    engine = open_engine(url)
    try:
        found = revision(engine)
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and not isinstance(error.orig, sqlite3.OperationalError):
            restore = "put a backup of it in its place (heal db backup makes them)"
            raise UsageError(f"the database is damaged: {error.orig}; {restore}") from error
        return
    finally:
        engine.dispose()
    if found == head():
        return
    if found is None or found in _known():
        raise UsageError("the database is not at this version's schema; run: heal db upgrade")
    raise UsageError(f"the database was upgraded by a newer version of Heal ({found}); run that one")


def _known() -> set[str]:
    """The revisions of this release: each migration's file begins with its own, and they count upwards."""
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def upgrade(url: str, target: str = "head") -> None:
    """Migrate up to `target`. Safe to run again after an interruption, and by several processes at once."""
    _migrate(url, target, down=False)


def downgrade(url: str, target: str = "base") -> None:
    """Migrate down to `target`; "base" removes every table."""
    _migrate(url, target, down=True)


def _migrate(url: str, target: str, *, down: bool) -> None:
    from alembic import command

    engine = open_engine(url)
    try:
        with engine.connect().execution_options(heal_write=True) as connection, connection.begin():
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            move = command.downgrade if down else command.upgrade
            move(_config(connection), target)
    finally:
        engine.dispose()


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
