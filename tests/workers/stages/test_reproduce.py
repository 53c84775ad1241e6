"""When a failure counts as reproduced, and what every other case is called."""

from __future__ import annotations

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
from workers.domain import JobReport, Outcome, Reproduction
from workers.errors import Stop
from workers.repo_config import RepoConfig
from workers.stages.reproduce import RERUNS, make_plan, prepare, reproduce

PLAN = Plan("python", (), CHECK)
JOB = JobReport("test")


def tried(environment: ScriptedEnvironment, plan: Plan = PLAN, job: JobReport = JOB) -> Reproduction:
    return reproduce(ScriptedSandbox(environment), plan, TREE, job, Event())


def test_red_every_time_is_reproduced() -> None:
    """The first run and every rerun are red: the failure is stable."""
    found = tried(ScriptedEnvironment(lambda step, patch, n: RED))
    assert (found.reruns, found.red_reruns) == (RERUNS, RERUNS)


def test_red_and_green_on_the_same_commit_is_flaky() -> None:
    """The counts and the unsteady tests are the evidence."""
    with pytest.raises(Stop) as stop:
        tried(ScriptedEnvironment(lambda step, patch, n: RED if n % 2 == 0 else GREEN))
    assert stop.value.outcome is Outcome.FLAKY
    assert stop.value.data["runs"] == RERUNS + 1
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
        tried(ScriptedEnvironment(lambda step, patch, n: GREEN), job=JobReport("test", log=log))
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
        "deploy", log=BROKE.format(line), workflow="on: push\njobs:\n  deploy:\n    runs-on: windows-latest\n"
    )
    with pytest.raises(Stop) as stop:
        make_plan(job, MemoryTree({"x": b""}), RepoConfig(), case())
    assert stop.value.outcome is outcome
    assert stop.value.data == {"failure": failure, "line": line}


def test_another_failure_than_cis_is_told_with_both() -> None:
    """Red here and red there is not enough: a patch for this failure would mend nothing in CI."""
    log = "##[group]Run x\n\x1b[36;1mpython -m pytest -q\x1b[0m\n##[endgroup]\nFAILED a.py::t - KeyError: 'a'\n"
    job = JobReport("test", log=f"{log}##[error]Process completed with exit code 1.\n")
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
    assert tried(ScriptedEnvironment(lambda step, patch, n: missing), job=JobReport("test", log=log)).before is missing


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
        tried(environment, job=JobReport("test", log="curl: (6) Could not resolve host: api.example.org"))
    assert stop.value.outcome is Outcome.INFRASTRUCTURE


def test_without_a_log_the_first_red_step_is_the_check() -> None:
    """A local run does not know which step failed: the job's steps are tried in order."""
    plan = replace(PLAN, check=Step("Lint", "ruff check ."), after=(CHECK, Step("Docs", "make docs")))
    found = tried(ScriptedEnvironment(lambda step, patch, n: GREEN if step.name == "Lint" else RED), plan)
    assert found.plan.check.name == "Test"
    assert [step.name for step in found.plan.after] == ["Docs"]


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
    found = reproduce(red, replace(PLAN, image="python:3.12"), TREE, JOB, Event())
    assert found.plan.image == "python"
    assert "python:3.12 cannot be pulled" in found.plan.notes[-1]
    with pytest.raises(ImageMissing):
        reproduce(red, replace(PLAN, image="debian"), TREE, JOB, Event())


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
        reproduce(Serviceless(ScriptedEnvironment(lambda *_: RED)), PLAN, TREE, JOB, Event())
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
    found = reproduce(Remembering(environment), plan, TREE, JOB, Event())
    assert [step.name for step in prepared[-1].setup] == ["migrate"]
    assert found.plan.check == CHECK
    assert found.plan.notes == environment.notes
