"""When a failure counts as reproduced, and what every other case is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Event

import pytest

from sandbox.errors import ImageMissing, NetworkDenied, ServiceFailed, ServiceMissing, SetupFailed
from sandbox.spec import Ending, Environment, Plan, Result, Service, Step, TestCase, Tree
from tests.workers.made import (
    CHECK,
    GREEN,
    RED,
    TREE,
    MemoryTree,
    ScriptedEnvironment,
    ScriptedSandbox,
    case,
    reproduction,
    result,
)
from workers import logs, pins
from workers.domain import JobReport, Outcome, Past, Reproduction, Sighting
from workers.errors import Stop
from workers.repo_config import Flaky, RepoConfig
from workers.stages.reproduce import make_plan, prepare, reproduce
from workers.store.memory import MemoryJournal
from workers.text_files import TextFiles

PLAN = Plan("python", (), CHECK)
JOB = JobReport("test")


class Seen(MemoryJournal):
    """A journal that knows earlier runs, and keeps what it is told of this one."""

    def __init__(self, *known: Past) -> None:
        super().__init__()
        self._known = known
        self.kept: tuple[Sighting, ...] = ()

    def past(self, tests: Sequence[str]) -> tuple[Past, ...]:
        return tuple(one for one in self._known if one.test in tests)

    def sighted(self, seen: Sequence[Sighting]) -> None:
        self.kept = tuple(seen)


def tried(
    environment: ScriptedEnvironment,
    plan: Plan = PLAN,
    job: JobReport = JOB,
    flaky: Flaky = Flaky(),
    journal: MemoryJournal | None = None,
) -> Reproduction:
    sandbox = ScriptedSandbox(environment)
    return reproduce(sandbox, plan, TREE, job, flaky, journal or MemoryJournal(), Event())


def test_red_every_time_is_reproduced() -> None:
    """The first run and every rerun are red, until chance would hardly have been so steady: the failure is stable."""
    found = tried(ScriptedEnvironment(lambda step, patch, n: RED))
    assert (found.reruns, found.red_reruns) == (4, 4)


def test_a_checker_is_believed_sooner() -> None:
    """What a linter says of a file hardly depends on chance: two reruns are enough, or the one that is asked."""
    lint = replace(PLAN, check=Step("Lint", "ruff check ."))
    red = result(1, output="shop/tax.py:1:8: F401 `os` imported but unused\n")
    assert tried(ScriptedEnvironment(lambda step, patch, n: red), lint).reruns == 2
    assert tried(ScriptedEnvironment(lambda step, patch, n: red), lint, flaky=Flaky(reruns=1)).reruns == 1


def test_a_test_that_was_unsteady_before_is_tried_more_often() -> None:
    """Its own rate of failing decides how much each red run proves; the history is told with the failure."""
    known = Past("tests/test_calc.py::t0", executions=20, red=18, unsteady=3, since=1_790_000_000)
    found = tried(ScriptedEnvironment(lambda step, patch, n: RED), journal=Seen(known))
    assert found.reruns == 10
    assert found.past == (known,)
    rarely = replace(known, red=2)
    assert tried(ScriptedEnvironment(lambda step, patch, n: RED), journal=Seen(rarely)).reruns == 2


def test_how_each_red_test_fared_is_kept() -> None:
    """Also of a run that ends as flaky: that is what later runs need to know."""
    journal = Seen()
    with pytest.raises(Stop):
        tried(ScriptedEnvironment(lambda step, patch, n: RED if n == 0 else GREEN), journal=journal)
    assert journal.kept == (Sighting("tests/test_calc.py::t0", executions=3, red=1),)


def test_red_and_green_end_the_reruns() -> None:
    """Both on the same commit prove it: no run more is spent, and what earlier runs saw stands in the message."""
    known = Past("tests/test_calc.py::t0", executions=7, red=2, unsteady=2, since=1_790_000_000)
    environment = ScriptedEnvironment(lambda step, patch, n: RED if n == 0 else GREEN)
    with pytest.raises(Stop) as stop:
        tried(environment, journal=Seen(known))
    assert (stop.value.data["runs"], stop.value.data["failed"]) == (3, 1)
    assert "unsteady in 2 earlier runs since 2026-09-21: 2 of 7 executions red" in str(stop.value.data["past"])


def by_order(turned: Result, same: Result) -> ScriptedEnvironment:
    """A suite of two tests that pytest reports, whose result hangs on their order."""
    named = (TestCase("tests/test_calc.py::t0", "failed"), TestCase("tests/test_calc.py::t1", "passed"))
    return ScriptedEnvironment(
        lambda step, patch, n: (
            turned
            if "heal_reversed" in step.env.get("PYTEST_ADDOPTS", "")
            else replace(same, source="pytest reporter", tests=named if not same.green else same.tests)
        )
    )


def test_a_failure_that_needs_the_order_is_told() -> None:
    """Always red in the suite's own order and green in reverse: no chance, so it is mended, with that clue."""
    passed = replace(GREEN, tests=(TestCase("tests/test_calc.py::t0", "passed"),), source="pytest reporter")
    found = tried(by_order(passed, RED))
    assert found.order == ("tests/test_calc.py::t0",)
    assert found.red_reruns == found.reruns
    assert tried(by_order(RED, RED)).order == ()


