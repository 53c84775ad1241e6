"""When a failing test counts as showing a report, who writes it, and which question is asked when there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from threading import Event

import pytest

from sandbox.errors import Cancelled
from sandbox.spec import Environment, Plan, Result, Step, TestCase
from tests.model import replies
from tests.model.process import Model
from tests.workers.fixers.benches import Memory
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import ScriptedEnvironment, result
from tests.workers.witness import shop
from workers.domain import IssueReport, Outcome, Witness
from workers.errors import Stop
from workers.llm.client import Client
from workers.llm.talk import Budget
from workers.repo_config import Policy, RepoConfig, RunLimits
from workers.repo_config.model import Models
from workers.stages.witness import AGAIN, Means, bear_witness
from workers.witness.tester import Tester

PATH = "tests/unit/test_issue_12.py"
ALONE = f"python -m pytest {PATH}"
PLAN = Plan("python", (), Step("Test", "python -m pytest -q"))
EXAMPLE = shop.report("`discounted(100, 10)` returns `100`, expected `95`")
WORDS = shop.report(
    "There should be a discount from ten pieces on: discounted gives 100 for ten, and crashes for none."
)
WRITTEN = "from shop.rates import discounted\n\n\ndef test_ten():\n    assert discounted(100, 10) == 95\n"
BLOCK = f"The test:\n\n```python\n{WRITTEN}```\n"

Answer = Callable[[Step, int], Result]


def red(message: str, test: str = f"{PATH}::test_issue_12", status: str = "failed") -> Result:
    """A red run of the new test."""
    one = TestCase(test, status, message=f"/workspace/{PATH}:6: {message}")
    return replace(result(1, output=f"{PATH}:6: {message}"), tests=(one,), source="pytest")


SHOWN = red("AssertionError: assert 100 == 95")
SUITE = replace(result(1, passed=2), tests=(*result(1, passed=2).tests, *SHOWN.tests), source="pytest")


def shows(step: Step, n: int) -> Result:
    """The test alone fails as it should; so does the suite, for that test alone."""
    return SHOWN if step.script == ALONE else SUITE


class Stage:
    """The stage in a scripted sandbox; `asked` are the scripts that were run."""

    def __init__(self, answer: Answer = shows, tester: Tester | None = None, config: RepoConfig | None = None) -> None:
        self.environment = ScriptedEnvironment(lambda step, patch, n: answer(step, n))
        self.once, self.cancel = Memory(), Event()
        self._tester, self._config = tester, config or RepoConfig()
        self.tree = MemoryTree(shop.FILES)

    @property
    def asked(self) -> list[str]:
        return [step.script for step, _ in self.environment.asked]

    def run(self, report: IssueReport = EXAMPLE, plan: Plan = PLAN) -> Witness:
        def prepared(alone: Plan) -> tuple[Environment, Plan]:
            return self.environment, alone

        means = Means(
            lambda command: replace(plan, check=Step("guess", command)),
            prepared,
            self._tester,
            self.once,
            self._config,
            self.cancel,
        )
        return bear_witness(report, self.tree, plan, means)

    def stopped(self, report: IssueReport = EXAMPLE, plan: Plan = PLAN) -> Stop:
        with pytest.raises(Stop) as stop:
            self.run(report, plan)
        return stop.value


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Model() as running:
        yield running


def asking(model: Model, answers: Sequence[str], budget: Budget | None = None) -> Tester:
    """A model that gives these answers."""
    model.script([replies.text(answer) for answer in answers])
    return Tester(Client("openai:gpt-5-mini", None, model.url, sleep=lambda _: None), budget or Budget())


def test_the_reports_own_example_needs_no_model() -> None:
    """Red in every run for the value that the report tells of; the suite is run beside it, once."""
    stage = Stage()
    found = stage.run()
    assert stage.asked == [ALONE] * (1 + AGAIN) + ["python -m pytest -q"]
    assert (found.path, found.runs, found.model) == (PATH, 1 + AGAIN, None)
    assert "assert discounted(100, 10) == 95" in found.text
    assert stage.tree.apply(found.patch) == {PATH: found.text.encode()}
    assert found.plan.check.script == ALONE
    assert found.suite is not None
    assert found.suite.before == SUITE
    assert [found.owns(test.id) for test in SUITE.tests] == [False, False, True]


def test_a_run_that_is_taken_up_again_runs_nothing_twice(model: Model) -> None:
    """Neither a test nor a question."""
    stage = Stage(tester=asking(model, [BLOCK]))
    first = stage.run(WORDS)
    ran = len(stage.asked)
    assert stage.run(WORDS) == first
    assert (len(stage.asked), len(model.requests())) == (ran, 1)


def test_a_value_other_than_the_reported_one_shows_nothing() -> None:
    """The example is red, but not as the report says: without a model a question is asked."""
    stop = Stage(lambda step, n: red("AssertionError: assert 90 == 95")).stopped()
    assert (stop.outcome, stop.data["missing"]) == (Outcome.QUESTION, "example")
    assert "1 test tried, none of which shows it" in stop.detail


def test_an_example_that_is_green_asks_for_the_version() -> None:
    """The code does what the report expects: the test is told with the question."""
    stop = Stage(lambda step, n: replace(result(0, passed=1), source="pytest")).stopped()
    assert (stop.outcome, stop.data["missing"]) == (Outcome.QUESTION, "version")
    assert "assert discounted(100, 10) == 95" in str(stop.data["test"])


def test_a_test_that_fails_now_and_then_shows_nothing() -> None:
    """Every run has to fail, and in the same way."""
    green = replace(result(0, passed=1), source="pytest")
    for other in (green, red("AssertionError: assert 100 == 95", f"{PATH}::test_other")):
        stop = Stage(lambda step, n, other=other: other if n == 2 else SHOWN).stopped()  # type: ignore[misc]
        assert stop.outcome is Outcome.QUESTION


def test_without_an_example_and_a_model_one_thing_is_asked_for() -> None:
    """Nothing is run."""
    stage = Stage()
    stop = stage.stopped(shop.report("It is wrong."))
    assert (stop.data["missing"], stop.data["question"], stage.asked) == ("steps", "", [])


def test_a_model_writes_the_test_where_there_is_no_example(model: Model) -> None:
    """Told why each one before did not do: no test, a forbidden one, one that is green, one that fails by itself."""
    bad = "```python\nfrom shop.rates import discounted\n\n\ndef test_ten():\n    assert False\n```"
    stage = Stage(tester=asking(model, ["Sure!", bad, BLOCK]))
    found = stage.run(WORDS)
    assert (found.text, found.model) == (WRITTEN, "gpt-5-mini")
    assert found.usage.input_tokens > 0
    told = model.prompts()
    assert "there is no test file in the answer" in told[1]
    assert "it is red or green whatever the code does: assert False" in told[2]
    assert stage.asked == [ALONE] * (1 + AGAIN) + ["python -m pytest -q"]


def test_a_model_sees_what_its_test_did(model: Model) -> None:
    """The output of the run goes back; three answers are the most."""
    answers = [
        red("NameError: name 'discount' is not defined"),
        replace(result(0, passed=1), source="pytest"),
        red("AttributeError: no"),
    ]
    other = BLOCK.replace("test_ten", "test_{}")
    stage = Stage(lambda step, n: answers[n], asking(model, [other.format(n) for n in "abc"]))
    stop = stage.stopped(WORDS)
    told = model.prompts()
    assert "NameError is raised by the test itself" in told[1]
    assert "the test passes on the unchanged code" in told[2]
    assert (stop.outcome, len(told)) == (Outcome.QUESTION, 3)
    assert "3 tests tried, none of which shows it" in stop.detail


def test_a_model_may_ask_instead(model: Model) -> None:
    """Its question is the one that is asked."""
    stop = Stage(tester=asking(model, ["QUESTION: What is discounted(100, 10) to return?"])).stopped(WORDS)
    assert stop.outcome is Outcome.QUESTION
    assert stop.data["question"] == "What is discounted(100, 10) to return?"


def test_a_model_is_asked_within_the_budget_of_the_run(model: Model) -> None:
    """Nothing is asked that could cost more than the repository allows."""
    config = RepoConfig(limits=RunLimits(usd_per_run=0.0))
    stop = Stage(tester=asking(model, [BLOCK]), config=config).stopped(WORDS)
    assert (stop.outcome, model.requests()) == (Outcome.OVER_BUDGET, [])


def test_without_credit_it_is_asked_for_what_is_missing(model: Model) -> None:
    """As without a model, and the reason is said."""
    tester = asking(model, [])
    model.script([replies.out_of_quota()])
    stop = Stage(tester=tester).stopped(WORDS)
    assert stop.outcome is Outcome.QUESTION
    assert "The model could not be asked, so Heal went on without it: " in stop.detail


def test_a_repository_may_want_no_model(model: Model) -> None:
    """`models.propose: none` sends no code and no report away."""
    config = RepoConfig(models=Models(propose="none"))
    stop = Stage(tester=asking(model, [BLOCK]), config=config).stopped(WORDS)
    assert (stop.outcome, model.requests()) == (Outcome.QUESTION, [])


def test_a_suite_that_cannot_be_compared_is_said() -> None:
    """One that does not run the new test, and one that names no tests."""
    for other in (result(0, passed=2), result(1, passed=1, failed=1)):
        found = Stage(lambda step, n, other=other: SHOWN if step.script == ALONE else other).run()  # type: ignore[misc]
        assert found.suite is not None
        assert "does not run the new test" in found.plan.notes[-1]
    found = Stage(lambda step, n: SHOWN if step.script == ALONE else result(1)).run()
    assert found.suite is None
    assert "nothing is compared with it" in found.plan.notes[-1]


def test_a_repository_without_such_tests_is_unsupported() -> None:
    """Said before anything is run or asked."""
    stage = Stage()
    stage.tree = MemoryTree({"index.js": "", "package.json": "{}"})
    stop = stage.stopped(plan=Plan("node", (), Step("Test", "npm test")))
    assert (stop.outcome, stage.asked) == (Outcome.UNSUPPORTED, [])


def test_a_protected_folder_gets_no_test() -> None:
    """`policy.protected_paths` holds for new files too."""
    stage = Stage(config=RepoConfig(policy=Policy(protected_paths=("tests/**",))))
    assert stage.stopped().outcome is Outcome.REFUSED_BY_POLICY
    assert stage.asked == []


def test_a_run_that_is_stopped_keeps_nothing_half_done() -> None:
    """What was cut off is not remembered as an answer."""
    stage = Stage()
    stage.cancel.set()
    with pytest.raises(Cancelled):
        stage.run()
    assert stage.once.computed == []
