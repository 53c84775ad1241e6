"""What people asked for before their repository got another name or owner: answered where it is now, or nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workers.errands.office import FILES, REPO, Office, reactions
from workers.errands.model import CommandGiven
from workers.store.errands import Errands
from workers.store.models import RepoState
from workers.store.tenants import Tenants

NEW = "octo/store"
pytestmark = pytest.mark.fault(14)


def asked(office: Office, body: str) -> CommandGiven:
    """`mona` has commented on the red pull request, and the delivery was accepted."""
    made = office.hub.comment(REPO, "mona", office.number, body)
    return CommandGiven(office.place("mona"), office.number, True, made["id"], body, 5e9)


def said(office: Office, repo: str) -> list[Any]:
    """Our comments in a repository."""
    return [one for one in office.hub.repo(repo)["comments"] if one["user"]["login"] == office.keys.bot]


@pytest.mark.parametrize("taken", [False, True], ids=["name free", "name taken"])
def test_renamed_before_the_answer(office: Office, taken: bool) -> None:
    """The reaction, the reply and the run are of the repository that was meant."""
    given = asked(office, "/heal help\n/heal fix")
    office.hub.rename_repo(REPO, "store")
    if taken:
        other = office.hub.create_repo(REPO, files=FILES)
        office.hub.push(REPO, {"a.py": "x = 1\n"}, branch="change", new_from="main")
        assert office.hub.open_pull(REPO, "octocat", "change")["number"] == office.number
        assert other.id != office.info.id
    assert office.do(given).startswith("done: ")
    (comment,) = [one for one in office.hub.repo(NEW)["comments"] if one["id"] == given.comment_id]
    assert reactions(comment) == ["eyes", "rocket"]
    assert len(said(office, NEW)) == 1
    (case,) = office.cases
    assert (case.repo, case.repo_id, case.head_sha) == (NEW, office.info.id, office.sha)
    assert not taken or office.hub.repo(REPO)["comments"] == []


def test_moved_to_an_owner_without_heal_before_the_answer(office: Office) -> None:
    """It is over with the reason, at once: GitHub is asked for a token and for nothing else."""
    given = asked(office, "/heal fix")
    office.hub.transfer_repo(REPO, "acme", owner_kind="Organization")
    start = len(office.hub.requests())
    assert "not installed on this repository any more" in office.do(given)
    assert [one["path"].rpartition("/")[2] for one in office.hub.requests()[start:]] == ["access_tokens"]
    assert not office.counter.once("host:1/0")
    assert office.cases == []


def test_moved_to_an_owner_with_heal_before_the_answer(office: Office) -> None:
    """The new installation's tokens answer."""
    given = asked(office, "/heal fix")
    Errands(office.engine).open(given, "before the move")
    there = office.hub.install(office.keys.app_id, "acme", account_kind="Organization")
    moved = office.hub.transfer_repo(REPO, "acme", owner_kind="Organization")
    Tenants(office.engine).repos(office.keys.installation_id, [(office.info.id, REPO)], RepoState.ACTIVE, 1.0)
    Tenants(office.engine).repos(there, [(office.info.id, moved)], RepoState.ACTIVE, 2.0)
    assert office.counter.once("host:1/0")
    (case,) = office.cases
    assert (case.repo, case.installation_id, case.head_sha) == (moved, there, office.sha)
