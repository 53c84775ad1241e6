"""A small real CI: runs a commit's workflow files in Docker containers and records what GitHub would.

One container per job, steps in order, stopped at the first red one. Actions (`uses:`) are shown and skipped; the
work tree is what `git archive` gives. The image must hold bash and whatever the steps call.
"""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.hub.ci_log import JobLog, shell_line
from tests.hub.runs import Runs
from tests.hub.state import Job, Json, Pull, Repo, User, WorkflowRun, World
from tests.hub.workflow_file import JobPlan, Step, WorkflowPlan, parse

if TYPE_CHECKING:
    from docker.models.containers import Container

_CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_TEMP = "/home/runner/work/_temp"
_OUTPUTS = "/home/runner/work/_outputs"


class CiRunner:
    """Runs workflows in the background, one workflow run per thread."""

    def __init__(self, world: World, runs: Runs) -> None:
        self._world, self._runs = world, runs
        self._containers: set[str] = set()

    def close(self) -> None:
        """Remove the containers of jobs that are still running."""
        import docker
        from docker.errors import APIError

        if self._containers:
            client = docker.from_env()
            for name in list(self._containers):
                with contextlib.suppress(APIError):  # the job's own thread may have been faster
                    client.api.remove_container(name, force=True, v=True)
            client.close()

    def start(self, repo: Repo, sha: str, branch: str, actor: User) -> None:
        """Queue a run for every workflow that a push to the branch starts."""
        for plan in plans(repo, sha, _context(repo, sha, branch, "push")):
            if plan.runs_on_push(branch):
                self._begin(repo, plan, self._runs.begin(repo, plan.path, sha, branch, actor))

    def start_pull(self, repo: Repo, pull: Pull, actor: User) -> None:
        """Queue a run for every workflow that the pull request starts and that has none for this commit yet."""
        sha, branch = pull.head_sha, pull.head_ref
        for plan in plans(repo, sha, _context(repo, sha, branch, "pull_request")):
            known = any(run.sha == sha and run.workflow["path"] == plan.path for run in repo.runs.values())
            if plan.runs_on_pull(pull.base_ref) and not known:
                run = self._runs.begin(repo, plan.path, sha, branch, actor, "pull_request", pull.head_repo)
                self._begin(repo, plan, run)

    def _begin(self, repo: Repo, plan: WorkflowPlan, run: WorkflowRun) -> None:
        jobs = [(one, self._runs.job(repo, run, one.name)) for one in plan.jobs]
        threading.Thread(target=self._run, args=(repo, run, jobs), daemon=True, name=f"ci-{run.id}").start()

    def _run(self, repo: Repo, run: WorkflowRun, jobs: list[tuple[JobPlan, Job]]) -> None:
        with self._world.lock:
            run.status = "in_progress"
        ended: dict[str, str] = {}
        for plan, job in jobs:
            if any(ended.get(need, "success") != "success" for need in plan.needs):
                with self._world.lock:
                    self._runs.end_job(repo, job, "skipped", None, [], [])
                ended[plan.key] = "skipped"
                continue
            result = self._job(repo, run, plan, job)
            ended[plan.key] = result if ended.get(plan.key, "success") == "success" else ended[plan.key]
        with self._world.lock:
            red = [value for value in ended.values() if value not in {"success", "skipped"}]
            self._runs.end(repo, run, red[0] if red else "success")

    def _job(self, repo: Repo, run: WorkflowRun, plan: JobPlan, job: Job) -> str:
        with self._world.lock:
            self._runs.start_job(repo, job)
        work = _JobWork(self._world, repo, run.sha, plan, self._containers)
        conclusion = work.run()
        with self._world.lock:
            self._runs.end_job(repo, job, conclusion, work.log.text(), work.steps, work.log.annotations)
        return conclusion


def _context(repo: Repo, sha: str, branch: str, event: str) -> dict[str, str]:
    return {
        "github.sha": sha,
        "github.ref": f"refs/heads/{branch}",
        "github.ref_name": branch,
        "github.repository": repo.full_name,
        "github.event_name": event,
        "github.workspace": _workspace(repo),
        "runner.os": "Linux",
    }


def plans(repo: Repo, sha: str, context: Mapping[str, str]) -> list[WorkflowPlan]:
    """The workflow files of a commit that can be read."""
    folder = repo.git.entry(sha, ".github/workflows")
    if folder is None or folder.kind != "tree":
        return []
    found = []
    for entry in repo.git.tree(str(folder.sha)):
        if entry.kind == "blob" and entry.path.endswith((".yml", ".yaml")):
            text = repo.git.blob(str(entry.sha)).decode("utf-8", "replace")
            plan = parse(text, f".github/workflows/{entry.path}", context)
            found += [plan] if plan else []
    return found


def _workspace(repo: Repo) -> str:
    return f"/home/runner/work/{repo.name}/{repo.name}"


