"""The patch of our own pull request, once more on files that have moved on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.fixers.test_llm import CALC, NEW, OLD, TEST, verdict, work
from tests.workers.fixers.trees import MemoryTree
from workers.domain import Candidate, Confidence, Usage
from workers.fixers.replay import Replay
from workers.ports import Workbench

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
