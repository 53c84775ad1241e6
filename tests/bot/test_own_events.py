"""What Heal itself does on GitHub comes back as events, and none of them starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.bot.conftest import Serve, rows, until
from tests.bot.deliveries import SECRET
from tests.hub.process import Hub
from tests.workers.forge.scene import EDITS, FILES, LOG, PROPOSAL, REPO, STARTED, red_case
from workers.github import App, GitHubForge
from workers.ports import Notice

EVENTS = (
    "check_run", "check_suite", "workflow_run", "workflow_job", "status", "issue_comment", "issues", "pull_request",
    "pull_request_review", "pull_request_review_comment", "pull_request_review_thread", "push", "repository",
)  # fmt: skip
BY_PEOPLE = {"command", "button", "label", "review"}


@pytest.mark.fault(17)
def test_nothing_of_our_own_starts_a_run(hub: Hub, serve: Serve, engine: Engine, tmp_path: Path) -> None:
    """Our check run, comment, branch, commit, pull request and its red CI arrive, twice each: no run is opened, and no
    errand as if a person had asked for something."""
    keys = hub.create_app("heal-test", account="octo", events=EVENTS, webhook_secret=SECRET)
    info = hub.create_repo(REPO, files=FILES)
    red = hub.finish_ci(REPO, log=LOG)
    pull = hub.open_pull(REPO, "octocat", _topic(hub))
    site = serve(app_id=keys.app_id, app_slug=keys.slug)
    hub.set_webhook(keys.app_id, f"{site.url}/webhook")

    app = App(hub.api_url, keys.app_id, keys.private_key, pace=0)
    case = red_case(info, keys, red)
    with GitHubForge(app, tmp_path / "mirrors", case) as forge:
        forge.tell(case, STARTED)
        tree = forge.tree(case)
        done = forge.publish(case, tree, tree.diff(EDITS), PROPOSAL)
        hub.finish_ci(REPO, branch=PROPOSAL.branch, log=LOG)
        forge.confirm(case, done, "@heal /heal fix", ready=True)
        forge.tell(case, Notice("Done", "It is done.", comment="/heal fix", final=True), done)
    assert pull["number"] != done.pull_request
    hub.settle()
    sent = hub.deliveries()
    for delivery in sent:
        hub.redeliver(delivery["guid"])
    hub.settle()
    until(lambda: all(row["state"] != "new" for row in rows(engine, "delivery")))

    names = {f"{one['event']}.{one['action']}" for one in sent}
    assert {"check_run.created", "check_run.completed", "push.None", "pull_request.opened", "pull_request.edited",
            "issue_comment.created", "workflow_run.completed", "pull_request.ready_for_review"} <= names  # fmt: skip
    assert len(rows(engine, "delivery")) == len(sent)
    assert rows(engine, "run") == []
    assert BY_PEOPLE.isdisjoint(row["kind"] for row in rows(engine, "errand"))


def _topic(hub: Hub) -> str:
    hub.push(REPO, {"topic.py": "x = 1\n"}, branch="topic", new_from="main")
    return "topic"
