"""Starts the double as a process of its own and talks to its human side.

Importing this loads nothing of the double itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.hub.remote import Json, Remote
from tests.processes import unmeasured

Files = Mapping[str, str | bytes | None]
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
"""For an answer of the double's to what takes it no time."""


class HubError(Exception):
    """The double refused a control call or did not start."""


class ContractViolationError(AssertionError):
    """The double heard or said something that GitHub's own description does not allow."""


@dataclass(frozen=True)
class AppKeys:
    """What registering and installing an App gives."""

    app_id: int
    client_id: str
    slug: str
    bot: str
    private_key: str
    webhook_secret: str
    installation_id: int
    client_secret: str = ""


@dataclass(frozen=True)
class RepoInfo:
    """A new repository: `sha` is the head of its default branch."""

    id: int
    full_name: str
    sha: str
    clone_url: str


@dataclass(frozen=True)
class CiResult:
    """A finished CI run."""

    run_id: int
    job_id: int
    check_run_id: int
    sha: str


PERMISSIONS: Mapping[str, str] = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "actions": "write",
    "statuses": "read",
}
EVENTS: Sequence[str] = (
    "check_run",
    "check_suite",
    "workflow_run",
    "status",
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "repository",
)


class Hub(Remote):
    """The running double.

    `with Hub() as hub:` ends it and raises ContractViolationError when anything was off contract.
    """

    def __init__(self, data: Path | None = None, port: int = 0, ci_image: str = "", check: bool = True) -> None:
        self._scratch = None if data else tempfile.TemporaryDirectory(prefix="hub-", ignore_cleanup_errors=True)
        folder = str(data) if data else str(self._scratch.name if self._scratch else "")
        self.data = Path(folder)
        """Where the double keeps its bare repositories, by number."""
        self._check = check
        command = [sys.executable, "-m", "tests.hub", "--port", str(port), "--data", folder, "--ci-image", ci_image]
        self._process = subprocess.Popen(command, cwd=ROOT, env=unmeasured(), stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise HubError("the double did not start")
        self.url: str = json.loads(line)["url"]
        self.api_url = f"{self.url}/api/v3"
        self._client = httpx.Client(base_url=f"{self.url}/_control", trust_env=False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(check=kind is None)

    def close(self, check: bool = True) -> None:
        """End the process; raise ContractViolationError when violations were recorded."""
        try:
            if check and self._check:
                self.assert_honest()
        finally:
            self._client.close()
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()
            if self._scratch is not None:
                self._scratch.cleanup()

    def assert_honest(self) -> None:
        """Raise ContractViolationError when the double recorded violations."""
        found = self.violations()
        if found:
            raise ContractViolationError(json.dumps(found, indent=1)[:8000])

    def call(self, verb: str, **asked: object) -> Json:
        return self._call(verb, asked)

    def _call(self, verb: str, asked: Mapping[str, object], patience: float = PATIENCE_S) -> Json:
        answer = self._client.post(f"/{verb}", json=asked, timeout=patience)
        if answer.status_code != 200:
            raise HubError(f"{verb}: {answer.status_code} {answer.text}")
        body: Json = answer.json()
        return body

    def reset(self) -> None:
        self.call("reset")

    def create_user(self, login: str, kind: str = "User") -> Json:
        return self.call("create_user", login=login, kind=kind)

    def create_app(
        self,
        slug: str = "heal-test",
        *,
        account: str = "octo",
        account_kind: str = "User",
        permissions: Mapping[str, str] = PERMISSIONS,
        events: Sequence[str] = EVENTS,
        webhook_url: str = "",
        webhook_secret: str = "",
        repos: Sequence[str] | None = None,
    ) -> AppKeys:
        """Register an App and install it on an account, on all repositories or on those named."""
        raw = self.call(
            "create_app",
            slug=slug,
            account=account,
            account_kind=account_kind,
            permissions=dict(permissions),
            events=list(events),
            webhook_url=webhook_url,
            webhook_secret=webhook_secret,
            repos=list(repos) if repos is not None else None,
        )
        return AppKeys(**raw)

    def signs_in(self, login: str = "") -> None:
        """This person is logged in at the browser that comes to authorize an App."""
        self.call("signs_in", login=login)

    def set_webhook(self, app_id: int, url: str) -> None:
        self.call("set_webhook", app_id=app_id, url=url)

    def create_repo(
        self,
        repo: str,
        *,
        files: Files | None = None,
        folder: Path | None = None,
        message: str = "Initial commit",
        private: bool = False,
        ci: str = "off",
        fork_of: str = "",
        owner_kind: str = "User",
        run_first: bool = False,
    ) -> RepoInfo:
        """A repository from files. `ci="real"` runs its workflows on later pushes (`run_first`: on the first too)."""
        raw = self.call(
            "create_repo",
            repo=repo,
            files=_wire(files or {}),
            folder=str(folder) if folder else "",
            message=message,
            private=private,
            ci=ci,
            fork_of=fork_of,
            owner_kind=owner_kind,
            run_first=run_first,
        )
        return RepoInfo(**raw)

    def push(
        self,
        repo: str,
        files: Files,
        *,
        branch: str = "main",
        message: str = "Change files",
        user: str = "octocat",
        new_from: str = "",
    ) -> str:
        """A person's commit; `new_from` (a ref or SHA) restarts the branch there. Returns the SHA."""
        asked = {"branch": branch, "message": message, "user": user, "new_from": new_from}
        return str(self.call("push", repo=repo, files=_wire(files), **asked)["sha"])

    def rebase(self, repo: str, branch: str, onto: str = "main", user: str = "octocat") -> str:
        """A person's force-push of the branch's newest commit onto another; returns the SHA."""
        return str(self.call("rebase", repo=repo, branch=branch, onto=onto, user=user)["sha"])

    def set_permission(self, repo: str, user: str, permission: str) -> None:
        """admin, maintain, write, triage, read or none."""
        self.call("set_permission", repo=repo, user=user, permission=permission)

    def set_repo(self, repo: str, **changes: object) -> None:
        """ci=, archived=, gone=, private=, issues_on=, gone_commit=."""
        self.call("set_repo", repo=repo, **changes)

    def open_issue(self, repo: str, user: str, title: str, body: str = "") -> Json:
        return self.call("open_issue", repo=repo, user=user, title=title, body=body)

    def open_pull(
        self, repo: str, user: str, head: str, base: str = "main", title: str = "Change", body: str = ""
    ) -> Json:
        """`head` is a branch, or `owner:branch` of a fork."""
        return self.call("open_pull", repo=repo, user=user, head=head, base=base, title=title, body=body)

    def set_pull(self, repo: str, number: int, *, base: str = "", user: str = "octocat", unknown: int = 0) -> None:
        """A person's new base; or `mergeable` is null for the next `unknown` looks."""
        self.call("set_pull", repo=repo, number=number, base=base, user=user, unknown=unknown)

    def close_pull(self, repo: str, user: str, number: int) -> None:
        self.call("close_pull", repo=repo, user=user, number=number)

    def merge_pull(self, repo: str, user: str, number: int) -> str:
        return str(self.call("merge_pull", repo=repo, user=user, number=number)["sha"])

    def comment(self, repo: str, user: str, number: int, body: str) -> Json:
        return self.call("comment", repo=repo, user=user, number=number, body=body)

    def review(
        self, repo: str, user: str, number: int, event: str = "COMMENT", body: str = "", comments: Sequence[Json] = ()
    ) -> Json:
        return self.call("review", repo=repo, user=user, number=number, event=event, body=body, comments=list(comments))

    def reply(self, repo: str, user: str, comment_id: int, body: str) -> Json:
        return self.call("reply", repo=repo, user=user, comment_id=comment_id, body=body)

    def click(self, repo: str, user: str, check_run_id: int, identifier: str = "") -> None:
        """Press a button of a check run; without an identifier its Re-run link."""
        self.call("click", repo=repo, user=user, check_run_id=check_run_id, identifier=identifier)

    def finish_ci(
        self,
        repo: str,
        *,
        branch: str = "main",
        sha: str = "",
        conclusion: str = "failure",
        job: str = "test",
        log: str | None = "",
        workflow: str = ".github/workflows/ci.yml",
        event: str = "push",
        **more: object,
    ) -> CiResult:
        """A finished run of one job with this log (None: no log).

        More: steps, failing_step, annotations, head_repo, beside (jobs that were green), goes_on (see `end_ci`)."""
        asked = {"branch": branch, "sha": sha, "conclusion": conclusion, "job": job, "log": log}
        return CiResult(**self.call("finish_ci", repo=repo, workflow=workflow, event=event, **asked, **more))

    def end_ci(self, repo: str, run_id: int, conclusion: str = "failure", attempt: int = 1) -> None:
        """The end of a workflow run that `finish_ci` left going on."""
        self.call("end_ci", repo=repo, run_id=run_id, conclusion=conclusion, attempt=attempt)

    def run_ci(self, repo: str, *, branch: str = "main", sha: str = "") -> None:
        """Run the repository's workflows in containers, in the background; see `wait_ci`."""
        self.call("run_ci", repo=repo, branch=branch, sha=sha)

    def wait_ci(self, repo: str, sha: str, seconds: float = 120) -> Json:
        """Wait until a commit's workflow runs are all completed; returns the last one."""
        return self.wait(lambda: self._ci_done(repo, sha), seconds, f"CI of {sha}", every=0.2)

    def _ci_done(self, repo: str, sha: str) -> Json | None:
        runs = [r for r in self.repo(repo)["workflow_runs"] if r["head_sha"] == sha]
        if runs and all(r["status"] == "completed" for r in runs):
            last: Json = runs[-1]
            return last
        return None

    def wait(self, probe: Callable[[], Json | None], seconds: float, what: str, every: float = 0.1) -> Json:
        """Ask `every` so many seconds until the probe answers; raises HubError when it does not in time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = probe()
            if found is not None:
                return found
            time.sleep(every)
        raise HubError(f"{what}: not within {seconds} s")

    def settle(self, seconds: float = 60) -> None:
        """Wait until all deliveries are out."""
        if not self._call("settle", {"seconds": seconds}, seconds + PATIENCE_S)["settled"]:
            raise HubError("deliveries are still waiting")

    def requests(self) -> list[Json]:
        return list(self.call("requests")["requests"])

    def tokens(self) -> list[Json]:
        """Every installation token that was minted: serial, permissions, repos (None: all), revoked, expires. A
        request that came with one has its serial under `token`."""
        return list(self.call("tokens")["tokens"])

    def deliveries(self, first: int = 0) -> list[Json]:
        """Every attempt in its order, from the `first` on."""
        return list(self.call("deliveries", first=first)["deliveries"])

    def redeliver(self, guid: str) -> None:
        self.call("redeliver", guid=guid)

    def violations(self, take: bool = False) -> list[Json]:
        """What was off contract; `take` also forgets it (for tests that misbehave on purpose)."""
        return list(self.call("violations", take=take)["violations"])

    def repo(self, repo: str) -> Json:
        """Everything in a repository: branches, pulls (with files), comments, check_runs, jobs, workflow_runs, ..."""
        found: Json = self.call("state", repo=repo)["repos"][repo]
        return found


def _wire(files: Files) -> dict[str, object]:
    import base64

    return {
        path: {"base64": base64.b64encode(content).decode()} if isinstance(content, bytes) else content
        for path, content in files.items()
    }