def test_green_here_and_red_in_another_order_is_flaky() -> None:
    """CI saw it red, here it is red in another order only: which order is run is chance."""
    two = tuple(TestCase(f"tests/test_calc.py::t{n}", "passed") for n in range(2))
    with pytest.raises(Stop) as stop:
        tried(by_order(RED, replace(GREEN, tests=two)))
    assert stop.value.outcome is Outcome.FLAKY
    assert "reverse order" in stop.value.detail


def test_red_and_green_on_the_same_commit_is_flaky() -> None:
    """The counts and the unsteady tests are the evidence."""
    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: RED if n % 2 == 0 else GREEN))
    assert stop.value.outcome is Outcome.FLAKY
    assert (stop.value.data["runs"], stop.value.data["failed"]) == (3, 2)
    assert stop.value.data["tests"] == ("tests/test_calc.py::t0",)


def test_another_test_failing_each_time_is_flaky() -> None:
    """Red in every run, but nothing in them is always red: there is no failure to mend."""

    def another(step: Step, patch: bytes | None, n: int) -> Result:
        return replace(RED, tests=tuple(TestCase(f"t{i}", "failed" if i == n % 3 else "passed") for i in range(3)))

    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(another))
    assert stop.value.outcome is Outcome.FLAKY
    assert stop.value.data["tests"] == ("t0", "t1", "t2")


def test_reruns_have_seeds_of_their_own() -> None:
    """A failure that hangs on hashing shows itself by the seeds, not by luck."""
    environment = ScriptedEnvironment(lambda step, patch, n: RED)
    tried(environment)
    seeds = [step.env.get("PYTHONHASHSEED") for step, _ in environment.asked]
    assert seeds[0] is None
    assert sorted(seed for seed in seeds if seed) == ["1", "2", "3", "4"]


def test_green_every_time_is_not_reproduced() -> None:
    """The repository's command is green here: nothing may be patched."""
    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: GREEN))
    assert stop.value.outcome is Outcome.NOT_REPRODUCED


def test_green_here_with_trouble_in_the_log_is_infrastructure() -> None:
    """CI's own log shows the network failing."""
    log = "2026-11-21T04:00:00.0000000Z ERROR: Could not install packages: Connection reset by peer\n"
    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: GREEN), job=JobReport("test", logs.parse(log)))
    assert stop.value.outcome is Outcome.INFRASTRUCTURE


BROKE = "##[group]Run octo/deploy@v1\n##[endgroup]\n##[error]{}\n"


