"""Who may do what: JWT, tokens with permissions and repositories, git over HTTP, faults, unknown paths."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import git
import httpx
import pytest
from github import Auth, GithubException, GithubIntegration

from tests.hub.conftest import FILES, REPO, Setup
from tests.hub.process import Hub
from tests.hub.test_flow import publish


def git_env(setup: Setup, token: str) -> dict[str, str]:
    """The token by environment only."""
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{setup.hub.url}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def test_tokens_are_long_narrowed_and_mortal(setup: Setup) -> None:
    """A token has the form of 2026, may be narrowed but not widened, expires after an hour and can be revoked."""
    token = setup.token({"contents": "read"}, [setup.info.id])
    assert re.fullmatch(r"ghs_[A-Za-z0-9._-]{400,}", token)
    with pytest.raises(GithubException, match="not granted"):
        setup.token({"administration": "write"})
    with setup.github(token) as github:
        repo = github.get_repo(REPO)
        repo.get_contents("calc.py")
        setup.hub.advance(3601)
        with pytest.raises(GithubException, match="Bad credentials"):
            repo.get_contents("calc.py")
    fresh = setup.token()
    with setup.github(fresh) as github:
        github.requester.requestJsonAndCheck("DELETE", "/installation/token")
        with pytest.raises(GithubException, match="Bad credentials"):
            github.get_repo(REPO)


def test_permissions_are_enforced(setup: Setup) -> None:
    """A call beyond the token's permissions is 403 with GitHub's words; reading stays possible."""
    with setup.github(setup.token({"contents": "read", "checks": "read"})) as github:
        repo = github.get_repo(REPO)
        for call in (
            lambda: repo.create_git_blob("x", "utf-8"),
            lambda: repo.create_check_run("heal", setup.info.sha),
            lambda: repo.get_pulls()[0],
        ):
            with pytest.raises(GithubException, match="Resource not accessible by integration") as refused:
                call()
            assert refused.value.status == 403


def test_repositories_outside_the_token_are_closed(setup: Setup) -> None:
    """Another private repository is 404, another public one can be read but not written."""
    setup.hub.create_repo("octo/hidden", files=FILES, private=True)
    setup.hub.create_repo("octo/open", files=FILES)
    with setup.github(setup.token(None, [setup.info.id])) as github:
        with pytest.raises(GithubException) as gone:
            github.get_repo("octo/hidden")
        assert gone.value.status == 404
        with pytest.raises(GithubException) as refused:
            github.get_repo("octo/open").create_git_blob("x", "utf-8")
        assert refused.value.status == 403


def test_workflow_files_need_their_own_permission(setup: Setup) -> None:
    """A commit that touches a workflow is refused when it is put on a branch."""
    repo = setup.repo()
    with pytest.raises(GithubException) as refused:
        repo.create_file(".github/workflows/x.yml", "m", "on: push", branch="main")
    assert refused.value.status == 403


def test_a_foreign_key_is_refused(setup: Setup, hub: Hub) -> None:
    """A JWT signed with another App's key is 401."""
    other = hub.create_app("other")
    auth = Auth.AppAuth(setup.keys.app_id, other.private_key)
    with GithubIntegration(auth=auth, base_url=hub.api_url, retry=None) as gi:
        with pytest.raises(GithubException) as refused:
            gi.get_app()
        assert refused.value.status == 401


def test_clone_push_and_fetch_over_http(setup: Setup, tmp_path: Path) -> None:
    """A token clones, pushes and fetches a bare SHA; a push moves the pull request's head."""
    env = git_env(setup, setup.token())
    tree = tmp_path / "tree"
    with git.Repo.clone_from(setup.info.clone_url, tree, env=env) as clone:
        assert (tree / "calc.py").exists()
        (tree / "calc.py").write_text("x = 1\n")
        clone.git.checkout("-q", "-b", "heal/1")
        clone.git.execute(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "Change"])
        clone.git.push("-q", "origin", "heal/1")
    pull = setup.repo().create_pull(base="main", head="heal/1", title="t", body="")
    with git.Repo.init(tmp_path / "bare", bare=True) as bare:
        bare.git.update_environment(**env)
        bare.git.fetch("-q", "--depth=1", setup.info.clone_url, pull.head.sha)
        bare.git.fetch("-q", setup.info.clone_url, f"refs/pull/{pull.number}/head:refs/heads/pr")
        assert bare.git.rev_parse("pr") == pull.head.sha


