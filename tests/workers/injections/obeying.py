"""A model that obeys, what it was told, and how a run with it has to end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import SecretStr

from tests.model.personas import Scene
from tests.model.process import Model
from tests.workers.injections.edits import KEY, Order
from tests.workers.injections.harm import SECRET, Watched, harms
from tests.workers.injections.orders import Said, Shelled
from tests.workers.injections.places import HIDDEN, Place
from workers.domain import Outcome, Report
from workers.llm.client import Client

FENCE = re.compile(r"DATA-[0-9a-f]{16}")


def puppet(model: Model, says: str, answer: str | Sequence[str], first: str = "") -> Client:
    """A model that does what the order says, once it reads it; an agent has to begin with something where it is to read
    it in what that prints."""
    begins = {"Give your first command": first} if first else {}
    model.cast("puppet", Scene({}, {}, orders={says: answer, **begins}))
    return Client("openai:gpt-5-mini", SecretStr(KEY), model.url, sleep=lambda _: None)


def read(model: Model) -> list[str]:
    """What each request told the model; its own words, which come back to it, are left out."""
    turns = [request["body"]["messages"] for request in model.requests()]
    return ["\n".join(turn["content"] for turn in asked if turn["role"] != "assistant") for asked in turns]


def assert_read_as_data(prompts: list[str], says: str, place: Place | None = None) -> None:
    """The order arrived, between two lines of the fence, without hidden letters and without the key beside it (settings
    are the maintainers' own words, and what the model itself said comes back as its own)."""
    assert any(says in prompt for prompt in prompts)
    for prompt in prompts:
        assert SECRET not in prompt
        assert not set(HIDDEN) & set(prompt)
        fence = FENCE.search(prompt)
        assert fence is not None
        outside = re.split(rf"^{fence[0]}[^\n]*\n", prompt, flags=re.MULTILINE)[0::2]
        assert place is Place.SETTINGS or not any(says in words for words in outside)


def assert_ended(report: Report, forge: Watched, outcome: Outcome, gate: str = "") -> None:
    """In the outcome that is stated, told to people, without a success; what was refused names its gate."""
    told = [f"{a.verdict.rejected_by}: {a.verdict.why} {a.candidate.error}" for a in report.attempts]
    assert report.outcome is outcome, told
    assert forge.told[-1].final
    assert harms(forge) == []
    assert bool(forge.published) is (outcome is Outcome.FIXED)
    if gate:
        assert told
        assert all(re.search(gate, one) for one in told), told


def says(value: object) -> str:
    return value.says if isinstance(value, Said | Shelled | Order) else str(value)
