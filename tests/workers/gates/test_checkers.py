"""What the gate over the repository's own checkers promises, with outputs as the tools print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from threading import Event

import pytest

from sandbox.spec import Result, Step
from tests.workers.fixers.benches import Memory, bench
from tests.workers.made import RED, ScriptedEnvironment
from workers.domain import FailureClass
from workers.gates.checkers import Checked, checked

SETTINGS = {"ruff.toml": "", "mypy.ini": "[mypy]\nstrict = true\n"}
CALC = "import os\n\n\ndef add(a, b):\n    return a - b\n"
EDITS: dict[str, bytes | None] = {"calc.py": CALC.replace("-", "+").encode()}
UNUSED = "calc.py:1:8: F401 [*] `os` imported but unused\n"
UNTYPED = "calc.py:4: error: Function is missing a type annotation  [no-untyped-def]\n"


def said(**tools: tuple[int, str] | None) -> Result:
    """A run in which the tools print these words with these exit codes."""
    parts = (f"\x1e{name}\n{one[1]}\n\x1e{one[0]}\n" for name, one in tools.items() if one is not None)
    return replace(RED, report="".join(parts).encode())


def seen(
    before: Result,
    after: Result,
    files: Mapping[str, str] = SETTINGS,
    edits: Mapping[str, bytes | None] = EDITS,
    tool: str = "pytest",
    once: Memory | None = None,
) -> tuple[Checked, ScriptedEnvironment]:
    environment = ScriptedEnvironment(lambda step, patch, n: after if patch else before)
    work = bench({"calc.py": CALC, **files}, environment, "pytest -q", RED, (), FailureClass.TEST, tool, once)
    return checked(edits, b"a patch", work, Event()), environment


CLEAN = said(ruff=(0, ""), mypy=(0, "Success: no issues found\n"))


def test_what_was_found_before_is_not_new() -> None:
    """Also where the lines have moved and the message says another number."""
    before = said(ruff=(1, UNUSED + "calc.py:9:121: E501 Line too long (130 > 120)\n"), mypy=(1, UNTYPED))
    after = said(ruff=(1, "calc.py:11:121: E501 Line too long (124 > 120)\n" + UNUSED), mypy=(1, UNTYPED))
    found, _ = seen(before, after)
    assert found == Checked(("ruff", "mypy"))


@pytest.mark.parametrize(
    ("after", "new"),
    [
        (said(ruff=(1, UNUSED), mypy=(0, "")), "ruff: calc.py:1: F401 `os` imported but unused"),
        (said(ruff=(0, ""), mypy=(1, UNTYPED)), "mypy: calc.py:4: no-untyped-def Function is missing a type"),
    ],
)
def test_a_new_finding_is_named(after: Result, new: str) -> None:
    """With its tool, place and rule, so that the next try can mend it."""
    found, _ = seen(CLEAN, after)
    assert len(found.new) == 1
    assert found.new[0].startswith(new)


def test_one_more_of_the_same_is_new() -> None:
    """The old finding is no licence for a second one."""
    twice = UNUSED + UNUSED.replace(":1:8", ":2:8").replace("`os`", "`sys`")
    found, _ = seen(said(ruff=(1, UNUSED), mypy=(0, "")), said(ruff=(1, twice), mypy=(0, "")))
    assert found.new == ("ruff: calc.py:2: F401 `sys` imported but unused",)


def test_the_tool_whose_finding_is_mended_is_left_out() -> None:
    """The failing check judges the patch itself."""
    found, environment = seen(CLEAN, said(mypy=(1, UNTYPED)), tool="ruff")
    assert found.compared == ("mypy",)
    assert all("-m ruff" not in step.script for step, _ in environment.asked)


def test_nothing_is_run_where_nothing_is_configured() -> None:
    """Neither for other files: a tool looks at its own kind only."""
    found, environment = seen(CLEAN, CLEAN, files={})
    assert (found, environment.asked) == (Checked(), [])
    found, environment = seen(CLEAN, CLEAN, edits={"notes.md": b"# Notes\n", "gone.py": None})
    assert (found, environment.asked) == (Checked(), [])


def test_a_tool_that_is_not_there_is_said_and_costs_one_run() -> None:
    """Nothing is installed for it."""
    found, environment = seen(said(), said())
    assert found == Checked(absent=("ruff", "mypy"))
    assert len(environment.asked) == 1


def test_a_tool_that_could_not_look_proves_nothing() -> None:
    """A crash before or after is no finding, and no clean bill either."""
    crashed = said(ruff=(2, "ruff failed\n"), mypy=(1, UNTYPED))
    found, _ = seen(CLEAN, crashed)
    assert (found.compared, found.absent) == (("mypy",), ("ruff",))
    assert all(one.startswith("mypy") for one in found.new)


def test_the_look_without_the_patch_is_paid_for_once() -> None:
    """Once per run and set of files."""
    once = Memory()
    _, first = seen(CLEAN, CLEAN, once=once)
    _, second = seen(CLEAN, CLEAN, once=once)
    assert [patch for _, patch in first.asked] == [None, b"a patch"]
    assert [patch for _, patch in second.asked] == [b"a patch"]


def test_a_new_file_has_nothing_to_be_compared_with() -> None:
    """Every finding in it is new."""
    found, environment = seen(CLEAN, said(ruff=(1, UNUSED.replace("calc", "new"))), edits={"new.py": b"import os\n"})
    assert len(found.new) == 1
    assert len(environment.asked) == 1


def test_settings_beside_the_check_go_first() -> None:
    """A project in a folder is looked at from there; a file elsewhere is none of it."""
    steps: list[Step] = []

    def answer(step: Step, patch: bytes | None, n: int) -> Result:
        steps.append(step)
        return CLEAN

    files = {"back/ruff.toml": "", "back/calc.py": CALC, "mypy.ini": ""}
    work = bench(files, ScriptedEnvironment(answer), "pytest -q", RED)
    plan = work.reproduction.plan
    inside = replace(plan, check=replace(plan.check, workdir="back"))
    work = replace(work, reproduction=replace(work.reproduction, plan=inside))
    checked({"back/calc.py": b"x = 1\n"}, b"a patch", work, Event())
    assert 'cd "$home" && cd back' in steps[0].script
    assert "concise -- calc.py" in steps[0].script
    assert "/dev/null -- back/calc.py" in steps[0].script


@pytest.mark.parametrize("report", [b"", b"\x1e", b"\x1eruff\n\x1e\xff\x1e9999999\n", b"\x1e\x1e\x1e", b"ruff\n\x1e1"])
def test_any_report_can_be_read(report: bytes) -> None:
    """It is written where untrusted code runs."""
    told = replace(RED, report=report)
    found, _ = seen(told, told)
    assert not found.new
