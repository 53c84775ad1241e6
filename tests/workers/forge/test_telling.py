"""What people see of a run: one check run and one comment, edited in place, and no call without news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.forge.scene import REPO, STARTED, Scene
from workers.domain import Case, Finding, Published, RunId, Sha
from workers.errors import Retryable
from workers.fencing import unfenced
from workers.github.session import Purpose
from workers.messages.markup import details, fence
from workers.messages.sticky import Block, merged
from workers.ports import Button, Notice

ENDED = Notice("Not reproduced", "It is green here.", text="Details", final=True)


def pull_case(scene: Scene) -> Case:
    """A case on a pull request."""
    sha = scene.hub.push(REPO, {"topic.py": "x = 1\n"}, branch="topic", new_from="main")
    number = scene.hub.open_pull(REPO, "octocat", "topic")["number"]
    return replace(scene.case, branch="topic", head_sha=Sha(sha), pull_request=number)


def writes(scene: Scene) -> int:
    return len(scene.asked("PATCH")) + len([one for one in scene.asked("POST") if "access_tokens" not in one["path"]])


def test_one_check_run_from_start_to_end(scene: Scene) -> None:
    """The check run is in progress, then completed with a neutral conclusion, and carries the run's id."""
    forge = scene.forge()
    forge.tell(scene.case, STARTED)
    (check,) = scene.own_checks
    assert (check["status"], check["external_id"], check["head_sha"]) == ("in_progress", "run-1", scene.info.sha)
    forge.tell(scene.case, ENDED)
    (check,) = scene.own_checks
    assert (check["status"], check["conclusion"]) == ("completed", "neutral")
    assert (check["output"]["title"], check["output"]["text"]) == ("Not reproduced", "Details")


def test_telling_needs_no_contents_permission(scene: Scene) -> None:
    """The token for telling may write checks and issues of the one repository, nothing else."""
    scene.forge().tell(scene.case, STARTED)
    minted = [one["body"] for one in scene.asked("POST", "/access_tokens")]
    (told,) = (body for body in minted if "write" in body["permissions"].values())
    assert told["permissions"] == {"metadata": "read", "checks": "write", "issues": "write"}
    assert all(body["repository_ids"] == [scene.info.id] for body in minted)


def test_another_worker_finds_the_check_run_again(scene: Scene) -> None:
    """After a restart, or after an answer that was lost, the same check run goes on."""
    scene.hub.fail_requests("/check-runs$", method="POST", after=True)
    with pytest.raises(Retryable):
        scene.forge().tell(scene.case, STARTED)
    scene.forge().tell(scene.case, STARTED)
    scene.forge().tell(scene.case, ENDED)
    assert len(scene.own_checks) == 1


@pytest.mark.fault(53, 58)
@pytest.mark.parametrize("late", [False, True], ids=["in the same moment", "before the end"])
def test_a_check_run_that_came_twice_is_concluded(scene: Scene, late: bool) -> None:
    """A request of a worker that was killed arrives between the look and the write of the next one, or later still.
    Check runs cannot be deleted: the newest, which GitHub shows, says how the run went, and none stays in progress."""
    forge, other = scene.forge(), scene.forge()
    api, sent = forge._session.api(Purpose.TELL), other._session.api(Purpose.TELL)
    body = {"name": "heal", "head_sha": scene.case.head_sha, "external_id": scene.case.run, "status": "in_progress"}

    def arrives() -> float:
        api._guard = unfenced
        sent.send("POST", f"/repos/{REPO}/check-runs", body)
        return unfenced()

    if not late:
        api._guard = arrives
    forge.tell(scene.case, STARTED)
    if late:
        arrives()
    forge.tell(scene.case, replace(ENDED, annotations=(Finding("wrong", path="shop.py", line=1),)))
    first, newest = sorted(scene.own_checks, key=lambda check: int(check["id"]))
    assert [check["status"] for check in (first, newest)] == ["completed", "completed"]
    assert (newest["output"]["title"], len(newest["annotations"])) == ("Not reproduced", 1)
    assert first["output"]["title"] == "See the newer check run"


