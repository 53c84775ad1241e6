"""One plan per job, made as the product makes it when it has no log, and what became of each.

Covered is a recipe of the job's own steps: whole, or with what is missing said. A guess from the repository's files,
which the product falls back on, is a recipe of something else and counts as not covered.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from benchmarks.workflows import corpus, jobs
from sandbox.images.heal_fill import filled
from sandbox.spec import Plan
from workers import recipe, workflow
from workers.domain import Case, JobReport, Outcome, RunId
from workers.errors import Stop
from workers.ports import SourceTree
from workers.repo_config import RepoConfig

_ROUTINE = re.compile(
    r"^read from the workflow file|is replaced by the commands it stands for$|is primed: |^the installing part of"
    r"|^the checkout is a repository of one commit|^the job uses .{1,40} too: |^the job's services run beside it here"
    r"|^several combinations of the matrix are called|^programs of GitHub's machines are added"
)
"""Notes that say how the sandbox does the same, and not what differs."""
_SLOW_S = 0.05
_WORD = re.compile(r"[A-Za-z_]\w*")


class Answer(StrEnum):
    """What the planner said about a job."""

    FULL = "full"  # nothing is left out that weakens the proof, nothing is unknown or of another version
    PARTIAL = "partial"  # the recipe says what is missing or differs
    REFUSED = "refused"  # a sentence says why it cannot run here
    GUESSED = "guessed"  # a recipe, but not of this job's steps
    WRONG = "wrong"  # a recipe that cannot be right, and does not say so
    CRASH = "crash"  # anything else that was raised


@dataclass(frozen=True)
class Row:
    """One job, or one combination of its matrix. `reasons` say what is missing, or why there is no recipe."""

    language: str
    project: str
    file: str
    job: str
    first: bool
    counts: bool
    answer: Answer
    reasons: tuple[str, ...]
    seconds: float


def survey(dataset: Path, projects: Iterable[corpus.Project]) -> Iterator[Row]:
    """Every job of every listed file. Raises `SystemExit` for a project that the dataset does not have."""
    for project in projects:
        git = corpus.git_directory(dataset, project.name)
        if git is None:
            raise SystemExit(f"{dataset} has no git directory of {project.name}; fetch {project.sha} of it first.")
        with corpus.opened(git, project.sha) as tree:
            for path in project.files:
                yield from _file(project, path, tree)


def _file(project: corpus.Project, path: str, tree: SourceTree) -> Iterator[Row]:
    try:
        file = workflow.parse((tree.read(path) or b"").decode(errors="replace"))
    except workflow.WorkflowError as error:
        yield Row(project.language, project.name, path, "", True, False, Answer.REFUSED, (str(error),), 0.0)
        return
    case = _case(project, path, file)
    for job in jobs.measured(path, file, case, tree):
        answer, reasons, seconds = _timed(replace(case, job=job.shown), tree)
        yield Row(project.language, project.name, path, job.shown, job.first, job.counts, answer, reasons, seconds)


def _timed(case: Case, tree: SourceTree) -> tuple[Answer, tuple[str, ...], float]:
    """The answer and its seconds. A slow one is made twice more and the median counts: other programs run here too."""
    taken: list[float] = []
    while len(taken) < (3 if taken and taken[0] > _SLOW_S else 1):
        began = time.perf_counter()
        answer, reasons = plan(case, tree)
        taken.append(time.perf_counter() - began)
    return answer, reasons, statistics.median(taken)


def _case(project: corpus.Project, path: str, file: workflow.Workflow) -> Case:
    """A push to the main branch where the file is started by one, else a pull request."""
    return Case(
        run=RunId("survey"),
        repo=project.name,
        repo_id=1,
        installation_id=0,
        head_sha=project.sha,
        branch="main",
        workflow_path=path,
        pull_request=None if "push" in file.triggers else 1,
    )


def plan(case: Case, tree: SourceTree) -> tuple[Answer, tuple[str, ...]]:
    """Make the plan of one job and judge it."""
    try:
        made = recipe.plan(JobReport(case.job, workflow_path=case.workflow_path), tree, RepoConfig(), case)
    except Stop as stop:
        said = stop.outcome is Outcome.UNSUPPORTED and bool(stop.detail)
        return (Answer.REFUSED if said else Answer.CRASH), (stop.detail or repr(stop),)
    except Exception as error:  # noqa: BLE001 - a crash is what is looked for: it is counted and shown
        return Answer.CRASH, (f"{type(error).__name__}: {error}"[:300],)
    return judged(made)


def judged(made: Plan) -> tuple[Answer, tuple[str, ...]]:
    """What kind of recipe a plan is, and what it says is missing."""
    if _open(made):
        return Answer.WRONG, ("an expression stands in a step as it was written, and nothing will fill it",)
    guess = next((note for note in made.notes if note.startswith("guessed from")), "")
    if guess:
        return Answer.GUESSED, (guess,)
    missing = [f"{step.step}: {step.reason}" for step in made.skipped if step.weakens_proof]
    missing += [note for note in made.notes if not _ROUTINE.search(note)]
    return (Answer.PARTIAL if missing else Answer.FULL), tuple(missing)


def _open(made: Plan) -> bool:
    """An expression is left in a step, and no step of the set-up writes what the sandbox would put there."""
    steps = (*made.setup, made.check, *made.after)
    ids = {step.id for step in made.setup if step.id}
    exports = {word: "" for step in made.setup if "GITHUB_ENV" in step.script for word in _WORD.findall(step.script)}
    texts = [filled(text, ids, {}, exports) for step in steps for text in (step.script, *step.env.values())]
    return any("${{" in text for text in (*texts, *(step.workdir for step in steps)))
