"""What CI said: the failed job of a workflow run, its log, or the text of a check run of another CI. Reads only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from workers.domain import Case, JobReport, Outcome
from workers.errors import Retryable, Stop
from workers.github.api import Api
from workers.github.session import Repository

RED = frozenset({"failure", "timed_out"})
LOG_TAIL = 8 << 20
LOG_LIMIT = 256 << 20
LOG_WAITS_S = (0.2, 0.6, 1.5)
"""A log can be 404 for a moment after the job ended, and for ever when the job never ran."""


def failed(api: Api, repo: Repository, case: Case) -> tuple[Mapping[str, Any], ...]:
    """The failed jobs of the workflow run's attempt, in GitHub's order; the one the case names comes first."""
    path = repo.path(f"/actions/runs/{case.actions_run_id}/attempts/{case.attempt}/jobs")
    red = [job for job in api.pages(path, "jobs") if job["conclusion"] in RED]
    return tuple(sorted(red, key=lambda job: (job["id"] != case.job_id, job["name"] != case.job)))


def report(api: Api, repo: Repository, case: Case, red: tuple[Mapping[str, Any], ...], fetch: Fetch) -> JobReport:
    """The report of the first failed job, with its log; `fetch` reads a log's address without any credentials."""
    if not red:
        raise Stop(
            Outcome.NOT_REPRODUCED, "No job of this workflow run has failed any more: it was probably run again."
        )
    job = red[0]
    return JobReport(
        name=job["name"],
        log=_log(api, repo, job["id"], fetch),
        workflow_path=case.workflow_path or _workflow_path(api, repo, case),
        steps=tuple((step["name"], step["conclusion"] or "") for step in job.get("steps") or ()),
        url=job.get("html_url") or "",
        others=tuple(other["name"] for other in red[1:]),
        started_at=job.get("started_at") or "",
    )


def from_check(api: Api, repo: Repository, case: Case) -> JobReport:
    """The report of a check run that is not of GitHub Actions: its own text is all there is."""
    if not case.job_id:
        return JobReport(name=case.job)
    run = api.get(repo.path(f"/check-runs/{case.job_id}"))
    output = run.get("output") or {}
    text = "\n".join(output[part] for part in ("title", "summary", "text") if output.get(part))
    started_at = run.get("started_at") or ""
    return JobReport(name=run["name"], log=text[-LOG_TAIL:], url=run.get("html_url") or "", started_at=started_at)


Fetch = Callable[[str], str]


def readable(url: str, api_url: str) -> bool:
    """The address may be read: https, or the scheme of our own setting, with no credentials in it. When the API is a
    public one, an address inside our own network is no place where it keeps logs."""
    try:
        to, home = urlsplit(url), urlsplit(api_url)
        host, own = (to.hostname or "").rstrip("."), home.hostname or ""
    except ValueError:
        return False
    if to.scheme not in {"https", home.scheme} or not host or to.username is not None:
        return False
    return host == own or not (_is_public(own) and _is_inside(host))


def _is_public(host: str) -> bool:
    return host == "api.github.com" or host.endswith(".ghe.com")


def _is_inside(host: str) -> bool:
    """Numbers (in any of their spellings) and names without a public ending."""
    return ":" in host or "." not in host or host.endswith((".local", ".internal", ".localhost")) or _is_number(host)


def _is_number(host: str) -> bool:
    last = host.rsplit(".", 1)[-1]
    return last.isdecimal() or last.startswith("0x")


def fetch_log(api_url: str, timeout_s: float) -> Fetch:
    """Reads the address the API gave for a log: https, or the scheme of our own setting; never with a token."""

    def fetch(url: str) -> str:
        if not readable(url, api_url):
            raise Stop(Outcome.UNSUPPORTED, "The address of the job's log is not one that Heal reads.")
        tail = bytearray()
        seen = 0
        try:
            with httpx.stream("GET", url, timeout=timeout_s, follow_redirects=False) as answer:
                if answer.status_code != 200:
                    raise Retryable(f"the job's log answered {answer.status_code}", blame="github", after=20)
                for chunk in answer.iter_bytes():
                    seen += len(chunk)
                    tail += chunk
                    if len(tail) > 2 * LOG_TAIL:
                        del tail[:-LOG_TAIL]
                    if seen > LOG_LIMIT:
                        break
        except httpx.HTTPError as error:
            raise Retryable(f"the job's log could not be read: {type(error).__name__}", blame="github") from error
        return bytes(tail[-LOG_TAIL:]).decode(errors="replace")

    return fetch


def _log(api: Api, repo: Repository, job_id: int, fetch: Fetch) -> str:
    for wait in (*LOG_WAITS_S, 0.0):
        location = api.location(repo.path(f"/actions/jobs/{job_id}/logs"))
        if location:
            return fetch(location)
        time.sleep(wait)
    return ""


def _workflow_path(api: Api, repo: Repository, case: Case) -> str:
    path = str(api.get(repo.path(f"/actions/runs/{case.actions_run_id}")).get("path") or "")
    return "" if path.startswith("dynamic/") else path.split("@")[0]
