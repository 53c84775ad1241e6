"""What is recorded can be played again without the model, and holds no secret."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.model import replies
from tests.model.process import Model
from workers.errors import Retryable, UsageError
from workers.llm.cassettes import NotRecorded
from workers.llm.client import Client, Message
from workers.llm.errors import ModelError, ModelRefused, Unavailable
from workers.redact import Redactor

TOKEN = "ghp_" + "a1B2" * 9


def said(text: str) -> list[Message]:
    return [Message("system", "be brief"), Message("user", text)]


def recording(model: Model, file: Path) -> Client:
    ours = Redactor("odd one 1234")
    return Client(f"record:{file}:openai:gpt-5-mini", None, model.url, sleep=lambda _: None, redact=ours)


def test_what_was_recorded_is_played_in_its_order(model: Model, tmp_path: Path) -> None:
    """The same question twice has two answers; tokens, cost and the endpoint's words are those of then."""
    file = tmp_path / "one.jsonl"
    model.script([replies.text("first"), replies.text("second"), replies.refusal("not this")])
    live = recording(model, file)
    were = [live.ask(said("hello"), 100) for _ in range(2)]
    with pytest.raises(ModelRefused):
        live.ask(said("bad"), 100)
    asked = len(model.requests())
    again = Client(f"replay:{file}")
    assert [again.ask(said("hello"), 100) for _ in range(2)] == were
    with pytest.raises(ModelRefused, match="not this") as refused:
        again.ask(said("bad"), 100)
    assert refused.value.paid is not None
    assert len(model.requests()) == asked


def test_a_fence_made_anew_is_the_same_question(model: Model, tmp_path: Path) -> None:
    """All else counts: the words, the roles, the limit and the form."""
    file = tmp_path / "one.jsonl"
    model.script([replies.text("yes")])
    recording(model, file).ask(said("DATA-0123456789abcdef x"), 100)
    again = Client(f"replay:{file}")
    assert again.ask(said("DATA-ffffffffffffffff x"), 100).text == "yes"
    for turns, limit, schema in (
        (said("DATA-ffffffffffffffff y"), 100, None),
        ([Message("user", "be brief"), Message("user", "DATA-0123456789abcdef x")], 100, None),
        (said("DATA-0123456789abcdef x"), 101, None),
        (said("DATA-0123456789abcdef x"), 100, {"type": "object"}),
    ):
        with pytest.raises(Unavailable, match="no answer to this request"):
            again.ask(turns, limit, schema)


def test_strictly_nothing_is_played_that_was_not_recorded(model: Model, tmp_path: Path) -> None:
    """One asking more than recorded, and another question, end the whole; else the last answer comes again."""
    file = tmp_path / "one.jsonl"
    model.script([replies.text("only")])
    recording(model, file).ask(said("hello"), 100)
    strict, lax = Client(f"replay-strict:{file}"), Client(f"replay:{file}")
    assert [lax.ask(said("hello"), 100).text for _ in range(3)] == ["only"] * 3
    strict.ask(said("hello"), 100)
    for text in ("hello", "else"):
        with pytest.raises(NotRecorded):
            strict.ask(said(text), 100)
    assert not issubclass(NotRecorded, ModelError | Retryable)


def test_a_cassette_holds_no_secret(model: Model, tmp_path: Path) -> None:
    """Neither of what was asked nor of what was answered, nor the key; nobody else may read it."""
    file = tmp_path / "one.jsonl"
    model.script([replies.text(f"it is {TOKEN}, odd one 1234"), replies.unauthorized()])
    live = recording(model, file)
    live.ask(said(f"log: {TOKEN}"), 100)
    with pytest.raises(Unavailable):
        live.ask(said("hello"), 100)
    text = file.read_text()
    assert TOKEN not in text
    assert "odd one 1234" not in text
    assert len(text.splitlines()) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Client(f"replay:{file}").ask(said(f"log: {TOKEN}"), 100).text == "it is [redacted], [redacted]"


def test_halves_of_characters_go_no_further(model: Model, tmp_path: Path) -> None:
    """Neither to the endpoint, which would refuse them, nor from it into a file."""
    file = tmp_path / "one.jsonl"
    model.script([replies.text("a\ud800b")])
    assert recording(model, file).ask(said("c\udc80d"), 10).text == "a?b"
    assert "c?d" in model.prompts()[0]
    assert Client(f"replay:{file}").ask(said("c\udc80d"), 10).text == "a?b"


@pytest.mark.parametrize("spec", ["replay:", "record:x", "record:", "record:x:nobody:m", "replay:x:openai:gpt-5"])
def test_a_wrong_name_is_explained(spec: str) -> None:
    """How to write it."""
    with pytest.raises(UsageError, match=r"record:FILE|provider:model"):
        Client(spec)


@pytest.mark.parametrize("text", ["", "{}\n", "nonsense\n", '{"key": 7}\n', "[" * 99_999, "\udcff"])
def test_a_file_that_is_no_cassette_is_told(tmp_path: Path, text: str) -> None:
    """With the line; an empty one is a cassette without answers."""
    file = tmp_path / "one.jsonl"
    file.write_bytes(text.encode(errors="surrogateescape"))
    if not text:
        with pytest.raises(Unavailable):
            Client(f"replay:{file}").ask(said("x"), 1)
        return
    with pytest.raises(UsageError, match="line 1 of the cassette"):
        Client(f"replay:{file}")


def test_a_missing_or_closed_file_is_told(model: Model, tmp_path: Path) -> None:
    """Reading and writing."""
    with pytest.raises(UsageError, match="cannot be read"):
        Client(f"replay:{tmp_path / 'none'}")
    model.script([replies.text("hi")])
    with pytest.raises(UsageError, match="cannot be written"):
        recording(model, tmp_path / "no" / "folder").ask(said("x"), 10)
