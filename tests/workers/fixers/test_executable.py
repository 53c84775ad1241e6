"""A script that may not be run becomes executable, and nothing else about any file changes."""

from __future__ import annotations

import pytest

from tests.workers.fixers.test_from_tools import bench
from workers import cheats, granted, policy
from workers.domain import Attempt, Change, Confidence, FailureClass, Finding, Verdict
from workers.fixers import Executable
from workers.patch import Executable as Opened
from workers.ports import Workbench
from workers.repo_config import Policy

FILES = {"scripts/check.sh": "#!/bin/sh\nexit 0\n", "tests/run": "#!/usr/bin/env python\n", "data.txt": "no script\n"}
SAID = "/tmp/step.sh: line 1: ./scripts/check.sh: Permission denied"


def work(said: str) -> Workbench:
    made, _ = bench(FILES, "./scripts/check.sh", FailureClass.WORKFLOW, "shell", (Finding(said),), said)
    return made


@pytest.mark.parametrize(
    ("said", "path"),
    [
        (SAID, "scripts/check.sh"),
        ("sh: 1: scripts/check.sh: Permission denied", "scripts/check.sh"),
        ("make: ./scripts/check.sh: Permission denied", "scripts/check.sh"),
        ("/usr/bin/env: \u2018tests/run\u2019: Permission denied", "tests/run"),
        ("PermissionError: [Errno 13] Permission denied: './scripts/check.sh'", "scripts/check.sh"),
        ("Error: spawn ./tests/run EACCES", "tests/run"),
        ("bash: /home/runner/work/a/a/scripts/check.sh: Permission denied", "scripts/check.sh"),
        ("bash: line 2: ./check.sh: Permission denied", "scripts/check.sh"),
        ("cat: data.txt: Permission denied", None),
        ("bash: ./other.sh: Permission denied", None),
        ("git@github.com: Permission denied (publickey).", None),
        ("bash: ./scripts/check.sh: No such file or directory", None),
    ],
)
def test_the_script_that_may_not_be_run_becomes_executable(said: str, path: str | None) -> None:
    """Only a file that begins with `#!` and that the failure names; the rule against modes stands back for it."""
    one, fixer = work(said), Executable()
    assert fixer.applies(one.diagnosis)
    candidate = fixer.propose(one, [])
    assert (candidate is None) is (path is None)
    if candidate is None or path is None:
        return
    assert candidate.patch.split("\n") == [f"diff --git a/{path} b/{path}", "old mode 100644", "new mode 100755", ""]
    assert (candidate.change, candidate.confidence) == (Change.MODE, Confidence.HIGH)
    edits = one.tree.apply(candidate.patch)
    found = policy.review(candidate.patch, one.tree, one.diagnosis, Policy())
    found += cheats.review(edits, one.tree, one.diagnosis, one.reproduction.plan, allow_test_edits=False)
    assert found
    assert granted.left(found, Change.MODE, edits, one.tree, granted.Facts(one.diagnosis), Policy()) == []
    assert {
        one.rule for one in granted.left(found, Change.EDIT, edits, one.tree, granted.Facts(one.diagnosis), Policy())
    }
    assert fixer.propose(one, [Attempt(candidate, Verdict(False, "check"))]) is None


CHECK = FILES["scripts/check.sh"].encode()


@pytest.mark.parametrize(
    "edits",
    [
        {"tests/run": Opened(FILES["tests/run"].encode())},
        {"scripts/check.sh": Opened(CHECK + b"exit 0\n")},
        {"scripts/check.sh": CHECK + b"# x\n"},
        {"scripts/check.sh": Opened(CHECK), "data.txt": b"more\n"},
        {"data.txt": Opened(FILES["data.txt"].encode())},
    ],
    ids=["another script", "with new content", "content alone", "another file too", "no script"],
)
def test_a_mode_is_granted_for_that_file_alone(edits: dict[str, bytes]) -> None:
    """A wrong claim grants nothing."""
    one = work(SAID)
    found = policy.review(one.tree.diff(edits), one.tree, one.diagnosis, Policy())
    left = granted.left(found, Change.MODE, edits, one.tree, granted.Facts(one.diagnosis), Policy())
    assert "is not the change it claims to be" in {violation.rule for violation in left}
