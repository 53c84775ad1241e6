"""A worker without the ledger, as many are built: Celery's task does the work, and the broker is the queue of record.

No claim, no lease, no checkpoint, and nobody who rings again. The same faults must lose some of its runs, else the
suite could not fail.
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import Engine, create_engine, text, update

from benchmarks.replay_worker import app_of
from tests.chaos.worker import folder, options, say_when_up, tell
from workers.domain import RunId
from workers.github import GitHubForge
from workers.queue import QUEUE, TASK, make_celery
from workers.settings import WorkerSettings
from workers.store.database import open_engine, transact
from workers.store.ledger import Ledger
from workers.store.memory import MemoryJournal
from workers.store.models import Run, RunState

RING_ONCE = """
    CREATE TRIGGER ring_once AFTER UPDATE OF rung_at ON run WHEN NEW.rung_at IS NOT NULL
    BEGIN UPDATE run SET next_ring = NULL WHERE id = NEW.id; END
"""
"""For SQLite: what was rung for is never due again, whoever looks."""


def ring_once(url: str) -> None:
    """Let the bell of this database ring once for each run."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(RING_ONCE))
    engine.dispose()


def main() -> None:
    """Do what is rung for, at once and from the beginning to the end."""
    say_when_up(options())
    settings = WorkerSettings()
    app, celery = app_of(settings), make_celery(settings.redis_url)

    @cache
    def opened() -> tuple[Engine, Ledger]:
        engine = open_engine(settings.database_url)
        return engine, Ledger(engine)

    def work(run_id: str) -> None:
        engine, ledger = opened()
        case = ledger.case(RunId(run_id))
        assert case is not None
        with GitHubForge(app, folder(settings), case) as forge:
            report = tell(case, MemoryJournal(), forge, None)
        done = {"state": RunState.DONE.value, "outcome": report.outcome.value}
        transact(engine, lambda connection: connection.execute(update(Run).where(Run.id == run_id).values(**done)))

    celery.task(name=TASK)(work)
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    celery.worker_main(["--quiet", "worker", "--pool=prefork", "--concurrency=1", f"--queues={QUEUE}", *quiet])


if __name__ == "__main__":
    main()
