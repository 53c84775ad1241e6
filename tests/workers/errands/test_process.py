"""The process that does errands: ends with its worker, starts again, knows no model's key, and keeps secrets out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.workers.errands.office import Office
from workers.domain import Outcome
from workers.errands.desk import Desk
from workers.errands.handlers import HANDLERS
from workers.errands.model import CommandGiven, EndUntold, Forget, Kind, Recover, RunWaits
from workers.errands.process import Counter
from workers.errors import LeaseLost, Stop
from workers.github.session import App
from workers.hardening import with_app_key_only
from workers.redact import Redactor
from workers.settings import WorkerSettings
from workers.store.database import db_now, transact
from workers.store.errands import MOST_TRIES, Errands
from workers.store.models import Errand, InstallationState, RepoState
from workers.store.tenants import Tenants
from workers.tasks import Liveness


def row(office: Office) -> tuple[str, str]:
    with office.engine.connect() as connection:
        found = connection.execute(select(Errand.state, Errand.answer, Errand.error).order_by(Errand.id.desc())).first()
    assert found is not None
    return found.state, found.answer or found.error


def counter(office: Office, handler: object, secret: str = "") -> Counter:
    settings = WorkerSettings(database_url=str(office.engine.url))
    app, redactor = App(office.hub.api_url, 1, ""), Redactor(secret)
    errands = Errands(office.engine, redactor)
    return Counter(settings, errands, office.ledger, app, redactor, {Kind.RECOVER: handler})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("trouble", "state", "said"),
    [
        (Stop(Outcome.DISABLED, "gone"), "done", "DISABLED: gone"),
        (ValueError("a bug with hunter2hunter2"), "queued", "ValueError: a bug with [redacted]"),
        (LeaseLost("somebody else has it"), "running", ""),
    ],
)
def test_what_a_handler_raises(office: Office, trouble: Exception, state: str, said: str) -> None:
    """A refusal is an end, a bug is tried again without its secrets, a lost lease writes nothing."""

    def fails(desk: Desk) -> str:
        raise trouble

    office.errands.open(Recover(), "k")
    assert counter(office, fails, "hunter2hunter2").once("host:1/0")
    assert row(office) == (state, said)


def test_a_bug_is_given_up_in_the_end(office: Office) -> None:
    """Not tried for ever, and counted as dead."""
    seen = []

    def fails(desk: Desk) -> str:
        seen.append(desk.errand.tries)
        raise ValueError("a bug")

    office.errands.open(Recover(), "k")
    for _ in range(MOST_TRIES + 2):
        counter(office, fails).once("host:1/0")
        transact(office.engine, lambda c: c.execute(update(Errand).values(next_at=db_now() - 1)))
    assert seen == list(range(1, MOST_TRIES + 1))
    assert row(office) == ("dead", "ValueError: a bug")


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    ("installation", "repo"),
    [
        (InstallationState.SUSPENDED, None),
        (InstallationState.DELETED, None),
        (InstallationState.ACTIVE, RepoState.REMOVED),
        (InstallationState.ACTIVE, RepoState.DELETED),
    ],
)
def test_where_the_app_had_to_leave_nothing_is_done(
    office: Office, installation: InstallationState, repo: RepoState | None
) -> None:
    """An errand from before is left alone without a request; what is to be forgotten is forgotten."""
    place, tenants = office.place("mona"), Tenants(office.engine)
    tenants.installation(place.installation_id, "octo", 7, installation)
    if repo:
        tenants.repos(place.installation_id, [(place.repo_id, place.repo)], repo)
    before = len(office.hub.requests())
    left = "done: left alone: Heal is suspended or gone there, or it is archived"
    for payload in (
        CommandGiven(place, office.number, True, 1, "/heal", 5e9),
        RunWaits(place, "key", 8001),
        EndUntold(place, "run"),
    ):
        assert office.do(payload) == left
    assert office.do(Forget(place.installation_id)).startswith("done: ")
    assert len(office.hub.requests()) == before


def test_a_kind_without_a_handler_is_given_up(office: Office) -> None:
    """With the reason in its row."""
    office.errands.open(Recover(), "k")
    counter(office, None).once("host:1/0")
    assert row(office) == ("dead", "nobody does errands of the kind recover")


def test_the_errand_of_a_killed_process_is_done_by_the_next(office: Office, tmp_path: Path) -> None:
    """A process is killed with an errand in its hands; the worker's next beat starts another, which ends with its pipe.

    The first holds the errand by its lease; once that is over, the second does it.
    """
    key = tmp_path / "app.pem"
    key.write_text(office.keys.private_key)
    key.chmod(0o600)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HEAL_")},
        "HEAL_DATABASE_URL": str(office.engine.url), "HEAL_STATE_DIR": str(tmp_path), "HEAL_GITHUB_PACE": "0",
        "HEAL_APP_ID": str(office.keys.app_id), "HEAL_PRIVATE_KEY_FILE": str(key),
        "HEAL_GITHUB_API_URL": office.hub.api_url,
    }  # fmt: skip
    comment = office.hub.comment("octo/shop", "mona", office.number, "/heal")
    given = CommandGiven(office.place("mona"), office.number, True, comment["id"], "/heal", 5e9)
    office.errands.open(given, "k")
    assert Errands(office.engine, lease_seconds=0.0).claim("killed:1/0") is not None
    command = [sys.executable, "-m", "workers.errands.process"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        office.hub.wait(lambda: {} if row(office)[0] == "done" else None, 60, "the errand")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
        assert process.stderr is not None
        log = process.stderr.read()
    assert len(office.cases) == 1
    assert "PRIVATE KEY" not in log
    assert "ghs_" not in log


def test_it_is_started_again_at_the_next_beat(office: Office, tmp_path: Path) -> None:
    """A process that was killed is replaced, one that lives is left alone; without an App's key it waits quietly."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEAL_")}
    ours = {"HEAL_STATE_DIR": str(tmp_path), "HEAL_DATABASE_URL": str(office.engine.url)}
    liveness = Liveness("host:1", 1, tmp_path / "alive", {**environment, **ours})
    try:
        liveness.beat()
        first = liveness._errands
        assert first is not None
        first.kill()
        first.wait()
        liveness.beat()
        second = liveness._errands
        liveness.beat()
        assert second is not first
        assert liveness._errands is second
    finally:
        for process in (liveness._errands, liveness._sweeper):
            assert process is not None
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)


def test_it_knows_no_model() -> None:
    """Of all secrets it inherits the App's key alone."""
    names = (
        "HEAL_PRIVATE_KEY",
        "HEAL_PRIVATE_KEY_FILE",
        "OPENAI_API_KEY",
        "HEAL_OPENAI_API_KEY",
        "HEAL_WEBHOOK_SECRET",
    )
    kept = with_app_key_only({**dict.fromkeys(names, "x"), "HEAL_APP_ID": "1"})
    assert kept == {"HEAL_PRIVATE_KEY": "x", "HEAL_PRIVATE_KEY_FILE": "x", "HEAL_APP_ID": "1"}


def test_every_kind_of_ours_has_a_handler() -> None:
    """Commands, buttons and labels are done by somebody."""
    assert {Kind.COMMAND, Kind.BUTTON, Kind.LABEL} <= set(HANDLERS)
