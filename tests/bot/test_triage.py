"""The table of decisions: which delivery starts, holds back, wakes, cancels, or does nothing and why."""

from __future__ import annotations

from typing import Any

import pytest

from bot.decisions import (
    CancelBranch,
    CancelFork,
    CancelInstallation,
    CancelRepositories,
    Decisions,
    Identity,
    Ignore,
    NoteHead,
    NoteInstallation,
    NoteRepos,
    RenameAccount,
    Send,
    Settle,
    Start,
    Tend,
    Wake,
)
from bot.events import Repo
from bot.reading import parse
from bot.triage import FORGET_AFTER, decide
from tests.bot.deliveries import PAYLOADS, SHA, encoded, payload
from workers.domain import Outcome, Sha
from workers.errands.model import ConfigTouched, Forget, LookAfter, Place, PullClosed
from workers.store.heads import Head
from workers.store.models import InstallationState, RepoState

OWN = Identity(app_id=42, app_slug="heal-bot")
CHECK, WORKFLOW, PULL, PUSH = "check_run.completed", "workflow_run.completed", "pull_request.synchronize", "push"
STATUS, CLOSED = "status", "pull_request.closed"
MONA = Place(501, 7001, "octo/calc", "mona", 31)
BOT = {"sender": {"login": "heal-bot[bot]", "id": 7, "type": "Bot"}}
NEW = "b" * 40
WHEN = 1_700_000_000.0
SAID = "2023-11-14T22:13:20Z"
"""The same moment."""


def decided(name: str, **changes: Any) -> Decisions:
    """The decisions for a hand-made payload with changes."""
    found = decide(parse(name.partition(".")[0], encoded(payload(name, **changes))), OWN)
    assert found
    return found


def only(name: str, **changes: Any) -> Any:
    """The same, where there must be one."""
    (decision,) = decided(name, **changes)
    return decision


def started(name: str, **changes: Any) -> Start:
    """The same, where it must start a run."""
    decision = only(name, **changes)
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
    assert isinstance(only(CHECK, check_run__conclusion=conclusion), Ignore)
    settle = decided(WORKFLOW, workflow_run__conclusion=conclusion)[0]
    assert isinstance(settle, Settle)
    assert (settle.key, settle.working) == ("actions:7001:8001:1", False)


def test_dynamic_workflow() -> None:
    """A workflow without a file has nothing to reproduce from: what a job of it held back is ended."""
    settle = only(WORKFLOW, workflow_run__path="dynamic/github-code-scanning/codeql")
    assert isinstance(settle, Settle)
    assert "dynamic" in settle.why


GREEN: list[tuple[str, dict[str, Any]]] = [
    (WORKFLOW, {"workflow_run__conclusion": "success"}),
    (CHECK, {"check_run__conclusion": "success", "check_run__app": {"id": 77, "slug": "other-ci"}}),
    (STATUS, {"state": "success"}),
]


@pytest.mark.parametrize(("name", "changes"), GREEN)
def test_green_is_told_to_who_looks_after_our_changes(name: str, changes: dict[str, Any]) -> None:
    """A green build of a branch may concern what we have open there; once per build."""
    tended = decided(name, **changes)[-1]
    assert isinstance(tended, Tend)
    assert tended.payload == LookAfter(MONA, "main", Sha(SHA), "green")
    assert isinstance(only(CHECK, check_run__conclusion="success"), Ignore)  # of Actions: its workflow run tells


def test_green_on_a_fork_concerns_nobody() -> None:
    """A fork's branch of the same name is not the branch we have something open for."""
    changes = {"workflow_run__conclusion": "success", "workflow_run__head_repository": {"id": 9}}
    assert isinstance(only(WORKFLOW, **changes), Settle)


def test_other_apps_check_run_has_its_own_key() -> None:
    """A check run of another CI starts at once, keyed by its own id."""
    start = started(CHECK, check_run__app={"id": 77, "slug": "other-ci"})
    assert (start.key, start.wait) == ("check:7001:9001", False)


