"""The double's honesty: both oracles see what is wrong, and recorded answers of GitHub have the same keys."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.hub.conftest import REPO, Setup
from tests.hub.contract import REFERENCE, Contract
from tests.hub.process import ContractViolationError, Hub
from tests.hub.state import World
from tests.hub.test_flow import publish


def test_the_oracles_notice(tmp_path: Path) -> None:
    """A wrong answer, a wrong request and a wrong delivery are each recorded."""
    world = World(tmp_path, "http://127.0.0.1:1")
    contract = Contract(world)
    contract.check_answer("GET", "/repos/{owner}/{repo}/git/ref/{ref}", 200, {"ref": "refs/heads/main"}, "GitRef")
    assert {v["kind"] for v in world.violations} == {"answer"}
    world.violations.clear()
    contract.check_answer("GET", "/repos/{owner}/{repo}/issues/{issue_number}/labels", 200, [{"id": "x"}], "[Label]")
    assert world.violations
    world.violations.clear()
    contract.check_request("POST", "/repos/{owner}/{repo}/pulls", {"head": "a", "base": 3})
    assert {v["kind"] for v in world.violations} == {"request"}
    world.violations.clear()
    contract.check_delivery("issue_comment", {"action": "created", "comment": {}})
    assert {v["kind"] for v in world.violations} == {"delivery"}


def test_closing_tells_of_violations() -> None:
    """A test that ends the double hears of what went wrong in it."""
    hub = Hub()
    httpx.get(f"{hub.api_url}/nonsense")
    with pytest.raises(ContractViolationError, match="unknown path"):
        hub.close()


def _recorded() -> dict[tuple[str, str, int], Any]:
    whole = json.loads((REFERENCE / "rest-recordings.json").read_text())["recordings"]
    return {(one["method"], one["path"], one["status"]): one["body"] for one in whole}


# Keys whose presence depends on the data, the plan or an administrator's eyes, not on the operation.
_OPTIONAL = re.compile(
    r"\.permissions|\.organization|\.parent|\.source|\.custom_properties|^\.tree\[\]\.size$"
    r"|^\.(allow_|delete_branch_on_merge|squash_merge_|merge_commit_|use_squash_|security_and_analysis|template_)"
)


def _keys(value: Any, path: str = "") -> set[str]:
    """The paths of all keys, lists as one; what hangs below null is unknown."""
    if isinstance(value, dict):
        found = {f"{path}.{key}" for key in value}
        return found.union(*(_keys(inner, f"{path}.{key}") for key, inner in value.items()))
    if isinstance(value, list) and value:
        return _keys(value[0], f"{path}[]")
    return set()


def _compare(ours: Any, theirs: Any) -> set[str]:
    """Keys of a recorded answer that ours lacks, where both have the object."""
    mine = _keys(ours)
    missing = {key for key in _keys(theirs) - mine if not _OPTIONAL.search(key)}
    parents = {key.rpartition(".")[0] for key in mine}
    return {key for key in missing if key.rpartition(".")[0] in parents}


def test_answers_have_the_keys_of_recorded_ones(setup: Setup) -> None:
    """Where GitHub's recorded answers are at hand, the double's have every key of theirs."""
    if not REFERENCE.is_dir():
        return
    recorded, repo, asked = _recorded(), setup.repo(), setup.repo().requester
    publish(repo, setup.info.sha, "heal/1", "x = 1\n")
    pull = repo.create_pull(base="main", head="heal/1", title="t", body="b")
    comment = pull.create_issue_comment("hello")
    comment.create_reaction("eyes")
    repo.create_check_run("heal", setup.info.sha)
    setup.hub.finish_ci(REPO, log="red\n")
    setup.hub.review(REPO, "octo", pull.number, "COMMENT", "b", [{"path": "calc.py", "line": 1, "body": "x"}])
    base = f"/repos/{REPO}"
    reactions = f"{base}/issues/comments/{comment.id}/reactions"
    wrong = {}
    for template, path in {
        "/repos/{owner}/{repo}": base,
        "/repos/{owner}/{repo}/branches/{branch}": f"{base}/branches/main",
        "/repos/{owner}/{repo}/commits/{ref}": f"{base}/commits/main",
        "/repos/{owner}/{repo}/commits/{ref}/check-runs": f"{base}/commits/main/check-runs",
        "/repos/{owner}/{repo}/compare/{basehead}": f"{base}/compare/main...heal/1",
        "/repos/{owner}/{repo}/contents/{path}": f"{base}/contents/calc.py",
        "/repos/{owner}/{repo}/git/trees/{tree_sha}": f"{base}/git/trees/main",
        "/repos/{owner}/{repo}/pulls/{pull_number}": f"{base}/pulls/{pull.number}",
        "/repos/{owner}/{repo}/pulls": f"{base}/pulls",
        "/repos/{owner}/{repo}/pulls/{pull_number}/commits": f"{base}/pulls/{pull.number}/commits",
        "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": f"{base}/pulls/{pull.number}/reviews",
        "/repos/{owner}/{repo}/pulls/{pull_number}/comments": f"{base}/pulls/{pull.number}/comments",
        "/repos/{owner}/{repo}/issues/{issue_number}/comments": f"{base}/issues/{pull.number}/comments",
        "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions": reactions,
        "/repos/{owner}/{repo}/actions/runs": f"{base}/actions/runs",
        "/repos/{owner}/{repo}/actions/workflows": f"{base}/actions/workflows",
        "/repos/{owner}/{repo}/collaborators/{username}/permission": f"{base}/collaborators/octo/permission",
        "/users/{username}": "/users/heal-test[bot]",
    }.items():
        _, answer = asked.requestJsonAndCheck("GET", path)
        missing = _compare(answer, recorded[("GET", template, 200)])
        if missing:
            wrong[template] = sorted(missing)
    assert wrong == {}
