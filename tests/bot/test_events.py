"""The door for payloads: everything real is read, everything broken is told, nothing raises anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import events, reading
from bot.payload import UnreadableEvent
from tests.bot.deliveries import PAYLOADS, REAL_PAYLOADS, SHA, encoded, payload

OWN = sorted(PAYLOADS.glob("*.json"))
REAL = sorted(REAL_PAYLOADS.rglob("*.*.json")) if REAL_PAYLOADS.is_dir() else []


def event_of(path: Path) -> str:
    """The event that a payload's file name begins with."""
    return path.name.partition(".")[0]


@pytest.mark.parametrize("path", [*OWN, *REAL], ids=lambda path: path.name)
def test_every_payload_is_read(path: Path) -> None:
    """Each recorded or hand-made payload gives an event of our own."""
    parsed = reading.parse(event_of(path), path.read_bytes())
    if "completed" in path.name and event_of(path) == "check_run":
        assert isinstance(parsed, events.CheckRunCompleted)
        assert parsed.id
        assert len(parsed.head_sha) == 40


def test_check_run_of_actions() -> None:
    """The workflow run's id comes from the details URL, the branch from the check suite."""
    parsed = reading.parse("check_run", encoded(payload("check_run.completed")))
    assert parsed == events.CheckRunCompleted(
        scope=events.Scope(501, events.Repo(7001, "octo/calc", "main"), "mona", sender_id=31),
        id=9001,
        name="unit (3.12)",
        conclusion="failure",
        head_sha=SHA,
        branch="main",
        app_id=15368,
        app_slug="github-actions",
        external_id="",
        actions_run_id=8001,
        pull_request=None,
    )


def test_pull_request_of_another_repository_is_not_ours() -> None:
    """Of the listed pull requests the one into this repository counts."""
    listed = [{"number": 1, "base": {"repo": {"id": 99}}}, {"number": 2, "base": {"repo": {"id": 7001}}}]
    parsed = reading.parse("check_run", encoded(payload("check_run.completed", check_run__pull_requests=listed)))
    assert isinstance(parsed, events.CheckRunCompleted)
    assert parsed.pull_request == 2


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("7001", 7001),
        (-5, 0),
        (2**63, 0),
        (2**63 - 1, 2**63 - 1),
        (True, 0),
        (7.5, 0),
        ("x", 0),
        ("9" * 40, 0),
        (None, 0),
    ],
)
def test_ids(written: object, read: int) -> None:
    """Ids are positive 64-bit numbers, also when written as text; anything else is no id."""
    parsed = reading.parse("status", encoded(payload("status", repository__id=written)))
    assert isinstance(parsed, events.StatusReported)
    assert parsed.scope.repo.id == read


@pytest.mark.fault(13)
def test_text_that_no_database_takes_is_replaced() -> None:
    """NUL and lone surrogates become the replacement character; other scripts and emoji stay."""
    body = payload("check_run.completed", check_run__name="a\x00b\ud800 \u202eרץ 🎉")
    parsed = reading.parse("check_run", encoded(body))
    assert isinstance(parsed, events.CheckRunCompleted)
    assert parsed.name == "a\ufffdb\ufffd \u202eרץ 🎉"


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b"[1]", "list, not an object"),
        (b'"text"', "str, not an object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_unreadable(body: bytes, reason: str) -> None:
    """A body that is no JSON object is refused with what is wrong."""
    with pytest.raises(UnreadableEvent) as refused:
        reading.parse("check_run", body)
    assert reason in refused.value.reason


@pytest.mark.uncounted
@pytest.mark.fault(11)
def test_a_million_keys() -> None:
    """A very wide payload is read like any other."""
    wide = {**payload("push"), "extra": dict.fromkeys(map(str, range(1_000_000)))}
    assert isinstance(reading.parse("push", encoded(wide)), events.Pushed)


@pytest.mark.fault(12)
def test_other_events_and_actions_are_named() -> None:
    """What asks nothing of us keeps its name for the reason in the inbox."""
    assert reading.parse("check_run", b'{"action": "created"}') == events.Unhandled("check_run", "created")
    assert reading.parse("star", b"{}") == events.Unhandled("star", "")
