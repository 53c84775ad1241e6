"""How the database is opened and written: SQLite with WAL and one writer at a time, or PostgreSQL through psycopg.

Every write goes through `transact`, which takes SQLite's write lock at the start and tries again what the database
itself asks to have tried again (a busy file, a deadlock, a serialization failure).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Double, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

T = TypeVar("T")

TRIES = 4
BUSY_MS = 5000
RETRY_STATES = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, lock not available."""


class db_now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function it stands for
    """The database's clock in seconds since 1970, UTC. Hosts' clocks may jump; leases must not notice.

    A function to SQLAlchemy: as a mere column it would keep every statement that holds it out of the statement cache.
    """

    type = Double()
    inherit_cache = True


@compiles(db_now, "sqlite")
def _sqlite_now(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001 - SQLAlchemy's signature
    # unixepoch('subsec') needs SQLite 3.42, and Debian 12 has 3.40
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(db_now, "postgresql")
def _postgresql_now(element: db_now, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001
    return "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"


def normal_url(url: str) -> str:
    """The URL with our driver named: `postgres://` and `postgresql://` mean psycopg."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


def open_engine(url: str) -> Engine:
    """An engine for the URL. Nothing is connected yet; SQLite's folder is made when it is missing.

    An engine must not cross a fork: each process opens its own. Its errors do not show the values of statements:
    those are other people's payloads.
    """
    parsed = make_url(normal_url(url))
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, pool_size=5, max_overflow=10, hide_parameters=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
        parsed = parsed.set(database=str(Path(parsed.database).expanduser()))
    engine = create_engine(parsed, connect_args={"timeout": BUSY_MS / 1000}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi: DBAPIConnection, record: ConnectionPoolEntry) -> None:  # noqa: ARG001
    dbapi.isolation_level = None  # the driver must not open transactions on its own
    cursor = dbapi.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A read that turns into a write fails at once when somebody wrote in between; asking for the lock first waits.
    write = connection.get_execution_options().get("heal_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work` in one write transaction and give back its answer. `work` may run more than once."""
    for n in range(TRIES):
        try:
            with engine.connect().execution_options(heal_write=True) as connection, connection.begin():
                return work(connection)
        except DBAPIError as error:
            if n == TRIES - 1 or not _passes(error):
                raise
        time.sleep(0.05 * 2**n * (0.5 + random.random()))  # noqa: S311 - jitter, not cryptography
    raise AssertionError("unreachable")


def is_away(error: BaseException) -> bool:
    """The database does not answer, or not now: it is down, starting, full, or locked for longer than was waited for.

    What was sent may have been done all the same, when it went away at a commit.
    """
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, OperationalError | InterfaceError | NoConnection)


def _passes(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in RETRY_STATES:
        return True
    return "database is locked" in str(error.orig)
