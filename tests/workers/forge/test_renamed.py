"""A repository that is renamed, moved or replaced under a run: all goes to the one with the run's id, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.workers.forge.scene import EDITS, LOG, PROPOSAL, REPO, STARTED, Scene
from workers import logs
from workers.domain import How, Outcome, Published
from workers.errors import Stop
from workers.github import GitHubForge
from workers.github.session import Purpose
from workers.ports import CI, Notice, Wish

NEW = "octo/store"
THEIRS = {"shop.py": "theirs\n", ".github/heal.yml": 'version: 1\nmode: "off"\n'}
ENDED = Notice("Fixed", "Proven.", comment="It is fixed.", final=True)
pytestmark = pytest.mark.fault(14)


@dataclass
class Run:
    """One run as the pipeline tells it, in steps that other things may happen between."""

    scene: Scene
    forge: GitHubForge
    published: Published | None = None

    def admit(self) -> None:
        assert self.forge.admission(self.scene.case).head_is_current
        self.forge.tell(self.scene.case, STARTED)

    def check_out(self) -> None:
        assert self.forge.job(self.scene.case).log == logs.parse(LOG)
        self.forge.tree(self.scene.case)

    def publish(self) -> None:
        case, tree = self.scene.case, self.forge.tree(self.scene.case)
        branch = self.forge.ground(case, Wish(How.PULL, PROPOSAL.target, PROPOSAL.branch)).branch
        self.published = self.forge.publish(case, tree, tree.diff(EDITS), replace(PROPOSAL, branch=branch))

    def end(self) -> None:
        assert self.published is not None
        self.forge.tell(self.scene.case, ENDED, self.published)

    @property
    def steps(self) -> list[Callable[[], None]]:
        """In their order."""
        return [self.admit, self.check_out, self.publish, self.end]


def take_name(scene: Scene) -> Any:
    """Somebody's public repository under the old name."""
    return scene.hub.create_repo(REPO, files=THEIRS).id


def by_old_name(scene: Scene, start: int) -> list[str]:
    """The requests from there on that named the repository as it was called before."""
    asked = scene.hub.requests()[start:]
    return [one["path"] for one in asked if one["path"].startswith((f"/repos/{REPO}", f"/{REPO}.git"))]


def untouched(scene: Scene) -> bool:
    """Nothing was left in the repository that has the old name now."""
    state = scene.hub.repo(REPO)
    things = ("check_runs", "comments", "issues", "pulls", "reviews", "review_comments")
    return list(state["branches"]) == ["main"] and not any(state[kind] for kind in things)


@pytest.mark.parametrize("taken", [False, True], ids=["name free", "name taken"])
@pytest.mark.parametrize("done", [0, 1, 2, 3], ids=["claim", "checkout", "publish", "end"])
def test_renamed_before(scene: Scene, done: int, taken: bool) -> None:
    """One check run, one pull request, one comment, under the new name. At the old one only git asks, for a commit by
    its hash."""
    run = Run(scene, scene.forge())
    for step in run.steps[:done]:
        step()
    scene.hub.rename_repo(REPO, "store")
    start = len(scene.hub.requests())
    if taken:
        take_name(scene)
    for step in run.steps[done:]:
        step()
    state = scene.hub.repo(NEW)
    (check,) = [one for one in state["check_runs"] if one["name"] == "heal"]
    (pull,) = state["pulls"]
    (comment,) = [one for one in state["comments"] if "It is fixed." in one["body"]]
    assert run.published is not None
    assert (check["status"], pull["number"]) == ("completed", run.published.pull_request)
    assert comment["issue_url"].endswith(f"/{pull['number']}")
    named = NEW if done < 3 else REPO
    assert run.published.url == f"{scene.hub.url}/{named}/pull/{pull['number']}"
    assert all(path.startswith(f"/{REPO}.git/") for path in by_old_name(scene, start))
    assert not taken or untouched(scene)


@pytest.mark.parametrize("done", [1, 2], ids=["checkout", "publish"])
def test_its_owner_renamed_before(scene: Scene, done: int) -> None:
    """Another try finds the same branch and the same pull request, though GitHub lists them by the owner's name."""
    run = Run(scene, scene.forge())
    for step in run.steps[:done]:
        step()
    scene.hub.rename_account("octo", "squid")
    for step in run.steps[done:3]:
        step()
    first = run.published
    run.publish()
    run.end()
    state = scene.hub.repo("squid/shop")
    (pull,) = state["pulls"]
    assert first is not None
    assert run.published is not None
    assert first.pull_request == run.published.pull_request == pull["number"]
    assert (len(state["branches"]), len([one for one in state["check_runs"] if one["name"] == "heal"])) == (2, 1)


