"""Which jobs of a workflow file are measured, and which of them are test and lint jobs, by a stated rule.

The rule knows nothing of what the planner can do: it reads names and commands only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workers import workflow

RULE = (
    "A job is a test or lint job when its workflow is started by a push, a pull request or a merge queue, it has the "
    "repository's files (a checkout, an action of the repository's own, or a reusable workflow), and its key, its name "
    "or the name of one of its steps has a word of testing or linting, or one of its commands is a test runner or a "
    "linter. Jobs whose key or name says that they release, publish, deploy or label, and benchmarks, are not. Files "
    "that only other workflows call are measured through their callers."
)
CELLS = 12
"""So many combinations of a matrix are planned at most; the job is judged by its first."""

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
    """One job of a file with the name GitHub shows for one combination of its matrix."""

    key: str
    shown: str
    first: bool
    counts: bool
    """It is a test or lint job."""


def measured(file: workflow.Workflow) -> Iterator[Measured]:
    """Every job with up to `CELLS` combinations, in the file's order."""
    for job in file.jobs:
        counts = is_check(job, file)
        for at, cell in enumerate(_distinct(job)):
            yield Measured(job.key, cell, at == 0, counts)


def is_check(job: workflow.Job, file: workflow.Workflow) -> bool:
    """The rule."""
    title = f"{job.key} {job.name}"
    if not _STARTS & set(file.triggers) or _NOT.search(title.replace("_", " ")) or not _has_files(job):
        return False
    named = " ".join([title, *(step.name for step in job.steps)]).replace("_", " ")
    return bool(_WORDS.search(named) or any(_TOOLS.search(step.run or "") for step in job.steps))


def _has_files(job: workflow.Job) -> bool:
    used = [step.uses or "" for step in job.steps]
    return bool(job.uses) or any("checkout" in name or name.startswith("./") for name in used)


def _distinct(job: workflow.Job) -> list[str]:
    names: Mapping[str, None] = dict.fromkeys(job.shown_name(cell) for cell in job.cells())
    return list(names)[:CELLS]