def test_one_check_run_per_head(scene: Scene) -> None:
    """A later run goes on with the check run that an earlier one closed; two at once have one each."""
    scene.forge().tell(scene.case, replace(ENDED, annotations=(Finding("wrong", "shop.py", 1),)))
    later, beside = (replace(scene.case, run=RunId(name)) for name in ("run-2", "run-3"))
    scene.forge(later).tell(later, STARTED)
    (check,) = scene.own_checks
    assert (check["external_id"], check["status"], check["conclusion"]) == ("run-2", "in_progress", None)
    scene.forge(beside).tell(beside, STARTED)
    assert [check["external_id"] for check in scene.own_checks] == ["run-2", "run-3"]
    both = replace(ENDED, annotations=(Finding("wrong", "shop.py", 1), Finding("also wrong", "shop.py", 2)))
    scene.forge(later).tell(later, both)
    assert [note["message"] for note in scene.own_checks[0]["annotations"]] == ["wrong", "also wrong"]


def test_buttons_come_with_the_end(scene: Scene) -> None:
    """At most three, and none while the run is at work."""
    many = tuple(Button(f"Press {n}", "For something.", f"press{n}") for n in range(5))
    forge = scene.forge()
    forge.tell(scene.case, replace(STARTED, buttons=many))
    assert scene.own_checks[0]["actions"] == []
    forge.tell(scene.case, replace(ENDED, buttons=many))
    assert [one["identifier"] for one in scene.own_checks[0]["actions"]] == ["press0", "press1", "press2"]


def test_no_news_no_call(scene: Scene) -> None:
    """The same notice again, by the same or another worker, sends no write."""
    case = pull_case(scene)
    notice = replace(STARTED, comment="On it.")
    forge = scene.forge(case)
    forge.tell(case, notice)
    before = writes(scene)
    forge.tell(case, notice)
    scene.forge(case).tell(case, notice)
    assert writes(scene) == before


def test_annotations_in_portions(scene: Scene) -> None:
    """120 findings go out in requests of at most 50, each once, and those without a place are left out."""
    findings = tuple(Finding(f"wrong {n}", "shop.py", n + 1) for n in range(120))
    notice = replace(ENDED, annotations=(*findings, Finding("nowhere"), Finding("", "shop.py", 1)))
    scene.forge().tell(scene.case, notice)
    scene.forge().tell(scene.case, notice)
    (check,) = scene.own_checks
    assert len(check["annotations"]) == 121
    assert [note["message"] for note in check["annotations"][:2]] == ["wrong 0", "wrong 1"]


@pytest.mark.fault(48)
def test_long_texts_are_cut_to_githubs_limits(scene: Scene) -> None:
    """Title, summary and text beyond GitHub's limits are cut instead of refused."""
    folded = details("Log", fence("\u20ac" * 70_000, limit=70_000))
    scene.forge().tell(scene.case, Notice("\U0001f600" * 300, "s" * 70_000, folded))
    (check,) = scene.own_checks
    shown = check["output"]
    assert all(len(shown[key].encode()) <= 65_535 for key in ("summary", "text"))
    assert (len(shown["title"]), shown["summary"][:3], shown["text"][-15:]) == (63, "sss", "```\n\n</details>")


def test_sticky_comment_on_the_pull_request(scene: Scene) -> None:
    """One comment, edited in place, also by another worker and after a lost answer."""
    case = pull_case(scene)
    scene.hub.fail_requests("/comments$", method="POST", after=True)
    with pytest.raises(Retryable):
        scene.forge(case).tell(case, replace(STARTED, comment="On it."))
    scene.forge(case).tell(case, replace(ENDED, comment="Done."))
    (comment,) = scene.state["comments"]
    assert comment["body"].startswith("Done.")
    assert "<!-- heal:run=run-1" in comment["body"]


