"""The queue of errands on a fresh database, with the double as GitHub, worked on as beside a worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from tests.hub.process import AppKeys, Hub
from workers.errands.model import Payload, Place
from workers.errands.process import Counter
from workers.github.session import App
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.database import open_engine
from workers.store.errands import Errands
from workers.store.ledger import Ledger


@dataclass(frozen=True)
class Office:
    """What an errand needs; `do` puts one through and gives its row."""

    hub: Hub
    keys: AppKeys
    engine: Engine
    ledger: Ledger
    errands: Errands
    counter: Counter
    state_dir: Path

    def place(self, repo: str, repo_id: int) -> Place:
        """A place of the App's installation."""
        return Place(self.keys.installation_id, repo_id, repo)

    def do(self, payload: Payload, key: str = "errand") -> dict[str, Any]:
        """Open an errand, work on it once, and give its row."""
        self.errands.open(payload, key)
        self.counter.once("test")
        assert all(token["revoked"] and len(token["repos"]) == 1 for token in self.hub.tokens())
        return next(row for row in self.rows("errand") if row["key"] == key)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1")).mappings()]  # noqa: S608


def office(hub: Hub, keys: AppKeys, database: str, state_dir: Path) -> Office:
    """An office at a migrated database."""
    engine, redactor = open_engine(database), Redactor()
    settings = WorkerSettings(database_url=database, state_dir=state_dir)
    errands, ledger = Errands(engine, redactor), Ledger(engine)
    app = App(hub.api_url, keys.app_id, keys.private_key, pace=0)
    counter = Counter(settings, errands, ledger, app, redactor)
    return Office(hub, keys, engine, ledger, errands, counter, state_dir)
