"""What the forge finds out about other commits: CI's word on them, how they came in, and the way between two."""

from __future__ import annotations

from dataclasses import replace

from tests.workers.forge.scene import LOG, REPO, Scene
from workers import logs
from workers.domain import Case, Sha
from workers.ports import Base, Light, Origin
from workers.run_key import actions_key, run_key


def pushed(scene: Scene, n: int, conclusion: str = "", branch: str = "main", job: str = "test") -> Case:
    """A commit on a branch and, if it is given a conclusion, CI on it; the case if that were red."""
    sha = Sha(scene.hub.push(REPO, {"n.py": f"n = {n}\n"}, branch=branch, message=f"Change {n}"))
    ci = scene.hub.finish_ci(REPO, branch=branch, conclusion=conclusion, job=job, log=LOG) if conclusion else None
    ids = {"actions_run_id": ci.run_id, "job_id": ci.job_id} if ci else {}
    return replace(scene.case, head_sha=sha, branch=branch, job=job, **ids)  # type: ignore[arg-type]


def below(scene: Scene, case: Case) -> Base:
    found = scene.forge(case).base(case)
    assert found is not None
    return found


def pull(scene: Scene) -> Case:
    """A pull request from a branch that was made off `main` as it is."""
    sha = Sha(scene.hub.push(REPO, {"topic.py": "x = 1\n"}, branch="topic", new_from="main"))
    number = scene.hub.open_pull(REPO, "octocat", "topic")["number"]
    red = scene.hub.finish_ci(REPO, branch="topic", log=LOG, job="test", event="pull_request")
    return replace(scene.case, branch="topic", head_sha=sha, pull_request=number, job="", job_id=0,
                   actions_run_id=red.run_id)  # fmt: skip


def test_a_red_base_comes_with_the_case_that_its_own_event_would_open(scene: Scene) -> None:
    """The same job red on the base's head, named in the case or not, is the run that the base's own event opens."""
    found = below(scene, pull(scene))
    assert (found.branch, found.head, found.head_light) == ("main", scene.case.head_sha, Light.RED)
    assert (found.fork_point, found.fork_light) == (found.head, Light.RED)
    assert found.job is not None
    assert run_key(found.job) == actions_key(scene.info.id, scene.red.run_id, 1)
    wanted = (scene.case.head_sha, "main", "test", scene.red.job_id, None)
    job = found.job
    assert (job.head_sha, job.branch, job.job, job.job_id, job.pull_request) == wanted
    assert scene.forge(job).job(job).log == logs.parse(LOG)


def test_base_mended_since(scene: Scene) -> None:
    """Red where the pull request left the base and green on its head."""
    case = pull(scene)
    pushed(scene, 2, "success")
    found = below(scene, case)
    assert (found.fork_point, found.fork_light, found.head_light) == (scene.case.head_sha, Light.RED, Light.GREEN)
    assert found.job is None


def test_a_base_that_ci_says_nothing_of(scene: Scene) -> None:
    """A job that has not run on the base's head, or was skipped there, is neither red nor green."""
    case = pull(scene)
    pushed(scene, 2)
    assert below(scene, case).head_light is Light.UNKNOWN
    pushed(scene, 3, "skipped")
    assert below(scene, case).head_light is Light.UNKNOWN


def test_no_pull_request_has_no_base(scene: Scene) -> None:
    """A push to a branch is compared with nothing."""
    assert scene.forge().base(scene.case) is None


def test_the_last_green_commit_of_a_branch(scene: Scene) -> None:
    """The newest earlier one whose run of the same workflow was green; other branches, pull requests and later runs do
    not count."""
    good = pushed(scene, 2, "success")
    pushed(scene, 3, "failure")
    scene.hub.push(REPO, {"other.py": "x\n"}, branch="other", new_from="main")
    scene.hub.finish_ci(REPO, branch="other", conclusion="success")
    scene.hub.finish_ci(REPO, conclusion="success", event="pull_request")
    scene.hub.finish_ci(REPO, conclusion="success", workflow=".github/workflows/docs.yml")
    red = pushed(scene, 4, "failure")
    pushed(scene, 5, "success")
    assert scene.forge(red).last_green(red) == good.head_sha
    assert len(scene.asked("GET", "/runs")) == 1


def test_a_job_that_was_green_in_a_red_run(scene: Scene) -> None:
    """Where no run was green as a whole, the newest one in which this very job was green counts."""
    sha = Sha(scene.hub.push(REPO, {"n.py": "n = 2\n"}))
    scene.hub.finish_ci(REPO, job="lint", beside=["test"])
    red = pushed(scene, 3, "failure")
    assert scene.forge(red).last_green(red) == sha
    lint = replace(red, job="lint")
    assert scene.forge(lint).last_green(lint) is None


