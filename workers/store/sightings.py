"""The tests' history: how each red test fared in the identical runs of one commit, kept for later runs to read.

A run writes only its own rows, so that writing twice changes nothing; what is known of a test is their sum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from workers.domain import Past, RunId, Sighting
from workers.store.codec import clean
from workers.store.database import db_now
from workers.store.models import TestSighting

MOST = 200
"""Tests kept of one run: where more are red at once, it is not chance."""


def keep(connection: Connection, run: RunId, repo_id: int, seen: Sequence[Sighting]) -> None:
    """Replace what is kept of this run."""
    connection.execute(delete(TestSighting).where(TestSighting.run_id == run))
    rows = [
        {
            "run_id": run,
            "digest": _digest(one.test),
            "repo_id": repo_id,
            "test": clean(one.test),
            "executions": one.executions,
            "red": one.red,
            "unsteady": int(one.unsteady),
            "at": db_now(),
        }
        for one in seen[:MOST]
    ]
    for row in {row["digest"]: row for row in rows}.values():
        connection.execute(insert(TestSighting).values(**row))


def past(connection: Connection, run: RunId, repo_id: int, tests: Sequence[str]) -> tuple[Past, ...]:
    """Of these tests, those that were unsteady in other runs of the repository, most unsteady first."""
    unsteady = func.sum(TestSighting.unsteady)
    query = (
        select(
            func.max(TestSighting.test),
            func.sum(TestSighting.executions),
            func.sum(TestSighting.red),
            unsteady,
            func.min(TestSighting.at),
        )
        .where(
            TestSighting.repo_id == repo_id,
            TestSighting.run_id != run,
            TestSighting.digest.in_([_digest(test) for test in tests[:MOST]]),
        )
        .group_by(TestSighting.digest)
        .having(unsteady > 0)
        .order_by(unsteady.desc(), TestSighting.digest)
    )
    return tuple(
        Past(test, int(executions), int(red), int(times), float(since))
        for test, executions, red, times, since in connection.execute(query)
    )


def _digest(test: str) -> str:
    return hashlib.sha256(test.encode(errors="replace")).hexdigest()