@pytest.mark.fault(17)
@pytest.mark.parametrize("app", [{"id": 42, "slug": "x"}, {"id": 1, "slug": "heal-bot"}])
def test_our_own_check_run_is_never_healed(app: dict[str, object]) -> None:
    """Our own check run starts nothing, known by App id or name."""
    assert only(CHECK, check_run__app=app) == Ignore("our own check run")


@pytest.mark.parametrize("conclusion", ["failure", "success"])
def test_our_own_branch_wakes_its_run(conclusion: str) -> None:
    """CI on a branch of ours is news for the run that waits for it, red or green."""
    changes = {"workflow_run__head_branch": "heal/x", "workflow_run__conclusion": conclusion}
    assert only(WORKFLOW, **changes) == Wake(7001, "heal/x")
    assert only(CHECK, check_run__check_suite={"head_branch": "heal/x"}) == Wake(7001, "heal/x")
    assert only(STATUS, branches=[{"name": "heal/x", "commit": {"sha": SHA}}]) == Wake(7001, "heal/x")


def test_fork() -> None:
    """A run for a fork says so, and a fork's branch named like ours wakes nothing."""
    assert started(WORKFLOW, workflow_run__head_repository={"id": 9}).case.fork
    assert started(WORKFLOW, workflow_run__head_repository=None).case.fork
    named_like_ours = {"workflow_run__head_repository": {"id": 9}, "workflow_run__head_branch": "heal/x"}
    assert isinstance(only(WORKFLOW, **named_like_ours), Start)


@pytest.mark.fault(12)
@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        (CHECK, {"installation": None}, "no installation"),
        (CHECK, {"repository": None}, "no repository"),
        (CHECK, {"repository__full_name": "../etc"}, "no repository"),
        (CHECK, {"check_run__head_sha": None}, "no head commit"),
        (CHECK, {"check_run__head_sha": "--upload-pack=x"}, "no head commit"),
        (CHECK, {"check_run__details_url": "https://ci.test/1"}, "no workflow run"),
        (WORKFLOW, {"installation": {}}, "no installation"),
        (WORKFLOW, {"workflow_run__id": "x"}, "no id"),
        (STATUS, {"state": "pending"}, "starts nothing"),
        (STATUS, {"state": None}, "starts nothing"),
        (STATUS, {"context": ""}, "no context"),
        (STATUS, {"sha": "main"}, "no head commit"),
        (PUSH, {"ref": "refs/tags/v1"}, "not a branch"),
        (PUSH, {"ref": "refs/heads/heal/x", **BOT}, "our own"),
        (PUSH, {"ref": "refs/heads/heal/x", "deleted": True}, "our branches"),
        (PUSH, {"after": None}, "no head commit"),
        (PULL, {"pull_request__head__sha": "x"}, "head commit"),
        ("pull_request.edited", {"changes": {"title": {"from": "x"}}}, "nothing to do"),
        ("pull_request.edited", {"pull_request__head__ref": "topic"}, "not ours"),
        ("pull_request.edited", {"pull_request__head__repo": None}, "not ours"),
        ("installation.deleted", {"installation": None}, "no installation"),
        ("repository.renamed", {"installation": None}, "no installation"),
        ("repository.renamed", {"repository": None}, "no repository"),
        ("installation_target.renamed", {"changes": {}}, "from what to what"),
    ],
)
def test_ignored_with_the_reason(name: str, changes: dict[str, Any], reason: str) -> None:
    """What starts nothing says why."""
    decision = only(name, **changes)
    assert isinstance(decision, Ignore)
    assert reason in decision.reason


@pytest.mark.parametrize("name", [CHECK, WORKFLOW, STATUS])
def test_no_branch_is_asked_of_the_pull_requests(name: str) -> None:
    """GitHub names no branch for commits of forks: the run is opened for the pull request that has the commit."""
    nameless: dict[str, dict[str, Any]] = {
        CHECK: {"check_run__check_suite": None},
        WORKFLOW: {"workflow_run__head_branch": None},
        STATUS: {"branches": []},
    }
    assert started(name, **nameless[name]).case.branch == ""


