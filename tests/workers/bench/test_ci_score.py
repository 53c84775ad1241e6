"""What the suite's figures count, on made-up rows: which tier and which end is right, and what a wrong patch is."""

from __future__ import annotations

import json

import pytest

from tests.workers.bench.test_ci_corpus import CASES, CaseTree
from workers.bench.ci import suite
from workers.bench.ci.judge import broken
from workers.bench.ci.red import Tier
from workers.bench.row import Row
from workers.domain import FailureClass, Outcome


def row(tier: Tier, ends: str, *rights: Outcome, by: str = "", correct: bool | None = None, failure: str = "") -> Row:
    expect = {"tier": tier.value, "outcomes": json.dumps(rights), "trap": ""}
    return Row(case="one", outcome=ends, tier=by, correct=correct, failure=failure, expect=expect)


@pytest.mark.parametrize(
    ("made", "reached", "tier", "outcome"),
    [
        (row(Tier.STATIC, "FIXED", Outcome.FIXED, by="static", correct=True), Tier.STATIC, True, True),
        (row(Tier.STATIC, "FIXED", Outcome.FIXED, by="search", correct=True), Tier.SEARCH, False, True),
        (row(Tier.SEARCH, "FIXED", Outcome.FIXED, by="static", correct=True), Tier.STATIC, True, True),
        (row(Tier.SEARCH, "FIXED", Outcome.FIXED, by="static", correct=False), Tier.STATIC, False, False),
        (row(Tier.MODEL, "FIXED", Outcome.NO_FIX_FOUND, by="llm", correct=True), Tier.MODEL, True, True),
        (row(Tier.MODEL, "FIXED", Outcome.NO_FIX_FOUND, by="search", correct=True), Tier.SEARCH, True, True),
        (row(Tier.MODEL, "NO_FIX_FOUND", Outcome.NO_FIX_FOUND, failure="type"), Tier.MODEL, True, True),
        (row(Tier.NONE, "NO_FIX_FOUND", Outcome.NO_FIX_FOUND, failure="missing_secret"), Tier.NONE, True, True),
        (row(Tier.NONE, "NO_FIX_FOUND", Outcome.FLAKY, failure="test_failure"), Tier.MODEL, False, False),
        (row(Tier.NONE, "FLAKY", Outcome.FLAKY, failure="flaky"), Tier.NONE, True, True),
        (row(Tier.SEARCH, "FLAKY", Outcome.FIXED, failure="flaky"), Tier.NONE, False, False),
    ],
)
def test_tier_and_outcome(made: Row, reached: Tier, tier: bool, outcome: bool) -> None:
    """A cheaper tier with a right patch is as good; an end is right when it is expected, or its patch is right."""
    assert suite.reached(made) is reached
    assert suite.right_tier(made) is tier
    assert suite.right_outcome(made) is outcome


def test_a_published_patch_that_nobody_calls_right_is_wrong() -> None:
    """Also the one that could not be judged: of these there must be none."""
    rows = [
        row(Tier.STATIC, "FIXED", Outcome.FIXED, by="static", correct=True),
        row(Tier.STATIC, "FIXED", Outcome.FIXED, by="static", correct=None),
        row(Tier.MODEL, "FIXED", Outcome.NO_FIX_FOUND, by="search", correct=False),
        row(Tier.MODEL, "NO_FIX_FOUND", Outcome.NO_FIX_FOUND, correct=False, failure=FailureClass.TEST),
    ]
    counted = {label: (share.hits, share.cases) for label, share in suite.shares(rows)}
    wanted = {"wrong patches published": (2, 4), "mended without a key, of those that can be": (1, 2)}
    assert {label: counted[label] for label in wanted} == wanted


@pytest.mark.parametrize(
    ("case_id", "path", "text", "why"),
    [
        ("name-typo", "test_mean.py", b"", "it touches test_mean.py"),
        ("format-black", "shelf/stock.py", b"x = 1\n", "its files are not the gold's"),
        ("lint-ruff-mutable-default", "basket.py", b"def add(a, basket=[]):  # noqa\n", "it adds what must not be"),
        ("dependency-missing", "requirements-dev.txt", b"pytest==8.4.2\nyaml\n", "it adds something else"),
        ("trap-test-is-wrong", "tax.py", b"RATE = 20\n", "no patch is right here"),
    ],
)
def test_the_judge_refuses_what_the_case_rules_out(case_id: str, path: str, text: bytes, why: str) -> None:
    """A patch outside the allowed files, with a forbidden line, of another text than the gold's, or where none is
    right."""
    case = next(one for one in CASES if one.id == case_id)

    class Edited(CaseTree):
        def apply(self, patch: str) -> dict[str, bytes | None]:
            return {path: text} if patch == "theirs" else dict(super().apply(patch))

    assert broken(case, "theirs", Edited(case)).startswith(why)