@pytest.mark.parametrize(
    ("line", "outcome", "failure"),
    [
        ("Unexpected HTTP response: 503", Outcome.INFRASTRUCTURE, "infrastructure"),
        ("Input required and not supplied: api-token", Outcome.UNSUPPORTED, "missing_secret"),
        ("Input required and not supplied: path", Outcome.UNSUPPORTED, "workflow"),
    ],
)
def test_a_job_that_ran_no_command_is_told_by_its_log(line: str, outcome: Outcome, failure: str) -> None:
    """What cannot be run here is refused before anything is spent, with what CI's log says about it."""
    job = JobReport(
        "deploy",
        log=logs.parse(BROKE.format(line)),
        workflow="on: push\njobs:\n  deploy:\n    runs-on: windows-latest\n",
    )
    with pytest.raises(Stop) as stop:
        make_plan(job, MemoryTree({"x": b""}), RepoConfig(), case())
    assert stop.value.outcome is outcome
    assert stop.value.data == {"failure": failure, "line": line}


def test_another_failure_than_cis_is_told_with_both() -> None:
    """Red here and red there is not enough: a patch for this failure would mend nothing in CI."""
    log = "##[group]Run x\n\x1b[36;1mpython -m pytest -q\x1b[0m\n##[endgroup]\nFAILED a.py::t - KeyError: 'a'\n"
    job = JobReport("test", logs.parse(f"{log}##[error]Process completed with exit code 1.\n"))
    other = replace(RED, output=replace(RED.output, text="FAILED b.py::t - OSError: x\n"), tests=())
    with pytest.raises(Stop, match="other tests fail") as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: other), job=job)
    assert stop.value.outcome is Outcome.NOT_REPRODUCED
    assert "KeyError" in str(stop.value.data["ci"])
    assert "OSError" in str(stop.value.data["here"])


def test_a_command_that_is_missing_here_is_not_a_failure_of_the_code() -> None:
    """Exit code 127 that CI did not have says something about the sandbox."""
    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: result(127, output="bash: tox: command not found")))
    assert stop.value.outcome is Outcome.NOT_REPRODUCED


def test_a_command_that_make_misses_here_is_not_a_failure_of_the_code() -> None:
    """Make hides the code, not the words; where CI's log has them too, they are the failure."""
    missing = result(2, output="make: javac: No such file or directory\nmake: *** [Makefile:2: test] Error 127\n")
    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: missing))
    assert stop.value.outcome is Outcome.NOT_REPRODUCED
    log = "2026-11-21T04:00:00.0000000Z make: *** [Makefile:2: test] Error 127\n"
    job = JobReport("test", logs.parse(log))
    assert tried(ScriptedEnvironment(lambda step, patch, n: missing), job=job).before is missing


def test_a_part_of_cargo_that_is_missing_here_is_not_a_failure_of_the_code() -> None:
    """Clippy belongs to CI's toolchain, and not to every image of Rust."""
    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: result(101, output="error: no such command: `clippy`\n")))
    assert stop.value.outcome is Outcome.NOT_REPRODUCED


def test_a_limit_of_the_sandbox_is_infrastructure() -> None:
    """Out of memory here is our limit, not their bug."""
    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: result(137, ending=Ending.OOM)))
    assert stop.value.outcome is Outcome.INFRASTRUCTURE
    assert "its 2 GiB of memory" in stop.value.detail


def test_a_host_that_may_not_be_asked_for_ends_the_run() -> None:
    """It is told with the host and the keys that would grant it; where CI missed a host too, it is infrastructure."""
    denied = replace(result(6, ending=Ending.NETWORK_DENIED), asked=("api.example.org",))
    environment = ScriptedEnvironment(lambda step, patch, n: denied)
    with pytest.raises(Stop) as stop:
        tried(environment)
    assert stop.value.outcome is Outcome.NOT_REPRODUCED
    assert "api.example.org" in stop.value.detail
    assert "environment.network in heal.yml and HEAL_CHECK_HOSTS" in stop.value.detail
    with pytest.raises(Stop) as stop:
        tried(environment, job=JobReport("test", logs.parse("curl: (6) Could not resolve host: api.example.org")))
    assert stop.value.outcome is Outcome.INFRASTRUCTURE


