"""Promises of the switches and of what is ignored, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, update

from workers.domain import Case, Outcome
from workers.redact import Redactor
from workers.store import models
from workers.store.database import db_now, transact
from workers.store.ledger import Ledger
from workers.store.models import RunState, Switch
from workers.store.runs import Runs
from workers.store.switches import Ignores, RepoWishes, Switches
from workers.wishes import EVERYTHING, Kind, Reach, Scope

REPO = Scope(Reach.REPO, 7)
INSTALLATION = Scope(Reach.INSTALLATION, 9)


def expire(engine: Engine) -> None:
    """The time of everything that has one has passed."""

    def work(connection: Connection) -> None:
        for table in (Switch, models.Ignored):
            connection.execute(update(table).values(until=db_now() - 1))

    transact(engine, work)


def test_the_widest_switch_counts(engine: Engine) -> None:
    """A repository is off when it, its installation or everything is; others are not concerned."""
    switches = Switches(engine)
    assert switches.over(9, 7) is None
    for scope in (REPO, INSTALLATION, EVERYTHING):
        switches.off(scope, "mona", "a release")
        found = switches.over(9, 7)
        assert found is not None
        assert (found.scope, found.who, found.why, found.until) == (str(scope), "mona", "a release", None)
    assert [off.scope for off in switches.listed()] == ["all", "installation:9", "repo:7"]
    assert switches.on(EVERYTHING)
    assert not switches.on(EVERYTHING)
    assert switches.over(8, 8) is None
    other = switches.over(9, 8)
    assert other is not None
    assert other.scope == "installation:9"


def test_a_switch_ends_by_itself(engine: Engine) -> None:
    """After its time nothing is off; thrown again it has the newest words and time, without secrets."""
    switches = Switches(engine, Redactor("hunter2hunter2"))
    switches.off(REPO, "mona")
    expire(engine)
    assert switches.over(9, 7) is None
    assert not switches.on(REPO)
    switches.off(REPO, "ada", "because of hunter2hunter2", seconds=3600)
    found = switches.over(9, 7)
    assert found is not None
    assert found.until is not None
    assert (found.who, found.why, round(found.until - found.at)) == ("ada", "because of [redacted]", 3600)


def test_throwing_a_switch_ends_what_it_reaches(engine: Engine, ledger: Ledger, case: Case) -> None:
    """What waits ends at once, what runs is asked to; other repositories go on."""
    waiting, _ = ledger.open_run(case, "a", "delivery")
    running, _ = ledger.open_run(case, "b", "delivery")
    other, _ = ledger.open_run(replace(case, repo_id=8), "c", "delivery")
    lease = ledger.claim(running, "w:1/1")
    assert lease is not None
    ended = ledger.cancel_for_scope(REPO, Outcome.DISABLED, "Paused by `mona`.")
    assert set(ended) == {waiting, running}
    runs = {known.id: known for known in Runs(engine, 7).about(3)}
    assert (runs[waiting].outcome, runs[waiting].detail) == (Outcome.DISABLED, "Paused by `mona`.")
    assert runs[running].state is RunState.RUNNING
    assert [known.done for known in Runs(engine, 8).about(3)] == [False]
    assert set(ledger.cancel_for_scope(EVERYTHING, Outcome.DISABLED, "x")) == {running, other}


@pytest.mark.parametrize(
    ("job", "tests", "fingerprint", "kept"),
    [
        ("lint", (), "", "lint"),
        ("unit", ("t.py::a",), "", "t.py::a"),
        ("unit", ("t.py::a[x-1]", "t.py::a[x-2]"), "", "t.py::a"),
        ("unit", ("t.py::a", "t.py::b"), "", None),
        ("unit", ("t.py::ab",), "", None),
        ("unit", (), "f00", "f00"),
        ("unit", ("t.py::b",), "f00", "f00"),
        ("t.py::a", (), "lint", None),
        ("", (), "", None),
    ],
)
def test_what_is_ignored(engine: Engine, job: str, tests: tuple[str, ...], fingerprint: str, kept: str | None) -> None:
    """A job, a fingerprint, or all red tests; one red test that nobody ignores is enough to go on."""
    ignores = Ignores(engine, 7)
    for kind, value in ((Kind.JOB, "lint"), (Kind.TEST, "t.py::a"), (Kind.FINGERPRINT, "f00")):
        ignores.add(kind, value, "mona")
    found = RepoWishes(engine, 9, 7).ignored(job, tests, fingerprint)
    assert (found.value if found else None) == kept
    assert RepoWishes(engine, 9, 8).ignored(job, tests, fingerprint) is None


def test_ignoring_ends(engine: Engine) -> None:
    """By its time, or when it is taken back; said twice it is one."""
    ignores = Ignores(engine, 7)
    ignores.add(Kind.TEST, "t.py::a\0", "mona", 60)
    ignores.add(Kind.TEST, "t.py::a\0", "ada", 60)
    assert [one.who for one in ignores.listed()] == ["ada"]
    assert ignores.remove(Kind.TEST, "t.py::a\0")
    assert not ignores.remove(Kind.TEST, "t.py::a\0")
    ignores.add(Kind.TEST, "t" * 9000, "mona", 60)
    assert ignores.match("", ("t" * 9000,), "") is not None
    expire(engine)
    assert ignores.listed() == ()
