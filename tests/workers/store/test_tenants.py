"""Names and owners change, ids stay: what installations and repositories are called, whatever order it is told in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from workers.domain import Case, Outcome, Published, Report, StageName
from workers.errands.model import ConfigTouched, Place
from workers.store.errands import Errands
from workers.store.ledger import Ledger
from workers.store.models import InstallationState, Repo, RepoState, Run
from workers.store.pages import Pages
from workers.store.rounds import Rounds
from workers.store.runs import Runs
from workers.store.tenants import Tenants

ACTIVE, SUSPENDED, DELETED = InstallationState.ACTIVE, InstallationState.SUSPENDED, InstallationState.DELETED


@pytest.fixture
def tenants(engine: Engine) -> Tenants:
    return Tenants(engine)


def shown(engine: Engine) -> list[tuple[str, int]]:
    """(name, installation) of every run."""
    with engine.connect() as connection:
        return [(row.repo, row.installation_id) for row in connection.execute(select(Run).order_by(Run.id))]


@pytest.fixture
def run(ledger: Ledger, case: Case) -> Case:
    """A run of repository 7, called octo/red, of installation 9."""
    ledger.open_run(case, "one", "delivery")
    return case


@pytest.mark.parametrize(
    ("told", "active"),
    [
        ([], True),
        ([(ACTIVE, 10.0)], True),
        ([(SUSPENDED, 10.0)], False),
        ([(DELETED, 10.0)], False),
        ([(ACTIVE, 10.0), (SUSPENDED, 20.0), (ACTIVE, 30.0)], True),
        ([(ACTIVE, 30.0), (SUSPENDED, 20.0)], True),
        ([(SUSPENDED, 20.0), (ACTIVE, 10.0)], False),
        ([(SUSPENDED, 20.0), (ACTIVE, 20.0)], True),
        ([(SUSPENDED, 20.0), (None, 30.0)], False),
        ([(DELETED, 20.0), (ACTIVE, 30.0)], False),
    ],
)
def test_where_an_installation_stands(
    tenants: Tenants, told: list[tuple[InstallationState | None, float]], active: bool
) -> None:
    """The newest word counts, by GitHub's clock; nothing that was sent before undoes the end."""
    for state, at in told:
        tenants.installation(9, "octo", 1, state, at)
    assert tenants.in_reach(9, 7) is active


def test_renamed(tenants: Tenants, engine: Engine, run: Case) -> None:
    """A renamed repository's runs are shown under its new name; late news of an older name changes nothing."""
    tenants.repos(9, [(7, "octo/blue")], None, 20.0)
    tenants.repos(9, [(7, "octo/green")], None, 10.0)
    tenants.repos(9, [(8, "octo/other")], RepoState.ACTIVE, 30.0)
    assert shown(engine) == [("octo/blue", 9)]


def test_transferred(tenants: Tenants, engine: Engine, run: Case) -> None:
    """A transferred repository takes its history along; that the old owner has lost it does not take it away."""
    tenants.repos(9, [(7, "octo/red")], RepoState.ACTIVE, 10.0)
    tenants.repos(11, [(7, "new/red")], RepoState.ACTIVE, 20.0)
    tenants.repos(9, [(7, "octo/red")], RepoState.REMOVED, 30.0)
    assert shown(engine) == [("new/red", 11)]
    assert tenants.gone([7]) == set()


@pytest.mark.parametrize("owner", [False, True], ids=["repository", "account"])
def test_links_to_a_fix_follow(tenants: Tenants, ledger: Ledger, engine: Engine, run: Case, owner: bool) -> None:
    """Somebody else may have the old address by now. The run's end, which knows that one alone, changes nothing."""
    lease = ledger.claim(ledger.due()[0], "t")
    assert lease is not None
    fix = Published(5, "https://git.example/octo/red/pull/5", "heal/x", "c" * 40)
    lease.record(StageName.PUBLISH, 0, fix, 1.0)
    if owner:
        tenants.installation(9, "octo", 1, ACTIVE, 10.0)
        tenants.account_renamed(9, "squid", "octo")
    else:
        tenants.repos(9, [(7, "octo/red")], RepoState.ACTIVE, 10.0)
        tenants.repos(9, [(7, "octo/blue")], RepoState.ACTIVE, 20.0)
    lease.finish(Report(lease.case, Outcome.FIXED, "", published=fix))
    page = Pages(engine).run(lease.run)
    assert page is not None
    assert page.line.published_url == fix.url.replace("octo/red", "squid/red" if owner else "octo/blue")


@pytest.mark.fault(14)
def test_what_waits_follows(tenants: Tenants, ledger: Ledger, engine: Engine, run: Case) -> None:
    """Runs and errands that wait, and what is made of earlier runs, go on under the new name by the new
    installation's tokens; the person behind an errand stays."""
    errands = Errands(engine)
    errands.open(ConfigTouched(Place(9, 7, "octo/red", "mona", 5), 1, run.head_sha), "config")
    (waiting,) = ledger.due()
    tenants.repos(9, [(7, "octo/red")], RepoState.ACTIVE, 10.0)
    tenants.repos(11, [(7, "new/blue")], RepoState.ACTIVE, 20.0)
    claimed, lease = errands.claim("t"), ledger.claim(waiting, "t")
    assert claimed is not None
    assert isinstance(claimed.payload, ConfigTouched)
    assert claimed.payload.place == Place(11, 7, "new/blue", "mona", 5)
    assert lease is not None
    assert (lease.has_moved(), Runs(engine, 7).case(waiting), ledger.case(waiting)) == (False, *[lease.case] * 2)
    assert Rounds(engine).first_case(7, waiting) == lease.case
    assert lease.case == replace(run, run=waiting, repo="new/blue", installation_id=11)
    lease.finish(Report(replace(lease.case, repo="octo/red", installation_id=9), Outcome.FLAKY, ""))
    page = Pages(engine).run(waiting)
    assert page is not None
    assert page.report is not None
    assert page.report.case == page.case == lease.case


def test_renamed_account(tenants: Tenants, ledger: Ledger, engine: Engine, run: Case) -> None:
    """All repositories of a renamed account, and only they, lie under its new name."""
    ledger.open_run(replace(run, repo_id=8, repo="octopus/red", installation_id=10), "two", "delivery")
    tenants.installation(9, "octo", 1, ACTIVE, 10.0)
    tenants.repos(9, [(7, "octo/red")], RepoState.ACTIVE, 10.0)
    for _ in range(2):
        tenants.account_renamed(9, "squid", "octo")
    assert shown(engine) == [("squid/red", 9), ("octopus/red", 10)]
    with engine.connect() as connection:
        assert connection.execute(select(Repo.full_name)).scalars().all() == ["squid/red"]


def test_gone(tenants: Tenants) -> None:
    """Repositories that were removed or deleted, or whose account left, are gone; unknown and archived ones are not."""
    states = (RepoState.ACTIVE, RepoState.REMOVED, RepoState.ARCHIVED, RepoState.DELETED)
    for repo_id, state in enumerate(states, start=1):
        tenants.repos(9, [(repo_id, f"octo/{repo_id}")], state)
    tenants.repos(10, [(5, "left/5")], RepoState.ACTIVE)
    tenants.installation(10, "left", 2, DELETED)
    assert tenants.gone(range(1, 7)) == {2, 4, 5}
    tenants.repos(9, [(2, "octo/2")], RepoState.ACTIVE)
    assert tenants.gone([2]) == set()
