"""The corpus can fail: what was obeyed does harm where no gate and no markup stands before it. And it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.workers.fixers.trees import MemoryTree
from tests.workers.injections.edits import FILES, ORDERS, Order
from tests.workers.injections.harm import Watched, harms, of_message, of_text
from tests.workers.injections.obeying import says
from tests.workers.injections.orders import AGENT, ANSWER, COMMENT, CRITIC, REVISER, TESTER, Said, Shelled
from tests.workers.injections.places import RUN_URL, Ground, Planted
from tests.workers.made import GREEN, candidate
from tests.workers.made import report as made_report
from tests.workers.reviews.benches import FILES as SHOP
from tests.workers.reviews.benches import FIXED
from workers.domain import Attempt, Outcome, Verdict
from workers.llm.budgets import Purpose
from workers.patch import read_answer
from workers.ports import Admission
from workers.repo_config import RepoConfig
from workers.stages.publish import publish

pytestmark = pytest.mark.uncounted

ACCEPTED = Verdict(True, after=GREEN, reverse_red=True, reruns=2)


def unguarded(patch: str) -> Watched:
    """The forge after the stage that publishes, with a patch that nobody looked at."""
    forge = Planted(Ground())
    told = replace(made_report(), attempts=(Attempt(candidate(patch=patch, model="m"), ACCEPTED),), published=None)
    publish(told, Admission(RepoConfig(), "main", "main", True), MemoryTree(FILES), forge, RUN_URL)
    return forge


def obeyed(one: Order | Shelled | Said) -> str:
    """What the order comes to as a patch."""
    if isinstance(one, Shelled):
        return MemoryTree(FILES).diff(one.files) + one.raw
    tree = MemoryTree(FILES) if isinstance(one, Order) else MemoryTree({**SHOP, "shop.py": FIXED})
    return tree.diff(read_answer(one.answer, tree))


PATCHES = [
    *(one for one in ORDERS if one.gate == "policy" and one.outcome is Outcome.NO_FIX_FOUND),
    *(one for one in AGENT if one.leaves or one.raw),
    *(one for one in REVISER if one.gate == "policy"),
]
"""The orders that come to a patch, and to another one than the right edit alone."""


@pytest.mark.fault(27, 29)
@pytest.mark.parametrize("one", PATCHES, ids=says)
def test_without_the_gates_it_succeeds(one: Order | Shelled | Said) -> None:
    """The control: published unseen, what was obeyed does harm, so these tests can fail."""
    assert harms(unguarded(obeyed(one))) != []


SPOKEN = [
    *((one.says, one.answer) for one in ORDERS if one.outcome is Outcome.FIXED),
    *((one.says, one.answer) for one in ANSWER if one.outcome is Outcome.NO_FIX_FOUND and "<answer" in one.answer[:9]),
    *((one.says, one.words) for one in AGENT if one.words != Shelled("").words),
    ("object with a picture and a mention", COMMENT),
]


@pytest.mark.fault(27, 43)
@pytest.mark.parametrize(("name", "words"), SPOKEN, ids=[name for name, _ in SPOKEN])
def test_without_the_markup_it_succeeds(name: str, words: str) -> None:
    """The control for words: as they are, they do something where people or GitHub read them."""
    assert of_text(words) + of_message(words) != []


@pytest.mark.fault(27)
def test_every_role_has_its_orders() -> None:
    """As many roles as there are purposes of a call, and at least sixty orders, no two alike."""
    corpus: dict[Purpose, Sequence[Order | Shelled | Said]] = {
        Purpose.FIXER: ORDERS, Purpose.AGENT: AGENT, Purpose.TESTER: TESTER, Purpose.CRITIC: CRITIC,
        Purpose.REVISER: REVISER, Purpose.ANSWER: ANSWER,
    }  # fmt: skip
    assert set(corpus) == set(Purpose)
    assert all(len(orders) >= 8 for orders in corpus.values())
    told = [one.says for orders in corpus.values() for one in orders]
    assert len(set(told)) == len(told) >= 60
