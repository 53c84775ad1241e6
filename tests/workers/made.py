"""Small made-up values of the worker's nouns, for tests that need a whole report and care about one field of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Event

import sandbox.spec
from sandbox.spec import Did, Ending, Evidence, Limits, Output, Plan, Result, Session, Step, TestCase, Tree
from workers.domain import (
    Attempt,
    Candidate,
    Case,
    Confidence,
    Diagnosis,
    FailureClass,
    Finding,
    JobReport,
    Outcome,
    Published,
    Report,
    Reproduction,
    RunId,
    Sha,
    Suspect,
    Verdict,
)

SHA = Sha("a" * 40)
TREE = Tree(SHA, b"")
PATCH = """\
diff --git a/calc.py b/calc.py
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
"""
SUSPECTS = (Suspect("calc.py", 2, ("raised here", "executed by the failing test and by no passing one"), 2.0),)
CHECK = Step("Test", "python -m pytest -q")


def result(exit_code: int, passed: int = 0, failed: int = 0, ending: Ending | None = None, output: str = "") -> Result:
    """A result whose tests are named t0, t1, ...: the failed ones first."""
    tests = tuple(
        TestCase(f"tests/test_calc.py::t{n}", "failed" if n < failed else "passed") for n in range(failed + passed)
    )
    ended = ending or (Ending.PASSED if exit_code == 0 else Ending.FAILED)
    evidence = Evidence("sha256:1", "env1", SHA, "", "runc")
    return Result(ended, exit_code, Output(output), tests, b"", 0.5, 1 << 20, evidence)


RED = result(1, passed=3, failed=1, output="E   assert -1 == 3")
GREEN = result(0, passed=4)


def case(**changes: object) -> Case:
    made = Case(RunId("r1"), "octo/shop", 7, 1, SHA, "main", job="test", job_id=5, actions_run_id=4)
    return replace(made, **changes)  # type: ignore[arg-type]


def candidate(**changes: object) -> Candidate:
    made = Candidate("search", PATCH, "`-` became `+` at calc.py:2.", Confidence.HIGH)
    return replace(made, **changes)  # type: ignore[arg-type]


def diagnosis(**changes: object) -> Diagnosis:
    findings = (Finding("assert -1 == 3", "calc.py", 2, "tests/test_calc.py::t0"),)
    made = Diagnosis(FailureClass.TEST, "pytest", "f1", findings, "add(1, 2) gives -1", "E assert", SUSPECTS)
    return replace(made, **changes)  # type: ignore[arg-type]


def reproduction(**changes: object) -> Reproduction:
    made = Reproduction(Plan("python", (), CHECK), RED, 4, 4)
    return replace(made, **changes)  # type: ignore[arg-type]


def report(outcome: Outcome = Outcome.FIXED, detail: str = "", **changes: object) -> Report:
    """The report of a healed run, or with changes of any other."""
    verdict = Verdict(True, after=GREEN, reverse_red=True, reruns=2)
    made = Report(
        case(),
        outcome,
        detail,
        JobReport("test"),
        reproduction(),
        diagnosis(),
        (Attempt(candidate(), verdict),),
        Published(12, "https://github.example/octo/shop/pull/12", "heal/test-1", "b" * 40),
        {"reproduce": 1.5},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class ScriptedEnvironment:
    """An environment whose answers are decided by a function of (step, patch, how often it was asked before)."""

    key = "env1"
    image = "sha256:1"
    notes: tuple[str, ...] = ()

    def __init__(self, answer: Callable[[Step, bytes | None, int], Result]) -> None:
        self._answer = answer
        self.asked: list[tuple[Step, bytes | None]] = []
        self.limits: list[Limits] = []

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),
        inputs: Mapping[str, bytes] | None = None,
        cancel: Event | None = None,
    ) -> Result:
        self.asked.append((step, patch))
        self.limits.append(limits)
        return self._answer(step, patch, len(self.asked) - 1)

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None:
        """Nothing to keep warm."""


class Shell(ScriptedEnvironment):
    """An environment of the check, and a working copy for an agent: whatever its commands are, they leave the files so
    and print that."""

    def __init__(
        self, answer: Callable[[Step, bytes | None, int], Result], leaves: bytes = b"", prints: str = ""
    ) -> None:
        super().__init__(answer)
        self.ran: list[str] = []
        self._leaves, self._prints = leaves, prints

    def session(
        self, step: Step, tree: Tree, patch: bytes = b"", limits: Limits = Limits(), cancel: Event | None = None
    ) -> Session:
        return _Working(self)

    def did(self, script: str) -> Did:
        """What a command did."""
        self.ran.append(script)
        return Did(Ending.PASSED, 0, Output(self._prints), 0.1, self._leaves)


class _Working:
    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def run(self, script: str, seconds: float) -> Did:
        return self._shell.did(script)

    def close(self) -> None:
        """Nothing is held."""


class ScriptedSandbox:
    """A sandbox that has this one environment for every plan."""

    def __init__(self, environment: ScriptedEnvironment) -> None:
        self._environment = environment

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> ScriptedEnvironment:
        return self._environment

    def doctor(self) -> list[sandbox.spec.Finding]:
        return []


class MemoryTree:
    """A source tree of a few files, with git's part played as far as these tests need it."""

    sha = SHA

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files = dict(files or {"calc.py": b"def add(a, b):\n    return a - b\n"})

    def paths(self) -> Sequence[str]:
        return sorted(self._files)

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def tar(self) -> Tree:
        return TREE

    def diff(self, edits: Mapping[str, bytes | None]) -> str:
        return PATCH

    def apply(self, patch: str) -> Mapping[str, bytes | None]:
        return {"calc.py": b"def add(a, b):\n    return a + b\n"}
