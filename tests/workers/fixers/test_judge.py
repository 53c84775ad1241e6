"""Which class a plausible patch gets: only what is known may be called high."""

from __future__ import annotations

import pytest

from workers.domain import Confidence
from workers.fixers.search import judge
from workers.fixers.search.evidence import Plausible, Screening
from workers.fixers.search.rank import Ranked
from workers.fixers.source import Mutation
from workers.spectrum.evidence import Trace

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW


def judged(kind: str, fixed: int, failing: tuple[str, ...], groups: int = 1, stopped: str = "all") -> Confidence:
    candidate = Ranked(0, 1.0, Mutation("a.py", 1, (), kind, 1.0, "x became y"), b"x = 1\n")
    trace = Trace(failed=dict.fromkeys(failing, 0.1), passed={})
    return judge.confidence(
        candidate, Plausible(id=0, fixed=fixed), groups, trace, Screening(plausible=(), tried=9, stopped=stopped)
    )


TWO = ("t.py::a", "t.py::b")


@pytest.mark.parametrize(
    ("known", "confidence"),
    [
        (judged("compare", 2, TWO), HIGH),
        (judged("compare", 2, TWO, stopped="grace"), HIGH),
        (judged("compare", 2, TWO, stopped="budget"), MEDIUM),
        (judged("compare", 2, TWO, stopped="the run was cut off"), MEDIUM),
        (judged("compare", 2, TWO, groups=2), MEDIUM),
        (judged("compare", 99, TWO[:1]), MEDIUM),
        (judged("compare", 5, ("t.py",)), MEDIUM),
        (judged("number", 2, TWO), MEDIUM),
        (judged("truth", 1, TWO[:1]), LOW),
        (judged("guard", 2, TWO), MEDIUM),
        (judged("wrap", 2, TWO), MEDIUM),
        (judged("method call", 2, TWO), MEDIUM),
        (judged("wrap", 1, TWO[:1]), MEDIUM),
        (judged("compare", 1, TWO[:1], groups=2), LOW),
        (judged("import", 1, TWO[:1]), HIGH),
        (judged("import", 1, TWO[:1], groups=2), MEDIUM),
    ],
)
def test_high_is_only_what_is_known(known: Confidence, confidence: Confidence) -> None:
    """A forged count, a file that could not be collected, another literal, a value put through something else and a
    search cut short are no proof."""
    assert known is confidence