def test_the_green_job_comes_with_what_it_printed(scene: Scene) -> None:
    """Of the newest earlier run in which it was green, of the red commit itself, too; nobody knows for another CI."""
    pushed(scene, 2, "success")
    sha = Sha(scene.hub.push(REPO, {"n.py": "n = 3\n"}))
    scene.hub.finish_ci(REPO, conclusion="success", job="test", log="green log\n")
    scene.hub.finish_ci(REPO, conclusion="success", event="pull_request")
    ci = scene.hub.finish_ci(REPO, conclusion="failure", job="test", log=LOG)
    red = replace(scene.case, head_sha=sha, actions_run_id=ci.run_id, job_id=ci.job_id)
    job = scene.forge(red).green_job(red)
    assert job is not None
    assert (job.name, job.log) == ("test", logs.parse("green log\n"))
    assert job.started_at
    other = replace(red, actions_run_id=0)
    assert scene.forge(other).green_job(other) is None


def test_a_pull_request_is_compared_with_its_own_runs_then_with_its_base(scene: Scene) -> None:
    """Whatever started them: the newest green one of its branch, else of the branch that it goes to; a run that lacks
    the job says nothing, nor does a pull request of another repository's."""
    scene.hub.finish_ci(REPO, conclusion="success", job="test", log="a schedule's log\n", event="schedule")
    scene.hub.finish_ci(REPO, conclusion="success", job="lint", log="lint\n")
    red = pull(scene)
    job = scene.forge(red).green_job(red)
    assert job is not None
    assert job.log == logs.parse("a schedule's log\n")
    assert scene.forge(red).last_green(red) is None
    scene.hub.finish_ci(REPO, branch="topic", conclusion="success", job="test", log="own\n", event="pull_request")
    ci = scene.hub.finish_ci(REPO, branch="topic", log=LOG, job="test", event="pull_request")
    later = replace(red, actions_run_id=ci.run_id)
    own = scene.forge(later).green_job(later)
    assert own is not None
    assert own.log == logs.parse("own\n")


def test_no_job_was_green_before_the_first_red_one(scene: Scene) -> None:
    """Nothing is asked for a log then."""
    assert scene.forge().green_job(scene.case) is None
    assert not scene.asked("GET", "/logs")


def test_no_green_commit_is_known_for_another_ci(scene: Scene) -> None:
    """A check run that is not of Actions has no workflow to look through."""
    other = replace(scene.case, actions_run_id=0)
    assert scene.forge(other).last_green(other) is None


def test_the_pull_request_that_brought_a_commit(scene: Scene) -> None:
    """A merge commit is its pull request's, with the author of that; a commit pushed as it is has only an author."""
    scene.hub.push(REPO, {"topic.py": "x = 1\n"}, branch="topic", new_from="main", user="ada")
    number = scene.hub.open_pull(REPO, "ada", "topic")["number"]
    merged = Sha(scene.hub.merge_pull(REPO, "octocat", number))
    forge = scene.forge()
    assert forge.origin(scene.case, merged) == Origin(number, "ada")
    direct = Sha(scene.hub.push(REPO, {"direct.py": "y = 1\n"}, user="grace"))
    assert forge.origin(scene.case, direct) == Origin(None, "grace")


def test_the_way_from_green_to_red_is_fetched_once(scene: Scene) -> None:
    """Thirty-five commits take one look back, then one that goes deeper; every commit's files are there then."""
    good = scene.case.head_sha
    cases = [pushed(scene, n) for n in range(35)]
    red = cases[-1]
    forge = scene.forge(red)
    forge.tree(red)
    line = forge.lineage(red, good)
    assert line is not None
    assert [one.sha for one in line.commits] == [good, *(case.head_sha for case in cases)]
    before = len([one for one in scene.hub.requests() if ".git/" in one["path"]])
    assert line.tree(3).read("n.py") == b"n = 2\n"
    assert "+n = 3" in line.diff(3, 4)
    assert forge.lineage(red, good) is not None
    assert len([one for one in scene.hub.requests() if ".git/" in one["path"]]) == before


def test_a_green_commit_of_another_branch_leads_nowhere(scene: Scene) -> None:
    """History that was rewritten has no way between the two."""
    red = pushed(scene, 2)
    away = Sha(scene.hub.push(REPO, {"z.py": "z\n"}, branch="away", new_from="main"))
    assert scene.forge(red).lineage(red, away) is None
