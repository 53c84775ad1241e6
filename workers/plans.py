"""The plan of a checkout's job without running anything: what `heal plan` asks, and what it gets. Needs no engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sandbox.spec import Plan
from workers import logs, recipe
from workers.domain import Case, JobReport, Outcome
from workers.errors import Stop, UsageError
from workers.local import LocalForge
from workers.ports import SourceTree
from workers.run_id import new_run_id
from workers.scratch import scratch_folder
from workers.stages.reproduce import make_plan

_WORKFLOW_LIMIT, _CHUNK = 1 << 20, 1 << 16


@dataclass(frozen=True)
class PlanRequest:
    """What `heal plan` was asked. `workflow` and `log` are files beside or instead of the repository's own."""

    path: Path
    job: str = ""
    check: str | None = None
    workflow: Path | None = None
    log: Path | None = None


@dataclass(frozen=True)
class Planned:
    """The plan, or how a run would end without one. `others` are the jobs that were not asked for; `unsaved` says that
    the checkout has changes which are not in the commit that is planned."""

    plan: Plan | None
    stop: Stop | None = None
    others: tuple[str, ...] = ()
    unsaved: bool = False


def plan_locally(request: PlanRequest) -> Planned:
    """The plan of HEAD's job. Raises `UsageError` for what is no repository, no file, or no job of it."""
    workflow = _text(request.workflow)
    log = _log(request.log)
    with scratch_folder() as folder:
        forge = LocalForge(request.path, folder, committed=False)
        case = forge.case(new_run_id(), check=request.check, job=request.job)
        job, tree = replace(JobReport(case.job, log, workflow), started_at=forge.committed_at), forge.tree(case)
        others: tuple[str, ...] = ()
        try:
            config = forge.admission(case).config
            if case.job and (problem := recipe.unknown_job(tree, case, workflow)):
                raise UsageError(problem)
            others = _others(tree, case, workflow) if not (request.job or log) else ()
            return Planned(make_plan(job, tree, config, case), None, others, forge.unsaved)
        except Stop as stop:
            if stop.outcome not in (Outcome.UNSUPPORTED, Outcome.INFRASTRUCTURE):
                raise
            return Planned(None, stop, others, forge.unsaved)


def _others(tree: SourceTree, case: Case, workflow: str | None) -> tuple[str, ...]:
    names = recipe.job_names(tree, case, workflow)
    return names if len(names) > 1 else ()


def _text(path: Path | None) -> str | None:
    """The file as text, what no workflow is too long for."""
    if path is None:
        return None
    with _opened(path) as file:
        return file.read(_WORKFLOW_LIMIT).decode(errors="replace")


def _log(path: Path | None) -> logs.JobLog:
    if path is None:
        return logs.JobLog()
    with _opened(path) as file:
        return logs.read(iter(lambda: file.read(_CHUNK), b""))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
