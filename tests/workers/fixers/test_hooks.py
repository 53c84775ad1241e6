"""What autofix makes of pre-commit: the hooks that changed files run again, and all that they change is the patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event

from sandbox.spec import Ending, Evidence, Limits, Output, Plan, Result, Step, Tree
from tests.workers.fixers.benches import bench
from tests.workers.fixers.trees import MemoryTree
from workers import diagnosis
from workers.domain import Confidence, FailureClass, JobReport
from workers.fixers import Autofix
from workers.ports import Workbench

FILES = {"notes.md": "hi", "shop.py": "x = { 'a':1 }\n"}
FIXED: Mapping[str, bytes | None] = {"notes.md": b"hi\n", "shop.py": b'x = {"a": 1}\n'}
FORMATTED = """\x1b[41mruff format..............................................................Failed\x1b[m
- hook id: ruff-format
- files were modified by this hook

1 file reformatted
"""
SAID = f"""{FORMATTED}
fix end of files.........................................................Failed
- hook id: end-of-file-fixer
- exit code: 1
- files were modified by this hook

Fixing notes.md
"""
LINTED = """
flake8...................................................................Failed
- hook id: flake8
- exit code: 1

shop.py:1:1: F401 'os' imported but unused
"""


def result(text: str, report: str = "") -> Result:
    evidence = Evidence("", "", "", "", "")
    return Result(Ending.FAILED, 1, Output(text), (), report.encode(), 1.0, 0, evidence)


@dataclass
class Recorded:
    """An environment that remembers what ran, and whose files come out repaired."""

    key: str = "k"
    image: str = "python"
    notes: tuple[str, ...] = ()
    ran: list[str] = field(default_factory=list)

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),
        inputs: Mapping[str, bytes] | None = None,
        cancel: Event | None = None,
    ) -> Result:
        self.ran.append(step.script)
        return result("", MemoryTree(FILES).diff(FIXED))

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None: ...


def red(said: str, environment: Recorded) -> Workbench:
    check, before = "pre-commit run -a --show-diff-on-failure", result(said)
    found = diagnosis.read(Plan("python", (), Step("check", check)), before, JobReport("lint"), MemoryTree(FILES))
    return bench(FILES, environment, check, before, found.findings, found.cls, found.tool)


def test_the_hooks_that_changed_files_run_again() -> None:
    """Their changes are the patch, also in files that pre-commit did not name."""
    environment = Recorded()
    work = red(SAID, environment)
    assert (work.diagnosis.tool, work.diagnosis.cls) == ("pre-commit", FailureClass.FORMAT)
    assert Autofix().applies(work.diagnosis)
    candidate = Autofix().propose(work, [])
    assert candidate is not None
    assert "pre-commit run ruff-format -a || true" in environment.ran[0]
    assert "pre-commit run end-of-file-fixer -a || true" in environment.ran[0]
    assert candidate.patch.count("diff --git") == 2
    assert candidate.confidence is Confidence.MEDIUM  # a syntax tree is compared for Python only


def test_a_hook_that_names_no_file_is_enough() -> None:
    """ruff's formatter says how many files it changed, not which."""
    work = red(FORMATTED, Recorded())
    assert Autofix().applies(work.diagnosis)
    assert Autofix().propose(work, []) is not None


def test_hooks_run_again_when_a_tool_inside_another_hook_speaks() -> None:
    """flake8 mends nothing, so what the formatters did is all that can be done without a model."""
    environment = Recorded()
    work = red(FORMATTED + LINTED, environment)
    assert work.diagnosis.tool == "flake8"
    assert Autofix().propose(work, []) is not None
    assert "pre-commit run ruff-format -a || true" in environment.ran[0]


def test_a_hook_that_only_complains_is_not_repeated() -> None:
    """It would say the same again."""
    environment = Recorded()
    assert Autofix().propose(red(LINTED, environment), []) is None
    assert environment.ran == []
