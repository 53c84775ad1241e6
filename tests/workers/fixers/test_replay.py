"""The patch of our own pull request, once more on files that have moved on."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import pytest

from tests.workers.fixers.benches import Memory
from tests.workers.fixers.test_llm import CALC, NEW, OLD, TEST, verdict, work
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import GREEN, RED, ScriptedEnvironment, diagnosis, reproduction
from workers.domain import (
    Candidate,
    Change,
    Confidence,
    Experience,
    FailureClass,
    Finding,
    Lesson,
    Moved,
    Since,
    Usage,
)
from workers.fixers.replay import Remembered, Replay
from workers.patch import Executable
from workers.ports import Workbench
from workers.redact import MARK
from workers.repo_config import RepoConfig
from workers.stages.verify import verify

PATCH = MemoryTree({"calc.py": CALC}).diff({"calc.py": CALC.replace(OLD, NEW).encode()})
BEFORE = Candidate("search", PATCH, "`+` became `*`.", Confidence.HIGH, "gpt-5", Usage(10, 20, 0.5), title="multiply")


def on(calc: str) -> Workbench:
    """A bench whose tree has moved on."""
    return replace(work(), tree=MemoryTree({"calc.py": calc, "test_calc.py": TEST}))


@pytest.mark.parametrize(
    "calc",
    [CALC, '"""Areas."""\n\nimport math\n\n\n' + CALC, CALC.replace("def area(a, b):", "def area(a, b):  # sides")],
    ids=["as it was", "further down", "beside a line that changed"],
)
def test_the_patch_finds_its_place(calc: str) -> None:
    """Exactly, or by its content; its words and its class stay, and it costs nothing again."""
    found = Replay(PATCH, BEFORE).propose(on(calc), [])
    assert found is not None
    tree = MemoryTree({"calc.py": calc, "test_calc.py": TEST})
    assert tree.apply(found.patch) == {"calc.py": calc.replace(OLD, NEW).encode()}
    assert (found.fixer, found.reasoning, found.confidence, found.title) == (
        "replay", BEFORE.reasoning, Confidence.HIGH, "multiply"
    )  # fmt: skip
    assert (found.model, found.usage) == ("gpt-5", Usage())


@pytest.mark.parametrize("calc", ["def other():\n    return 1\n", CALC.replace(OLD, NEW)], ids=["gone", "there"])
def test_a_patch_without_a_place_is_no_candidate(calc: str) -> None:
    """The lines are gone, or changed already: the other fixers start from scratch."""
    assert Replay(PATCH, BEFORE).propose(on(calc), []) is None


def test_it_has_one_idea() -> None:
    """What was rejected is not given again. Without the old candidate its class is not known to be high."""
    fixer = Replay(PATCH)
    found = fixer.propose(on(CALC), [])
    assert found is not None
    assert fixer.applies(on(CALC).diagnosis)
    assert found.confidence is Confidence.MEDIUM
    assert fixer.propose(on(CALC), [verdict(found)]) is None


def mended(*accepted: Lesson, rejected: tuple[Lesson, ...] = (), calc: str = CALC) -> Workbench:
    return replace(on(calc), experience=Experience(rejected, accepted))


MERGED = Lesson(9, True, PATCH)


def test_a_failure_that_came_back_is_mended_as_before() -> None:
    """What people merged for it is proposed once, as well known as their word makes it, and costs nothing."""
    bench = mended(MERGED, Lesson(4, True, PATCH), calc="# moved\n" + CALC)
    found = Remembered().propose(bench, [])
    assert found is not None
    assert bench.tree.apply(found.patch) == {"calc.py": ("# moved\n" + CALC).replace(OLD, NEW).encode()}
    assert (found.fixer, found.confidence, found.usage) == ("remembered", Confidence.HIGH, Usage())
    assert "#9" in found.reasoning
    assert Remembered().applies(bench.diagnosis)
    assert Remembered().propose(bench, [verdict(found)]) is None


def test_another_merged_fix_is_tried_after_the_newest() -> None:
    """One that finds no place any more is passed over."""
    other = MemoryTree({"calc.py": CALC}).diff({"calc.py": CALC.replace(OLD, "    return b * a").encode()})
    gone = Lesson(11, True, PATCH.replace("-    ", "-    not there: "))
    bench = mended(gone, MERGED, Lesson(4, True, other))
    first = Remembered().propose(bench, [])
    assert first is not None
    second = Remembered().propose(bench, [verdict(first)])
    assert second is not None
    assert [one.reasoning.split()[0] for one in (first, second)] == ["#9", "#4"]
    assert Remembered().propose(bench, [verdict(first), verdict(second)]) is None


def test_what_people_turned_down_since_is_not_remembered() -> None:
    """And another fix that they turned down makes this one less sure."""
    assert Remembered().propose(mended(MERGED, rejected=(Lesson(12, False, PATCH),)), []) is None
    doubted = Remembered().propose(mended(MERGED, rejected=(Lesson(12, False, "+    other"),)), [])
    assert doubted is not None
    assert doubted.confidence is Confidence.MEDIUM


def test_a_patch_that_lost_a_secret_is_not_the_patch() -> None:
    """What is remembered was redacted: the mark must not get into a file."""
    blanked = Lesson(9, True, PATCH.replace("+    return", f"+    {MARK} return"))
    assert Remembered().propose(mended(blanked), []) is None


UV = '[[package]]\nname = "six"\nversion = "1.16.0"\nsource = { registry = "https://pypi.org/simple" }\n'
SCRIPT = "#!/bin/sh\nexit 0\n"
DENIED = "sh: 1: ./check.sh: Permission denied"
CFG = "[options]\ninstall_requires =\n    six\n"
MOVED = Since((Moved("six", "1.16.0", "1.17.0"),))


@pytest.mark.parametrize(
    ("change", "files", "edits", "moved"),
    [
        (Change.LOCK, {"uv.lock": UV}, {"uv.lock": UV.replace("1.16", "1.17").encode()}, Since()),
        (Change.MODE, {"check.sh": SCRIPT}, {"check.sh": Executable(SCRIPT.encode())}, Since()),
        (Change.BOUND, {"setup.cfg": CFG}, {"setup.cfg": CFG.replace("    six", "    six<1.17.0").encode()}, MOVED),
    ],
)
def test_a_remembered_change_of_another_kind_is_proven_anew(
    change: Change, files: dict[str, str], edits: dict[str, bytes], moved: Since
) -> None:
    """It says what it said before: the verifier takes it where that holds, and not as the plain edit that it is none
    of, nor where it does not hold any more. It is no surer than medium."""
    tree = MemoryTree(files)
    lesson = Lesson(9, True, tree.diff(edits), change=change)
    found = diagnosis(cls=FailureClass.WORKFLOW, tool="shell", findings=(Finding(DENIED),), excerpt=DENIED)
    honest = ScriptedEnvironment(lambda step, patch, n: GREEN if patch else RED)
    known = Experience(accepted=(lesson,))
    bench = Workbench(
        tree, found, reproduction(), honest, RepoConfig(), Memory(), experience=known, since=lambda: moved
    )
    candidate = Remembered().propose(bench, [])
    assert candidate is not None
    assert (candidate.change, candidate.confidence) == (change, Confidence.MEDIUM)
    assert verify(candidate, bench, Event()).accepted
    assert verify(replace(candidate, change=Change.EDIT), bench, Event()).rejected_by == "policy"
    other = replace(bench, tree=MemoryTree({**files, "more.py": ""}), since=Since, diagnosis=diagnosis())
    assert verify(candidate, other, Event()).accepted is (change is Change.LOCK)