def test_without_a_log_the_first_red_step_is_the_check() -> None:
    """A local run does not know which step failed: the job's steps are tried in order."""
    plan = replace(PLAN, check=Step("Lint", "ruff check ."), after=(CHECK, Step("Docs", "make docs")))
    found = tried(ScriptedEnvironment(lambda step, patch, n: GREEN if step.name == "Lint" else RED), plan)
    assert found.plan.check.name == "Test"
    assert [step.name for step in found.plan.after] == ["Docs"]


def test_what_another_ci_says_does_not_tell_which_step_failed() -> None:
    """Its words are no log of steps: they are tried in order as without any."""
    plan = replace(PLAN, check=Step("Lint", "ruff check ."), after=(CHECK,))
    environment = ScriptedEnvironment(lambda step, patch, n: GREEN if step.name == "Lint" else RED)
    assert tried(environment, plan, JobReport("ci", logs.parse("Build 12 failed"))).plan.check.name == "Test"


def test_set_up_that_fails_ends_the_run_with_its_log() -> None:
    """A broken recipe is told, not retried."""

    class Broken:
        def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> Environment:
            raise SetupFailed("Install", 1, "No matching distribution found for nosuch")

        def doctor(self) -> list[object]:  # pragma: no cover - not asked here
            return []

    with pytest.raises(Stop) as stop:
        prepare(Broken(), reproduction().plan, TREE, Event())  # type: ignore[arg-type]
    assert stop.value.outcome is Outcome.NOT_REPRODUCED
    assert "No matching distribution" in str(stop.value.data["log"])


def test_packages_of_the_runs_day_that_cannot_be_had_are_of_today() -> None:
    """A set-up that fails where its packages are pinned is made once more without; the plan says so."""
    steps, _ = pins.pin(
        [Step("Install", "pip install x")], {}, "2026-03-02T00:00:00Z", TextFiles(MemoryTree({})), "python"
    )

    class WithoutDates(ScriptedSandbox):
        def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
            if any("PIP_UPLOADED_PRIOR_TO" in step.env for step in plan.setup):
                raise SetupFailed("Install", 1, "the index has no dates")
            return super().prepare(plan, tree, cancel)

    sandbox, plan = WithoutDates(ScriptedEnvironment(lambda step, patch, n: RED)), replace(PLAN, setup=tuple(steps))
    found = reproduce(sandbox, plan, TREE, JOB, Flaky(), MemoryJournal(), Event())
    assert found.plan.setup == (Step("Install", "pip install x"),)
    assert found.plan.notes == ("the set-up failed with the packages of the day of the run: they are of today",)


def test_of_a_guess_only_what_was_green_has_to_stay_green() -> None:
    """Checks after the red one may never have been green; those before it were, a moment ago."""
    lint, types, docs = Step("Lint", "lint"), Step("Types", "types"), Step("Docs", "docs")
    plan = replace(PLAN, check=lint, after=(types, docs), guessed=True)
    found = tried(ScriptedEnvironment(lambda step, patch, n: RED if step.script == "types" else GREEN), plan)
    assert (found.plan.check, found.plan.after) == (types, (lint,))
    first = tried(ScriptedEnvironment(lambda step, patch, n: RED), plan)
    assert (first.plan.check, first.plan.after) == (lint, ())


def test_set_up_that_was_refused_a_host_says_which() -> None:
    """The host is named, and the setting that would let it through."""

    class Refused(ScriptedSandbox):
        def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
            raise NetworkDenied("Install", 1, "log", ("git.example.org",))

    with pytest.raises(Stop) as stop:
        prepare(Refused(ScriptedEnvironment(lambda step, patch, n: RED)), PLAN, TREE, Event())
    assert stop.value.outcome is Outcome.NOT_REPRODUCED
    assert "git.example.org" in stop.value.detail
    assert "HEAL_SETUP_HOSTS" in stop.value.detail