def test_runs_share_the_comment(scene: Scene) -> None:
    """Another run on the same commit adds its words, one on a later commit folds what was said before."""
    case = pull_case(scene)
    beside = replace(case, run=RunId("run-2"))
    later = replace(case, run=RunId("run-3"), head_sha=Sha("f" * 40))
    scene.forge(case).tell(case, replace(STARTED, comment="Tests are red."))
    scene.forge(beside).tell(beside, replace(STARTED, comment="Lint is red.\n\nWith details."))
    scene.forge(case).tell(case, replace(ENDED, comment="Tests are mended."))
    (comment,) = scene.state["comments"]
    assert "Lint is red." in comment["body"]
    assert "Tests are mended." in comment["body"]
    assert "Tests are red." not in comment["body"]
    forge = scene.forge(later)
    forge._comment.show(case.pull_request, "Both are red again.")  # type: ignore[arg-type]
    (comment,) = scene.state["comments"]
    shown, _, folded = comment["body"].partition("<details>")
    assert shown.startswith("Both are red again.")
    assert f"On `{case.head_sha[:7]}`: Lint is red. <!--" in folded
    assert "With details." not in folded


@pytest.mark.fault(53)
@pytest.mark.parametrize("between", [0, 5], ids=["at once", "slowly"])
def test_another_makes_the_comment_in_the_same_moment(scene: Scene, between: float) -> None:
    """A request of a worker that was killed arrives between the look and the write of the next one, however long that
    takes, and another run's later still: one comment stays, with what each run has said."""
    case = pull_case(scene)
    forge = scene.forge(case)
    api = forge._session.api(Purpose.TELL)
    path = f"/repos/{REPO}/issues/{case.pull_request}/comments"

    def arrives(run: str, text: str) -> float:
        api._guard = unfenced
        api.send("POST", path, {"body": merged("", Block(run, case.head_sha[:7], text))})
        scene.hub.advance(between)
        return unfenced()

    api._guard = lambda: arrives("run-1", "On it, said by the worker before.")
    forge._comment.show(case.pull_request, "On it.")  # type: ignore[arg-type]
    (comment,) = scene.state["comments"]
    assert "said by the worker before" not in comment["body"]
    arrives("run-2", "Lint is red.")
    arrives("run-1", "On it, said much earlier.")
    forge._comment.show(case.pull_request, "Done.")  # type: ignore[arg-type]
    (comment,) = scene.state["comments"]
    assert [word in comment["body"] for word in ("Done.", "Lint is red.", "On it")] == [True, True, False]


def test_a_comment_taken_away_is_made_again(scene: Scene) -> None:
    """A person deletes it: the next words make another. Deleted in the moment of an edit, the run comes again."""
    case = pull_case(scene)
    forge = scene.forge(case)
    forge.tell(case, replace(STARTED, comment="On it."))
    api = forge._session.api(Purpose.TELL)

    def delete() -> float:
        api._guard = unfenced
        (comment,) = scene.state["comments"]
        api.send("DELETE", f"/repos/{REPO}/issues/comments/{comment['id']}", {})
        return unfenced()

    api._guard = delete
    with pytest.raises(Retryable):
        forge._comment.show(case.pull_request, "Still at it.")  # type: ignore[arg-type]
    forge._comment.show(case.pull_request, "Done.")  # type: ignore[arg-type]
    (comment,) = scene.state["comments"]
    assert comment["body"].startswith("Done.")


def test_a_planted_marker_is_not_ours(scene: Scene) -> None:
    """A person who writes our marker does not get their comment edited."""
    case = pull_case(scene)
    assert case.pull_request is not None
    scene.hub.comment(REPO, "mallory", case.pull_request, f"<!-- heal:run=run-1 sha={case.head_sha[:7]} --> hello")
    scene.forge(case).tell(case, replace(ENDED, comment="Done."))
    bodies = [comment["body"] for comment in scene.state["comments"]]
    assert [body.endswith("hello") for body in bodies] == [True, False]


def test_branch_failures_comment_on_the_published_pull_request_only(scene: Scene) -> None:
    """Without a pull request there is no comment; with a published one it goes there."""
    notice = replace(ENDED, comment="Done.")
    scene.forge().tell(scene.case, notice)
    assert scene.state["comments"] == []
    scene.hub.push(REPO, {"a.py": "x = 1\n"}, branch="heal/x", new_from="main")
    number = scene.hub.open_pull(REPO, "octocat", "heal/x")["number"]
    scene.forge().tell(scene.case, notice, Published(number))
    assert [comment["number"] for comment in scene.state["comments"]] == [number]
