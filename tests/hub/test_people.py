"""What people and other CI systems do, as Apps see and hear it."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from github import GithubException

from tests.hub.conftest import REPO, Setup
from tests.hub.receiver import receiving

EVENTS = ["status", "check_run", "check_suite", "pull_request", "pull_request_review", "pull_request_review_comment",
          "pull_request_review_thread", "issue_comment", "issues"]  # fmt: skip
THREADS = (
    "query Q($owner: String!, $name: String!, $number: Int!, $after: String) { repository(owner: $owner, name: $name) {"
    " pullRequest(number: $number) { id isDraft mergeable reviewDecision reviewThreads(first: 1, after: $after) {"
    " pageInfo { hasNextPage endCursor } nodes { id isResolved isOutdated path line viewerCanResolve"
    " comments(first: 50) { nodes { databaseId body author { __typename login } replyTo { id } } } } } } } }"
)


def graphql(setup: Setup, query: str, **variables: object) -> Any:
    url = setup.hub.api_url.replace("/v3", "/graphql")
    head = {"Authorization": f"Bearer {setup.token()}"}
    return httpx.post(url, json={"query": query, "variables": variables}, headers=head, trust_env=False).json()


def mutate(setup: Setup, name: str, fields: str, **given: object) -> Any:
    kind = name[:1].upper() + name[1:] + "Input"
    return graphql(setup, f"mutation M($input: {kind}!) {{ {name}(input: $input) {{ {fields} }} }}", input=given)


def get(setup: Setup, path: str) -> Any:
    head = {"Authorization": f"Bearer {setup.token()}"}
    return httpx.get(f"{setup.hub.api_url}/repos/{REPO}{path}", headers=head, trust_env=False).json()


def topic(setup: Setup) -> int:
    """The number of a pull request that changes calc.py."""
    setup.hub.push(REPO, {"calc.py": "def add(a, b):\n    return a + b\n"}, branch="topic")
    return int(setup.hub.open_pull(REPO, "octo", "topic")["number"])


def test_statuses_of_an_old_ci(setup: Setup) -> None:
    """Each one is told without an action; the newest of a context counts, the worst one decides."""
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        setup.hub.status(REPO, "pending", target_url="https://ci.example.com/1")
        setup.hub.status(REPO, "success", "lint")
        setup.hub.status(REPO, "failure", description="3 failed")
        setup.hub.settle()
        told = [(one.name, one.json["state"], [b["name"] for b in one.json["branches"]]) for one in receiver.got]
    assert told == [("status", "pending", ["main"]), ("status", "success", ["main"]), ("status", "failure", ["main"])]
    combined = get(setup, f"/commits/{setup.info.sha}/status")
    assert (combined["state"], combined["total_count"]) == ("failure", 2)
    assert [one["description"] for one in get(setup, "/commits/main/statuses")] == ["3 failed", None, None]


def test_check_runs_of_another_app(setup: Setup) -> None:
    """Its annotations and texts can be read, nobody else may change it, and its App is told as the owner."""
    note = {"path": "calc.py", "start_line": 2, "end_line": 2, "annotation_level": "failure", "message": "minus"}
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        output = {"title": "1 problem", "summary": "Red", "text": "calc.py:2", "annotations": [note]}
        made = setup.hub.finish_check(REPO, "style", app="circleci", output=output)
        setup.hub.settle()
        assert [one.name for one in receiver.got] == ["check_run.created", "check_run.completed"]
        assert receiver.got[-1].json["check_run"]["app"]["slug"] == "circleci"
    assert [one["message"] for one in get(setup, f"/check-runs/{made['id']}/annotations")] == ["minus"]
    with pytest.raises(GithubException, match="app_id"):
        setup.repo().get_check_run(made["id"]).edit(name="mine")


def test_people_click_and_relabel(setup: Setup) -> None:
    """Buttons and re-runs carry who pressed them; labels, bases, drafts and edits of comments are told."""
    number = topic(setup)
    run = setup.repo().create_check_run("heal", setup.info.sha, status="completed", conclusion="neutral")
    comment = setup.hub.comment(REPO, "octo", number, "first")
    setup.hub.push(REPO, {"b.py": "x = 1\n"}, branch="release")
    setup.hub.call("set_events", app_id=setup.keys.app_id, events=EVENTS)
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        setup.hub.click(REPO, "ada", run.id, "retry")
        setup.hub.click(REPO, "bob", run.id)
        setup.hub.rerequest_suite(REPO, "eve", setup.keys.app_id, sha=setup.info.sha)
        setup.hub.label(REPO, "ada", number, "heal")
        setup.hub.label(REPO, "ada", number, "heal", off=True)
        setup.hub.edit_pull(REPO, "ada", number, base="release")
        setup.hub.set_draft(REPO, "ada", number, draft=True)
        setup.hub.edit_comment(REPO, "ada", comment["id"], "second")
        setup.hub.delete_comment(REPO, "ada", comment["id"])
        setup.hub.close_pull(REPO, "ada", number)
        setup.hub.reopen(REPO, "ada", number)
        setup.hub.settle()
        names = [one.name for one in receiver.got]
        senders = [one.json["sender"]["login"] for one in receiver.got[:3]]
        changes = receiver.got[5].json["changes"]
    assert names == [
        "check_run.requested_action", "check_run.rerequested", "check_suite.rerequested", "pull_request.labeled",
        "pull_request.unlabeled", "pull_request.edited", "pull_request.converted_to_draft", "issue_comment.edited",
        "issue_comment.deleted", "pull_request.closed", "pull_request.reopened",
    ]  # fmt: skip
    assert senders == ["ada", "bob", "eve"]
    assert changes["base"]["ref"] == {"from": "main"}


def test_review_threads(setup: Setup) -> None:
    """A review's threads are paged, replied to and resolved by GraphQL; a lone reply is a review of its own."""
    number = topic(setup)
    lines = [{"path": "calc.py", "line": n, "body": f"line {n}"} for n in (1, 2)]
    setup.hub.review(REPO, "ada", number, "REQUEST_CHANGES", "no", lines)
    first = setup.hub.repo(REPO)["review_comments"][0]
    setup.hub.call("set_events", app_id=setup.keys.app_id, events=EVENTS)
    with receiving() as receiver:
        setup.hub.set_webhook(setup.keys.app_id, receiver.url)
        setup.hub.reply(REPO, "ada", first["id"], "why?")
        asked = {"owner": "octo", "name": "calc", "number": number}
        pull = graphql(setup, THREADS, **asked)["data"]["repository"]["pullRequest"]
        (thread,) = pull["reviewThreads"]["nodes"]
        assert (pull["reviewDecision"], pull["mergeable"]) == ("CHANGES_REQUESTED", "MERGEABLE")
        assert [one["body"] for one in thread["comments"]["nodes"]] == ["line 1", "why?"]
        page = pull["reviewThreads"]["pageInfo"]
        after = graphql(setup, THREADS, **asked, after=page["endCursor"])["data"]["repository"]["pullRequest"]
        assert [one["line"] for one in after["reviewThreads"]["nodes"]] == [2]
        thread_id = thread["id"]
        mutate(setup, "addPullRequestReviewThreadReply", "comment { databaseId }",
               pullRequestReviewThreadId=thread_id, body="Mended.")  # fmt: skip
        for _ in range(2):
            done = mutate(setup, "resolveReviewThread", "thread { id isResolved }", threadId=thread_id)
        assert done["data"]["resolveReviewThread"]["thread"] == {"id": thread_id, "isResolved": True}
        setup.hub.resolve(REPO, "ada", first["id"], off=True)
        setup.hub.settle()
        names = [one.name for one in receiver.got]
    pair = ["pull_request_review.submitted", "pull_request_review_comment.created"]
    threads = [f"pull_request_review_thread.{action}" for action in ("resolved", "unresolved")]
    assert names == [*pair, *pair, *threads]
    assert [review["body"] for review in setup.hub.repo(REPO)["reviews"]] == ["no", "", ""]


