"""What a run's conversation keeps of each call, and what it may cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.model import replies
from tests.model.process import Model
from tests.workers.fixers.benches import Memory
from tests.workers.made import case
from workers.domain import Outcome, Usage
from workers.errors import Stop
from workers.llm.client import Client, Message
from workers.llm.talk import Budget, Reply, Talk
from workers.settings import WorkerSettings
from workers.wiring import with_model

TURNS = [Message("user", "hello")]


def ask(model: Model, once: Memory, spec: str = "openai:gpt-5-mini", ceiling: float = 1.0) -> Reply:
    client = Client(spec, None, model.url, sleep=lambda _: None)
    return Talk(client, Budget(), once, ceiling).reply(TURNS, Usage(), 0, lambda _: TURNS)


def test_every_stored_call_has_its_id_its_end_and_its_usage(model: Model) -> None:
    """Also after a restart, which asks nothing."""
    model.script([replies.truncated("half an answer")])
    once = Memory()
    reply = ask(model, once)
    assert (reply.call.response, reply.call.finish) == ("chatcmpl-test", "length")
    assert reply.usage.output_tokens > 0
    assert ask(model, once) == reply
    assert Reply.of(reply.as_json()) == reply
    assert len(model.requests()) == 1


def test_an_answer_that_is_none_is_paid_for(model: Model) -> None:
    """Its tokens count against the run like any others."""
    model.script([replies.refusal("no")])
    reply = ask(model, Memory())
    assert (reply.text, reply.problem) == ("", "the model refused: no")
    assert reply.usage.cost_usd
    assert not reply.away


def test_a_model_that_cannot_be_asked_is_away(model: Model) -> None:
    """The run goes on; it is not asked again when the run is taken up."""
    model.script([replies.unauthorized()])
    once = Memory()
    assert ask(model, once).away
    assert ask(model, once).away
    assert len(model.requests()) == 1


def test_what_an_earlier_version_kept_is_read() -> None:
    """A run may be taken up by a newer worker."""
    kept = json.dumps(["text", "m", [10, 5, None], "", 1])
    assert Reply.of(kept) == Reply("text", "m", Usage(10, 5, None), "", 1)


@pytest.mark.fault(45)
@pytest.mark.parametrize(
    ("ceiling", "spent", "allowed"), [(1.0, Usage(), True), (0.0, Usage(), False), (1.0, Usage(9, 9, 1.0), False)]
)
def test_an_unknown_price_is_not_nothing(model: Model, ceiling: float, spent: Usage, allowed: bool) -> None:
    """Who allows no money, or has none left, is not asked to trust that it costs none."""
    model.script([replies.text("hi")])
    talk = Talk(Client("openai:unheard-of", None, model.url), Budget(), Memory(), ceiling)
    if allowed:
        assert talk.reply(TURNS, spent, 0, lambda _: TURNS).usage.cost_usd is None
        return
    with pytest.raises(Stop, match="not known") as stop:
        talk.reply(TURNS, spent, 0, lambda _: TURNS)
    assert stop.value.outcome is Outcome.OVER_BUDGET
    assert model.requests() == []


@pytest.mark.parametrize(
    ("ours", "asked", "used"),
    [
        ("openai:gpt-5", "openai:gpt-5-mini", "openai:gpt-5-mini"),
        ("openai:gpt-5", "ollama:x", "openai:gpt-5"),
        ("openai:gpt-5", "replay:/etc/passwd", "openai:gpt-5"),
        ("replay:a.jsonl", "replay:/etc/passwd", "replay:a.jsonl"),
        ("record:a.jsonl:openai:gpt-5", "record:/etc/cron.d/x:openai:gpt-5", "record:a.jsonl:openai:gpt-5"),
    ],
)
def test_a_maintainer_chooses_a_model_and_never_a_file(tmp_path: Path, ours: str, asked: str, used: str) -> None:
    """Another model of the operator's provider; cassettes are files of the operator's machine."""
    settings = WorkerSettings(model=ours, state_dir=tmp_path)
    assert with_model(settings, case(model=asked)).model == used
