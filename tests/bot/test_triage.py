"""The table of decisions: which delivery starts, holds back, wakes, cancels, or does nothing and why."""

from __future__ import annotations

from typing import Any

import pytest

from bot.reading import parse
from bot.triage import CancelBranch, CancelInstallation, Decision, Identity, Ignore, Settle, Start, Wake, decide
from tests.bot.deliveries import PAYLOADS, SHA, encoded, payload
from workers.domain import Outcome

OWN = Identity(app_id=42, app_slug="heal-bot")
CHECK, WORKFLOW, PULL, PUSH = "check_run.completed", "workflow_run.completed", "pull_request.synchronize", "push"


def decided(name: str, **changes: Any) -> Decision:
    """The decision for a hand-made payload with changes."""
    return decide(parse(name.partition(".")[0], encoded(payload(name, **changes))), OWN)


def started(name: str, **changes: Any) -> Start:
    """The same, where it must start a run."""
    decision = decided(name, **changes)
    assert isinstance(decision, Start)
    return decision


def test_red_actions_job_waits_for_its_workflow_run() -> None:
    """One red job of Actions holds a run back under the workflow run's key."""
    start = started(CHECK)
    assert (start.key, start.wait) == ("actions:7001:8001:1", True)
    assert (start.case.job, start.case.job_id, start.case.actions_run_id) == ("unit (3.12)", 9001, 8001)
    assert (start.case.repo, start.case.branch, start.case.head_sha) == ("octo/calc", "main", SHA)


def test_red_workflow_run_starts() -> None:
    """The end of the workflow run starts the same run."""
    start = started(WORKFLOW)
    assert (start.key, start.wait, start.instead) == ("actions:7001:8001:1", False, "")
    assert (start.case.workflow_path, start.case.attempt, start.case.fork) == (".github/workflows/ci.yml", 1, False)


def test_second_attempt_is_a_run_of_its_own() -> None:
    """A rerun has its own key and takes the place of what its check runs held back."""
    start = started(WORKFLOW, workflow_run__run_attempt=2)
    assert (start.key, start.instead) == ("actions:7001:8001:2", "actions:7001:8001:1")


@pytest.mark.parametrize("conclusion", ["failure", "timed_out"])
def test_conclusions_that_start(conclusion: str) -> None:
    """Failure and time-out start runs."""
    started(CHECK, check_run__conclusion=conclusion)
    started(WORKFLOW, workflow_run__conclusion=conclusion)


@pytest.mark.parametrize(
    "conclusion", ["success", "cancelled", "skipped", "neutral", "stale", "action_required", "startup_failure", None]
)
def test_conclusions_that_do_not(conclusion: str | None) -> None:
    """Every other conclusion starts nothing and ends what was held back."""
    assert isinstance(decided(CHECK, check_run__conclusion=conclusion), Ignore)
    settle = decided(WORKFLOW, workflow_run__conclusion=conclusion)
    assert isinstance(settle, Settle)
    assert settle.key == "actions:7001:8001:1"


def test_other_apps_check_run_has_its_own_key() -> None:
    """A check run of another CI starts at once, keyed by its own id."""
    start = started(CHECK, check_run__app={"id": 77, "slug": "other-ci"})
    assert (start.key, start.wait) == ("check:7001:9001", False)


@pytest.mark.parametrize("app", [{"id": 42, "slug": "x"}, {"id": 1, "slug": "heal-bot"}])
def test_our_own_check_run_is_never_healed(app: dict[str, object]) -> None:
    """Our own check run starts nothing, known by App id or name."""
    assert decided(CHECK, check_run__app=app) == Ignore("our own check run")


@pytest.mark.parametrize("conclusion", ["failure", "success"])
def test_our_own_branch_wakes_its_run(conclusion: str) -> None:
    """CI on a branch of ours is news for the run that waits for it, red or green."""
    changes = {"workflow_run__head_branch": "heal/x", "workflow_run__conclusion": conclusion}
    assert decided(WORKFLOW, **changes) == Wake(7001, "heal/x")
    assert isinstance(decided(CHECK, check_run__check_suite={"head_branch": "heal/x"}), Wake)