class _JobWork:
    """One job in its container."""

    def __init__(self, world: World, repo: Repo, sha: str, plan: JobPlan, containers: set[str]) -> None:
        self._world, self._repo, self._sha, self._plan = world, repo, sha, plan
        self._workspace = _workspace(repo)
        self._containers = containers
        self._name = f"heal-hub-ci-{uuid.uuid4().hex[:12]}"
        self.log = JobLog(world.now)
        self.steps: list[Json] = []

    def run(self) -> str:
        """Run all steps; the job's conclusion."""
        import docker
        from docker.errors import DockerException

        self.log.head(self._plan.name, self._world.ci_image)
        self._note("Set up job", "success")
        client = docker.from_env(timeout=self._plan.minutes * 60 + 30)
        try:
            self._containers.add(self._name)
            container = self._create(client)
            try:
                container.start()
                _ended(container, ["mkdir", "-p", self._workspace, _TEMP, _OUTPUTS], "/", {})
                container.put_archive(self._workspace, self._repo.git.archive(self._sha))
                return self._all(container)
            finally:
                container.remove(force=True, v=True)
                self._containers.discard(self._name)
        except DockerException as error:
            self.log.line(f"##[error]The runner broke: {error}")
            return "failure"
        finally:
            client.close()

    def _create(self, client: Any) -> Container:
        bundle = Path(_CA_BUNDLE)
        mounts = {_CA_BUNDLE: {"bind": _CA_BUNDLE, "mode": "ro"}} if bundle.exists() else {}
        if Path("/etc/pip.conf").exists():
            mounts["/etc/pip.conf"] = {"bind": "/etc/pip.conf", "mode": "ro"}
        container: Container = client.containers.create(
            self._world.ci_image,
            ["sleep", "infinity"],
            name=self._name,
            init=True,
            user="0:0",
            entrypoint=[],
            volumes=mounts,
            environment=self._env(),
            labels={"heal.hub": "ci"},
            mem_limit="1g",
            pids_limit=512,
            cap_drop=["ALL"],
            cap_add=["CHOWN", "DAC_OVERRIDE", "FOWNER"],
            security_opt=["no-new-privileges"],
        )
        return container

    def _env(self) -> dict[str, str]:
        fixed = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_SHA": self._sha,
            "GITHUB_REPOSITORY": self._repo.full_name,
            "GITHUB_WORKSPACE": self._workspace,
            "GITHUB_ENV": f"{_TEMP}/env",
            "GITHUB_OUTPUT": f"{_TEMP}/output",
            "GITHUB_STEP_SUMMARY": f"{_TEMP}/summary",
            "GITHUB_PATH": f"{_TEMP}/path",
            "RUNNER_TEMP": _TEMP,
            "HOME": "/root",
        }
        if Path(_CA_BUNDLE).exists():
            fixed |= dict.fromkeys(
                ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), _CA_BUNDLE
            )
        passed = {
            key: value for key, value in os.environ.items() if key.startswith("PIP_") or key.lower().endswith("_proxy")
        }
        return {**passed, **fixed}

    def _all(self, container: Container) -> str:
        green = True
        for step in self._plan.steps:
            if not step.due(green):
                self._note(step.name, "skipped")
                continue
            if step.uses:
                self.log.uses(step)
                self._note(step.name, "success")
                continue
            code = self._script(container, step)
            passed = code == 0 or step.tolerant
            self._note(step.name, "success" if passed else "failure")
            green = green and passed
        self.log.line("Cleaning up orphan processes")
        self._note("Complete job", "success")
        return "success" if green else "failure"

    def _script(self, container: Container, step: Step) -> int:
        env = {**self._plan.env, **step.env}
        self.log.run(step, env)
        name = f"{uuid.uuid4()}.sh"
        container.put_archive(_TEMP, _tar(name, step.run.encode() + b"\n"))
        command = shell_line(step).removeprefix("/usr/bin/").format(f"{_TEMP}/{name}").split(" ")
        folder = f"{self._workspace}/{step.workdir}".rstrip("/")
        limited = ["timeout", "-k", "5", str(self._plan.minutes * 60), *command]
        code, output = _ran(container, limited, folder, env)
        if output:
            self.log.output(output)
        if code:
            self.log.failed(code)
        return code

    def _note(self, name: str, conclusion: str) -> None:
        stamp = self._world.stamp()
        self.steps.append(
            {
                "name": name,
                "status": "completed",
                "conclusion": conclusion,
                "number": len(self.steps) + 1,
                "started_at": stamp,
                "completed_at": stamp,
            }
        )


def _ran(container: Container, command: list[str], folder: str, env: dict[str, str]) -> tuple[int, bytes]:
    """Exit code and output of a step. It speaks into a file of its container: under load, the engine ends the stream
    before a short step's words are in it."""
    from docker.errors import NotFound

    path = f"{_OUTPUTS}/{uuid.uuid4()}"
    code, refused = _ended(container, ["bash", "-c", f'"$@" >{path} 2>&1', "step", *command], folder, env)
    try:
        pieces, _ = container.get_archive(path)
    except NotFound:  # there is no such folder to start in, say
        return code, refused
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
        file = tar.extractfile(tar.getmembers()[0])
        return code, file.read() if file is not None else b""


def _ended(container: Container, command: list[str], folder: str, env: dict[str, str]) -> tuple[int, bytes]:
    """Exit code and what came through the engine's stream; the end of that is not yet the end of the command."""
    assert container.client is not None
    api = container.client.api
    started = api.exec_create(container.id, command, workdir=folder, environment=env)["Id"]
    streamed: bytes = api.exec_start(started)
    while (code := api.exec_inspect(started)["ExitCode"]) is None:
        time.sleep(0.02)
    return int(code), streamed


def _tar(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o755
        tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()
