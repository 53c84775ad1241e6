"""What CI said: the failed job of a workflow run, its log, or the text of a check run of another CI. Reads only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from workers import logs
from workers.domain import Aim, Case, Finding, JobReport, Outcome
from workers.errors import Stop
from workers.github.api import Api
from workers.github.session import Repository
from workers.redact import Redactor

RED = frozenset({"failure", "timed_out"})
LOG_WAITS_S = (0.2, 0.6, 1.5)
"""A log can be 404 for a moment after the job ended, and for ever when the job never ran."""
MOST_ANNOTATIONS = 200
LONGEST_ANNOTATION = 2000
_SAYS_NOTHING = "Process completed with exit code"
_NOWHERE = ".github"
"""The path of what the runner itself has to say."""

Fetch = Callable[[str, Redactor], logs.JobLog]
"""Reads the log at an address, without any credentials."""


def failed(api: Api, repo: Repository, case: Case) -> tuple[Mapping[str, Any], ...]:
    """The failed jobs of the workflow run's attempt, in GitHub's order; the one the case names comes first.

    A person who asks for a job gets it whatever its conclusion is: then the sandbox says whether it is red.
    """
    path = repo.path(f"/actions/runs/{case.actions_run_id}/attempts/{case.attempt}/jobs")
    asked = case.job_id if case.requested_by else 0
    red = [job for job in api.pages(path, "jobs") if job["conclusion"] in RED or job["id"] == asked]
    return tuple(sorted(red, key=lambda job: (job["id"] != case.job_id, job["name"] != case.job)))


def report(
    api: Api, repo: Repository, case: Case, red: tuple[Mapping[str, Any], ...], fetch: Fetch, redactor: Redactor
) -> JobReport:
    """The report of the first failed job, with its log, or what its check run points at when that does not tell."""
    if not red:
        raise Stop(
            Outcome.NOT_REPRODUCED, "No job of this workflow run has failed any more: it was probably run again."
        )
    job = red[0]
    steps = tuple((step["name"], step["conclusion"] or "") for step in job.get("steps") or ())
    log = logs.with_reported(_log(api, repo, job["id"], fetch, redactor), steps)
    return JobReport(
        name=job["name"],
        log=log,
        workflow_path=workflow_path(api, repo, case),
        steps=steps,
        url=job.get("html_url") or "",
        others=tuple(other["name"] for other in red[1:]),
        annotations=pointed_at(api, repo, _check_run(job), redactor) if log.failed is None else (),
        started_at=job.get("started_at") or "",
    )


def green(api: Api, repo: Repository, job: Mapping[str, Any], fetch: Fetch, redactor: Redactor) -> JobReport:
    """What a job that was green printed, and when; nothing in the log once GitHub has deleted it."""
    log = _log(api, repo, job["id"], fetch, redactor)
    return JobReport(job["name"], log, url=job.get("html_url") or "", started_at=job.get("started_at") or "")


def from_status(api: Api, repo: Repository, case: Case, redactor: Redactor) -> JobReport:
    """The report of a commit status: what its CI wrote in one line. Where it links to is shown and never fetched."""
    found = api.pages(repo.path(f"/commits/{case.head_sha}/status"), "statuses")
    status = next((one for one in found if one["context"] == case.job), None)
    if status is None:
        return JobReport(name=case.job)
    if case.aim is Aim.CHECK and status["state"] == "success":
        raise Stop(Outcome.NOT_REPRODUCED, f"The status {case.job} of this commit is green by now.")
    link = str(status.get("target_url") or "")
    return JobReport(
        name=case.job,
        log=logs.parse(status.get("description") or "", redactor),
        url=link if link.startswith(("https://", "http://")) else "",
        started_at=status.get("created_at") or "",
    )


def from_check(api: Api, repo: Repository, case: Case, redactor: Redactor) -> JobReport:
    """The report of a check run that is not of GitHub Actions: its own text, and what it points at."""
    run = api.get(repo.path(f"/check-runs/{case.job_id}"))
    output = run.get("output") or {}
    text = "\n".join(output[part] for part in ("title", "summary", "text") if output.get(part))
    return JobReport(
        name=run["name"],
        log=logs.parse(text, redactor),
        url=run.get("html_url") or "",
        annotations=pointed_at(api, repo, case.job_id, redactor) if output.get("annotations_count") else (),
        started_at=run.get("started_at") or "",
    )


def pointed_at(api: Api, repo: Repository, check_run: int, redactor: Redactor) -> tuple[Finding, ...]:
    """What a check run points at: its failures; where it has none, its warnings."""
    found = [one for one in api.pages(repo.path(f"/check-runs/{check_run}/annotations")) if _tells(one)]
    failures = [one for one in found if one["annotation_level"] == "failure"]
    warnings = [one for one in found if one["annotation_level"] == "warning" and one["path"] != _NOWHERE]
    return tuple(_finding(one, redactor) for one in (failures or warnings)[:MOST_ANNOTATIONS])


def _tells(annotation: Mapping[str, Any]) -> bool:
    return not (annotation["path"] == _NOWHERE and str(annotation["message"] or "").startswith(_SAYS_NOTHING))


def _finding(annotation: Mapping[str, Any], redactor: Redactor) -> Finding:
    title, said = annotation["title"] or "", annotation["message"] or annotation["raw_details"] or ""
    message = said if title in said else f"{title}: {said}".removesuffix(": ")
    placed = annotation["path"] != _NOWHERE
    return Finding(
        message=logs.excerpt(redactor(logs.clean(message)), LONGEST_ANNOTATION),
        path=annotation["path"] if placed else None,
        line=annotation["start_line"] if placed else None,
    )


def _check_run(job: Mapping[str, Any]) -> int:
    """The check run of an Actions job, from its address."""
    number = str(job.get("check_run_url") or "").rsplit("/", 1)[-1]
    return int(number) if number.isdecimal() else int(job["id"])


def _log(api: Api, repo: Repository, job_id: int, fetch: Fetch, redactor: Redactor) -> logs.JobLog:
    for wait in (*LOG_WAITS_S, 0.0):
        location = api.location(repo.path(f"/actions/jobs/{job_id}/logs"))
        if location:
            return fetch(location, redactor)
        time.sleep(wait)
    return logs.JobLog()


def workflow_path(api: Api, repo: Repository, case: Case) -> str:
    """The path of the case's workflow file; empty for a workflow that has none."""
    if case.workflow_path:
        return case.workflow_path
    path = str(api.get(repo.path(f"/actions/runs/{case.actions_run_id}")).get("path") or "")
    return "" if path.startswith("dynamic/") else path.split("@")[0]
