"""Who has installed the App, and what its repositories are called now: GitHub's ids stay, names and owners do not.

Deliveries come in any order: a name or a suspension that is told of an earlier time than the newest known is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, SQLColumnExpression, func, insert, literal, select, update

from workers.store.codec import clean
from workers.store.database import db_now, transact
from workers.store.models import Change, Errand, Installation, InstallationState, Lesson, Repo, RepoState, Run

OUT_OF_REACH = "Heal is suspended or gone there, or it is archived"
_GONE = (RepoState.REMOVED.value, RepoState.DELETED.value)
_MINE = (Run, Change, Lesson, Errand)
"""What belongs to a repository and moves with it to another owner."""
_NAMED = (Run, Errand)
"""What is shown and worked on under the repository's present name."""


class Tenants:
    """The tables of installations and repositories. Times are GitHub's, in seconds since 1970; 0 means now."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def installation(
        self, installation_id: int, account: str, account_id: int, state: InstallationState | None, at: float = 0.0
    ) -> None:
        """Note what an installation is called and, unless `state` is None, where it stands."""
        moment = _moment(at)
        if state is InstallationState.DELETED:
            # Its id never comes back, so nothing that was sent before and comes later counts.
            account, moment = "", db_now()
        told: dict[str, object] = {"account": clean(account), "account_id": account_id, "at": moment}
        if state is not None:
            told["state"] = state.value

        def work(connection: Connection) -> None:
            known = connection.execute(select(Installation.id).where(Installation.id == installation_id)).scalar()
            if known is None:
                first = {"id": installation_id, "state": InstallationState.ACTIVE.value, **told}
                connection.execute(insert(Installation).values(**first))
            else:
                newer = Installation.at <= moment
                connection.execute(update(Installation).where(Installation.id == known, newer).values(**told))

        transact(self._engine, work)

    def repos(
        self, installation_id: int, repos: Iterable[tuple[int, str]], state: RepoState | None, at: float = 0.0
    ) -> None:
        """Note what repositories (id and full name) are called and, unless `state` is None, where they stand.

        Their runs and errands go on under the new name; one that has moved to another installation takes its history
        and what waits along.
        """
        moment = _moment(at)

        def work(connection: Connection) -> None:
            for repo_id, full_name in repos:
                _note(connection, installation_id, repo_id, clean(full_name), state, moment)

        transact(self._engine, work)

    def account_renamed(self, installation_id: int, account: str, was: str) -> None:
        """The account has another login: its repositories lie under that."""

        def work(connection: Connection) -> None:
            mine = update(Installation).where(Installation.id == installation_id, Installation.account == clean(was))
            connection.execute(mine.values(account=clean(account)))
            for table, name in ((Repo, Repo.full_name), *((named, named.repo) for named in _NAMED)):
                rest = func.substr(name, len(clean(was)) + 1)
                theirs = (table.installation_id == installation_id, name.startswith(f"{clean(was)}/", autoescape=True))
                links = _links(literal(clean(was)), clean(account)) if table is Run else {}
                connection.execute(update(table).where(*theirs).values({name: clean(account) + rest, **links}))

        transact(self._engine, work)

    def in_reach(self, installation_id: int, repo_id: int) -> bool:
        """Whether GitHub answers us there, as far as it has told."""
        with self._engine.connect() as connection:
            return in_reach(connection, installation_id, repo_id)

    def gone(self, repo_ids: Iterable[int]) -> set[int]:
        """Those of these repositories that Heal may not see any more: removed, deleted, or of an account that left."""
        left = Installation.state == InstallationState.DELETED.value
        query = (
            select(Repo.id)
            .outerjoin(Installation, Installation.id == Repo.installation_id)
            .where(Repo.id.in_(list(repo_ids)), Repo.state.in_(_GONE) | left)
        )
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())


def in_reach(connection: Connection, installation_id: int, repo_id: int) -> bool:
    """Nobody has told that the installation is suspended or deleted, or the repository taken out of it, archived or
    deleted. Where one of them is, nothing can be said any more either."""
    installation = select(Installation.state).where(Installation.id == installation_id)
    repo = select(Repo.state).where(Repo.id == repo_id, Repo.installation_id == installation_id)
    states = {connection.execute(query).scalar() for query in (installation, repo)}
    return states <= {None, InstallationState.ACTIVE.value, RepoState.ACTIVE.value}


def _note(
    connection: Connection,
    installation_id: int,
    repo_id: int,
    full_name: str,
    state: RepoState | None,
    moment: ColumnElement[float] | float,
) -> None:
    leaving = state in {RepoState.REMOVED, RepoState.DELETED}
    known = connection.execute(select(Repo.installation_id, Repo.at).where(Repo.id == repo_id)).one_or_none()
    if known is None:
        first = {"id": repo_id, "installation_id": installation_id, "full_name": full_name, "at": moment}
        connection.execute(insert(Repo).values(**first, state=(state or RepoState.ACTIVE).value))
    elif leaving and known.installation_id != installation_id:
        return  # it was moved to another account before it left this one
    else:
        told: dict[str, object] = {"installation_id": installation_id}
        if state is not None:
            told["state"] = state.value
        connection.execute(update(Repo).where(Repo.id == repo_id).values(**told))
        newer = update(Repo).where(Repo.id == repo_id, Repo.at <= moment).values(full_name=full_name, at=moment)
        if not full_name or connection.execute(newer).rowcount == 0:
            return
    if not leaving:
        for named in _NAMED:
            other = (named.repo_id == repo_id, named.repo != full_name)
            links = _links(Run.repo, full_name) if named is Run else {}
            connection.execute(update(named).where(*other).values({named.repo: full_name, **links}))
        for table in _MINE:
            moved = (table.repo_id == repo_id, table.installation_id != installation_id)
            connection.execute(update(table).where(*moved).values(installation_id=installation_id))


def _links(before: SQLColumnExpression[str], now: str) -> dict[Any, ColumnElement[str]]:
    """Where people read the fix of a run: GitHub leads on from the name before only until somebody takes it."""
    return {Run.published_url: func.replace(Run.published_url, "/" + before + "/", f"/{now}/")}


def _moment(at: float) -> ColumnElement[float] | float:
    return at or db_now()
