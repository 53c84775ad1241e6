"""What owners do to installations and repositories, and what their Apps are told and refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from github import GithubException

from tests.hub.conftest import FILES, REPO, Setup
from tests.hub.process import PERMISSIONS
from tests.hub.receiver import Receiver, receiving


def _told(setup: Setup, receiver: Receiver) -> list[Any]:
    setup.hub.settle()
    return [(one.name, one.json) for one in receiver.got]


def test_an_installation_from_its_creation_to_its_end(setup: Setup) -> None:
    """Each step is told with the whole installation; suspended and removed ones are refused tokens and calls."""
    number, old = setup.keys.installation_id, setup.token()
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        setup.hub.announce(number)
        setup.hub.suspend(number)
        setup.hub.push(REPO, {"a.py": "x = 1\n"})
        with pytest.raises(GithubException, match="suspended"):
            setup.token()
        with pytest.raises(GithubException, match="suspended"):
            setup.github(old).get_repo(REPO)
        setup.hub.unsuspend(number)
        assert setup.github(old).get_repo(REPO).full_name == REPO
        setup.hub.accept_permissions(number, {**PERMISSIONS, "actions": "read"})
        setup.hub.uninstall(number)
        with pytest.raises(GithubException) as gone:
            setup.github(old).get_repo(REPO)
        assert gone.value.status == 401
        told = _told(setup, receiver)
    assert [name for name, _ in told] == [
        "installation.created", "installation.suspend", "installation.unsuspend",
        "installation.new_permissions_accepted", "installation.deleted",
    ]  # fmt: skip
    assert all(body["installation"]["id"] == number for _, body in told)
    assert [repo["full_name"] for repo in told[0][1]["repositories"]] == [REPO]
    assert told[3][1]["installation"]["permissions"]["actions"] == "read"


def test_repositories_come_and_go(setup: Setup) -> None:
    """`installation_repositories` names what was added and what was removed."""
    other = setup.hub.create_repo("octo/other", files=FILES)
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        setup.hub.choose_repos(setup.keys.installation_id, ["octo/other"])
        setup.hub.choose_repos(setup.keys.installation_id, ["octo/other", REPO])
        (removed, gone), (added, back) = _told(setup, receiver)
    assert (removed, added) == ("installation_repositories.removed", "installation_repositories.added")
    assert [one["id"] for one in gone["repositories_removed"]] == [setup.info.id] != [other.id]
    assert [one["full_name"] for one in back["repositories_added"]] == [REPO]


def test_a_renamed_repository_is_found_under_its_old_name(setup: Setup) -> None:
    """GET redirects to the id's address, which answers under the new name; the event says where it came from."""
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        assert setup.hub.rename_repo(REPO, "sums") == "octo/sums"
        head = {"Authorization": f"Bearer {setup.token()}"}
        url = f"{setup.hub.api_url}/repos/{REPO}/branches"
        moved = httpx.get(url, headers=head, trust_env=False)
        assert moved.status_code == 301
        followed = httpx.get(url, headers=head, follow_redirects=True, trust_env=False)
        assert [branch["name"] for branch in followed.json()] == ["main"]
        assert setup.github().get_repo(REPO).full_name == "octo/sums"
        ((name, body),) = _told(setup, receiver)
    assert (name, body["changes"]) == ("repository.renamed", {"repository": {"name": {"from": "calc"}}})


def test_what_a_former_name_leads_to(setup: Setup) -> None:
    """Reads are told 301 and writes 307 to the id's address, with the query; git's address leads to the new one. Who
    takes the name ends that, and the id's address stays the old repository's, also when that is gone."""
    setup.hub.rename_repo(REPO, "sums")
    api, by_id = f"{setup.hub.api_url}/repos/{REPO}", f"{setup.hub.api_url}/repositories/{setup.info.id}"
    with httpx.Client(headers={"Authorization": f"Bearer {setup.token()}"}, trust_env=False) as client:
        read, written = client.get(f"{api}/pulls?state=all"), client.post(f"{api}/issues", json={"title": "t"})
        assert (read.status_code, read.headers["location"]) == (301, f"{by_id}/pulls?state=all")
        assert (written.status_code, written.headers["location"]) == (307, f"{by_id}/issues")
        git = client.get(f"{setup.hub.url}/{REPO}.git/info/refs?service=git-upload-pack")
        assert git.headers["location"] == f"{setup.hub.url}/octo/sums.git/info/refs?service=git-upload-pack"
        other = setup.hub.create_repo(REPO, files=FILES)
        assert client.get(api).json()["id"] == other.id
        assert client.get(by_id).json()["full_name"] == "octo/sums"
        setup.hub.delete_repo("octo/sums")
        setup.hub.create_repo("octo/sums", files=FILES)
        assert client.get(by_id).status_code == 404


def test_moved_archived_and_deleted(setup: Setup) -> None:
    """Only Apps at the new owner hear of a transfer; an archived repository is read-only; a deleted one just gone."""
    setup.hub.create_app("there", account="acme", account_kind="Organization")
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        setup.hub.archive_repo(REPO)
        with pytest.raises(GithubException, match="archived"):
            setup.repo().create_git_blob("x", "utf-8")
        setup.hub.archive_repo(REPO, archived=False)
        assert setup.hub.transfer_repo(REPO, "acme", owner_kind="Organization") == "acme/calc"
        told = _told(setup, receiver)
    assert [name for name, _ in told] == ["repository.archived", "repository.unarchived"]
    setup.hub.delete_repo("acme/calc")
    with pytest.raises(GithubException) as gone:
        setup.github().get_repo("acme/calc")
    assert gone.value.status == 404


def test_a_pull_request_whose_fork_is_gone(setup: Setup) -> None:
    """It stays open, and its head has no repository any more."""
    setup.hub.create_repo("mallory/calc", fork_of=REPO)
    setup.hub.push("mallory/calc", {"a.py": "x = 1\n"}, user="mallory")
    number = setup.hub.open_pull(REPO, "mallory", "mallory:main")["number"]
    setup.hub.delete_repo("mallory/calc")
    url = f"{setup.hub.api_url}/repos/{REPO}/pulls/{number}"
    found = httpx.get(url, headers={"Authorization": f"Bearer {setup.token()}"}, trust_env=False).json()
    assert (found["state"], found["head"]["repo"]) == ("open", None)
