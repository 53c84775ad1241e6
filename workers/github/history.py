"""What CI said of a job on other commits, and how commits came into the repository. Reads only, a few calls each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from workers.domain import Aim, Case, Sha
from workers.github.api import Api
from workers.github.jobs import RED
from workers.github.pulls import Pull, head
from workers.github.session import Repository
from workers.ports import Base, Light, Origin

_RUNS = 100
"""Workflow runs of a branch that are looked through: one page, of all its workflows."""
_LOOKED_INTO = 8
"""Red workflow runs whose jobs are asked for when none was green as a whole."""
_SAME_NAME = 20


def base(api: Api, repo: Repository, case: Case, pull: Pull, job: str) -> Base | None:
    """The pull request's base as CI sees the job there; None when its branch is gone. Five calls at most."""
    tip = head(api, repo, pull.base_ref)
    if tip is None:
        return None
    fork_point = _merge_base(api, repo, tip, case.head_sha) or tip
    checks = _checks(api, repo, tip, job)
    light = _light(checks)
    other = light if fork_point == tip else _light(_checks(api, repo, fork_point, job))
    there = replace(case, head_sha=Sha(tip), branch=pull.base_ref)
    broken = next((check for check in checks if check["conclusion"] in RED), None)
    red = red_case(api, repo, there, broken) if broken is not None else None
    return Base(pull.base_ref, Sha(tip), light, Sha(fork_point), other, red)


def last_green(api: Api, repo: Repository, case: Case, workflow_path: str, job: str) -> Sha | None:
    """The head of the newest earlier run of the workflow on the branch in which the job was green.

    A run that was green as a whole is enough. Only where there is none on the page, the newest red ones are asked for
    their jobs: another job may have kept them red.
    """
    if not case.actions_run_id or not workflow_path:
        return None
    earlier = [run for run in _earlier(api, repo, case, workflow_path) if run["head_sha"] != case.head_sha]
    whole = next((run for run in earlier if run["conclusion"] == "success"), None)
    red = [run for run in earlier if run["conclusion"] in RED][:_LOOKED_INTO]
    green = whole or next((run for run in red if _green_job(api, repo, run["id"], job)), None)
    return Sha(green["head_sha"]) if green else None


def green_job(
    api: Api, repo: Repository, case: Case, workflow_path: str, job: str, base: str = ""
) -> Mapping[str, Any] | None:
    """The job itself in the newest earlier run of the workflow in which it was green: on the branch, of the red commit,
    too, for what broke it may be no commit; else on the `base` that its commits go to.

    What started those runs is all one, a push, a schedule or a person: the packages of the day are what is compared.
    Those of a pull request count for a red one of that very branch.
    """
    if not case.actions_run_id or not workflow_path:
        return None
    for branch in dict.fromkeys(filter(None, (case.branch, base))):
        pulls = case.pull_request is not None and branch == case.branch
        earlier = _earlier(api, repo, replace(case, branch=branch), workflow_path, pulls=pulls)
        ended = [run for run in earlier if run["conclusion"] == "success"]
        ended += [run for run in earlier if run["conclusion"] in RED]
        found = (_green_job(api, repo, run["id"], job) for run in ended[:_LOOKED_INTO])
        green = next(filter(None, found), None)
        if green is not None:
            return green
    return None


def origin(api: Api, repo: Repository, sha: Sha) -> Origin:
    """The merged pull request that brought a commit, with its author; else who GitHub says wrote the commit."""
    path = repo.path(f"/commits/{sha}")
    merged = [pull for pull in api.find(f"{path}/pulls", per_page=_SAME_NAME) or () if pull.get("merged_at")]
    merged.sort(key=lambda pull: pull.get("merge_commit_sha") != sha)
    if merged:
        return Origin(int(merged[0]["number"]), _login(merged[0].get("user")))
    return Origin(None, _login((api.find(path, per_page=1) or {}).get("author")))


def red_case(api: Api, repo: Repository, case: Case, check: Mapping[str, Any]) -> Case:
    """The case that an event for a red check run of the case's commit would have opened a run for."""
    about = replace(
        case, job=check["name"], job_id=check["id"], actions_run_id=0, attempt=1, workflow_path="",
        pull_request=None, fork=False, requested_by=None, check=None, aim=Aim.CHECK, ours=None, remarks=(), hint="",
    )  # fmt: skip
    job = api.find(repo.path(f"/actions/jobs/{check['id']}")) if _of_actions(check) else None
    if job is None:
        return about
    return replace(about, actions_run_id=int(job["run_id"]), attempt=int(job.get("run_attempt") or 1))


def _earlier(
    api: Api, repo: Repository, case: Case, workflow_path: str, *, pulls: bool = False
) -> list[Mapping[str, Any]]:
    """Runs of the workflow before the red one, newest first: of this very branch, and not for a pull request unless
    `pulls`."""
    found = api.find(
        repo.path("/actions/runs"),
        branch=case.branch, status="completed", exclude_pull_requests="true", per_page=_RUNS,
    )  # fmt: skip

    def counts(run: Mapping[str, Any]) -> bool:
        own = (run.get("head_repository") or {}).get("id") == repo.id and run["head_branch"] == case.branch
        for_branch = pulls or not str(run["event"]).startswith("pull_request")
        return bool(own and for_branch and run["id"] < case.actions_run_id)

    runs = (found or {}).get("workflow_runs") or ()
    return [run for run in runs if run["path"].split("@")[0] == workflow_path and counts(run)]


def _green_job(api: Api, repo: Repository, run_id: int, job: str) -> Mapping[str, Any] | None:
    found = api.find(repo.path(f"/actions/runs/{run_id}/jobs"), per_page=100) or {}
    named = [one for one in found.get("jobs") or () if one["name"] == job]
    return named[0] if named and all(one["conclusion"] == "success" for one in named) else None


def _merge_base(api: Api, repo: Repository, tip: str, sha: Sha) -> str | None:
    """Where the two histories parted. The second page of a short list carries no files, which nobody needs here."""
    found = api.find(repo.path(f"/compare/{tip}...{sha}"), per_page=1, page=2)
    return str(found["merge_base_commit"]["sha"]) if found else None


def _checks(api: Api, repo: Repository, sha: str, job: str) -> Sequence[Mapping[str, Any]]:
    if not job:
        return ()
    path = repo.path(f"/commits/{sha}/check-runs")
    found: Sequence[Mapping[str, Any]] = api.get(path, check_name=job, filter="latest", per_page=_SAME_NAME)[
        "check_runs"
    ]
    return found


def _light(checks: Sequence[Mapping[str, Any]]) -> Light:
    """Two workflows may have jobs of one name: red when one is, green only when all are."""
    ends = {check["conclusion"] for check in checks}
    if ends & RED:
        return Light.RED
    return Light.GREEN if ends == {"success"} else Light.UNKNOWN


def _of_actions(check: Mapping[str, Any]) -> bool:
    return (check.get("app") or {}).get("slug") == "github-actions"


def _login(user: Mapping[str, Any] | None) -> str:
    return str((user or {}).get("login") or "")
