"""How operators switch Heal off and on: for everything, an installation or a repository. Talks to the database alone.

Workers read a switch at every admission, and their runs notice within seconds that they were ended.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import typer
from sqlalchemy import Engine, func, select

from workers.commands.grammar import duration
from workers.domain import Outcome
from workers.errors import UsageError
from workers.messages.wishes import lasting, switched_off
from workers.settings import StoreSettings
from workers.store.database import open_engine
from workers.store.ledger import Ledger
from workers.store.models import Repo, Run
from workers.store.switches import Switches
from workers.wishes import EVERYTHING, Off, Reach, Scope

OPERATOR = "operator"


def pause(everything: bool, installation: int | None, repo: str | None, lasts: str | None, why: str) -> None:
    """Throw a switch, then end what it reaches."""
    seconds = None if lasts is None else duration(lasts)
    if lasts is not None and seconds is None:
        raise UsageError(f"--for: {lasts} is no duration; write it as 12h or 7d, 90d at most")
    engine = open_engine(StoreSettings().database_url)
    scope, switches = _scope(engine, everything, installation, repo), Switches(engine)
    switches.off(scope, OPERATOR, why, seconds)
    off = next(one for one in switches.listed() if one.scope == str(scope))
    detail = switched_off(off.scope, off.who, off.why, off.until)
    ended = Ledger(engine).cancel_for_scope(scope, Outcome.DISABLED, detail)
    typer.echo(f"paused {scope} {lasting(off.until)}; {len(ended)} run{'' if len(ended) == 1 else 's'} ended", err=True)


def resume(everything: bool, installation: int | None, repo: str | None) -> None:
    """Take a switch back. Runs that it ended stay ended."""
    engine = open_engine(StoreSettings().database_url)
    scope, switches = _scope(engine, everything, installation, repo), Switches(engine)
    was_off = switches.on(scope)
    typer.echo(f"{scope} is on again" if was_off else f"{scope} was not paused", err=True)
    for wider in switches.listed():
        typer.echo(f"still off: {_line(wider)}", err=True)


def switches(as_json: bool) -> None:
    """Print every switch that is off: a line each, or one JSON object a line with seconds since 1970."""
    for off in Switches(open_engine(StoreSettings().database_url)).listed():
        typer.echo(json.dumps(asdict(off)) if as_json else _line(off))


def _line(off: Off) -> str:
    why = f": {off.why}" if off.why else ""
    return f"{off.scope} {lasting(off.until)}, by {off.who}{why}"


def _scope(engine: Engine, everything: bool, installation: int | None, repo: str | None) -> Scope:
    given = [everything, installation is not None, repo is not None]
    if sum(given) != 1:
        raise UsageError("say what: --all, --installation ID or --repo OWNER/NAME (or its id)")
    if everything:
        return EVERYTHING
    if installation is not None:
        return Scope(Reach.INSTALLATION, installation)
    return Scope(Reach.REPO, repo_id(engine, repo or ""))


def repo_id(engine: Engine, name: str) -> int:
    """A repository's id, by the newest name that was told; one that was never heard of can be given by its id."""
    if name.isdecimal():
        return int(name)
    told = select(Repo.id).where(func.lower(Repo.full_name) == name.lower()).order_by(Repo.at.desc()).limit(1)
    ran = select(Run.repo_id).where(func.lower(Run.repo) == name.lower()).order_by(Run.id.desc()).limit(1)
    with engine.connect() as connection:
        found = connection.execute(told).scalar() or connection.execute(ran).scalar()
    if not found:
        raise UsageError(f"--repo: no repository {name} is known here; give its id (GET /repos/{name})")
    return int(found)
