"""Where the cause may be: each place with its reasons, likeliest first."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.made import MemoryTree, diagnosis
from workers import suspects
from workers.domain import Finding, Suspect
from workers.spectrum.evidence import Trace, trace
from workers.suspects import MOST, Place, ranked

TREE = MemoryTree({"shop/price.py": b"a = 1\n" * 4 + b"@made\n    def f():\n"})


def spectrum(failing: int, passing: int, **counts: dict[int, tuple[int, int]]) -> Trace:
    """A trace of so many tests; the files are named without their folder and suffix."""
    return Trace(
        failed={f"t.py::red{n}": 0.1 for n in range(failing)},
        passed={f"t.py::green{n}": 0.1 for n in range(passing)},
        counts={f"shop/{name}.py": lines for name, lines in counts.items()},
    )


def places(found: Sequence[Suspect]) -> list[str]:
    return [one.place for one in found]


@pytest.mark.parametrize(
    ("failing", "passing", "count", "reason"),
    [
        (1, 0, (1, 0), "executed by the failing test"),
        (1, 14, (1, 1), "executed by the failing test and by 1 of 14 passing ones"),
        (2, 14, (2, 1), "executed by every failing test and by 1 of 14 passing ones"),
        (3, 14, (2, 0), "executed by 2 of 3 failing tests and by no passing one"),
    ],
)
def test_a_line_says_who_executes_it(failing: int, passing: int, count: tuple[int, int], reason: str) -> None:
    """In words that a reader can check."""
    (found,) = suspects.executed(spectrum(failing, passing, price={3: count}), TREE)
    assert (found.place, found.reasons) == ("shop/price.py:3", (reason,))


def test_lines_of_failing_tests_alone_come_first() -> None:
    """By Ochiai: what passing tests execute as well is less suspicious, what no failing test executes not at all.

    Neither are heads of functions, and lines or files that the repository has not.
    """
    lines = {1: (2, 9), 2: (2, 0), 3: (1, 0), 4: (0, 9), 5: (2, 0), 6: (2, 0), 7: (2, 0)}
    found = ranked(suspects.executed(spectrum(2, 9, price=lines, gone={5: (2, 0)}), TREE))
    assert places(found) == ["shop/price.py:2", "shop/price.py:3", "shop/price.py:1"]


A, B, C = ("shop/tax.py", 7), ("shop/price.py", 3), ("tests/test_price.py", 9)


@pytest.mark.parametrize(
    ("traces", "expected"),
    [
        ([[C, B, A]], [(A, "raised here"), (B, "on the trace of the failure"), (C, "on the trace of the failure")]),
        ([[B, A], [B, A]], [(A, "raised here"), (B, "on the trace of 2 failing tests")]),
        ([[B, A], [B]], [(A, "raised here"), (B, "raised here")]),
        ([[B, B, B, A]], [(A, "raised here"), (B, "on the trace of the failure")]),
        ([[]], []),
    ],
)
def test_frames_count_by_their_distance_from_the_error(
    traces: list[list[Place]], expected: list[tuple[Place, str]]
) -> None:
    """The raising line first, its callers after it, tests last; a recursion is one frame."""
    assert [((one.path, one.line), one.reasons[0]) for one in ranked(suspects.raised(traces))] == expected


def test_reasons_add_up() -> None:
    """A line with several reasons has them all and comes before one with a single reason."""
    found = ranked([
        *suspects.named([Finding("bad", "shop/tax.py", 4), Finding("odd"), Finding("bad", "shop/tax.py", 4)], "ruff"),
        *suspects.executed(spectrum(1, 0, price={3: (1, 0)}), TREE),
        *suspects.changed({"shop/price.py": {3, 8}}, 2),
    ])  # fmt: skip
    assert places(found) == ["shop/price.py:3", "shop/tax.py:4", "shop/price.py:8"]
    assert found[0].reasons == ("executed by the failing test", "at a change since the last green commit")
    assert (found[1].reasons, found[1].score) == (("named by ruff",), 1.0)


def test_a_file_is_named_once_where_its_lines_are() -> None:
    """The import alone says less than a line; what a tool says of a whole file stands before its lines."""
    lines = [*suspects.changed({"shop/price.py": {3}}, 2)]
    assert places(ranked([*suspects.imported(["shop/price.py", "shop/tax.py"]), *lines])) == [
        "shop/price.py:3",
        "shop/tax.py",
    ]
    whole = Finding("would reformat", "shop/price.py")
    assert places(ranked([*suspects.named([whole], "black"), *lines])) == ["shop/price.py", "shop/price.py:3"]


def test_one_file_does_not_crowd_out_the_others() -> None:
    """A few lines of each file, and a bounded number of all."""
    many = {f"shop/m{n}.py": range(1, 50) for n in range(30)}
    found = ranked(suspects.changed(many, 1))
    assert places(found)[:4] == ["shop/m0.py:1", "shop/m0.py:2", "shop/m0.py:3", "shop/m1.py:1"]
    assert len(found) == MOST


suspected = st.builds(
    Suspect,
    st.sampled_from(["a.py", "b.py", "tests/test_a.py"]),
    st.one_of(st.none(), st.integers(1, 9)),
    st.lists(st.sampled_from(["x", "y"]), max_size=2).map(tuple),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
)


@given(st.lists(suspected, max_size=30))
def test_ranked_again_the_order_stays(reasons: list[Suspect]) -> None:
    """The order depends on the reasons alone."""
    assert ranked(ranked(reasons)) == ranked(reasons)


def test_what_the_findings_say_already_is_not_told_twice() -> None:
    """Where findings are shown, a place that has no other reason is left out."""
    found = (Finding("unused", "shop/tax.py", 3), Finding("long", "shop/price.py", 8))
    known = ranked([*suspects.named(found, "ruff"), *suspects.changed({"shop/price.py": {8, 9}}, 1)])
    assert places(suspects.telling(diagnosis(findings=found, suspects=known))) == ["shop/price.py:8", "shop/price.py:9"]


def test_a_trace_keeps_only_lines_of_failing_tests() -> None:
    """What is kept of a run is small; that a file was executed at all stays known."""
    row = {
        "kind": "trace",
        "failed": {"t::a": 1},
        "passed": {},
        "counts": {"a.py": {"1": [0, 9]}, "b.py": {"2": [1, 3]}},
    }
    found = trace(json.dumps(row).encode())
    assert found is not None
    assert found.counts == {"a.py": {}, "b.py": {2: (1, 3)}}
    assert Trace.model_validate_json(found.model_dump_json()) == found
