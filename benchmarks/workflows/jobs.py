"""Which jobs of a workflow file are measured, and which of them are test and lint jobs, by a stated rule.

The rule knows nothing of what the planner can do: it reads names and commands only.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workers import logs, workflow
from workers.domain import Case
from workers.job_steps.finding import Known, Place, places
from workers.ports import SourceTree

RULE = (
    "A job is a test or lint job when its workflow is started by a push, a pull request or a merge queue, it has the "
    "repository's files (a checkout, an action of the repository's own, or a reusable workflow), and its key, its name "
    "or the name of one of its steps has a word of testing or linting, or one of its commands is a test runner or a "
    "linter. Jobs whose key or name says that they release, publish, deploy or label, and benchmarks, are not. Files "
    "that only other workflows call are measured through their callers."
)
CELLS = 12
"""So many combinations of a matrix are planned at most, those on Linux first; the first of them judges the job."""

_STARTS = frozenset({"push", "pull_request", "pull_request_target", "merge_group"})
_WORDS = re.compile(
    r"(?<![a-z])(tests?|testing|unittests?|pytest|e2e|integration|specs?|lint|linting|linters?|fmt|format|formatting"
    r"|style|checks?|checkstyle|typecheck|typing|types|mypy|pyright|clippy|rustfmt|vet|ci|coverage|quality|pre-?commit"
    r"|tox|nox|eslint|prettier|ruff|flake8|black|verify|validate|miri|msrv|sanitizers?|valgrind|unit)(?![a-z])",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"(?<![a-z])(releas\w{0,6}|publish\w{0,4}|deploy\w{0,6}|labels?|labeler|stale|codeql|scorecards?|bench\w{0,10}"
    r"|triage|changelog|docker|homebrew|upload)(?![a-z])",
    re.IGNORECASE,
)
_TOOLS = re.compile(
    r"\b(pytest|tox|nox|pre-commit run|ruff|flake8|mypy|pyright|pylint|black --check|isort|unittest"
    r"|npm (run )?(test|t|lint)|(npm|pnpm|yarn|bun) (run )?[\w:-]{0,30}(test|lint|check)"
    r"|jest|vitest|mocha|eslint|prettier|tsc|go (test|vet)|gofmt|golangci-lint|staticcheck"
    r"|cargo (\+\S{1,30} )?(test|clippy|fmt|check|nextest|hack|miri|build)"
    r"|mvnw? |gradlew? |ctest|make ([\w-]{0,30})?(test|check|lint)|meson test|shellcheck|runtest)"
)


@dataclass(frozen=True)
class Measured:
    """One job under the name GitHub shows for one combination of its matrix."""

    shown: str
    first: bool
    """The job is judged by it."""
    counts: bool
    """It is a test or lint job."""


def measured(path: str, file: workflow.Workflow, case: Case, tree: SourceTree) -> Iterator[Measured]:
    """Every job of the file and of the reusable workflows it calls, up to `CELLS` combinations of each."""
    if set(file.triggers) == {"workflow_call"}:
        return
    known = Known(case, tree, logs.parse(""))
    groups: dict[tuple[str, ...], list[Place]] = {}
    for place in places(path, file, known):
        groups.setdefault((*place.callers, place.job.key), []).append(place)
    for group in groups.values():
        here = sorted(group, key=lambda place: not place.problem and place.elsewhere)
        counts = is_check(here[0].job, here[0].prefix, file.triggers)
        for at, shown in enumerate(itertools.islice(dict.fromkeys(map(_shown, here)), CELLS)):
            yield Measured(shown, at == 0, counts)


def _shown(place: Place) -> str:
    """The name, or the key of a job whose name only GitHub can tell."""
    return place.job.key if "${{" in place.name else place.name


def is_check(job: workflow.Job, prefix: str, triggers: Iterable[str]) -> bool:
    """The rule. `prefix` are the names of the jobs that call the workflow the job is in."""
    title = f"{prefix} {job.key} {job.name}"
    if not _STARTS & set(triggers) or _NOT.search(title.replace("_", " ")) or not _has_files(job):
        return False
    named = " ".join([title, *(step.name for step in job.steps)]).replace("_", " ")
    return bool(_WORDS.search(named) or any(_TOOLS.search(step.run or "") for step in job.steps))


def _has_files(job: workflow.Job) -> bool:
    used = [step.uses or "" for step in job.steps]
    return bool(job.uses) or any("checkout" in name or name.startswith("./") for name in used)
