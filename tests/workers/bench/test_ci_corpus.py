"""The red repositories of `heal bench ci`: well-formed, as many as promised, and each with a log that says what it
should. Nothing is run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache

import pytest

from tests.workers.fixers import trees
from tests.workers.made import MemoryTree
from tests.workers.recipe.test_plans import case as asked
from workers import diagnosis, logs, recipe
from workers.bench.ci.judge import broken
from workers.bench.ci.red import OFFLINE, WORKFLOW, RedCase, Tier, read
from workers.domain import JobReport, Outcome
from workers.errors import Stop
from workers.patch import Executable, check, read_answer
from workers.repo_config import RepoConfig

KINDS = frozenset(
    ("format", "lint", "types", "missing dependency", "wrong pin", "lock drift", "API rename", "syntax error",
     "import cycle", "NameError", "AttributeError", "TypeError", "KeyError", "missing await", "encoding", "off-by-one",
     "wrong operator", "wrong variable", "None handling", "time zone", "snapshot", "generated file", "flaky",
     "infrastructure", "workflow", "Go", "Node", "Rust", "Java")
)  # fmt: skip
CASES = read()


class CaseTree(MemoryTree):
    """A case's files, to which patches apply by their content; one of a mode alone as git applies it."""

    def __init__(self, case: RedCase) -> None:
        super().__init__(case.tree())
        self._case = case

    def apply(self, patch: str) -> Mapping[str, bytes | None]:
        return trees.MemoryTree(self._case.tree()).apply(patch) if self._case.plain else read_answer(patch, self)


def named(case: RedCase) -> str:
    return case.id


each = pytest.mark.parametrize("case", CASES, ids=named)
patched = pytest.mark.parametrize("case", [case for case in CASES if case.gold], ids=named)


@cache
def job(case_id: str) -> JobReport:
    case = next(one for one in CASES if one.id == case_id)
    return JobReport(case.job, logs.parse(case.log), case.workflow, WORKFLOW)


def test_there_are_sixty_cases_and_ten_traps() -> None:
    """Every class of the list has its case, every fixer has enough to be measured on."""
    assert len(CASES) >= 60
    assert sum(bool(case.trap) for case in CASES) >= 10
    assert {case.kind for case in CASES} >= KINDS
    tiers = Counter(case.tier for case in CASES)
    assert all(tiers[tier] >= 10 for tier in Tier)
    assert len({case.title for case in CASES}) == len(CASES)


@each
def test_a_case_is_complete(case: RedCase) -> None:
    """What is expected goes together: a fix needs a gold patch, and whoever needs no patch must not get one."""
    assert case.files
    assert case.job
    assert case.outcomes
    assert (case.outcomes == (Outcome.FIXED,)) is (case.tier in OFFLINE)
    assert bool(case.gold) is bool(case.allowed)
    assert bool(case.hidden) is bool(case.hidden_check)
    assert not set(case.hidden) & set(case.tree())
    assert not case.gold or case.tier is not Tier.NONE
    for pattern in (*case.never, *case.must):
        re.compile(pattern)


@patched
def test_the_gold_patch_applies_and_is_right_by_its_own_case(case: RedCase) -> None:
    """It changes allowed files only, adds nothing that must not be added, and something really changes."""
    tree = CaseTree(case)
    check(case.gold)
    edits = tree.apply(case.gold)
    assert edits
    assert any(tree.read(path) != data or isinstance(data, Executable) for path, data in edits.items())
    assert broken(case, case.gold, tree) == ""


@each
def test_the_log_says_what_kind_of_failure_it_is(case: RedCase) -> None:
    """The class of the case is the one that a reader of its log alone would give it."""
    if not case.log:
        return
    ruling = diagnosis.in_ci(job(case.id))
    assert ruling.cls is case.cls, ruling.evidence
    assert (ruling.tool.NAME if ruling.tool and ruling.findings else "") == case.tool


@patched
def test_the_recipe_runs_the_step_that_failed(case: RedCase) -> None:
    """Log and workflow together lead to the red command, without anybody naming it."""
    failed = job(case.id).log.failed
    assert failed is not None
    assert failed.script
    plan = recipe.plan(job(case.id), CaseTree(case), RepoConfig(), asked())
    assert plan.check.script.strip() == failed.script.strip()


def test_a_workflow_that_is_no_yaml_has_no_recipe() -> None:
    """Nothing is guessed where the failed job cannot be read."""
    case = next(one for one in CASES if one.id == "workflow-yaml")
    with pytest.raises(Stop) as stopped:
        recipe.plan(job(case.id), CaseTree(case), RepoConfig(), asked())
    assert stopped.value.outcome is Outcome.UNSUPPORTED
