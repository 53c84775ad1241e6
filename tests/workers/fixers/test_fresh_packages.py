"""A patch of what decides the packages, on the real engine: set-up sees it, and the check does not see it twice."""

from __future__ import annotations

import pytest

from sandbox.environments import DockerSandbox
from sandbox.spec import Ending, Plan, Step
from tests.workers.fixers.trees import MemoryTree
from workers import fresh
from workers.recipe import IN_SETUP

pytestmark = pytest.mark.engine
TREE = MemoryTree({"requirements.txt": "one\n", "README": "x\n"})
CHECK = Step("Check", "cat /env/seen; cat requirements.txt more/requirements.txt; git diff --exit-code")
INSTALL = Step("Install", "grep -q two requirements.txt || { echo 'no two'; exit 3; }")
SETUP = (Step("See", "cp requirements.txt /env/seen"), Step("Install" + IN_SETUP, INSTALL.script))


def test_set_up_and_check_see_the_same_files(sandbox: DockerSandbox) -> None:
    """A manifest that is changed and one that is added; in a repository of one commit, which both belong to. A check
    that installs is red with the log of its own, and green with the patch."""
    patch = TREE.diff({"requirements.txt": b"two\n", "more/requirements.txt": b"three\n"}).encode()
    plan = Plan("debian", SETUP, INSTALL, after=(CHECK,), repository=True)
    environment = fresh.environment(sandbox, plan, TREE.tar(), None)
    red = environment.run(INSTALL, TREE.tar())
    assert (red.ending, red.exit_code, red.output.text) == (Ending.FAILED, 3, "no two\n")
    assert environment.run(INSTALL, TREE.tar(), patch).green
    after = environment.run(CHECK, TREE.tar(), patch)
    assert (after.output.text, after.green) == ("two\ntwo\nthree\n", True)
