"""A copy of the database is whole, nobody else's to read, and can be worked with; what cannot be used is told."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from workers.domain import Case
from workers.errors import UsageError
from workers.store.backup import back_up
from workers.store.database import open_engine
from workers.store.ledger import Ledger
from workers.store.models import Run
from workers.store.schema import downgrade, require


def test_a_copy_is_the_database(url: str, engine: Engine, ledger: Ledger, case: Case, tmp_path: Path) -> None:
    """Taken while it is open: whole, and readable by its owner alone."""
    run = ledger.open_run(case, "one", "delivery")[0]
    file = tmp_path / "copy"
    assert back_up(url, file) == file.stat().st_size > 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    if engine.dialect.name == "sqlite":
        copy = open_engine(f"sqlite:///{file}")
        with copy.connect() as connection:
            assert connection.execute(select(Run.id)).scalars().all() == [run]
        copy.dispose()
    else:
        assert file.read_bytes()[:5] == b"PGDMP"


def test_no_file_is_overwritten(url: str, tmp_path: Path) -> None:
    """A slip of the finger costs no earlier backup."""
    file = tmp_path / "copy"
    file.write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        back_up(url, file)
    assert file.read_text() == "mine"


@pytest.mark.fault(66)
def test_a_damaged_database_is_told_and_not_started_with(tmp_path: Path) -> None:
    """Neither the receiver nor a worker begins on it, and no backup of it is kept."""
    damaged = tmp_path / "heal.db"
    damaged.write_bytes(b"SQLite format 3\0" + b"\x7f" * 8000)
    with pytest.raises(UsageError, match="put a backup of it"):
        require(f"sqlite:///{damaged}")
    with pytest.raises(UsageError, match="damaged"):
        back_up(f"sqlite:///{damaged}", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_nothing_to_copy_is_told(tmp_path: Path) -> None:
    """A wrong address makes no empty backup."""
    with pytest.raises(UsageError, match="no database"):
        back_up(f"sqlite:///{tmp_path / 'none.db'}", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(64)
def test_another_schema_is_refused_with_the_command(url: str, engine: Engine) -> None:
    """An older one is to be upgraded, a newer one needs the newer program; this release's own is fine."""
    require(url)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UsageError, match="newer version"):
        require(url)


@pytest.mark.fault(64)
def test_a_database_without_tables_is_refused_with_the_command(empty_url: str) -> None:
    """Also one that was taken down."""
    for _ in range(2):
        with pytest.raises(UsageError, match="heal db upgrade"):
            require(empty_url)
        downgrade(empty_url)


def test_a_database_that_is_away_stops_nobody() -> None:
    """The receiver answers 503 until it is back, and a worker waits."""
    require("postgresql://heal:x@127.0.0.1:1/heal")