def test_git_refuses_what_the_token_may_not_do(setup: Setup, tmp_path: Path) -> None:
    """Pushing with a reading token is refused, and so is a workflow file; without a token git gets 401."""
    hub = setup.hub
    refs = f"{hub.url}/{REPO}.git/info/refs?service=git-receive-pack"
    answer = httpx.get(refs)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="GitHub"')
    weak = base64.b64encode(f"x-access-token:{setup.token({'contents': 'read'})}".encode()).decode()
    assert httpx.get(refs, headers={"Authorization": f"Basic {weak}"}).status_code == 403
    tree = tmp_path / "tree"
    with git.Repo.clone_from(setup.info.clone_url, tree, env=git_env(setup, setup.token())) as clone:
        (tree / ".github/workflows/ci.yml").write_text("on: push\n")
        clone.git.execute(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "Change"])
        with pytest.raises(git.GitCommandError, match="without `workflows` permission"):
            clone.git.push("origin", "main")


def test_faults(setup: Setup) -> None:
    """Server errors after the work, secondary limits, missing logs, gone commits and repositories, on demand."""
    hub, repo = setup.hub, setup.repo()
    publish(repo, setup.info.sha, "heal/1", "x = 1\n")
    hub.fail_requests("/pulls$", method="POST", status=502, after=True)
    with pytest.raises(GithubException) as broken:
        repo.create_pull(base="main", head="heal/1", title="t", body="")
    assert broken.value.status == 502
    assert [p.head.ref for p in repo.get_pulls(head="octo:heal/1")] == ["heal/1"]
    hub.limit_requests("/git/blobs", status=429, retry_after=7)
    with pytest.raises(GithubException) as limited:
        repo.create_git_blob("x", "utf-8")
    assert (limited.value.status, (limited.value.headers or {})["retry-after"]) == (429, "7")
    done = hub.finish_ci(REPO, log=None)
    asked = f"{hub.api_url}/repos/{REPO}/actions/jobs/{done.job_id}/logs"
    assert httpx.get(asked, headers={"Authorization": f"token {setup.token()}"}).status_code == 404
    hub.set_repo(REPO, gone_commit=setup.info.sha)
    with pytest.raises(GithubException) as gone:
        repo.get_commit(setup.info.sha)
    assert gone.value.status == 422
    hub.set_repo(REPO, gone=True)
    with pytest.raises(GithubException) as lost:
        repo.get_branch("main")
    assert lost.value.status == 404


def test_conditional_requests(setup: Setup) -> None:
    """An unchanged object is answered 304 to its ETag."""
    repo = setup.repo()
    branch = f"{setup.hub.api_url}/repos/{REPO}/branches/main"
    headers = {"Authorization": f"Bearer {setup.token()}"}
    first = httpx.get(branch, headers=headers)
    again = httpx.get(branch, headers={**headers, "If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert repo.update() is False


def test_unknown_paths_are_violations(setup: Setup) -> None:
    """Calling what GitHub does not have is 404 and fails the test that did it."""
    answer = httpx.get(f"{setup.hub.api_url}/repos/{REPO}/nonsense")
    assert answer.status_code == 404
    assert [v["kind"] for v in setup.hub.violations(take=True)] == ["unknown path"]


def test_requests_are_checked_too(setup: Setup) -> None:
    """A request body that GitHub's description refuses is a violation, whatever the answer."""
    annotation: dict[str, str | int] = {
        "path": "a",
        "start_line": 1,
        "end_line": 1,
        "annotation_level": "failure",
        "message": "m",
    }
    with pytest.raises(GithubException):
        setup.repo().create_check_run(
            "heal", setup.info.sha, output={"title": "t", "summary": "s", "annotations": [annotation] * 51}
        )
    assert {v["kind"] for v in setup.hub.violations(take=True)} == {"request"}


def test_people_and_forks(setup: Setup) -> None:
    """People have roles; a pull request from a fork names the fork, and its runs list no pull request."""
    hub = setup.hub
    hub.set_permission(REPO, "maria", "maintain")
    hub.create_repo("eve/calc", fork_of=REPO)
    sha = hub.push("eve/calc", {"calc.py": "x = 2\n"}, branch="evil", user="eve")
    pull = hub.open_pull(REPO, "eve", "eve:evil")
    repo = setup.repo()
    assert repo.get_collaborator_permission("maria") == "write"
    assert repo.get_collaborator_permission("eve") == "read"
    assert repo.get_pull(pull["number"]).head.repo.full_name == "eve/calc"
    done = hub.finish_ci(REPO, branch="evil", sha=sha, event="pull_request", head_repo="eve/calc")
    assert repo.get_workflow_run(done.run_id).pull_requests == []
    assert [p.number for p in repo.get_commit(sha).get_pulls()] == [pull["number"]]
