"""Which class a plausible patch gets: only what is known may be called high."""

from __future__ import annotations

import pytest

from workers.domain import Confidence
from workers.fixers.search import judge
from workers.fixers.search.evidence import Pair, Plausible, Screening
from workers.fixers.search.rank import Ranked, joined
from workers.fixers.source import Mutation
from workers.spectrum.evidence import Failure, Trace

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
        (judged("drop term", 1, TWO[:1]), LOW),
        (judged("factor", 1, TWO[:1]), LOW),
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


def test_where_tests_never_ended_nothing_is_high() -> None:
    """A fix that needs longer than the one that was found may have been given up too early."""
    candidate = Ranked(0, 1.0, Mutation("a.py", 1, (), "compare", 1.0, "x became y"), b"x = 1\n")
    hung = {"t.py::a": Failure(type="Hung", message="")}
    trace = Trace(failed=dict.fromkeys(TWO, 0.1), passed={}, exceptions=hung)
    run = Screening(plausible=(), tried=9, stopped="all")
    assert judge.confidence(candidate, Plausible(id=0, fixed=2), 1, trace, run) is MEDIUM


@pytest.mark.parametrize(("alone", "confidence"), [((2, 2), MEDIUM), ((1, 3), LOW), ((2, 1), LOW)])
def test_two_edits_are_as_sure_as_the_one_that_mends_less(alone: tuple[int, int], confidence: Confidence) -> None:
    """And never high, however many tests they mend together."""
    candidate = Ranked(7, 1.0, Mutation("a.py", 1, (), "two edits", 1.0, "x became y"), b"x = 1\n")
    trace = Trace(failed=dict.fromkeys("abcde", 0.1), passed={})
    run = Screening(plausible=(), tried=9, stopped="all", pairs=(Pair(id=7, of=(1, 2), alone=alone),))
    assert judge.confidence(candidate, Plausible(id=7, fixed=5), 1, trace, run) is confidence


def test_a_pair_that_cannot_be_is_none() -> None:
    """The report is untrusted: unknown candidates, places that meet, and ids that are taken. Two files may be."""
    before = b"x = 1\ny = 2\n"

    def one(number: int, path: str, at: int) -> Ranked:
        return Ranked(
            number, 1.0, Mutation(path, at // 6 + 1, ((at, at + 1, "3"),), "number", 1.0, "it became 3"), before
        )

    known = [one(1, "a.py", 4), one(2, "a.py", 10), one(3, "b.py", 10), one(4, "a.py", 4)]
    pairs = [
        Pair(id=n, of=of, alone=(2, 2)) for n, of in ((9, (1, 2)), (8, (1, 3)), (7, (1, 4)), (6, (1, 5)), (2, (1, 2)))
    ]
    made, apart = joined(pairs, known)
    assert (made.id, made.texts) == (9, {"a.py": b"x = 3\ny = 3\n"})
    assert made.mutation.what == "it became 3, and in line 2 it became 3"
    assert (apart.id, apart.texts) == (8, {"a.py": b"x = 3\ny = 2\n", "b.py": b"x = 1\ny = 3\n"})
    assert apart.mutation.what == "it became 3, and in b.py:2 it became 3"
