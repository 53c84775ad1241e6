"""The configs of other CI systems, read for what their jobs run where no workflow of GitHub says it.

A system is one module with the pattern of its file's path and a function from that file to its jobs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sandbox.spec import Fidelity
from workers import scripts, services
from workers.ci import azure, circleci, gitlab, jenkins, travis
from workers.ci.document import Unreadable
from workers.ci.jobs import CiJob
from workers.domain import Outcome
from workers.errors import Stop
from workers.job_steps import JobSteps
from workers.logs import excerpt
from workers.ports import SourceTree
from workers.text_files import TextFiles


@dataclass(frozen=True)
class System:
    """A CI system: its name for people, where its config lies, and how that is read (may raise `Unreadable`)."""

    title: str
    path: re.Pattern[str]
    jobs: Callable[[str, TextFiles], Sequence[CiJob]]


SYSTEMS = (
    System("GitLab CI", gitlab.PATH, gitlab.jobs),
    System("CircleCI", circleci.PATH, circleci.jobs),
    System("Travis CI", travis.PATH, travis.jobs),
    System("Azure Pipelines", azure.PATH, azure.jobs),
    System("Jenkins", jenkins.PATH, jenkins.jobs),
)
"""In the order in which they are asked."""
_TESTS = re.compile(r"test|spec|pytest|unit", re.IGNORECASE)
_CHECKS = re.compile(r"check|lint|\bci\b|build|style|quality|verify", re.IGNORECASE)
_HANDS_OUT = re.compile(r"deploy|publish|release|pages|push|upload|docs?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Config:
    """One config of the repository: what it says, or in `problem` why nothing."""

    system: System
    path: str
    jobs: tuple[CiJob, ...]
    problem: str = ""


def configs(tree: SourceTree) -> Iterator[Config]:
    """The configs the repository has, in the order in which they are asked."""
    files = TextFiles(tree)
    for system in SYSTEMS:
        for path in files.matching(system.path):
            try:
                yield Config(system, path, tuple(system.jobs(path, files)))
            except Unreadable as why:
                yield Config(system, path, (), f"{path} is not understood: {why}")


def steps(tree: SourceTree, name: str = "") -> JobSteps | None:
    """The steps of the job with this name, else of the one that looks most like the tests; None where no config says
    any. Raises `Stop(UNSUPPORTED)` for a job that cannot run here."""
    found = list(configs(tree))
    for config in found if name else ():
        if job := named(config.jobs, name):
            return _planned(job, config, ())
    for config in found:
        usual = _usual(config.jobs)
        if usual is not None:
            note = f"{config.path} has no job named '{name}': '{usual.name}' is taken" if name else ""
            return _planned(usual, config, (note,) if note else ())
    return None


def named(jobs: Sequence[CiJob], name: str) -> CiJob | None:
    """The job of this name; a check of another CI may put words around it ("ci/circleci: test")."""
    wanted = " ".join(name.split())
    tail = wanted.rpartition(": ")[2]
    inside = wanted.partition("(")[2].rpartition(")")[0].removeprefix("Job ")
    for candidate in (wanted, tail, inside):
        for job in jobs:
            if candidate and candidate in (job.name, job.name.split(": [")[0]):
                return job
    return None


def without(config: Config, name: str) -> str:
    """What to say about a config that has no job of this name; empty for one that has no jobs at all."""
    names = ", ".join(job.name for job in config.jobs)
    return config.problem or (f"{config.path} has no job named '{name}', only: {excerpt(names, 300)}" if names else "")


def _usual(jobs: Sequence[CiJob]) -> CiJob | None:
    """The first that looks like tests, then like another check; what cannot run here only where nothing else is."""
    able = [job for job in jobs if job.checks]
    return min(able or [job for job in jobs if job.refused], key=_rank, default=None)


def _rank(job: CiJob) -> tuple[bool, int]:
    kinds = (bool(_TESTS.search(job.name)), bool(_CHECKS.search(job.name)), not _HANDS_OUT.search(job.name), True)
    return job.optional, kinds.index(True)


def _planned(job: CiJob, config: Config, notes: tuple[str, ...]) -> JobSteps:
    if job.refused:
        raise Stop(Outcome.UNSUPPORTED, f"The job '{job.name}' of {config.path} {job.refused}.")
    at = next((at for at, step in enumerate(job.steps) if not scripts.only_installs(step.script)), len(job.steps))
    running, about = services.planned(job.services, {})
    return JobSteps(
        before=(*job.before, *job.steps[:at]),
        check=job.steps[at] if at < len(job.steps) else None,
        after=job.steps[at + 1 :],
        env={"GITHUB_ACTIONS": "", **job.env},
        skipped=job.skipped,
        notes=(f"'{job.name}' is read from {config.path} ({config.system.title}), without a log", *notes, *job.notes,
               *about),
        fidelity=Fidelity.CLOSE,
        image=job.image or None,
        services=running,
        languages=job.languages,
        versions=job.versions,
    )  # fmt: skip
