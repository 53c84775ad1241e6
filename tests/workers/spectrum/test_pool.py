"""What the pool of children promises: every candidate gets its turn, whatever the ones before it did to their child."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from workers.spectrum.sandboxed.pool import Pool

Row = dict[str, Any]
Tell = Callable[[Row], None]

PLAN: dict[str, Any] = {
    "procs": 2, "failing": ["t::red"], "passing": ["t::green"], "budget_s": 30.0, "full_s": 1.0, "grace_s": 9.0,
    "grace_n": 99, "uncollected": [],
}  # fmt: skip
RIGHT = 5


def drained(one: Callable[[Row], bool], count: int = 8, after: Callable[[Tell], None] = lambda _: None) -> list[Row]:
    """What the pool says of some candidates, of which `one` is tried after the other in batches of four."""
    said: list[Row] = []

    def quick(work: list[Row], tell: Tell) -> None:
        for candidate in work:
            tell({"id": candidate["id"], "green": one(candidate)})
        if len(work) > 1:
            after(tell)

    def full(work: list[Row], tell: Tell) -> None:
        tell({"failed": {}, "passed": {"t::red": 0.1, "t::green": 0.1}})

    pool = Pool(PLAN, quick, full, said.append)
    pool.batch, pool.silent = 4, (0.2, 0.6)
    pool.waiting.extend({"id": number} for number in range(count))
    while pool.busy and not pool.over:
        pool.step()
    said.append({"stopped": pool.stopped(), "tried": pool.tried})
    return said


def test_what_passes_is_tried_on_everything_and_told() -> None:
    """The failing test is fixed and the passing one still passes."""
    said = drained(lambda row: bool(row["id"] == RIGHT))
    assert {"kind": "plausible", "id": RIGHT, "fixed": 1, "untrue": 0} in said


@pytest.mark.parametrize("spoil", [lambda: os._exit(1), signal.pause, lambda: os.kill(os.getpid(), signal.SIGKILL)])
def test_a_candidate_that_takes_its_child_along_costs_only_itself(spoil: Callable[[], None]) -> None:
    """It dies, hangs or crashes; those behind it in the batch are tried all the same."""

    def one(row: Row) -> bool:
        if row["id"] == RIGHT - 1:
            spoil()
        return bool(row["id"] == RIGHT)

    assert [row["id"] for row in drained(one) if row.get("kind") == "plausible"] == [RIGHT]


def test_after_a_spoiled_batch_each_has_a_child_of_its_own() -> None:
    """A candidate that another one made fail is right when it is alone."""
    state = {"spoiled": False}

    def one(row: Row) -> bool:
        spoiled, state["spoiled"] = state["spoiled"], True
        return bool(row["id"] == RIGHT and not spoiled)

    found = drained(one, after=lambda tell: tell({"dirty": True}))
    assert [row["id"] for row in found if row.get("kind") == "plausible"] == [RIGHT]
    assert found[-1] == {"stopped": "all", "tried": 8}


def test_what_took_too_long_on_all_tests_has_one_more_turn_there() -> None:
    """After the first turn of all others: the machine may have been busy."""
    said: list[Row] = []

    def quick(work: list[Row], tell: Tell) -> None:
        for candidate in work:
            tell({"id": candidate["id"], "green": candidate["id"] < 3})

    def full(work: list[Row], tell: Tell) -> None:
        slow = work[0]["id"] == 2 or not work[0].get("turn")
        failed = {"t::red": 9.0} if slow else {}
        tell({"failed": failed, "passed": {"t::green": 0.1, **({} if slow else {"t::red": 0.1})}, "hung": slow})

    pool = Pool({**PLAN, "procs": 1}, quick, full, said.append)
    pool.waiting.extend({"id": number} for number in range(1, 5))
    while pool.busy and not pool.over:
        pool.step(again=False)
    assert [(row["kind"], row["id"]) for row in said] == [("plausible", 1), ("regression", 2)]
    assert pool.tried == 4


def test_one_that_needs_a_fresh_import_is_handed_on() -> None:
    """It is told and not counted as tried."""
    said: list[Row] = []

    def quick(work: list[Row], tell: Tell) -> None:
        tell({"id": work[0]["id"], "cold": True, "green": False})

    pool = Pool(PLAN, quick, quick, said.append)
    pool.waiting.append({"id": 1})
    while pool.busy:
        pool.step()
    assert said == [{"kind": "cold", "id": 1}]
    assert pool.tried == 0