def test_fork() -> None:
    """A run for a fork says so, and a fork's branch named like ours wakes nothing."""
    assert started(WORKFLOW, workflow_run__head_repository={"id": 9}).case.fork
    assert started(WORKFLOW, workflow_run__head_repository=None).case.fork
    named_like_ours = {"workflow_run__head_repository": {"id": 9}, "workflow_run__head_branch": "heal/x"}
    assert isinstance(decided(WORKFLOW, **named_like_ours), Start)


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        (CHECK, {"installation": None}, "no installation"),
        (CHECK, {"repository": None}, "no repository"),
        (CHECK, {"repository__full_name": "../etc"}, "no repository"),
        (CHECK, {"check_run__head_sha": None}, "no head commit"),
        (CHECK, {"check_run__head_sha": "--upload-pack=x"}, "no head commit"),
        (CHECK, {"check_run__check_suite": None}, "no branch"),
        (CHECK, {"check_run__details_url": "https://ci.test/1"}, "no workflow run"),
        (WORKFLOW, {"installation": {}}, "no installation"),
        (WORKFLOW, {"workflow_run__head_branch": None}, "no branch"),
        (WORKFLOW, {"workflow_run__id": "x"}, "no id"),
        (WORKFLOW, {"workflow_run__path": "dynamic/github-code-scanning/codeql"}, "dynamic"),
        ("status", {}, "unsupported"),
        ("issue_comment.created", {}, "commands are read by a later version"),
        ("issue_comment.created", {"comment__body": "thanks"}, "no command"),
        ("issue_comment.created", {"sender__type": "Bot"}, "a bot"),
        (PUSH, {"ref": "refs/tags/v1"}, "not a branch"),
        (PUSH, {"ref": "refs/heads/heal/x"}, "own branches"),
        (PUSH, {"after": None}, "no head commit"),
        (PULL, {"pull_request__head__repo": None}, "fork"),
        (PULL, {"action": "opened"}, "opened"),
        ("installation.deleted", {"action": "created"}, "created"),
        ("installation.deleted", {"installation": None}, "no installation"),
    ],
)
def test_ignored_with_the_reason(name: str, changes: dict[str, Any], reason: str) -> None:
    """What starts nothing says why."""
    decision = decided(name, **changes)
    assert isinstance(decision, Ignore)
    assert reason in decision.reason


@pytest.mark.parametrize("name", [PULL, PUSH])
def test_moved_branch_cancels_older_commits(name: str) -> None:
    """A new head ends the runs of older commits of that branch."""
    decision = decided(name)
    assert isinstance(decision, CancelBranch)
    assert (decision.branch, decision.keep, decision.outcome) == ("topic", "b" * 40, Outcome.HEAD_MOVED)


def test_a_move_says_what_it_replaced_and_when() -> None:
    """Both kinds of news carry the replaced head and GitHub's time, as a number or in ISO form."""
    pushed = decided(PUSH, before="c" * 40, repository__pushed_at=1_700_000_000)
    synchronized = decided(PULL, before="c" * 40, pull_request__updated_at="2023-11-14T22:13:20Z")
    for decision in (pushed, synchronized):
        assert isinstance(decision, CancelBranch)
        assert (decision.before, decision.at) == ("c" * 40, 1_700_000_000.0)


def test_closed_pull_request_cancels_its_branch() -> None:
    """Closing ends the runs of the branch; closing ours wakes the run that follows it."""
    decision = decided("pull_request.closed")
    assert isinstance(decision, CancelBranch)
    assert (decision.keep, decision.outcome, decision.why) == ("", Outcome.CANCELLED, "Pull request #3 was merged.")
    assert decided("pull_request.closed", pull_request__head__ref="heal/x") == Wake(7001, "heal/x")


def test_deleted_branch_cancels_all_of_it() -> None:
    """A deleted branch has nothing left to heal."""
    decision = decided(PUSH, deleted=True, after="0" * 40)
    assert isinstance(decision, CancelBranch)
    assert decision.keep == ""


@pytest.mark.parametrize("action", ["deleted", "suspend"])
def test_removed_app_cancels_everything(action: str) -> None:
    """Uninstalling or suspending the App ends every run of the installation."""
    decision = decided("installation.deleted", action=action)
    assert isinstance(decision, CancelInstallation)
    assert decision.installation_id == 501


def test_every_hand_made_payload_has_a_decision() -> None:
    """No payload falls through the table."""
    for path in PAYLOADS.glob("*.json"):
        assert decided(path.stem) is not None
