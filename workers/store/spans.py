"""Whose rows a limit counts, and the one lock behind which they are counted and added to.

Sums and the new reservation are one transaction behind it, so two workers cannot exceed a budget together.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, func, select, true

from workers.domain import Case
from workers.llm.budgets import Span, begins
from workers.store.models import LlmCall, SandboxUse

_LOCK = 0x4845414C4C4C4D  # "HEALLLM", so that it is nobody else's on PostgreSQL


def alone(connection: Connection) -> None:
    """One reservation at a time: SQLite has taken its write lock already, PostgreSQL is asked for one of ours."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def within(table: type[LlmCall] | type[SandboxUse], case: Case, span: Span, now: float) -> ColumnElement[bool]:
    """The rows that a span of this run counts, at `now` in seconds since 1970."""
    whose: dict[Span, ColumnElement[bool]] = {
        Span.RUN: table.run_id == case.run,
        Span.REPO_DAY: table.repo_id == case.repo_id,
        Span.INSTALLATION_MONTH: table.installation_id == case.installation_id,
    }
    return and_(whose.get(span, true()), table.at >= begins(span, now))
