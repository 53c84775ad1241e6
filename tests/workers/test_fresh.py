"""Where a run has its packages from: its manifests, patched or not, and the set-up for a check that installs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest

from sandbox.errors import Cancelled, NetworkDenied, SetupFailed
from sandbox.spec import Ending, Finding, Plan, Sessions, Step, Tree
from tests.workers.made import GREEN, TREE, ScriptedEnvironment, Shell
from workers import fresh
from workers.recipe import IN_SETUP

TEST = Step("Test", "pytest -q")
INSTALL = Step("Install", "uv sync --locked")
PLAN = Plan("python", (Step("Get uv", "pip install uv"), Step("Deps", "pip install -r requirements.txt")), TEST)
INSTALLING = replace(PLAN, setup=(PLAN.setup[0], Step("Install" + IN_SETUP, INSTALL.script), Step("Late", "true")),
                     check=INSTALL, after=(TEST,))  # fmt: skip


def patch(path: str, new: bool = False) -> bytes:
    old = "/dev/null" if new else f"a/{path}"
    mode = "new file mode 100644\n" if new else ""
    span = "-0,0 +1" if new else "-1 +1"
    gone = "" if new else "-a\n"
    return f"diff --git a/{path} b/{path}\n{mode}--- {old}\n+++ b/{path}\n@@ {span} @@\n{gone}+b\n".encode()


class Recording:
    """A sandbox that remembers the plans it was asked for, and fails where it is told to."""

    def __init__(self, fails: Callable[[Plan], Exception | None] = lambda plan: None) -> None:
        self.plans: list[Plan] = []
        self.environment = ScriptedEnvironment(lambda step, patch, n: GREEN)
        self._fails = fails

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
        self.plans.append(plan)
        if failed := self._fails(plan):
            raise failed
        return self.environment

    def doctor(self) -> list[Finding]:
        return []


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.setup]


def test_what_a_patch_says_of_a_version_goes_before_the_versions_of_ci() -> None:
    """A bound that the patch brings would contradict the pin to what CI had; the other pins stay."""
    pinned = Step("packages as in CI", "cat >/env/versions-of-ci.txt <<'END'\nattrs==25.1\nmy-tool==2.0\nEND")
    sandbox = Recording()
    environment = fresh.environment(sandbox, replace(PLAN, setup=(pinned, *PLAN.setup)), TREE, None)
    environment.run(TEST, TREE, patch("requirements.txt").replace(b"\n+b\n", b"\n+My_Tool[x]>=1,<2.0\n"))
    scripts = [plan.setup[at].script for plan, at in zip(sandbox.plans, (0, 1), strict=True)]
    assert "my-tool==2.0" in scripts[0]
    assert scripts[1] == pinned.script.replace("my-tool==2.0\n", "")


def test_a_patch_of_the_code_uses_the_environment_as_it_is() -> None:
    """Only what decides the packages is worth an environment of its own."""
    sandbox = Recording()
    environment = fresh.environment(sandbox, PLAN, TREE, None)
    environment.run(TEST, TREE, patch("shop/tax.py"))
    environment.run(TEST, TREE)
    assert sandbox.plans == [PLAN]


@pytest.mark.parametrize("path", ["requirements.txt", "pyproject.toml", "sub/package.json", "go.mod", "uv.lock"])
def test_a_patch_of_a_manifest_is_installed_before_it_is_tried(path: str) -> None:
    """The set-up sees the patched files; the check brings the patch itself, as ever."""
    sandbox = Recording()
    environment = fresh.environment(sandbox, PLAN, TREE, None)
    result = environment.run(TEST, TREE, patch(path))
    assert result.green
    assert names(sandbox.plans[1]) == ["the patch", "Get uv", "Deps"]
    assert sandbox.environment.asked == [(TEST, patch(path))]


def test_what_a_patch_adds_does_not_stay_in_the_environment() -> None:
    """Else the check could not apply the patch over it."""
    sandbox = Recording()
    fresh.environment(sandbox, PLAN, TREE, None).run(TEST, TREE, patch("requirements/it's.txt", new=True))
    last = sandbox.plans[1].setup[-1]
    assert last.script == "rm -f -- 'requirements/it'\"'\"'s.txt'"


def test_two_patches_never_share_an_environment() -> None:
    """The key of an environment is made of its set-up, so of the patch."""
    sandbox = Recording()
    environment = fresh.environment(sandbox, PLAN, TREE, None)
    environment.run(TEST, TREE, patch("requirements.txt"))
    environment.run(TEST, TREE, patch("requirements.txt").replace(b"+b", b"+c"))
    assert len({plan.env_key("image") for plan in sandbox.plans}) == 3


def test_a_set_up_that_fails_with_the_patch_is_a_red_run() -> None:
    """Its log is what the gate quotes."""
    sandbox = Recording(lambda plan: SetupFailed("Deps", 1, "--- Deps\nno such package\n") if "the patch" in names(plan)
                        else None)  # fmt: skip
    result = fresh.environment(sandbox, PLAN, TREE, None).run(TEST, TREE, patch("requirements.txt"))
    assert (result.ending, result.exit_code, result.output.text) == (Ending.FAILED, 1, "no such package\n")


def fails(error: Exception) -> Callable[[Plan], Exception | None]:
    return lambda plan: error if "Install" + IN_SETUP in names(plan) else None


def test_a_check_that_installs_runs_in_the_set_up() -> None:
    """What stands before it is the environment; its own log alone is the output, and what follows it is not reached."""
    log = "--- Get uv\nfine\n--- Install (in the set-up)\nThe lockfile needs to be updated\n"
    sandbox = Recording(fails(SetupFailed("Install" + IN_SETUP, 2, log)))
    environment = fresh.environment(sandbox, INSTALLING, TREE, None)
    assert names(sandbox.plans[0]) == ["Get uv"]
    result = environment.run(INSTALL, TREE)
    assert (result.ending, result.exit_code, result.output.text) == (
        Ending.FAILED, 2, "The lockfile needs to be updated\n",
    )  # fmt: skip
    assert names(sandbox.plans[1]) == ["Get uv", "Install (in the set-up)"]


def test_every_run_of_it_is_a_run() -> None:
    """A green set-up is kept and would be found again: each further run has a key of its own."""
    sandbox = Recording()
    environment = fresh.environment(sandbox, INSTALLING, TREE, None)
    assert all(environment.run(INSTALL, TREE, patch("uv.lock")).green for _ in range(3))
    assert len({plan.env_key("image") for plan in sandbox.plans[1:]}) == 3


def test_what_follows_an_installation_runs_in_all_of_it() -> None:
    """The later steps of the job get the whole set-up, with the patch; a look at the files gets what was frozen."""
    sandbox = Recording()
    environment = fresh.environment(sandbox, INSTALLING, TREE, None)
    environment.run(TEST, TREE, patch("uv.lock"))
    assert names(sandbox.plans[1]) == ["the patch", "Get uv", "Install (in the set-up)", "Late"]
    environment.run(Step("a look", "ls"), TREE)
    assert len(sandbox.plans) == 2


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (NetworkDenied("Install" + IN_SETUP, 1, "", ("example.com",)), Ending.NETWORK_DENIED),
        (SetupFailed("set-up", None, "", "out of time"), Ending.KILLED),
        (SetupFailed("the patch", 1, ""), Ending.PATCH_REJECTED),
        (Cancelled("stop"), Ending.CANCELLED),
    ],
)
def test_how_a_set_up_ends_is_how_the_run_ends(error: Exception, ending: Ending) -> None:
    """A host that is denied, time that is over and a patch that does not apply are no failure of the code."""
    environment = fresh.environment(Recording(fails(error)), INSTALLING, TREE, None)
    assert environment.run(INSTALL, TREE).ending is ending


@pytest.mark.parametrize(
    ("failed", "unknown", "check"),
    [
        ("Test (prime)", False, "Test (prime)"),
        ("Deps", False, None),
        ("Deps", True, "Deps"),
        ("Build", True, None),
        ("none of ours", True, None),
    ],
)
def test_a_job_may_be_red_in_its_set_up(failed: str, unknown: bool, check: str | None) -> None:
    """The check's own installing part always; another step that installs where nobody knows which one failed."""
    plan = replace(PLAN, setup=(*PLAN.setup, Step("Build", "make all"), Step("Test (prime)", "tox --notest")))
    other = fresh.red_there(plan, failed, unknown=unknown)
    assert (other.check.name if other else None) == check
    if other:
        assert other.after == (TEST,)
        assert fresh.at(other) == names(plan).index(failed)
        assert fresh.red_there(other, failed, unknown=unknown) is None


def test_an_agent_works_with_what_is_frozen() -> None:
    """Where sessions can be opened in the frozen environment they can be in this one, and nowhere else."""
    sandbox, shell = Recording(), Shell(lambda step, patch, n: GREEN, b"diff", "said")
    assert not isinstance(fresh.environment(sandbox, PLAN, TREE, None), Sessions)
    sandbox.environment = shell
    environment = fresh.environment(sandbox, PLAN, TREE, None)
    assert isinstance(environment, Sessions)
    assert environment.session(TEST, TREE).run("ls", 1.0).output.text == "said"
    assert (shell.ran, len(sandbox.plans)) == (["ls"], 2)
