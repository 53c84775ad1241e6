"""Which of several plausible candidates is shown and what is said of the others; the screening is a kept report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from sandbox.spec import Result
from tests.workers.fixers.benches import Memory, bench
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import result
from workers.domain import Attempt, Candidate, Confidence, FailureClass, Finding, Verdict
from workers.fixers.search import Search
from workers.fixers.search.rank import Ranked, ranked
from workers.ports import Workbench
from workers.spectrum import Looked
from workers.spectrum.evidence import Trace

CODE = "def price(total):\n    if total > 50:\n        return 0\n    return total\n"
TESTS = "from shop import price\n\n\ndef test_a():\n    assert price(50) == 0\n"
TREE = {"shop.py": CODE, "tests/test_shop.py": TESTS}
FAILED = {"tests/test_shop.py::test_a": 0.1, "tests/test_shop.py::test_b": 0.1}
TRACE = Trace(
    failed=FAILED,
    passed={"tests/test_shop.py::test_c": 0.1},
    counts={"shop.py": {2: (2, 0), 3: (1, 1), 4: (2, 1)}},
    types={"shop.py": {"price:1": {"total": ("int",)}}},
)
BORDER, WIDER, SMALLER = "`>` became `>=`", "`>` became `<`", "`50` became `49`"


class Kept:
    """An environment whose screening was done before."""

    key, image = "kept", "python"
    notes: tuple[str, ...] = ()

    def __init__(self, rows: list[Mapping[str, object]]) -> None:
        self.report = "\n".join(map(json.dumps, rows)).encode()

    def run(self, *_given: object, **_named: object) -> Result:
        return replace(result(0), report=self.report)

    def warm(self, *_given: object, **_named: object) -> None:
        """Nothing waits."""


def known() -> dict[str, Ranked]:
    found: dict[str, Ranked] = {}
    for candidate in ranked(MemoryTree(TREE), TRACE, 6000):
        found.setdefault(candidate.mutation.what, candidate)
    return found


def work(groups: Mapping[str, int | None], untrue: Mapping[str, int] | None = None) -> Workbench:
    """A bench on which these candidates are plausible, in these clusters."""
    every = known()
    rows: list[Mapping[str, object]] = [
        {"kind": "plausible", "id": every[what].id, "fixed": 2, "untrue": (untrue or {}).get(what, 0)}
        for what in groups
    ]
    rows += [
        {"kind": "cluster", "id": every[what].id, "group": group, "inputs": 90}
        for what, group in groups.items()
        if group is not None
    ]
    rows.append({"kind": "done", "tried": 300, "stopped": "all"})
    once = Memory()
    once.values["trace"] = Looked(TRACE)
    finding = Finding("it fails", "tests/test_shop.py", 5, "tests/test_shop.py::test_a", "it fails")
    return bench(TREE, Kept(rows), "pytest", result(1), (finding,), FailureClass.TEST, once=once)


def shown(bench: Workbench) -> list[Candidate]:
    """All that is proposed, one after the other."""
    found: list[Candidate] = []
    while (candidate := Search().propose(bench, [Attempt(c, Verdict(accepted=False)) for c in found])) is not None:
        found.append(candidate)
    return found


def test_those_that_behave_alike_are_one() -> None:
    """One is shown, it may be high, and the others are told of."""
    only = shown(work({BORDER: 0, SMALLER: 0}))
    assert [c.confidence for c in only] == [Confidence.HIGH]
    assert "0 of 1 plausible alternatives disagree on 90 inputs" in only[0].reasoning
    assert only[0].alternatives == 0


def test_disagreement_lowers_the_class_and_is_told() -> None:
    """The other behaviour comes second; neither is high."""
    both = shown(work({BORDER: 0, WIDER: 1}))
    assert [c.title.split(" in ")[0] for c in both] == ["change `>` to `>=`", "change `>` to `<`"]
    assert {c.confidence for c in both} == {Confidence.MEDIUM}
    assert "1 of 1 plausible alternatives disagree on 90 inputs" in both[0].reasoning


def test_what_was_not_compared_agrees_with_nothing() -> None:
    """A candidate without an answer is a behaviour of its own."""
    assert {c.confidence for c in shown(work({BORDER: 0, WIDER: None}))} == {Confidence.MEDIUM}


def test_examples_in_the_code_go_before_the_score() -> None:
    """A candidate that leaves an example untrue comes last and is only told."""
    both = shown(work({BORDER: 0, WIDER: 1}, {BORDER: 1}))
    assert [c.title.split(" in ")[0] for c in both] == ["change `>` to `<`", "change `>` to `>=`"]
    assert both[1].confidence is Confidence.LOW
