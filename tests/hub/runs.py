"""Makes workflow runs with their suites, jobs and check runs, and ends them; the events follow."""

from __future__ import annotations

import uuid

import yaml

from tests.hub.events import Events
from tests.hub.state import ACTIONS_APP_ID, CheckRun, Job, Json, Repo, User, WorkflowRun, World


class Runs:
    """The Actions half of the double."""

    def __init__(self, world: World, events: Events) -> None:
        self._world, self._events = world, events

    def workflow(self, repo: Repo, path: str, sha: str) -> Json:
        """The workflow at a path, made known when it is new."""
        known = repo.workflows.get(path)
        if known is None:
            known = {"id": self._world.id(), "path": path, "name": path, "created": self._world.stamp()}
            repo.workflows[path] = known
        entry = repo.git.entry(sha, path)
        if entry is not None and entry.kind == "blob":
            try:
                content = yaml.safe_load(repo.git.blob(str(entry.sha)))
            except yaml.YAMLError:
                content = None
            if isinstance(content, dict) and content.get("name"):
                known["name"] = str(content["name"])
        return known

    def begin(
        self,
        repo: Repo,
        path: str,
        sha: str,
        branch: str,
        actor: User,
        event: str = "push",
        head_repo: Repo | None = None,
    ) -> WorkflowRun:
        """A queued workflow run. In a fork's pull request the commit comes from `head_repo`."""
        world, workflow = self._world, self.workflow(repo, path, sha)
        stamp = world.stamp()
        run = WorkflowRun(
            id=world.id(),
            workflow=workflow,
            suite=self._events.new_suite(repo, ACTIONS_APP_ID, sha, branch),
            sha=sha,
            branch=branch,
            event=event,
            number=1 + sum(r.workflow is workflow for r in repo.runs.values()),
            actor=actor,
            created=stamp,
            updated=stamp,
            head_repo=head_repo or repo,
            title=(head_repo or repo).git.commit(sha).message.split("\n", 1)[0],
        )
        repo.runs[run.id] = run
        self._events.workflow_run(repo, run, "requested")
        return run

    def job(self, repo: Repo, run: WorkflowRun, name: str) -> Job:
        """A queued job of a run, with its check run of the same id."""
        stamp = self._world.stamp()
        job = Job(self._world.id(), run.id, name, "queued", None, stamp, stamp, None, attempt=run.attempt)
        check = CheckRun(
            id=job.id,
            app_id=ACTIONS_APP_ID,
            suite=run.suite,
            name=name,
            sha=run.sha,
            status="queued",
            conclusion=None,
            started=stamp,
            completed=None,
            external_id=str(uuid.uuid4()),
        )
        repo.jobs[job.id], repo.checks[check.id] = job, check
        self._events.check_run(repo, check, "created", run.actor)
        self._events.workflow_job(repo, job, "queued")
        return job

    def start_job(self, repo: Repo, job: Job) -> None:
        job.status = repo.checks[job.id].status = "in_progress"
        job.started = repo.checks[job.id].started = self._world.stamp()
        self._events.workflow_job(repo, job, "in_progress")

    def end_job(
        self, repo: Repo, job: Job, conclusion: str, log: str | None, steps: list[Json], annotations: list[Json]
    ) -> None:
        """Complete a job and its check run."""
        run, check, stamp = repo.runs[job.run_id], repo.checks[job.id], self._world.stamp()
        job.status = check.status = "completed"
        job.conclusion = check.conclusion = conclusion
        job.completed = check.completed = stamp
        job.log, job.steps, check.annotations = log, steps, annotations
        self._events.check_run(repo, check, "completed", run.actor)
        self._events.workflow_job(repo, job, "completed")

    def end(self, repo: Repo, run: WorkflowRun, conclusion: str) -> None:
        """Complete a workflow run."""
        run.status, run.conclusion, run.updated = "completed", conclusion, self._world.stamp()
        self._events.workflow_run(repo, run, "completed")


def plain_steps(names: list[str], failing: str | None, stamp: str, conclusion: str) -> list[Json]:
    """Steps in order, green up to the failing one and skipped after it."""
    found: list[Json] = []
    broken = False
    for number, name in enumerate(["Set up job", *names, "Complete job"], start=1):
        is_red = name == failing
        red = conclusion if conclusion in {"success", "skipped", "cancelled"} else "failure"  # steps know no others
        ended = "skipped" if broken and name != "Complete job" else red if is_red else "success"
        found.append(
            {
                "name": name,
                "status": "completed",
                "conclusion": ended,
                "number": number,
                "started_at": stamp,
                "completed_at": stamp,
            }
        )
        broken = broken or is_red
    return found
