"""PyGithub against the double, along the flow of a fix."""

from __future__ import annotations

import httpx
import pytest
from github import GithubException, InputGitTreeElement
from github.Repository import Repository

from tests.hub.conftest import REPO, Setup


def publish(repo: Repository, base: str, branch: str, content: str) -> str:
    """A commit through the git data calls, on a new branch."""
    blob = repo.create_git_blob(content, "utf-8")
    element = InputGitTreeElement("calc.py", "100644", "blob", sha=blob.sha)
    tree = repo.create_git_tree([element], repo.get_git_commit(base).tree)
    commit = repo.create_git_commit("Fix add", tree, [repo.get_git_commit(base)])
    assert commit.verification.verified
    assert commit.author.name == "heal-test[bot]"
    repo.create_git_ref(f"refs/heads/{branch}", commit.sha)
    return commit.sha


def test_the_whole_flow_of_a_fix(setup: Setup) -> None:
    """Contents, git data, pull request, draft state, check run, comment, label, reaction: all as on GitHub."""
    repo = setup.repo()
    content = repo.get_contents("calc.py")
    assert not isinstance(content, list)
    assert b"a - b" in content.decoded_content
    assert {c.path for c in repo.get_contents("")} == {"calc.py", "tests", ".github"}  # type: ignore[union-attr]
    sha = publish(repo, setup.info.sha, "heal/1", "def add(a, b):\n    return a + b\n")
    pull = repo.create_pull(base="main", head="heal/1", title="Fix add", body="proof", draft=True)
    assert pull.draft
    pull.mark_ready_for_review()
    assert not repo.get_pull(pull.number).draft
    pull.convert_to_draft()
    assert repo.get_pull(pull.number).draft
    assert [f.filename for f in pull.get_files()] == ["calc.py"]
    assert [c.sha for c in pull.get_commits()] == [sha]
    assert [p.number for p in repo.get_commit(sha).get_pulls()] == [pull.number]
    assert repo.compare("main", "heal/1").ahead_by == 1
    check = repo.create_check_run("heal", setup.info.sha, status="in_progress", external_id="1")
    check.edit(
        status="completed",
        conclusion="neutral",
        output={
            "title": "t",
            "summary": "s",
            "annotations": [
                {"path": "calc.py", "start_line": 2, "end_line": 2, "annotation_level": "failure", "message": "m"}
            ],
        },
        actions=[{"label": "l", "description": "d", "identifier": "i"}],
    )
    assert [a.message for a in repo.get_check_run(check.id).get_annotations()] == ["m"]
    assert [c.name for c in repo.get_commit(setup.info.sha).get_check_runs()] == ["heal"]
    comment = pull.create_issue_comment("<!-- heal -->hello")
    comment.edit("<!-- heal -->bye")
    comment.create_reaction("eyes")
    assert [c.body for c in pull.get_issue_comments()] == ["<!-- heal -->bye"]
    repo.create_label("heal", "00ff00")
    pull.add_to_labels("heal")
    pull.edit(title="Fix add again", body="more proof")
    seen = setup.hub.repo(REPO)["pulls"][0]
    assert (seen["title"], [label["name"] for label in seen["labels"]]) == ("Fix add again", ["heal"])
    assert repo.get_collaborator_permission("octo") == "admin"


def test_reviews(setup: Setup) -> None:
    """Reviews with line comments; a line outside the diff is refused; replies stay in their thread."""
    repo = setup.repo()
    publish(repo, setup.info.sha, "heal/1", "def add(a, b):\n    return a + b\n")
    pull = repo.create_pull(base="main", head="heal/1", title="Fix add", body="proof")
    made = setup.hub.review(
        REPO, "octo", pull.number, "REQUEST_CHANGES", "no", [{"path": "calc.py", "line": 2, "body": "why?"}]
    )
    review = pull.get_review(made["id"])
    assert review.state == "CHANGES_REQUESTED"
    first = next(iter(pull.get_review_comments()))
    reply = pull.create_review_comment_reply(first.id, "because")
    assert reply.in_reply_to_id == first.id
    reply.create_reaction("rocket")
    pull.create_review(body="b", event="COMMENT", comments=[{"path": "calc.py", "line": 2, "body": "x"}])
    with pytest.raises(GithubException) as refused:
        pull.create_review(body="b", event="COMMENT", comments=[{"path": "calc.py", "line": 99, "body": "x"}])
    assert refused.value.status == 422
    with pytest.raises(GithubException, match="your own pull request"):
        pull.create_review(body="b", event="APPROVE")


def test_actions_and_logs(setup: Setup) -> None:
    """A finished CI run is found by job, run and check run, and its log by a signed address that expires."""
    done = setup.hub.finish_ci(REPO, log="red\n", steps=["Checkout", "Test"], failing_step="Test")
    repo = setup.repo()
    run = repo.get_workflow_run(done.run_id)
    assert (run.conclusion, run.path, run.name) == ("failure", ".github/workflows/ci.yml", "ci")
    job = next(iter(run.jobs()))
    assert job.id == done.check_run_id
    assert [(s.name, s.conclusion) for s in job.steps][2] == ("Test", "failure")
    assert repo.get_check_run(done.check_run_id).app.slug == "github-actions"
    assert [r.id for r in repo.get_workflow_runs(branch=repo.get_branch("main"), head_sha=done.sha)] == [run.id]
    assert repo.get_workflow(str(run.workflow_id)).name == "ci"
    address = job.logs_url()
    assert httpx.get(address).text == "red\n"
    setup.hub.advance(61)
    assert httpx.get(address).status_code == 403


def test_refusals(setup: Setup) -> None:
    """The 422 rules: duplicate pull request, long body, existing ref, no fast-forward, too many actions."""
    repo = setup.repo()
    sha = publish(repo, setup.info.sha, "heal/1", "x = 1\n")
    repo.create_pull(base="main", head="heal/1", title="t", body="b")
    with pytest.raises(GithubException, match=r"A pull request already exists for octo:heal/1\."):
        repo.create_pull(base="main", head="heal/1", title="t", body="b")
    publish(repo, setup.info.sha, "heal/2", "x = 2\n")
    with pytest.raises(GithubException, match="body is too long"):
        repo.create_pull(base="main", head="heal/2", title="t", body="b" * 65_537)
    with pytest.raises(GithubException, match="Reference already exists"):
        repo.create_git_ref("refs/heads/heal/1", sha)
    with pytest.raises(GithubException, match="not a fast forward"):
        repo.get_git_ref("heads/heal/2").edit(sha)
    actions = [{"label": "l", "description": "d", "identifier": "i"}] * 4
    with pytest.raises(GithubException) as refused:
        repo.create_check_run("heal", sha, actions=actions)
    assert refused.value.status == 422
    assert [v["kind"] for v in setup.hub.violations(take=True)] in (["request"], ["request", "request"], [])
    with pytest.raises(GithubException, match="No commit found"):
        repo.get_commit("f" * 40)


def test_pagination(setup: Setup) -> None:
    """Lists come in pages with Link headers."""
    issue = setup.hub.open_issue(REPO, "octocat", "broken")
    for n in range(7):
        setup.hub.comment(REPO, "octocat", issue["number"], f"comment {n}")
    with setup.github() as github:
        github.per_page = 3
        found = github.get_repo(REPO).get_issue(issue["number"]).get_comments()
        assert [c.body for c in found] == [f"comment {n}" for n in range(7)]
