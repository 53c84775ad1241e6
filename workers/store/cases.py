"""The case of a run as it is kept: a text says what the run was opened for, two columns where its repository is now.

A rename or a move to another account changes the columns (`workers.store.tenants`), never the text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workers.domain import Case
from workers.store.codec import read
from workers.store.models import Run

CASE = (Run.case, Run.repo, Run.installation_id)
"""The columns that `kept` needs."""


def kept(row: Any) -> Case | None:
    """The case of a row with the columns `CASE`; None for None, or when another release wrote it in a shape that
    this one does not know."""
    case = read(row.case, Case) if row is not None else None
    return placed(case, row) if case is not None else None


def placed(case: Case, row: Any) -> Case:
    """The case with its repository where the row says that it lies."""
    return replace(case, repo=row.repo, installation_id=row.installation_id)