def test_an_image_that_cannot_be_had_is_stood_in_for() -> None:
    """The run goes on in the nearest image of ours and says so; an image of ours that is missing is no such case."""

    class Registryless(ScriptedSandbox):
        def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
            if plan.image != "python":
                raise ImageMissing(f"{plan.image} cannot be pulled")
            return super().prepare(plan, tree, cancel)

    red = Registryless(ScriptedEnvironment(lambda step, patch, n: RED))
    found = reproduce(red, replace(PLAN, image="python:3.12"), TREE, JOB, Flaky(), MemoryJournal(), Event())
    assert found.plan.image == "python"
    assert "python:3.12 cannot be pulled" in found.plan.notes[-1]
    with pytest.raises(ImageMissing):
        reproduce(red, replace(PLAN, image="debian"), TREE, JOB, Flaky(), MemoryJournal(), Event())


class Building(ScriptedSandbox):
    """A sandbox that remembers the set-ups it made; tests are red until something was built in one."""

    def __init__(self, built: str) -> None:
        self.setups: list[list[str]] = []
        super().__init__(ScriptedEnvironment(self._answer))
        self._built = built

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
        self.setups.append([step.name for step in plan.setup])
        return super().prepare(plan, tree, cancel)

    def _answer(self, step: Step, patch: bytes | None, n: int) -> Result:
        needs = step.name == "Test"
        return RED if needs and self._built not in self.setups[-1] else GREEN if step.name != "Docs" else RED


def test_what_a_green_step_built_is_there_for_the_next_one() -> None:
    """A step that is red for want of what the one before it built is no failure: it is run again with it."""
    steps = (CHECK, Step("Docs", "make docs"))
    sandbox = Building("Build")
    found = reproduce(
        sandbox, replace(PLAN, check=Step("Build", "./configure && make"), after=steps), TREE, JOB, Flaky(),
        MemoryJournal(), Event(),
    )  # fmt: skip
    assert found.plan.check.name == "Docs"
    assert sandbox.setups == [[], ["Build"], ["Build", "Test"]]


def test_what_a_linter_leaves_is_not_asked_for() -> None:
    """A red step behind one that only looks is the failure as it is: no environment more is made."""
    sandbox = Building("nothing")
    plan = replace(PLAN, check=Step("Lint", "ruff check .\nmypy src"), after=(CHECK,))
    assert reproduce(sandbox, plan, TREE, JOB, Flaky(), MemoryJournal(), Event()).plan.check == CHECK
    assert sandbox.setups == [[]]


def test_made_results_are_what_they_say() -> None:
    """The values these tests stand on: RED has one failure, GREEN has none."""
    assert (RED.green, GREEN.green) == (False, True)
    assert isinstance(RED, Result)


def test_the_repositorys_time_limit_reaches_the_sandbox() -> None:
    """`environment.timeout` of heal.yml bounds every run of the check."""
    environment = ScriptedEnvironment(lambda step, patch, n: RED)
    tried(environment, replace(PLAN, timeout_s=42))
    assert {limits.wall_s for limits in environment.limits} == {42}


@pytest.mark.parametrize(
    ("trouble", "outcome", "words"),
    [
        (ServiceMissing("service 'db': no image"), Outcome.UNSUPPORTED, "service 'db': no image"),
        (
            ServiceFailed("db", "ended with exit code 1", "its log"),
            Outcome.NOT_REPRODUCED,
            "'db' ended with exit code 1",
        ),
    ],
)
def test_services_that_cannot_be_had_or_do_not_start(trouble: Exception, outcome: Outcome, words: str) -> None:
    """The one is told before anything is spent, the other with the service's log; neither blames the code."""

    class Serviceless(ScriptedSandbox):
        def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
            raise trouble

    with pytest.raises(Stop, match=words) as stop:
        reproduce(Serviceless(ScriptedEnvironment(lambda *_: RED)), PLAN, TREE, JOB, Flaky(), MemoryJournal(), Event())
    assert stop.value.outcome is outcome
    assert stop.value.data.get("log", "") == getattr(trouble, "log", "")


