"""What CI points at without a log: compared with the sandbox's failure, and the last resort of a diagnosis."""

from __future__ import annotations

import pytest

from sandbox.spec import Ending, Evidence, Output, Plan, Result, Step
from tests.workers.recipe.trees import MemoryTree
from workers import diagnosis, logs
from workers.domain import Finding, JobReport, Suspect

UNUSED = Finding("`os` imported but unused", "shop/tax.py", 3)
RUFF = "shop/tax.py:3:8: F401 [*] `os` imported but unused\nFound 1 error.\n"


def result(text: str) -> Result:
    return Result(Ending.FAILED, 1, Output(text), (), b"", 1.0, 0, Evidence("", "", "", "", ""))


@pytest.mark.parametrize(
    ("output", "annotations", "same"),
    [
        (RUFF, (), True),
        (RUFF, (UNUSED,), True),
        (RUFF, (Finding("something else, in its own words", "shop/tax.py", 9),), True),
        (RUFF, (Finding("unused", "shop/other.py", 3),), False),
        (RUFF, (Finding("The runner was lost"),), True),
        ("src/a.c: no rule to make it\n", (UNUSED,), True),
        ("make: *** [test] Error 12\nanother\n", (Finding("make: *** [test] Error 2", "Makefile"),), True),
    ],
)
def test_annotations_are_compared_where_there_is_no_log(
    output: str, annotations: tuple[Finding, ...], same: bool
) -> None:
    """The same words, or a file that both name; what cannot be compared is no evidence against it."""
    found = diagnosis.same_failure("make lint", result(output), JobReport("test", annotations=annotations))
    assert found.same is same
    assert same or annotations[0].message in found.ci


def test_annotations_are_findings_of_last_resort() -> None:
    """Where no tool is recognised, what CI points at is what is wrong: with its place, where that is in the tree."""
    job = JobReport("test", annotations=(Finding("odd", "shop/tax.py", 3), Finding("strange", "gone.py", 9)))
    tree = MemoryTree({"shop/tax.py": ""})
    found = diagnosis.read(Plan("python", (), Step("check", "make lint")), result("it failed\n"), job, tree)
    assert found.findings == (Finding("odd", "shop/tax.py", 3), Finding("strange"))
    assert found.suspects == (Suspect("shop/tax.py", 3, ("named by CI",), 1.0),)


def test_trouble_of_the_machine_is_seen_in_an_annotation() -> None:
    """A runner that was lost uploads no log; beside a log with a failing step, annotations prove nothing."""
    lost = Finding("The hosted runner lost communication with the server.")
    assert diagnosis.outage(JobReport("test", annotations=(lost,))) == lost.message
    red = logs.parse("##[group]Run x\n\x1b[36;1mx\x1b[0m\n##[endgroup]\n##[error]Process completed with exit code 1.\n")
    assert diagnosis.outage(JobReport("test", red, annotations=(lost,))) is None
