"""Promises of the migrations."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from workers.store.database import open_engine
from workers.store.models import Table
from workers.store.schema import MIGRATIONS, downgrade, head, is_current, revision, upgrade


def test_up_down_up(empty_url: str) -> None:
    """Migrations run up, down to nothing, and up again, and running them twice changes nothing."""
    engine = open_engine(empty_url)
    try:
        assert not is_current(engine)
        upgrade(empty_url)
        upgrade(empty_url)
        assert is_current(engine)
        downgrade(empty_url)
        assert inspect(engine).get_table_names() == ["alembic_version"]
        assert not is_current(engine)
        upgrade(empty_url)
        assert is_current(engine)
    finally:
        engine.dispose()


def test_files_are_numbered_as_alembic_orders_them(url: str) -> None:
    """What is read off the files' names and off the table is what Alembic knows: every start relies on it."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    in_order = [one.revision for one in scripts.walk_revisions()][::-1]
    assert in_order == sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    assert head() == scripts.get_current_head()
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            assert revision(engine) == MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def test_migrations_make_what_the_models_say(url: str) -> None:
    """The migrated database and the models have the same tables, columns, keys and indexes."""
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []
    finally:
        engine.dispose()


def test_every_column_is_explained() -> None:
    """Each column that is not a reference says what it holds."""
    columns = [column for table in Table.metadata.tables.values() for column in table.columns]
    silent = [str(column) for column in columns if not column.doc and not column.foreign_keys and column.name != "id"]
    assert silent == []
