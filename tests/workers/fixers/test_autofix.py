"""What autofix promises, on the real engine: the tool's own change, only where it complained, proven harmless."""

from __future__ import annotations

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Step
from tests.workers.fixers.benches import Memory, bench
from tests.workers.fixers.trees import MemoryTree
from workers.domain import Attempt, Confidence, FailureClass, Verdict
from workers.fixers import Autofix
from workers.ports import Workbench
from workers.tools import ruff

pytestmark = pytest.mark.engine


def red(
    environment: DockerEnvironment, files: dict[str, str], check: str, cls: FailureClass, once: Memory
) -> Workbench:
    before = environment.run(Step("check", check), MemoryTree(files).tar())
    assert not before.green
    findings = ruff.findings(before.output.text, ())
    assert findings, before.output.text
    return bench(files, environment, check, before, findings, cls, "ruff", once)


def test_an_unused_import_is_removed_once(environment: DockerEnvironment) -> None:
    """ruff's safe fix is the patch, high; asked again there is nothing more, and the container ran once."""
    files = {"a.py": "import os\nimport sys\n\nprint(sys.argv)\n", "b.py": "x = 1\n"}
    once = Memory()
    work = red(environment, files, "ruff check .", FailureClass.LINT, once)
    fixer = Autofix()
    assert fixer.applies(work.diagnosis)
    candidate = fixer.propose(work, [])
    assert candidate is not None
    assert candidate.patch.count("diff --git") == 1
    assert "-import os\n" in candidate.patch
    assert candidate.confidence is Confidence.HIGH
    assert "`ruff check --fix" in candidate.reasoning
    assert environment.run(work.reproduction.plan.check, work.tree.tar(), candidate.patch.encode()).green
    assert fixer.propose(work, []) == candidate
    assert once.computed == ["autofix:diff"]
    assert fixer.propose(work, [Attempt(candidate, Verdict(False, "check"))]) is None


def test_formatting_is_proven_to_keep_the_meaning(environment: DockerEnvironment) -> None:
    """The syntax trees are compared on our side."""
    files = {"a.py": "x = { 'a':1 }\n", "good.py": "y = 1\n"}
    work = red(environment, files, "ruff format --check .", FailureClass.FORMAT, Memory())
    candidate = Autofix().propose(work, [])
    assert candidate is not None
    assert candidate.confidence is Confidence.HIGH
    assert "syntax trees are equal" in candidate.reasoning
    assert "good.py" not in candidate.patch


def test_what_the_tool_cannot_mend_is_left_to_others(environment: DockerEnvironment) -> None:
    """An undefined name has no safe fix: no candidate."""
    work = red(environment, {"a.py": "print(undefined_name)\n"}, "ruff check .", FailureClass.LINT, Memory())
    assert Autofix().propose(work, []) is None
