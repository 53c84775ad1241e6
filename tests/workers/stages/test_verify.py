"""What `verify` accepts and which gate says no."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from sandbox.spec import LOG, Ending, Result, Step, TestCase
from tests.workers.fixers import trees
from tests.workers.fixers.benches import Memory
from tests.workers.made import (
    GREEN,
    PATCH,
    RED,
    MemoryTree,
    ScriptedEnvironment,
    candidate,
    diagnosis,
    reproduction,
    result,
)
from workers.domain import Experience, Lesson, Suite, Verdict, Witness
from workers.gates.lost import regressions
from workers.ports import Workbench
from workers.repo_config import RepoConfig
from workers.stages.verify import verify


def judged(
    environment: ScriptedEnvironment,
    after: tuple[Step, ...] = (),
    experience: Experience = Experience(),
    keep: str = "",
    **changes: object,
) -> Verdict:
    found = reproduction()
    found = replace(found, plan=replace(found.plan, after=after))
    bench = Workbench(
        MemoryTree(), diagnosis(), found, environment, RepoConfig(), Memory(), experience=experience, keep=keep
    )
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


def test_what_people_turned_down_is_not_proposed_again() -> None:
    """The very change, wherever its lines stand now: refused before anything is run. Another one is tried."""
    moved = Lesson(12, False, PATCH.replace("@@ -1,2 +1,2 @@", "@@ -41,2 +41,2 @@"), "No.")
    environment = ScriptedEnvironment(honest)
    verdict = judged(environment, experience=Experience((moved,)))
    assert (verdict.accepted, verdict.rejected_by, environment.asked) == (False, "rejected before", [])
    assert "#12" in verdict.why
    another = replace(moved, patch=PATCH.replace("a + b", "b + a"))
    assert judged(ScriptedEnvironment(honest), experience=Experience((another,), (moved,))).accepted


def test_what_fails_for_certain_costs_no_container() -> None:
    """Whoever made the patch: a name that nothing defines is found by reading it."""
    environment = ScriptedEnvironment(honest)
    tree = trees.MemoryTree({"calc.py": "def add(a, b):\n    return a - b\n"})
    bench = Workbench(tree, diagnosis(), reproduction(), environment, RepoConfig(), Memory())
    patch = PATCH.replace("+    return a + b", "+    return a + missing")
    verdict = verify(candidate(patch=patch), bench, Event())
    assert (verdict.accepted, verdict.rejected_by, environment.asked) == (False, "static check", [])
    assert "the name missing is used in line 2" in verdict.why


def test_a_later_round_does_not_take_back_the_first() -> None:
    """Red again for the first failure would be no progress, whatever it does to the second."""
    mended = PATCH.replace("-    return a - b\n+    return a + b", "-    return a + b\n+    return a - b")
    environment = ScriptedEnvironment(honest)
    verdict = judged(environment, keep=mended)
    assert (verdict.accepted, verdict.rejected_by, environment.asked) == (False, "undoes the fix", [])
    assert judged(ScriptedEnvironment(honest), keep=PATCH).accepted


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


def test_without_the_patch_one_slow_red_test_of_a_place_is_enough() -> None:
    """It is run once more and is red; the one like it is skipped and no proof is missing. Green, there is none."""
    slow = (TestCase("t.py::a[1]", "failed", 2.0), TestCase("t.py::a[2]", "failed", 2.0))
    before = replace(RED, tests=slow, source="pytest reporter")
    after = replace(GREEN, tests=tuple(replace(test, status="passed", seconds=0.0) for test in slow))
    again = replace(before, tests=(slow[0], replace(slow[1], status="skipped")))
    found = replace(reproduction(), before=before)

    def run(without: Result) -> tuple[Verdict, ScriptedEnvironment]:
        environment = ScriptedEnvironment(lambda step, patch, n: after if patch else without)
        bench = Workbench(MemoryTree(), diagnosis(), found, environment, RepoConfig(), Memory())
        return verify(candidate(), bench, Event()), environment

    verdict, environment = run(again)
    assert (verdict.accepted, verdict.reverse_red) == (True, True)
    spared = ["heal_spared" in step.env.get("PYTEST_ADDOPTS", "") for step, _ in environment.asked]
    assert spared == [patch is None and step.name == "Test" for step, patch in environment.asked]
    assert any(spared)
    verdict, _ = run(after)
    assert verdict.rejected_by == "reverse run"


def test_green_once_and_red_on_repeat_is_unstable() -> None:
    """A patch that only makes the failure rarer is no fix."""
    verdict = judged(ScriptedEnvironment(lambda step, patch, n: GREEN if n == 0 else RED))
    assert verdict.rejected_by == "unstable"


@pytest.mark.fault(28)
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


@pytest.mark.parametrize(("after", "lost"), [(GREEN, 0), (result(0, passed=3), 2), (result(0), 5)])
def test_regressions_name_what_is_lost(after: Result, lost: int) -> None:
    """Tests that passed before and do not now, and fewer tests than before."""
    assert len(regressions(RED, after)) == lost


def told(exit_code: int, output: str = "", **statuses: str) -> Result:
    """A result with these tests; `__` stands for the colons, `_p_` for a parameter."""
    made = result(exit_code, output=output)
    names = {
        name.replace("__", "::").replace("_p_", "[") + ("]" if "_p_" in name else ""): s for name, s in statuses.items()
    }
    return replace(made, tests=tuple(TestCase(name, status) for name, status in names.items()))


def named(exit_code: int, tests: dict[str, str]) -> Result:
    return replace(result(exit_code), tests=tuple(TestCase(*one) for one in tests.items()))


def logged(made: Result, ran: int | None) -> Result:
    """The same, read in the log, in which the runner also says how many tests ran."""
    return replace(made, source=f"{LOG} of it", told=ran)


LOST = [
    (told(1, a__x="failed", a__y="passed"), told(0, a__x="skipped", a__y="passed", a__z="passed"), "skipped now"),
    (told(1, a__x="failed"), told(0, a__z="passed"), "gone now"),
    (told(1, a="error"), told(0, b__z="passed"), "gone now"),
    (told(1, a__x="failed", a__y="passed"), told(0, a__x="failed", a__y="passed"), "is failed now"),
    (told(1, a__x="failed"), told(0, a__x="passed", a__y="failed"), "fails although"),
    (told(1, a__x_p_1="failed", a__x_p_2="failed"), told(0, a__x_p_1="passed"), "ran before"),
    (logged(told(1), 5), logged(told(0), 0), "5 tests before and of 0"),
    (logged(told(1), 5), told(0), "5 tests before and of 0"),
    (logged(told(1, a__x="failed"), 5), logged(told(0), 4), "and of 4"),
    (
        logged(told(1, p__T="failed", q="passed"), None),
        logged(told(0, p="passed"), None),
        "q passed before and is gone",
    ),
    (logged(told(1, p__T="failed"), None), logged(told(0, q="passed"), None), "p::T failed before and is gone"),
    (
        logged(told(1, c__a="failed", c__b="passed"), 2),
        logged(told(0, c__b="passed"), 1),
        "c::a failed before and is gone",
    ),
    (replace(told(1, a__x="failed"), told=3), replace(told(0, a__x="passed"), told=2), "and of 2"),
]
KEPT = [
    (
        logged(told(1, p__T="failed", p__T_p_1="failed", q="passed"), None),
        logged(told(0, p="passed", q="passed"), None),
    ),
    (logged(told(1, f__a="failed"), 5), logged(told(0), 5)),
    (logged(told(1, f="error", g="passed"), 2), logged(told(0, f="passed", g="passed"), 6)),
    (replace(told(1, a__x="failed"), told=3), told(0, a__x="passed")),
    (named(1, {"tests.a": "error"}), named(0, {"tests.a.A.test_x": "passed"})),
    (named(1, {"m/x.js::outer": "error"}), named(0, {"m/x.js::outer > inner": "passed"})),
    (told(1, a__x="failed", a__s="skipped"), told(0, a__x="passed", a__s="skipped")),
    (told(1, a="error"), told(0, a__x="passed", a__y="skipped")),
    (told(1, a__x_p_1="failed", a__x_p_2="failed"), told(0, a__x_p_3="passed", a__x_p_4="passed")),
    (told(1, "Ran 5 tests in 0.1s\n"), told(0, "Ran 6 tests in 0.0s\n\nOK\n")),
]


@pytest.mark.fault(29)
@pytest.mark.parametrize(("before", "after", "word"), LOST)
def test_a_failing_test_must_pass_and_not_merely_go_away(before: Result, after: Result, word: str) -> None:
    """Green by skipping, renaming, collecting less or hiding the exit code is named."""
    assert any(word in line for line in regressions(before, after))


@pytest.mark.parametrize(("before", "after"), KEPT)
def test_mended_tests_are_no_loss(before: Result, after: Result) -> None:
    """A mended file shows its tests, a mended parameter may be called otherwise."""
    assert regressions(before, after) == ()


def test_tests_that_vanish_on_repeat_are_unstable() -> None:
    """A patch that ends the run early now and then is found by the repeats, though all of them are green."""
    fewer = result(0, passed=1)
    verdict = judged(ScriptedEnvironment(lambda step, patch, n: (GREEN if n == 0 else fewer) if patch else RED))
    assert verdict.rejected_by == "unstable"


@pytest.mark.parametrize(
    "reverse",
    [result(1, passed=4), result(137, failed=1, passed=3, ending=Ending.OOM), result(1, ending=Ending.CANCELLED)],
)
def test_another_red_without_the_patch_proves_nothing(reverse: Result) -> None:
    """The failure that was mended must come back, not any other one."""
    verdict = judged(ScriptedEnvironment(lambda step, patch, n: GREEN if patch else reverse))
    assert verdict.rejected_by == "reverse run"


def test_a_later_step_with_hidden_failures_is_red() -> None:
    """`pytest || true` behind the mended step does not hide what its report says."""
    hidden = told(0, a__x="failed")
    later = Step("More", "pytest more || true")
    verdict = judged(
        ScriptedEnvironment(lambda step, patch, n: hidden if step.name == "More" else honest(step, patch, n)), (later,)
    )
    assert verdict.rejected_by == "later step"


SUITE_STEP = Step("Test", "python -m pytest -q")


def suite(**fates: str) -> Result:
    """A run of the whole suite: tests by their names."""
    tests = tuple(TestCase(name.replace("_", "/", 1) + ".py::t", fate) for name, fate in fates.items())
    red = any(fate != "passed" for fate in fates.values())
    return replace(result(1 if red else 0), tests=tests, source="pytest")


BEFORE = suite(tests_new="failed", tests_old="failed", tests_good="passed")
"""The new test is red, another one was red all along, and one is green."""
WITNESS = Witness("tests/new.py", "", "", reproduction().plan, 3, Suite(SUITE_STEP, BEFORE))


def shown(*suites: Result) -> Verdict:
    """The verdict on a right patch whose runs of the whole suite end so."""
    left = list(suites)

    def answer(step: Step, patch: bytes | None, n: int) -> Result:
        return left.pop(0) if step is SUITE_STEP else honest(step, patch, n)

    found, environment = reproduction(), ScriptedEnvironment(answer)
    bench = Workbench(MemoryTree(), diagnosis(), found, environment, RepoConfig(), Memory(), witness=WITNESS)
    return verify(candidate(), bench, Event())


MENDED = {"tests_new": "passed", "tests_old": "failed", "tests_good": "passed"}


def test_the_suite_beside_a_new_test_may_not_get_worse() -> None:
    """What was red before may stay; the verdict holds the run."""
    verdict = shown(suite(**MENDED))
    assert verdict.accepted
    assert verdict.suite == suite(**MENDED)
    assert shown(suite(**{**MENDED, "tests_old": "passed"})).accepted


@pytest.mark.parametrize(
    ("fates", "says"),
    [
        ({**MENDED, "tests_good": "failed"}, "passed before and is failed now"),
        ({"tests_new": "passed", "tests_old": "failed"}, "passed before and is gone now"),
        ({**MENDED, "tests_new": "failed"}, "tests/new.py::t fails in the whole suite"),
        ({**MENDED, "tests_other": "error"}, "tests/other.py::t fails in the whole suite"),
        ({"tests_new": "passed", "tests_good": "passed"}, "3 tests ran before, 2 now"),
    ],
)
def test_a_suite_that_got_worse_twice_is_a_rejection(fates: dict[str, str], says: str) -> None:
    """Once may be chance."""
    bad = suite(**fates)
    verdict = shown(bad, bad)
    assert (verdict.accepted, verdict.rejected_by) == (False, "suite")
    assert says in verdict.why
    assert shown(bad, suite(**MENDED)).accepted


def test_a_suite_that_hangs_with_the_patch_is_a_rejection() -> None:
    """It ended by itself before."""
    hung = replace(suite(**MENDED), ending=Ending.TIMEOUT)
    assert "ended with timeout" in shown(hung, hung).why