def test_commits_by_graphql_where_signatures_are_required(setup: Setup) -> None:
    """Unsigned commits are refused by name of the rule; createCommitOnBranch signs; a stale head is refused."""
    head = setup.info.sha
    setup.hub.push(REPO, {"b.py": "x = 1\n"}, branch="heal/x")
    start = setup.hub.repo(REPO)["branches"]["heal/x"]
    setup.hub.set_repo(
        REPO,
        unsigned=True,
        rules=[
            {"type": "required_signatures", "branches": "heal/*"},
            {"type": "branch_name_pattern", "parameters": {"operator": "starts_with", "pattern": "heal/"}},
        ],
    )
    assert [rule["type"] for rule in get(setup, "/rules/branches/heal/x")] == [
        "required_signatures", "branch_name_pattern",
    ]  # fmt: skip
    repo = setup.repo()
    commit = repo.create_git_commit("m", repo.get_git_tree(head), [repo.get_git_commit(head)])
    assert not commit.raw_data["verification"]["verified"]
    with pytest.raises(GithubException, match="GH013") as refused:
        repo.create_git_ref("refs/heads/heal/y", commit.sha)
    assert refused.value.status == 422
    with pytest.raises(GithubException, match="pattern"):
        repo.create_git_ref("refs/heads/other", head)
    with pytest.raises(GithubException, match="valid ref name"):
        repo.create_git_ref("refs/heads/heal/a..b", head)
    given: dict[str, object] = {
        "branch": {"repositoryNameWithOwner": REPO, "branchName": "heal/x"},
        "message": {"headline": "fix: add", "body": "Because."},
        "expectedHeadOid": start,
        "fileChanges": {
            "additions": [{"path": "c.py", "contents": base64.b64encode(b"y = 2\n").decode()}],
            "deletions": [{"path": "b.py"}],
        },
    }
    fields = "commit { oid signature { isValid wasSignedByGitHub } }"
    made = mutate(setup, "createCommitOnBranch", fields, **given)["data"]["createCommitOnBranch"]["commit"]
    assert made["signature"] == {"isValid": True, "wasSignedByGitHub": True}
    assert setup.hub.repo(REPO)["branches"]["heal/x"] == made["oid"]
    stale = mutate(setup, "createCommitOnBranch", fields, **given)
    assert stale["errors"][0]["type"] == "STALE_DATA"


