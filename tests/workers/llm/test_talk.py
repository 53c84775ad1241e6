"""What a run's conversation keeps of each call, and what it may cost."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

import workers
from tests.model import replies
from tests.model.process import Model
from tests.workers.fixers.benches import Memory
from tests.workers.made import case
from workers.domain import Outcome, Usage
from workers.errors import Retryable, Stop
from workers.llm.budgets import Limit, Purpose, Span, Unit
from workers.llm.client import Client, Message
from workers.llm.purse import Asked, MemoryPurse, Paid
from workers.llm.talk import Budget, Reply, Talk
from workers.settings import WorkerSettings
from workers.wiring import with_model

TURNS = [Message("user", "hello")]


def ask(model: Model, once: Memory, spec: str = "openai:gpt-5-mini", ceiling: float = 1.0) -> Reply:
    client = Client(spec, None, model.url, sleep=lambda _: None)
    return Talk(client, Budget(), once, ceiling).reply(TURNS, Usage(), 0, lambda _: TURNS)


class Book(MemoryPurse):
    """A purse that shows what was done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[tuple[str, str]] = []
        self.keys: set[str] = set()
        self.paid: list[Paid] = []

    def reserve(self, key: str, asked: Asked) -> None:
        super().reserve(key, asked)
        self.entries.append(("reserved", asked.purpose.value))
        self.keys.add(key)

    def settle(self, key: str, paid: Paid) -> None:
        super().settle(key, paid)
        self.entries.append(("settled", paid.error))
        self.keys.add(key)
        self.paid.append(paid)


def talk_with(model: Model, once: Memory, book: Book, spec: str = "openai:gpt-5-mini") -> Talk:
    client = Client(spec, None, model.url, sleep=lambda _: None, purse=book, total_s=0.0)
    return Talk(client, Budget(), once, 1.0, purpose=Purpose.CRITIC)


def test_a_call_is_reserved_before_it_is_sent_and_settled_with_its_answer(model: Model) -> None:
    """Under one name for all of it."""
    model.script([replies.text("hi")])
    book = Book()
    talk_with(model, Memory(), book).reply(TURNS, Usage(), 0, lambda _: TURNS)
    assert book.entries == [("reserved", "critic"), ("settled", "")]
    assert len(book.keys) == 1
    assert book.paid[0].usage is not None
    assert (book.paid[0].usage.cost_usd or 0) > 0
    assert book.paid[0].seconds is not None


def test_what_a_model_is_told_is_kept_before_it_is_asked(model: Model) -> None:
    """Without secrets, and of a longer conversation only what is new since the model spoke."""
    model.script([replies.text("hi"), replies.html(), replies.text("again")])
    once, book = Memory(), Book()
    talk = talk_with(model, once, book)
    key = "ghp_" + "a1" * 18
    talk.reply([Message("system", "rules"), Message("user", f"hello {key}")], Usage(), 0, lambda _: TURNS)
    longer = [Message("system", "rules"), Message("user", "hello"), Message("assistant", "hi"), Message("user", "more")]
    with suppress(Retryable):
        talk.reply(longer, Usage(), 0, lambda _: TURNS)
    kept = [json.loads(value) for name, value in once.values.items() if name.startswith("prompt:")]
    assert [role for role, _ in kept[0]] == ["system", "user"]
    assert key not in str(kept)
    assert kept[1] == [["user", "more"]]
    assert len([name for name in once.values if name.startswith("llm:")]) == 1


def test_a_kept_answer_settles_for_a_worker_that_died(model: Model) -> None:
    """It is not paid for, and not reserved, a second time."""
    model.script([replies.text("hi")])
    once, first, second = Memory(), Book(), Book()
    for book in (first, second):
        talk_with(model, once, book).reply(TURNS, Usage(), 0, lambda _: TURNS)
    assert second.entries == [("settled", "")]
    assert (second.keys, second.paid) == (first.keys, first.paid)
    assert len(model.requests()) == 1


@pytest.mark.parametrize(
    ("script", "entries"),
    [
        ([replies.html(503)], [("reserved", "critic"), ("settled", "Retryable")]),
        ([replies.unauthorized()], [("reserved", "critic"), ("settled", "Unavailable")]),
        ([replies.refusal("no")], [("reserved", "critic"), ("settled", "ModelRefused")]),
        (
            [replies.too_long(1), replies.text("hi")],
            [("reserved", "critic"), ("settled", "ContextTooLong"), ("reserved", "critic"), ("settled", "")],
        ),
    ],
)
def test_what_is_no_answer_leaves_no_reservation(
    model: Model, script: list[replies.Reply], entries: list[tuple[str, str]]
) -> None:
    """What nobody sent a bill for has an unknown cost, not none."""
    model.script(script)
    book = Book()
    with suppress(Retryable):
        talk_with(model, Memory(), book).reply(TURNS, Usage(), 0, lambda _: TURNS)
    assert book.entries == entries
    assert all((paid.usage is None) == (paid.error not in {"", "ModelRefused"}) for paid in book.paid)


def test_without_room_in_the_purse_nothing_is_sent(model: Model) -> None:
    """The refusal is the purse's, in its words."""
    model.script([replies.text("hi")])
    book = Book()
    book.bound([Limit(Span.DAY, Unit.CALLS, 0, "HEAL_CALLS")])
    with pytest.raises(Stop, match="HEAL_CALLS"):
        talk_with(model, Memory(), book).reply(TURNS, Usage(), 0, lambda _: TURNS)
    assert model.requests() == []


def test_no_answer_is_longer_than_the_operator_allows(model: Model) -> None:
    """Whatever a fixer would like."""
    model.script([replies.text("hi")])
    client = Client("openai:gpt-5-mini", None, model.url, answer_tokens=300)
    Talk(client, Budget(), Memory(), 1.0).reply(TURNS, Usage(), 0, lambda _: TURNS)
    (request,) = model.requests()
    assert 300 in {request["body"].get("max_tokens"), request["body"].get("max_completion_tokens")}
    assert client.most(TURNS, 4096) == client.most(TURNS, 300)


def test_only_a_talk_asks_a_client() -> None:
    """Whoever asked it directly would spend what nobody reserved."""
    root = Path(workers.__file__).parent
    asking = [file.name for file in root.rglob("*.py") if "client.ask(" in file.read_text()]
    assert asking == ["talk.py"]


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
