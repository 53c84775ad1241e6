"""What `verify` accepts and which gate says no."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from sandbox.spec import Result, Step
from tests.workers.made import (
    GREEN,
    RED,
    MemoryTree,
    ScriptedEnvironment,
    candidate,
    diagnosis,
    reproduction,
    result,
)
from workers.domain import Verdict
from workers.ports import T, Workbench
from workers.repo_config import RepoConfig
from workers.stages.verify import regressions, verify


def once(key: str, kind: type[T], compute: object) -> T:
    raise AssertionError("verification pays for nothing twice and asks nobody")


def judged(environment: ScriptedEnvironment, after: tuple[Step, ...] = (), **changes: object) -> Verdict:
    found = reproduction()
    found = replace(found, plan=replace(found.plan, after=after))
    bench = Workbench(MemoryTree(), diagnosis(), found, environment, RepoConfig(), once)
    return verify(candidate(**changes), bench, Event())


def honest(step: Step, patch: bytes | None, n: int) -> Result:
    return GREEN if patch else RED


def test_a_true_fix_is_accepted_with_its_whole_proof() -> None:
    """Green after, repeated, red again without the patch: all of it is in the verdict."""
    verdict = judged(ScriptedEnvironment(honest))
    assert verdict.accepted
    assert verdict.after is GREEN
    assert verdict.reverse_red
    assert verdict.reruns == 2


def test_a_patch_that_stays_red_is_rejected_by_the_check() -> None:
    """The failing output goes back with the verdict, for the next try."""
    verdict = judged(ScriptedEnvironment(lambda step, patch, n: RED))
    assert (verdict.accepted, verdict.rejected_by) == (False, "check")
    assert "assert -1 == 3" in verdict.why


def test_a_broken_test_is_a_regression_even_when_the_command_is_green() -> None:
    """The report can make a verdict worse, never better."""
    fewer = result(0, passed=2)
    verdict = judged(ScriptedEnvironment(lambda step, patch, n: fewer if patch else RED))
    assert verdict.rejected_by == "regression"
    assert any("tests ran before" in line for line in verdict.regressions)


def test_a_red_later_step_keeps_the_job_red() -> None:
    """Green for the failing step alone would leave the build red."""
    later = Step("Format", "ruff format --check .")
    verdict = judged(
        ScriptedEnvironment(lambda step, patch, n: RED if step.name == "Format" else honest(step, patch, n)), (later,)
    )
    assert verdict.rejected_by == "later step"
    assert verdict.later_steps == (("Format", False),)


def test_green_once_and_red_on_repeat_is_unstable() -> None:
    """A patch that only makes the failure rarer is no fix."""
    verdict = judged(ScriptedEnvironment(lambda step, patch, n: GREEN if n == 0 else RED))
    assert verdict.rejected_by == "unstable"


def test_a_check_that_turns_green_without_the_patch_proves_nothing() -> None:
    """The reverse run guards against flaky green."""
    verdict = judged(ScriptedEnvironment(lambda step, patch, n: GREEN))
    assert verdict.rejected_by == "reverse run"
    assert not verdict.reverse_red


def test_an_answer_that_is_no_patch_costs_no_container() -> None:
    """A fixer's unusable answer is a rejected candidate, not a crash."""
    environment = ScriptedEnvironment(honest)
    assert judged(environment, error="no such text in calc.py").rejected_by == "answer"
    assert environment.asked == []


def test_a_cheat_is_refused_before_anything_runs() -> None:
    """Editing the workflow is a policy question, whatever it would make green."""
    environment = ScriptedEnvironment(honest)
    patch = """\
diff --git a/.github/workflows/ci.yml b/.github/workflows/ci.yml
--- a/.github/workflows/ci.yml
+++ b/.github/workflows/ci.yml
@@ -1 +1 @@
-run: pytest
+run: true
"""
    assert judged(environment, patch=patch).rejected_by == "policy"
    assert environment.asked == []


@pytest.mark.parametrize(("after", "lost"), [(GREEN, 0), (result(0, passed=3), 2), (result(0), 4)])
def test_regressions_name_what_is_lost(after: Result, lost: int) -> None:
    """Tests that passed before and do not now, and fewer tests than before."""
    assert len(regressions(RED, after)) == lost
