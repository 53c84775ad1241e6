"""Whether a branch has to do with an open change of ours: asked for every push and every green build."""

from __future__ import annotations

from sqlalchemy import Engine, or_, select

from workers.store.codec import clean
from workers.store.models import Change


def concerns(engine: Engine, repo_id: int, branch: str) -> bool:
    """An open change of ours goes to this branch, or lies on it."""
    name = clean(branch)
    query = select(Change.id).where(
        Change.repo_id == repo_id, or_(Change.target == name, Change.branch == name), Change.state == "open"
    )
    with engine.connect() as connection:
        return connection.execute(query.limit(1)).first() is not None
