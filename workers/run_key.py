"""What makes two triggers the same run: one red job of one commit is healed once, whoever reports it."""

from __future__ import annotations

import hashlib

from workers.domain import Aim, Case

LONGEST_JOB = 100


def actions_key(repo_id: int, run_id: int, attempt: int) -> str:
    """One attempt of an Actions workflow run: a matrix of red jobs is one run."""
    return f"actions:{repo_id}:{run_id}:{attempt}"


def check_key(repo_id: int, check_id: int) -> str:
    """One check run of another CI."""
    return f"check:{repo_id}:{check_id}"


def rebase_key(repo_id: int, number: int, target: str) -> str:
    """A pull request of ours made anew on a branch."""
    return f"rebase:{repo_id}:{number}:{target}"[:255]


def run_key(case: Case) -> str:
    """The key of the run for a case: of its workflow run, else of its check run, else of its commit and job.

    A change of ours is gone on with once for each commit that CI is red on, and made anew once for each branch that it
    goes to.
    """
    if case.ours is not None and case.aim is Aim.AGAIN:
        return f"again:{case.repo_id}:{case.ours.pull_request}:{case.ours.commit}"
    if case.ours is not None and case.aim is Aim.REBASE:
        return rebase_key(case.repo_id, case.ours.pull_request, case.ours.target)
    if case.actions_run_id:
        return actions_key(case.repo_id, case.actions_run_id, case.attempt)
    if case.job_id:
        return check_key(case.repo_id, case.job_id)
    job = case.job
    if len(job) > LONGEST_JOB:
        job = f"{job[:LONGEST_JOB]}:{hashlib.sha256(job.encode(errors='replace')).hexdigest()[:16]}"
    return f"commit:{case.repo_id}:{case.head_sha}:{job}"


def issue_key(repo_id: int, number: int) -> str:
    """A bug report."""
    return f"issue:{repo_id}:{number}"


def again_key(key: str, tries: int) -> str:
    """The key of one more try, after so many: whoever counts the same opens the same run."""
    return f"{key}:again:{tries}" if tries else key
