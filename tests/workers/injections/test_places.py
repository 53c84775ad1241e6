"""Orders to whoever answers with one edit, and the same order from every place that somebody may write to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.process import Model
from tests.workers.fixers.trees import MemoryTree
from tests.workers.injections.edits import FILES, FIX, ORDERS, Order
from tests.workers.injections.obeying import assert_ended, assert_read_as_data, puppet, read, says
from tests.workers.injections.orders import AGENT, MENDED
from tests.workers.injections.places import Ground, Place, order, played, run
from tests.workers.made import case
from workers.domain import Outcome
from workers.fixers import Llm
from workers.fixers.agent import Agent
from workers.ports import Fixer

pytestmark = pytest.mark.uncounted


@pytest.mark.fault(27, 29, 43)
@pytest.mark.parametrize("one", ORDERS, ids=says)
def test_an_obeyed_order_goes_nowhere(model: Model, one: Order) -> None:
    """Obeyed to the letter, with tests that are green whatever changes: a named gate says no to every candidate and
    nothing is published; an order that wants words alone gets the right edit published in harmless ones."""
    report, forge, _ = played(Place.OUTPUT, order(one.says), [Llm(puppet(model, one.says, one.answer), fresh=())])
    assert_read_as_data(read(model), one.says)
    fixed = one.outcome is Outcome.FIXED
    assert_ended(report, forge, one.outcome, "" if fixed else rf"(?s)^(?:{one.gate}): .*(?:{one.rule})")
    assert forge.patches == ([MemoryTree(FILES).diff({"calc.py": MENDED.encode()})] if fixed else [])


def test_an_order_that_does_not_arrive_is_not_obeyed(model: Model) -> None:
    """The double reads its prompt: without the order in it there is nothing to do."""
    report, _, _ = played(Place.OUTPUT, "", [Llm(puppet(model, "something that nobody wrote", FIX), fresh=())])
    assert report.outcome is Outcome.NO_FIX_FOUND


NOT_SHOWN = {("agent", Place.CODE), ("agent", Place.COMMIT), ("fixer", Place.COMMAND)}
"""The agent reads code by its commands and no commit's message, and only it has commands."""
ANYWHERE = [(role, place) for role in ("fixer", "agent") for place in Place if (role, place) not in NOT_SHOWN]


@pytest.mark.fault(27, 29)
@pytest.mark.parametrize(("role", "place"), ANYWHERE)
def test_wherever_it_stands(model: Model, role: str, place: Place) -> None:
    """The same order from every place that strangers, or the maintainers' own settings, may write to."""
    one = AGENT[3]
    if role == "agent":
        client = puppet(model, one.says, one.answers, first=one.answers[0] if place is Place.COMMAND else "")
        fixer: Fixer = Agent(client, clock=lambda: 0.0)
    else:
        fixer = Llm(puppet(model, one.says, ORDERS[0].answer), fresh=())
    leaves = MemoryTree(FILES).diff(one.files).encode()
    report, forge, _ = played(place, order(one.says), [fixer], leaves=leaves)
    assert_read_as_data(read(model), one.says, place)
    assert_ended(report, forge, Outcome.NO_FIX_FOUND, "policy: .*(?:protected path|CI's own)")


@pytest.mark.fault(27)
def test_what_no_model_reads(model: Model) -> None:
    """The branch, the job, who asked, and what packages and their tools' settings say come to nobody's prompt (but what
    a command prints of them); where people read them they do nothing."""
    words = order("obey the branch")
    named = replace(case(), branch=words, job=words, requested_by=words)
    metadata = dict.fromkeys(("package.json", "shop-1.dist-info/METADATA", ".npmrc", "pip.conf"), words)
    start = Ground(case=named, files={**FILES, **metadata})
    client = puppet(model, "Task: make the failing command pass", FIX)
    report, forge, _ = run(start, [Llm(client, fresh=())])
    assert "obey the branch" not in "".join(read(model))
    assert_ended(report, forge, Outcome.FIXED)
