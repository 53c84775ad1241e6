"""Deliveries: signed, complete, only what was asked for, kept, sent again, lost and doubled on demand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.conftest import FILES, REPO, Setup
from tests.hub.hooks import sign
from tests.hub.process import Hub
from tests.hub.receiver import Receiver, receiving
from tests.hub.test_flow import publish

ALL_EVENTS = (
    "check_run",
    "check_suite",
    "workflow_run",
    "workflow_job",
    "issue_comment",
    "issues",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "repository",
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def wired(hub: Hub, receiver: Receiver) -> Setup:
    """A repository and an App that hears everything."""
    keys = hub.create_app("heal-test", events=ALL_EVENTS, webhook_url=receiver.url)
    return Setup(hub, keys, hub.create_repo(REPO, files=FILES))


def test_githubs_own_signature_vector() -> None:
    """The signature of GitHub's documentation comes out."""
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert sign("It's a Secret to Everybody", b"Hello, World!") == expected


def test_a_ci_run_tells_its_story_in_order(wired: Setup, receiver: Receiver) -> None:
    """A finished CI run sends workflow run, check run and job events, signed with the App's secret."""
    done = wired.hub.finish_ci(REPO, log="red\n")
    wired.hub.settle()
    assert receiver.names() == [
        "push",
        "workflow_run.requested",
        "check_run.created",
        "workflow_job.queued",
        "workflow_job.in_progress",
        "check_run.completed",
        "workflow_job.completed",
        "workflow_run.completed",
    ]
    for one in receiver.got:
        assert one.headers["x-hub-signature-256"] == sign(wired.keys.webhook_secret, one.body)
        assert one.headers["x-github-hook-installation-target-id"] == str(wired.keys.app_id)
        assert one.json["installation"]["id"] == wired.keys.installation_id
    check = receiver.got[5].json["check_run"]
    assert (check["id"], check["app"]["id"], check["check_suite"]["head_branch"]) == (done.job_id, 15368, "main")
    assert check["details_url"].endswith(f"/actions/runs/{done.run_id}/job/{done.job_id}")


def test_people_and_apps_make_events(wired: Setup, receiver: Receiver) -> None:
    """Pull requests, comments, reviews, labels and clicks arrive as GitHub would send them."""
    hub, repo = wired.hub, wired.repo()
    publish(repo, wired.info.sha, "heal/1", "def add(a, b):\n    return a + b\n")
    pull = repo.create_pull(base="main", head="heal/1", title="Fix add", body="proof", draft=True)
    pull.mark_ready_for_review()
    pull.edit(body="more")
    pull.add_to_labels("heal")
    pull.create_issue_comment("from the App")
    hub.comment(REPO, "octo", pull.number, "/heal status")
    made = hub.review(REPO, "octo", pull.number, "REQUEST_CHANGES", "no", [{"path": "calc.py", "line": 2, "body": "?"}])
    check = repo.create_check_run("heal", wired.info.sha, status="completed", conclusion="neutral")
    hub.click(REPO, "octo", check.id, "retry")
    hub.click(REPO, "octo", check.id)
    hub.push(REPO, {"calc.py": "x = 1\n"}, branch="heal/1")
    hub.open_issue(REPO, "octo", "broken")
    hub.merge_pull(REPO, "octo", pull.number)
    hub.settle()
    names = receiver.names()
    for name in (
        "pull_request.opened",
        "pull_request.ready_for_review",
        "pull_request.edited",
        "pull_request.labeled",
        "issue_comment.created",
        "pull_request_review.submitted",
        "pull_request_review_comment.created",
        "check_run.created",
        "check_run.completed",
        "check_run.requested_action",
        "check_run.rerequested",
        "pull_request.synchronize",
        "issues.opened",
        "pull_request.closed",
        "push",
    ):
        assert name in names, name
    review = next(one.json["review"] for one in receiver.got if one.event == "pull_request_review")
    assert (review["state"], made["state"]) == ("changes_requested", "CHANGES_REQUESTED")


def test_only_subscribed_events_are_sent(hub: Hub, receiver: Receiver) -> None:
    """An App that asked for issue comments hears of nothing else."""
    hub.create_app("quiet", events=["issue_comment"], webhook_url=receiver.url, permissions={"issues": "read"})
    hub.create_repo(REPO, files=FILES)
    hub.finish_ci(REPO)
    issue = hub.open_issue(REPO, "octo", "t")
    hub.comment(REPO, "octo", issue["number"], "hi")
    hub.settle()
    assert receiver.names() == ["issue_comment.created"]


def test_a_failed_delivery_is_kept_and_sent_again_with_its_guid(wired: Setup, receiver: Receiver) -> None:
    """The App finds a failed delivery in its list and has it sent again: same GUID, marked as redelivery."""
    receiver.status = 500
    issue = wired.hub.open_issue(REPO, "octo", "t")
    wired.hub.settle()
    receiver.status = 202
    with wired.integration() as gi:
        _, listed = gi.requester.requestJsonAndCheck("GET", "/app/hook/deliveries")
        failed = next(one for one in listed if one["event"] == "issues")
        assert (failed["status_code"], failed["status"]) == (500, "Invalid HTTP Response: 500")
        _, whole = gi.requester.requestJsonAndCheck("GET", f"/app/hook/deliveries/{failed['id']}")
        assert whole["request"]["payload"]["issue"]["number"] == issue["number"]
        gi.requester.requestJsonAndCheck("POST", f"/app/hook/deliveries/{failed['id']}/attempts")
        wired.hub.settle()
        _, listed = gi.requester.requestJsonAndCheck("GET", "/app/hook/deliveries")
    again = listed[0]
    assert (again["guid"], again["redelivery"], again["status"]) == (failed["guid"], True, "OK")
    assert receiver.got[-1].body == receiver.got[-2].body


def test_deliveries_are_lost_and_doubled_on_demand(wired: Setup, receiver: Receiver) -> None:
    """A dropped delivery never arrives but is listed as failed; a doubled one arrives twice with one GUID."""
    wired.hub.settle()
    receiver.got.clear()
    wired.hub.drop_deliveries("^issues$")
    wired.hub.duplicate_deliveries("issue_comment")
    issue = wired.hub.open_issue(REPO, "octo", "t")
    wired.hub.comment(REPO, "octo", issue["number"], "hi")
    wired.hub.settle()
    assert receiver.names() == ["issue_comment.created"] * 2
    assert len({one.headers["x-github-delivery"] for one in receiver.got}) == 1
    assert [d["status_code"] for d in wired.hub.deliveries() if d["event"] == "issues"] == [0]
