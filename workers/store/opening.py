"""Opens the row of a run, once per key, and tells what is known of it, in the transaction of whoever asks."""

from __future__ import annotations

import dataclasses

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from workers.domain import Blame, Case, Lead, RunId, StageName
from workers.redact import Redactor
from workers.run_id import new_run_id
from workers.store import models
from workers.store.codec import clean, data_to_json, read, to_json
from workers.store.database import db_now
from workers.store.models import Run, RunState, StageResult


def open_run(
    connection: Connection,
    redactor: Redactor,
    case: Case,
    key: str,
    trigger: str,
    delivery_id: int | None = None,
    wait: float | None = None,
) -> tuple[RunId, bool]:
    """The run of this key, and whether it was made now. `case.run` is set to its id; `wait` as `Ledger.open_run`."""
    run = new_run_id()
    row = _new_row(dataclasses.replace(case, run=run), key, trigger, delivery_id, wait)
    into = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = into(Run).values(**row).on_conflict_do_nothing(index_elements=["key"]).returning(Run.id)
    if connection.execute(statement).scalar() is None:
        return RunId(connection.execute(select(Run.id).where(Run.key == key)).scalar_one()), False
    append_event(connection, redactor, run, "opened", f"opened by {trigger}", {"trigger": trigger})
    return run, True


def lead(connection: Connection, run: RunId) -> Lead:
    """A run as another one points to it: its outcome, its fix, and the commit to blame, as far as it knows them."""
    known = connection.execute(select(Run.outcome, Run.published_pull_request).where(Run.id == run)).one()
    blamed = select(StageResult.data).where(
        StageResult.run_id == run, StageResult.stage == StageName.BLAME.value, StageResult.n == 0
    )
    return Lead(
        run, known.outcome or "", known.published_pull_request, read(connection.execute(blamed).scalar(), Blame)
    )


def append_event(
    connection: Connection, redactor: Redactor, run: RunId, kind: str, title: str, data: dict[str, object]
) -> None:
    """One line of the timeline, redacted, in the caller's transaction."""
    text = clean(data_to_json(redactor.publish(data)))
    row = {"run_id": run, "at": db_now(), "kind": kind, "title": clean(redactor(title)), "data": text}
    connection.execute(insert(models.Event).values(**row))


def _new_row(case_: Case, key: str, trigger: str, delivery_id: int | None, wait: float | None) -> dict[str, object]:
    return {
        "id": case_.run,
        "key": key,
        "state": (RunState.QUEUED if wait is None else RunState.WAITING).value,
        "trigger": trigger,
        "delivery_id": delivery_id,
        "case": clean(to_json(case_)),
        "repo": clean(case_.repo),
        "repo_id": case_.repo_id,
        "installation_id": case_.installation_id,
        "branch": clean(case_.branch),
        "head_sha": case_.head_sha,
        "job": clean(case_.job),
        "pull_request": case_.pull_request,
        "aim": case_.aim.value,
        "issue": case_.issue,
        "requested_by": clean(case_.requested_by or ""),
        "created_at": db_now(),
        "next_ring": db_now() + (wait or 0.0),
    }
