"""`heal db prune` and `heal db backup`, as an operator types them; a program that does not fit its database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import update

from tests.bot.command import heal, process
from tests.bot.deliveries import SECRET
from workers.store.database import db_now, open_engine, transact
from workers.store.inbox import DeliveryRow, Inbox
from workers.store.models import Delivery, DeliveryState
from workers.store.schema import upgrade


def test_what_is_old_is_removed_and_counted(tmp_path: Path) -> None:
    """By the settings, in words and as JSON; a time that GitHub could overtake is refused."""
    url = f"sqlite:///{tmp_path / 'heal.db'}"
    upgrade(url)
    engine = open_engine(url)
    for guid in ("old", "new"):
        Inbox(engine).add(DeliveryRow(guid, "push", b"{}"))
    aged = update(Delivery).where(Delivery.guid == "old").values(received_at=db_now() - 6 * 86400)
    transact(engine, lambda connection: connection.execute(aged))
    routed = update(Delivery).values(state=DeliveryState.ROUTED.value)
    transact(engine, lambda connection: connection.execute(routed))
    engine.dispose()
    done = heal("db", "prune", "--compact", HEAL_DATABASE_URL=url, HEAL_KEEP_BODIES_DAYS="5")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("removed 1 deliveries, the logs of 0 runs, 0 whole runs and 0 other rows; ")
    shown = json.loads(heal("db", "prune", "--json", HEAL_DATABASE_URL=url, HEAL_DATABASE_CAP="1GB").stdout)
    assert (shown["deliveries"], shown["bytes"] > 0) == (0, True)
    assert heal("db", "prune", HEAL_DATABASE_URL=url, HEAL_KEEP_BODIES_DAYS="1").returncode == 2


def test_a_copy_is_taken_and_said_how_to_bring_back(tmp_path: Path) -> None:
    """One line; a second copy needs another name."""
    url = f"sqlite:///{tmp_path / 'heal.db'}"
    upgrade(url)
    file = str(tmp_path / "copy.db")
    done = heal("db", "backup", file, HEAL_DATABASE_URL=url)
    assert (done.returncode, done.stderr.startswith(f"{file}: ")) == (0, True)
    assert "heal db upgrade" in done.stderr
    assert heal("db", "backup", file, HEAL_DATABASE_URL=url).returncode == 2


def test_nothing_starts_on_another_schema(tmp_path: Path) -> None:
    """Receiver and worker end at once with the command to run."""
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key = rsa.generate_private_key(65537, 2048).private_bytes(*pem).decode()
    url = f"sqlite:///{tmp_path / 'heal.db'}"
    named = {"HEAL_WEBHOOK_SECRET": SECRET, "HEAL_APP_ID": "7", "HEAL_PRIVATE_KEY": key}
    for command in (("serve",), ("worker",)):
        done = process(*command, HEAL_DATABASE_URL=url, **named)
        assert done.returncode == 2, done.stderr
        assert done.stderr.strip().endswith("run: heal db upgrade")


@pytest.mark.fault(64)
def test_a_database_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    """One without tables, one of a newer version, one that does not answer, and what is no address at all."""
    url, newer = (f"sqlite:///{tmp_path / name}" for name in ("heal.db", "newer.db"))
    gone = "postgresql://heal@127.0.0.1:1/x"
    upgrade(newer)
    engine = open_engine(newer)
    transact(engine, lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for command, database, code, words in (
        ("prune", url, 2, "run: heal db upgrade"),
        ("upgrade", newer, 2, "newer version of Heal (9999)"),
        ("prune", gone, 3, "cannot be used"),
        ("upgrade", "nonsense", 2, "no address of a database"),
    ):
        done = heal("db", command, HEAL_DATABASE_URL=database)
        assert (done.returncode, words in done.stderr, done.stderr.count("\n")) == (code, True, 1), done.stderr