@pytest.mark.parametrize("taken", [False, True], ids=["name free", "name taken"])
def test_renamed_before_the_verdict_of_ci(scene: Scene, taken: bool) -> None:
    """A worker that comes back to look at our pull request finds it, and CI's answer is written into it."""
    run = Run(scene, scene.forge())
    for step in run.steps:
        step()
    scene.hub.rename_repo(REPO, "store")
    start = len(scene.hub.requests())
    if taken:
        take_name(scene)
    published, later = run.published, scene.forge()
    assert published is not None
    scene.hub.finish_ci(NEW, branch=published.branch, conclusion="success", log="fine")
    assert later.ci(scene.case, published).state is CI.GREEN
    later.confirm(scene.case, published, "Green.", ready=True)
    later.tell(scene.case, replace(ENDED, summary="Green."), published)
    (pull,) = scene.hub.repo(NEW)["pulls"]
    assert (pull["body"], pull["draft"]) == ("Green.", False)
    (check,) = [one for one in scene.hub.repo(NEW)["check_runs"] if one["name"] == "heal"]
    assert check["output"]["summary"] == "Green."
    assert by_old_name(scene, start) == []
    assert not taken or untouched(scene)


@pytest.mark.parametrize("done", [0, 1, 2, 3], ids=["claim", "checkout", "publish", "end"])
def test_deleted_and_its_name_taken_before(scene: Scene, done: int) -> None:
    """The next step ends the run; nothing comes into the repository that has the name now."""
    run = Run(scene, scene.forge())
    for step in run.steps[:done]:
        step()
    scene.hub.delete_repo(REPO)
    start = len(scene.hub.requests())
    take_name(scene)
    with pytest.raises(Stop) as stopped:
        run.steps[done]()
    assert stopped.value.outcome is Outcome.DISABLED
    assert untouched(scene)
    asked = [one for one in scene.hub.requests()[start:] if one["path"].startswith(f"/repos/{REPO}")]
    assert all(one["status"] in (404, 422) for one in asked)


@pytest.mark.parametrize(
    ("done", "public"),
    [(0, False), (1, True), (2, False), (2, True), (3, True)],
    ids=["claim", "checkout, public", "publish", "publish, public", "end, public"],
)
def test_moved_to_an_owner_without_heal_before(scene: Scene, done: int, public: bool) -> None:
    """The run ends with what is true. The tokens of the old installation change nothing at the new owner's, and are
    ended."""
    scene.hub.set_repo(REPO, private=not public)
    run = Run(scene, scene.forge())
    for step in run.steps[:done]:
        step()
    before = scene.state["branches"], len(scene.own_checks), len(scene.state["comments"])
    moved = scene.hub.transfer_repo(REPO, "acme", owner_kind="Organization")
    start = len(scene.hub.requests())
    with pytest.raises(Stop) as stopped:
        run.steps[done]()
    assert stopped.value.outcome is Outcome.DISABLED
    later = scene.forge()
    with pytest.raises(Stop, match="not installed on this repository any more") as stopped:
        later.admission(scene.case)
    assert (stopped.value.outcome, stopped.value.data) == (Outcome.DISABLED, {"silent": True})
    state = scene.hub.repo(moved)
    own = [one for one in state["check_runs"] if one["name"] == "heal"]
    assert (state["branches"], len(own), len(state["comments"])) == before
    run.forge.close()
    assert all(token["revoked"] for token in scene.hub.tokens())
    changing = [one for one in scene.hub.requests()[start:] if one["method"] != "GET" and "/repos/" in one["path"]]
    assert all(one["status"] in (403, 404) for one in changing)


WRITES: Sequence[tuple[Purpose, str, dict[str, object]]] = (
    (Purpose.TELL, "/check-runs", {"name": "heal", "head_sha": "0" * 40}),
    (Purpose.TELL, "/issues/1/comments", {"body": "x"}),
    (Purpose.PUBLISH, "/git/blobs", {"content": "x"}),
    (Purpose.PUBLISH, "/pulls", {"title": "x", "head": "main", "base": "main"}),
    (Purpose.AMEND, "/issues/1/labels", {"labels": ["x"]}),
    (Purpose.SUGGEST, "/pulls/1/reviews", {"event": "COMMENT", "body": "x"}),
)


def test_tokens_write_to_no_other_repository(scene: Scene) -> None:
    """Even a request that named another repository of the same installation would be refused."""
    session = scene.forge()._session
    apis = {purpose: session.api(purpose) for purpose, _, _ in WRITES}
    scene.hub.rename_repo(REPO, "store")
    take_name(scene)
    for purpose, path, body in WRITES:
        with pytest.raises(Stop) as stopped:
            apis[purpose].send("POST", f"/repos/{REPO}{path}", body)
        assert stopped.value.outcome is Outcome.DISABLED
    assert untouched(scene)
