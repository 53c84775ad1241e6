"""Writes twenty runs at work as JSON rows, with the code of the release it is run in.

In a checkout of that release: `PYTHONPATH=. python .../make.py > 0003.json`, named by its schema.
The real pipeline makes them, on a scripted forge and sandbox, and is killed in one stage after the other.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.workers.made import case
from tests.workers.test_pipeline import MemoryForge, parts
from workers.domain import RunId, Sha
from workers.errors import Park
from workers.pipeline import drive
from workers.ports import CI, Checks
from workers.store.database import open_engine
from workers.store.inbox import DeliveryRow, Inbox
from workers.store.ledger import Ledger
from workers.store.schema import head, upgrade

RUNS = 20
STAGES = ("admit", "checkout", "base", "reproduce", "diagnose", "blame", "locate", "propose", "verify", "publish")
TABLES = ("delivery", "run", "stage_result", "attempt", "event", "change")


class Killed(BaseException):
    """The worker's process is gone."""


class Until:
    """A lease whose holder is killed as a stage begins."""

    def __init__(self, lease: Any, stage: str) -> None:
        self._lease, self._stage = lease, stage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lease, name)

    def event(self, kind: str, title: str, **data: object) -> None:
        self._lease.event(kind, title, **data)
        if (kind, title) == ("stage", self._stage):
            raise Killed


def begin(ledger: Ledger, n: int, run: RunId) -> None:
    """Leave the run as `n` says: not begun, killed in a stage, given back in a stage, parked at the end."""
    if n < 3:
        return
    lease = ledger.claim(run, f"before:{n}/1")
    assert lease is not None
    forge = MemoryForge()
    forge.states = [Checks(CI.PENDING)]
    journal: Any = Until(lease, STAGES[(n - 3) % len(STAGES)] if n < RUNS - 2 else "")
    try:
        drive(lease.case, parts(forge, journal))
    except Killed:
        if n % 2:
            lease.give_back()
    except Park as wait:
        lease.park(wait.after, str(wait))


def rows(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that the runs left, as it is stored."""
    engine = open_engine(url)
    with engine.connect() as connection:
        found = {
            table: [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]  # noqa: S608
            for table in TABLES
        }
    engine.dispose()
    return found


def plain(value: object) -> object:
    """Bytes are the one thing that JSON has no word for."""
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def main() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'heal.db'}"
        upgrade(url)
        engine = open_engine(url)
        ledger = Ledger(engine)
        Inbox(engine).add(DeliveryRow("guid", "workflow_run", b"{}", "1"))
        for n in range(RUNS):
            red = dataclasses.replace(case(), actions_run_id=n, branch=f"b{n}", head_sha=Sha(f"{n:040x}"))
            begin(ledger, n, ledger.open_run(red, f"key:{n}", "delivery", wait=3600 if n == 0 else None)[0])
        engine.dispose()
        told = {"schema": head(), **rows(url)}
        json.dump(told, sys.stdout, default=plain, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    main()