@pytest.mark.parametrize("state", ["failure", "error"])
def test_red_status_starts(state: str) -> None:
    """A red status is a run of its own, keyed by commit and context; the same state again is the same run."""
    start = started(STATUS, state=state, id=1)
    assert (start.key, start.wait) == (started(STATUS, state=state, id=2).key, False)
    assert (start.case.job, start.case.job_id, start.case.actions_run_id) == ("ci/old", 0, 0)
    assert (start.case.branch, start.case.head_sha) == ("main", SHA)
    assert start.key != started(STATUS, context="ci/new").key != started(STATUS, sha=NEW).key
    long = "c" * 200
    assert started(STATUS, context=long + "1").key != started(STATUS, context=long + "2").key


def test_status_of_a_head_only() -> None:
    """Of the branches that hold the commit those count whose head it is, the default branch before others."""
    both = [{"name": name, "commit": {"sha": SHA}} for name in ("topic", "main")]
    assert started(STATUS, branches=both).case.branch == "main"
    assert started(STATUS, branches=both[:1]).case.branch == "topic"


def test_status_that_turns_green() -> None:
    """A later success of the same context ends its run, also one that works already."""
    settle = decided(STATUS, state="success")[0]
    assert isinstance(settle, Settle)
    assert (settle.key, settle.working) == (started(STATUS).key, True)


@pytest.mark.parametrize("name", [PULL, PUSH])
def test_moved_branch_cancels_older_commits(name: str) -> None:
    """A new head ends the runs of older commits of that branch."""
    (decision,) = [one for one in decided(name) if isinstance(one, CancelBranch)]
    assert (decision.branch, decision.keep, decision.outcome) == ("topic", NEW, Outcome.HEAD_MOVED)


def test_a_move_says_what_it_replaced_and_when() -> None:
    """Both kinds of news carry the replaced head and GitHub's time, as a number or in ISO form."""
    pushed = decided(PUSH, before="c" * 40, repository__pushed_at=int(WHEN))
    synchronized = decided(PULL, before="c" * 40, pull_request__updated_at=SAID)
    for decision in (*pushed, *synchronized):
        if isinstance(decision, CancelBranch):
            assert (decision.before, decision.at) == ("c" * 40, WHEN)
    assert sum(isinstance(one, CancelBranch) for one in (*pushed, *synchronized)) == 2


def test_moved_fork() -> None:
    """The branch of a fork is not ours: the runs of the pull request's earlier heads are ended."""
    for repo in ({"id": 9}, None):
        changes = {"pull_request__head__repo": repo, "pull_request__updated_at": SAID, "before": "c" * 40}
        noted, ended, _ = decided(PULL, **changes)
        assert noted == NoteHead(7001, 3, Head(Sha(NEW), True, WHEN), moved=True)
        assert isinstance(ended, CancelFork)
        assert (ended.number, ended.keep, ended.before, ended.at) == (3, NEW, "c" * 40, WHEN)
        (closed,) = decided(CLOSED, pull_request__head__repo=repo)
        assert isinstance(closed, CancelFork)
        assert (closed.keep, closed.outcome, closed.before) == ("", Outcome.CANCELLED, NEW)


@pytest.mark.parametrize("action", ["opened", "reopened", "synchronize", "ready_for_review"])
def test_heads_are_remembered(action: str) -> None:
    """Every event about a head is remembered with GitHub's time; only a synchronize is about its coming."""
    noted = decided(PULL, action=action, pull_request__updated_at=SAID)[0]
    assert noted == NoteHead(7001, 3, Head(Sha(NEW), False, WHEN), moved=action == "synchronize")


