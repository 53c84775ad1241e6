"""Workflows, workflow runs, jobs and the redirect to a job's log."""

from __future__ import annotations

import hashlib
import hmac

from tests.hub import shapes_ci
from tests.hub.luck import strike
from tests.hub.rest.dispatch import NOT_FOUND, Answer, ApiError, Call, Route
from tests.hub.state import Job, Repo, WorkflowRun, World

LOG_SECONDS = 60
_SIGNING_KEY = b"the hub's own key for log addresses"


def log_signature(repo_id: int, job_id: int, expires: int) -> str:
    text = f"{repo_id}/{job_id}/{expires}".encode()
    return hmac.new(_SIGNING_KEY, text, hashlib.sha256).hexdigest()


def read_log(world: World, repo_id: int, job_id: int, expires: int, signature: str) -> tuple[int, str]:
    """What the log store answers: status and text. It takes no credential but the signature."""
    if not hmac.compare_digest(signature, log_signature(repo_id, job_id, expires)):
        return 403, "AuthenticationFailed"
    if world.now().timestamp() > expires:
        return 403, "AuthenticationFailed: signature expired"
    repo = world.repos.get(repo_id)
    job = repo.jobs.get(job_id) if repo else None
    if job is None or job.log is None:
        return 404, "BlobNotFound"
    return 200, job.log


def _run(call: Call) -> WorkflowRun:
    found = call.repo.runs.get(call.number("run_id"))
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return found


def list_runs(call: Call) -> Answer:
    runs = sorted(call.repo.runs.values(), key=lambda r: -r.id)
    for key, attribute in (("branch", "branch"), ("head_sha", "sha"), ("event", "event")):
        if value := call.query.get(key):
            runs = [run for run in runs if getattr(run, attribute) == value]
    if value := call.query.get("status"):
        runs = [run for run in runs if value in {run.status, run.conclusion}]
    return call.page(runs, lambda run: shapes_ci.workflow_run(call.world, call.repo, run), "workflow_runs")


def get_run(call: Call) -> Answer:
    return Answer(200, shapes_ci.workflow_run(call.world, call.repo, _run(call)))


def _jobs(repo: Repo, run: WorkflowRun, attempt: int) -> list[Job]:
    return [j for j in repo.jobs.values() if j.run_id == run.id and j.attempt == attempt]


def run_jobs(call: Call) -> Answer:
    run = _run(call)
    return call.page(_jobs(call.repo, run, run.attempt), lambda job: shapes_ci.job(call.world, call.repo, job), "jobs")


def attempt_jobs(call: Call) -> Answer:
    run, attempt = _run(call), call.number("attempt_number")
    if attempt > run.attempt:
        raise ApiError(404, NOT_FOUND)
    return call.page(_jobs(call.repo, run, attempt), lambda job: shapes_ci.job(call.world, call.repo, job), "jobs")


def get_attempt(call: Call) -> Answer:
    run = _run(call)
    if call.number("attempt_number") > run.attempt:
        raise ApiError(404, NOT_FOUND)
    return Answer(200, shapes_ci.workflow_run(call.world, call.repo, run))


def rerun_failed_jobs(call: Call) -> Answer:
    """The next attempt is queued; its jobs are made by whoever plays CI."""
    run = _run(call)
    if run.status != "completed":
        raise ApiError(403, "This workflow is already running")
    if run.conclusion == "success":
        raise ApiError(403, "This workflow run has no failed jobs to rerun")
    run.attempt += 1
    run.status, run.conclusion, run.updated = "queued", None, call.world.stamp()
    call.events.workflow_run(call.repo, run, "requested")
    return Answer(201, {})


def rerun_job(call: Call) -> Answer:
    """One job again, with those that need it: the run's next attempt is queued."""
    run = call.repo.runs[_job(call).run_id]
    if run.status != "completed":
        raise ApiError(403, "This workflow is already running")
    run.attempt += 1
    run.status, run.conclusion, run.updated = "queued", None, call.world.stamp()
    call.events.workflow_run(call.repo, run, "requested")
    return Answer(201, {})


def _job(call: Call) -> Job:
    found = call.repo.jobs.get(call.number("job_id"))
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return found


def get_job(call: Call) -> Answer:
    return Answer(200, shapes_ci.job(call.world, call.repo, _job(call)))


def job_logs(call: Call) -> Answer:
    job = _job(call)
    if job.log is None:
        raise ApiError(404, NOT_FOUND)
    late = strike(call.world, frozenset({"expired_link"}), path=call.path) is not None
    expires = int(call.world.now().timestamp()) + (-1 if late else LOG_SECONDS)
    signature = log_signature(call.repo.id, job.id, expires)
    query = f"repo={call.repo.id}&se={expires}&sig={signature}"
    return Answer(302, None, {"Location": f"{call.world.url}/_logs/{job.id}?{query}"})


def list_workflows(call: Call) -> Answer:
    return call.page(
        list(call.repo.workflows.values()), lambda w: shapes_ci.workflow(call.world, call.repo, w), "workflows"
    )


def get_workflow(call: Call) -> Answer:
    wanted = call.params["workflow_id"]
    for raw in call.repo.workflows.values():
        if wanted in {str(raw["id"]), raw["path"].rsplit("/", 1)[-1]}:
            return Answer(200, shapes_ci.workflow(call.world, call.repo, raw))
    raise ApiError(404, NOT_FOUND)


_A = "/repos/{owner}/{repo}/actions"
_READ = ("actions:read",)
ROUTES = (
    Route("GET", _A + "/runs", list_runs, _READ, "workflow_runs:[WorkflowRun]"),
    Route("GET", _A + "/runs/{run_id}", get_run, _READ, "WorkflowRun"),
    Route("GET", _A + "/runs/{run_id}/jobs", run_jobs, _READ, "jobs:[Job]"),
    Route("GET", _A + "/runs/{run_id}/attempts/{attempt_number}", get_attempt, _READ, "WorkflowRun"),
    Route("GET", _A + "/runs/{run_id}/attempts/{attempt_number}/jobs", attempt_jobs, _READ, "jobs:[Job]"),
    Route("POST", _A + "/runs/{run_id}/rerun-failed-jobs", rerun_failed_jobs, ("actions:write",)),
    Route("GET", _A + "/jobs/{job_id}", get_job, _READ, "Job"),
    Route("GET", _A + "/jobs/{job_id}/logs", job_logs, _READ),
    Route("POST", _A + "/jobs/{job_id}/rerun", rerun_job, ("actions:write",)),
    Route("GET", _A + "/workflows", list_workflows, _READ, "workflows:[Workflow]"),
    Route("GET", _A + "/workflows/{workflow_id}", get_workflow, _READ, "Workflow"),
)
