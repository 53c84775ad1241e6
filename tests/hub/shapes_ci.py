"""Check runs, suites, workflows, workflow runs and jobs as GitHub writes them."""

from __future__ import annotations

from tests.hub import shapes, shapes_git, shapes_work
from tests.hub.shapes_git import base_url, html_url
from tests.hub.state import CheckRun, Job, Json, Pull, Repo, Suite, WorkflowRun, World

_WORST = ("failure", "timed_out", "cancelled", "action_required", "success", "neutral", "skipped")


def pulls_at(repo: Repo, sha: str) -> list[Pull]:
    """Open pull requests of the same repository whose head is the commit; those of forks are never listed."""
    return [p for p in repo.pulls.values() if p.head_sha == sha and p.head_repo is repo and p.issue.state == "open"]


def _pulls(world: World, repo: Repo, sha: str) -> list[Json]:
    return [shapes_work.pull_minimal(world, repo, pull) for pull in pulls_at(repo, sha)]


def check_run(world: World, repo: Repo, one: CheckRun) -> Json:
    """`check-run`."""
    base = base_url(world, repo)
    url = f"{base}/check-runs/{one.id}"
    return {
        "id": one.id,
        "name": one.name,
        "node_id": f"CR_kwDO{one.id}",
        "head_sha": one.sha,
        "external_id": one.external_id,
        "url": url,
        "html_url": _check_page(world, repo, one),
        "details_url": one.details_url or _check_page(world, repo, one),
        "status": one.status,
        "conclusion": one.conclusion,
        "started_at": one.started,
        "completed_at": one.completed,
        "output": {
            "title": one.output.get("title"),
            "summary": one.output.get("summary"),
            "text": one.output.get("text"),
            "annotations_count": len(one.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": one.suite.id},
        "app": shapes.app_by_id(world, one.app_id),
        "pull_requests": _pulls(world, repo, one.sha),
    }


def _check_page(world: World, repo: Repo, one: CheckRun) -> str:
    job = repo.jobs.get(one.id)
    if job is not None:
        return f"{html_url(world, repo)}/actions/runs/{job.run_id}/job/{job.id}"
    return f"{html_url(world, repo)}/runs/{one.id}"


def _suite_state(repo: Repo, one: Suite) -> tuple[str, str | None]:
    checks = [c for c in repo.checks.values() if c.suite is one]
    if not checks:
        return "queued", None
    if any(c.status != "completed" for c in checks):
        return "in_progress", None
    found = {c.conclusion for c in checks}
    return "completed", next((name for name in _WORST if name in found), "neutral")


def suite(world: World, repo: Repo, one: Suite) -> Json:
    """`check-suite`."""
    url = f"{base_url(world, repo)}/check-suites/{one.id}"
    status, conclusion = _suite_state(repo, one)
    info = repo.git.commit(one.sha)
    return {
        "id": one.id,
        "node_id": f"CS_kwDO{one.id}",
        "head_branch": one.branch,
        "head_sha": one.sha,
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": info.parents[0] if info.parents else "0" * 40,
        "after": one.sha,
        "pull_requests": _pulls(world, repo, one.sha),
        "app": shapes.app_by_id(world, one.app_id),
        "created_at": one.created,
        "updated_at": one.updated,
        "repository": shapes.minimal_repository(world, repo),
        "head_commit": shapes_git.simple_commit(repo, one.sha),
        "latest_check_runs_count": sum(c.suite is one for c in repo.checks.values()),
        "check_runs_url": f"{url}/check-runs",
    }


def check_run_event(world: World, repo: Repo, one: CheckRun) -> Json:
    """The check run inside a delivery: as `check-run`, with its suite."""
    inner = suite(world, repo, one.suite)
    for key in ("repository", "head_commit", "latest_check_runs_count", "check_runs_url"):
        del inner[key]
    return {**check_run(world, repo, one), "check_suite": inner}


def suite_event(world: World, repo: Repo, one: Suite) -> Json:
    """The suite inside a delivery of its own."""
    whole = suite(world, repo, one)
    del whole["repository"]
    return whole


def status(world: World, repo: Repo, one: Json) -> Json:
    """`status`."""
    return {**simple_status(world, repo, one), "creator": shapes.user(world, one["creator"])}


def simple_status(world: World, repo: Repo, one: Json) -> Json:
    """`simple-commit-status`."""
    return {
        "url": f"{base_url(world, repo)}/statuses/{one['sha']}",
        "avatar_url": shapes.user(world, one["creator"])["avatar_url"],
        "id": one["id"],
        "node_id": f"SC_kwDO{one['id']}",
        "state": one["state"],
        "description": one["description"],
        "target_url": one["target_url"],
        "context": one["context"],
        "created_at": one["created_at"],
        "updated_at": one["created_at"],
    }


def annotation(world: World, repo: Repo, one: CheckRun, raw: Json) -> Json:
    """`check-annotation`."""
    return {
        "path": raw["path"],
        "blob_href": f"{html_url(world, repo)}/blob/{one.sha}/{raw['path']}",
        "start_line": raw["start_line"],
        "start_column": raw.get("start_column"),
        "end_line": raw["end_line"],
        "end_column": raw.get("end_column"),
        "annotation_level": raw["annotation_level"],
        "title": raw.get("title", ""),
        "message": raw["message"],
        "raw_details": raw.get("raw_details", ""),
    }


def workflow(world: World, repo: Repo, raw: Json) -> Json:
    """`workflow`."""
    html = html_url(world, repo)
    file = raw["path"].rsplit("/", 1)[-1]
    return {
        "id": raw["id"],
        "node_id": f"W_kwDO{raw['id']}",
        "name": raw["name"],
        "path": raw["path"],
        "state": "active",
        "created_at": raw["created"],
        "updated_at": raw["created"],
        "url": f"{base_url(world, repo)}/actions/workflows/{raw['id']}",
        "html_url": f"{html}/blob/{repo.default_branch}/{raw['path']}",
        "badge_url": f"{html}/workflows/{file}/badge.svg",
    }


def workflow_run(world: World, repo: Repo, one: WorkflowRun) -> Json:
    """`workflow-run`."""
    base = base_url(world, repo)
    url = f"{base}/actions/runs/{one.id}"
    in_fork = one.head_repo is not repo
    return {
        "id": one.id,
        "name": one.workflow["name"],
        "node_id": f"WFR_kwDO{one.id}",
        "head_branch": one.branch,
        "head_sha": one.sha,
        "path": one.workflow["path"],
        "display_title": one.title,
        "run_number": one.number,
        "event": one.event,
        "status": one.status,
        "conclusion": one.conclusion,
        "workflow_id": one.workflow["id"],
        "check_suite_id": one.suite.id,
        "check_suite_node_id": f"CS_kwDO{one.suite.id}",
        "url": url,
        "html_url": f"{html_url(world, repo)}/actions/runs/{one.id}",
        "pull_requests": [] if in_fork else _pulls(world, repo, one.sha),
        "created_at": one.created,
        "updated_at": one.updated,
        "actor": shapes.user(world, one.actor),
        "run_attempt": one.attempt,
        "referenced_workflows": [],
        "run_started_at": one.created,
        "triggering_actor": shapes.user(world, one.actor),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": f"{base}/check-suites/{one.suite.id}",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "workflow_url": f"{base}/actions/workflows/{one.workflow['id']}",
        "head_commit": shapes_git.simple_commit(one.head_repo, one.sha),
        "repository": shapes.minimal_repository(world, repo),
        "head_repository": shapes.minimal_repository(world, one.head_repo),
    }


def job(world: World, repo: Repo, one: Job) -> Json:
    """`job`."""
    base = base_url(world, repo)
    run = repo.runs[one.run_id]
    started = one.status != "queued"
    return {
        "id": one.id,
        "run_id": one.run_id,
        "workflow_name": run.workflow["name"],
        "head_branch": run.branch,
        "run_url": f"{base}/actions/runs/{one.run_id}",
        "run_attempt": one.attempt,
        "node_id": f"CR_kwDO{one.id}",
        "head_sha": run.sha,
        "url": f"{base}/actions/jobs/{one.id}",
        "html_url": f"{html_url(world, repo)}/actions/runs/{one.run_id}/job/{one.id}",
        "status": one.status,
        "conclusion": one.conclusion,
        "created_at": one.created,
        "started_at": one.started,
        "completed_at": one.completed,
        "name": one.name,
        "steps": one.steps,
        "check_run_url": f"{base}/check-runs/{one.id}",
        "labels": one.labels,
        "runner_id": 1 if started else None,
        "runner_name": "GitHub Actions 1" if started else None,
        "runner_group_id": 0 if started else None,
        "runner_group_name": "GitHub Actions" if started else None,
    }