def test_config_of_a_pull_request() -> None:
    """Whether heal.yml is touched cannot be told from the event: it is asked once per head, never for our own."""
    sent = {action: decided(PULL, action=action)[-1] for action in ("opened", "reopened", "synchronize")}
    assert set(sent.values()) == {Send(ConfigTouched(MONA, 3, Sha(NEW)), f"config:7001:3:{NEW}")}
    assert isinstance(only(PULL, action="ready_for_review"), NoteHead)
    assert isinstance(only(PULL, pull_request__head__ref="heal/x"), NoteHead)


COMMIT = {"added": [], "removed": [], "modified": ["calc.py"]}


@pytest.mark.parametrize(
    ("changes", "touched"),
    [
        ({}, False),
        ({"commits": [COMMIT, {**COMMIT, "added": [".github/heal.yml"]}]}, True),
        ({"commits": [{**COMMIT, "removed": [".github/heal.yml"]}]}, True),
        ({"commits": []}, True),
        ({"commits": [COMMIT] * 2048}, True),
        ({"commits": [{"id": "x"}]}, True),
        ({"commits": "x"}, True),
        ({"forced": True}, True),
        ({"created": True}, True),
        ({"forced": None}, True),
        ({"ref": "refs/heads/topic", "commits": []}, False),
    ],
)
def test_config_of_a_push(changes: dict[str, Any], touched: bool) -> None:
    """A push to the default branch is looked at unless it names all its files and heal.yml is none of them."""
    sent = [one for one in decided(PUSH, **{"ref": "refs/heads/main", **changes}) if isinstance(one, Send)]
    assert [one.payload for one in sent] == ([ConfigTouched(MONA, 0, Sha(NEW))] if touched else [])


def test_closed_pull_request_cancels_its_branch() -> None:
    """Closing ends the runs of the branch and is told to who looks after our changes to it."""
    ended, tended = decided(CLOSED)
    assert isinstance(ended, CancelBranch)
    assert (ended.keep, ended.outcome, ended.why) == ("", Outcome.CANCELLED, "Pull request #3 was merged.")
    assert isinstance(tended, Tend)
    assert (tended.payload.branch, tended.payload.why) == ("topic", "closed")


def test_closed_pull_request_of_ours() -> None:
    """Closing ours wakes the run that follows it and is learned from; a fork's branch named like ours is not ours."""
    woken, sent = decided(CLOSED, pull_request__head__ref="heal/x", pull_request__closed_at=SAID)
    assert woken == Wake(7001, "heal/x")
    assert sent == Send(PullClosed(MONA, 3, "heal/x", True), "closed:7001:3:1700000000")
    foreign = {"pull_request__head__ref": "heal/x", "pull_request__head__repo": {"id": 9}}
    assert isinstance(only(CLOSED, **foreign), CancelFork)


def test_push_to_a_branch_is_told_to_who_looks_after_our_changes() -> None:
    """A branch that moved may be the target of something of ours; told once per move."""
    (tended,) = [one for one in decided(PUSH, repository__pushed_at=5) if isinstance(one, Tend)]
    assert tended == Tend(LookAfter(MONA, "topic", Sha(NEW), "moved"), f"tend:7001:moved:{NEW}:5:topic")


def test_push_of_a_person_to_our_branch() -> None:
    """A person's push to a branch of ours is told to who looks after it, and so is another bot's."""
    for sender in ({"login": "mona", "id": 31, "type": "User"}, {"login": "other[bot]", "id": 8, "type": "Bot"}):
        tended = only(PUSH, ref="refs/heads/heal/x", sender=sender)
        assert isinstance(tended, Tend)
        assert (tended.payload.branch, tended.payload.why) == ("heal/x", "pushed")
    nameless = Identity(app_id=42)
    ours = decide(parse(PUSH, encoded(payload(PUSH, ref="refs/heads/heal/x", **BOT))), nameless)
    assert isinstance(ours[0], Ignore)  # where our name is not known, a bot may be us


def test_base_of_ours_changed() -> None:
    """A changed base of our own pull request is told to who looks after it."""
    tended = only("pull_request.edited")
    assert isinstance(tended, Tend)
    assert (tended.payload.branch, tended.payload.why) == ("heal/calc-unit-1a2b3c4d", "retargeted")