def test_what_a_green_step_leaves_in_a_service_is_there_for_the_next_one() -> None:
    """Where the failing step is not known, steps that were green join the set-up of those that follow."""
    prepared: list[Plan] = []

    class Remembering(ScriptedSandbox):
        def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
            prepared.append(plan)
            return super().prepare(plan, tree, cancel)

    migrate = Step("migrate", "python manage.py migrate")
    environment = ScriptedEnvironment(lambda step, patch, n: GREEN if step.name == "migrate" else RED)
    environment.notes = ("Debian's PostgreSQL 15 takes the place of postgres:16",)
    plan = replace(PLAN, check=migrate, after=(CHECK,), services=(Service("db", "postgres:16"),))
    found = reproduce(Remembering(environment), plan, TREE, JOB, Flaky(), MemoryJournal(), Event())
    assert [step.name for step in prepared[-1].setup] == ["migrate"]
    assert found.plan.check == CHECK
    assert found.plan.notes == environment.notes


def ran(script: str, said: str) -> JobReport:
    """A job of one step that failed."""
    told = (f"##[group]Run {script}", f"\x1b[36;1m{script}\x1b[0m", "shell: /usr/bin/bash -e {0}", "##[endgroup]")
    lines = (*told, said, "##[error]Process completed with exit code 1.")
    text = "".join(f"2026-09-09T07:12:00.1200000Z {line}\n" for line in lines)
    workflow = f"jobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {script}\n"
    return JobReport("test", logs.parse(text), workflow, ".github/workflows/ci.yml")


DEPRECATED = (
    "##[error]This request has been automatically failed because it uses a deprecated version of `octo/upload: v2`. "
    "Learn more: https://github.blog/changelog/x/"
)


@pytest.mark.parametrize(
    ("said", "uses"),
    [
        (DEPRECATED, "octo/upload@v2"),
        ("##[error]Unable to resolve action `octo/upload@v9`, unable to find version `v9`", "octo/upload@v9"),
        ("##[error]Unable to resolve action octo/gone@main, repository not found", "octo/gone@main"),
    ],
)
def test_an_action_that_is_not_served_is_told_with_its_line(said: str, uses: str) -> None:
    """Before anything is run: which line of the workflow asks for it, that no workflow is ever edited, and who can."""
    text = f"jobs:\n  test:\n    steps:\n      - uses: {uses}  # why\n      - run: pytest\n"
    job = JobReport("test", logs.parse(f"Prepare all required actions\n{said}\n"), text, ".github/workflows/ci.yml")
    with pytest.raises(Stop) as stop:
        make_plan(job, MemoryTree(), RepoConfig(), case())
    assert stop.value.outcome is Outcome.UNSUPPORTED
    assert f"`{uses}` (line 4 of `.github/workflows/ci.yml`)" in stop.value.detail
    assert "never edits workflow files" in stop.value.detail
    assert stop.value.data["failure"] == "workflow"


@pytest.mark.parametrize("script", ["towncrier check --compare-with origin/main", "python -m towncrier check"])
def test_a_news_fragment_is_the_authors_to_write(script: str) -> None:
    """Nothing is run: the sandbox has no branch to compare with, and a machine would only make words up."""
    with pytest.raises(Stop) as stop:
        make_plan(ran(script, "No new newsfragments found on this branch."), MemoryTree(), RepoConfig(), case())
    assert stop.value.outcome is Outcome.UNSUPPORTED
    assert "`towncrier create`" in stop.value.detail
    assert stop.value.data["failure"] == "lint"
    other = ran("cat x", "No new newsfragments found on this branch.")
    assert make_plan(other, MemoryTree(), RepoConfig(), case()).check.script.strip() == "cat x"


def test_a_step_that_prints_such_a_line_is_run_like_any_other() -> None:
    """A job that has begun could resolve its actions, whatever its commands say."""
    job = ran("cat x", DEPRECATED)
    assert make_plan(job, MemoryTree(), RepoConfig(), case()).check.script.strip() == "cat x"