def test_mergeable_is_unknown_first(setup: Setup) -> None:
    """Null for the asks that were named, then what git says: false when both sides changed the same line."""
    number = topic(setup)
    setup.hub.push(REPO, {"calc.py": "def add(a, b):\n    return b - a\n"})
    setup.hub.set_pull(REPO, number, unknown=1)
    seen = [get(setup, f"/pulls/{number}") for _ in range(2)]
    assert [one["mergeable"] for one in seen] == [None, False]
    assert [one["mergeable_state"] for one in seen] == ["unknown", "dirty"]


def test_reviewers_and_assignees(setup: Setup) -> None:
    """Collaborators are asked; strangers are refused as reviewers and ignored as assignees."""
    number = topic(setup)
    setup.hub.set_permission(REPO, "ada", "write")
    setup.hub.create_user("mallory")
    pull = setup.repo().get_pull(number)
    pull.create_review_request(["ada"])
    with pytest.raises(GithubException, match="collaborator"):
        pull.create_review_request(["mallory"])
    pull.add_to_assignees("ada", "mallory")
    found = get(setup, f"/pulls/{number}")
    assert [who["login"] for who in found["requested_reviewers"]] == ["ada"]
    assert [who["login"] for who in found["assignees"]] == ["ada"]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"title": "t", "summary": "\U0001f600" * 16_384}, "bytesize"),
        ({"title": "t" * 256, "summary": "s"}, "too long"),
        ({"title": "t", "summary": "s", "annotations": [
            {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m" * 65_537}
        ]}, "too long"),
    ],
    ids=["bytes", "title", "message"],
)  # fmt: skip
def test_limits_of_a_check_run(setup: Setup, output: dict[str, Any], said: str) -> None:
    """Texts are measured in bytes as well, titles and messages have limits of their own."""
    with pytest.raises(GithubException, match=said) as refused:
        setup.repo().create_check_run("heal", setup.info.sha, output=output)
    assert refused.value.status == 422


def test_limits_of_buttons_titles_and_labels(setup: Setup) -> None:
    """Three buttons of 20, 40 and 20 characters; titles of 256, labels of 50."""
    long = {"label": "x" * 21, "description": "d", "identifier": "i"}
    with pytest.raises(GithubException, match="label is too long"):
        setup.repo().create_check_run("heal", setup.info.sha, actions=[long])
    assert setup.hub.violations(take=True)  # the description knows this limit too
    issue = setup.repo().create_issue("t")
    with pytest.raises(GithubException, match="title is too long"):
        issue.edit(title="t" * 257)
    with pytest.raises(GithubException, match="name is too long"):
        issue.add_to_labels("l" * 51)