def test_deleted_branch_cancels_all_of_it() -> None:
    """A deleted branch has nothing left to heal."""
    decision = only(PUSH, deleted=True, after="0" * 40)
    assert isinstance(decision, CancelBranch)
    assert decision.keep == ""


def test_uninstalled() -> None:
    """Uninstalling ends every run of the installation and forgets what it had; each time it is said."""
    noted, ended, sent = decided("installation.deleted")
    assert isinstance(noted, NoteInstallation)
    assert (noted.id, noted.account, noted.state) == (501, "octo", InstallationState.DELETED)
    assert isinstance(ended, CancelInstallation)
    assert sent == Send(Forget(501), "forget:501", after=FORGET_AFTER, each=True)
    named = decided("installation.deleted", repositories=[{"id": 7001, "full_name": "octo/calc"}])
    assert [one.state for one in named if isinstance(one, NoteRepos)] == [RepoState.REMOVED]


def test_suspended_and_back() -> None:
    """A suspension ends the runs and forgets nothing; the way back makes the installation active."""
    noted, ended = decided("installation.deleted", action="suspend")
    assert isinstance(noted, NoteInstallation)
    assert noted.state == InstallationState.SUSPENDED
    assert ended == CancelInstallation(501, "Heal was suspended.")
    for action, state in (("unsuspend", InstallationState.ACTIVE), ("new_permissions_accepted", None)):
        back = only("installation.deleted", action=action)
        assert isinstance(back, NoteInstallation)
        assert (back.state, back.account_id) == (state, 11)


def test_installed() -> None:
    """A new installation is noted with its repositories."""
    noted, repos = decided("installation.created")
    assert isinstance(noted, NoteInstallation)
    assert noted.state == InstallationState.ACTIVE
    assert isinstance(repos, NoteRepos)
    assert (repos.repos, repos.state) == ((Repo(7001, "octo/calc"),), RepoState.ACTIVE)


def test_repositories_of_an_installation() -> None:
    """Removed repositories lose their runs and what is kept of them; added ones are noted."""
    name = "installation_repositories.removed"
    decisions = decided(name, installation__updated_at=None)
    assert decisions[1:] == (
        NoteRepos(501, (Repo(7001, "octo/calc"),), RepoState.REMOVED),
        CancelRepositories(501, (7001,), "Heal is not installed on this repository any more."),
        Send(Forget(501, (7001,)), "forget:501", after=FORGET_AFTER, each=True),
    )
    more = [{"id": 7002, "full_name": "octo/new"}, {"id": None}, "x"]
    added = decided(name, repositories_removed=[], repositories_added=more, installation__updated_at=None)
    assert added[1:] == (NoteRepos(501, (Repo(7002, "octo/new"),), RepoState.ACTIVE),)


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("renamed", None),
        ("privatized", None),
        ("publicized", None),
        ("edited", None),
        ("transferred", RepoState.ACTIVE),
        ("unarchived", RepoState.ACTIVE),
        ("archived", RepoState.ARCHIVED),
        ("deleted", RepoState.DELETED),
    ],
)
def test_repository(action: str, state: RepoState | None) -> None:
    """A repository keeps its id under every name; runs of an archived or deleted one end, the latter is forgotten."""
    changes = {"action": action, "repository__updated_at": SAID}
    noted, *more = decided("repository.renamed", **changes)
    assert noted == NoteRepos(501, (Repo(7001, "octo/abacus", "main"),), state, WHEN)
    kinds = [type(one) for one in more]
    assert kinds == {"archived": [CancelRepositories], "deleted": [CancelRepositories, Send]}.get(action, [])


def test_renamed_account() -> None:
    """All repositories of a renamed account lie under its new name."""
    assert only("installation_target.renamed") == RenameAccount(501, "octopus", "octo")


def test_every_hand_made_payload_has_a_decision() -> None:
    """No payload falls through the table."""
    for path in PAYLOADS.glob("*.json"):
        assert decided(path.stem) is not None
