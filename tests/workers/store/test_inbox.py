"""Promises of the inbox."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from workers.store.database import transact
from workers.store.inbox import DeliveryRow, Inbox, Mark, Stored
from workers.store.models import Delivery, DeliveryState
from workers.store.packing import Packed, pack, unpack


def test_a_delivery_is_stored_once(engine: Engine) -> None:
    """The same delivery id a second time is a duplicate, another body under it is noticed, and the first is kept."""
    inbox = Inbox(engine)
    first = DeliveryRow("guid", "check_run", b'{"a": 1}', target="12")
    assert inbox.add(first) == Stored(duplicate=False)
    assert inbox.add(first) == Stored(duplicate=True)
    assert inbox.add(DeliveryRow("guid", "check_run", b"other", target="12")) == Stored(duplicate=True, altered=True)
    assert inbox.add(DeliveryRow("guid", "check_run", b"other", target="13")) == Stored(duplicate=False)
    assert [taken.body for taken in inbox.take()] == [first.body, b"other"]


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_a_body_is_packed_out_of_its_pieces(pieces: list[bytes]) -> None:
    """However it was cut, it comes back whole; the pieces are given up, so that a large body is never there twice."""
    body, given_up = b"".join(pieces), list(pieces)
    packed = pack(given_up)
    assert given_up == []
    assert packed.sha256 == hashlib.sha256(body).hexdigest()
    assert unpack(packed) == body


def test_a_damaged_body_is_not_given_out() -> None:
    """Cut off, changed, or another one's: None."""
    packed = pack([b"body" * 100])
    for data in (b"", packed.data[:-3], packed.data[::-1], pack([b"other"]).data):
        assert unpack(Packed(data, packed.sha256)) is None


def test_many_at_once_keep_their_order(engine: Engine) -> None:
    """A batch answers in order, also when it holds the same delivery twice."""
    rows = [DeliveryRow(guid, "push", guid.encode()) for guid in ("1", "2", "1")]
    assert [stored.duplicate for stored in Inbox(engine).add_many(rows)] == [False, False, True]


def test_a_batch_with_some_that_are_known(engine: Engine) -> None:
    """The new ones are stored, each once, and of the others it is told whether they came with another body."""
    inbox = Inbox(engine)
    inbox.add_many([DeliveryRow(guid, "push", b"{}") for guid in ("same", "other")])
    rows = [
        DeliveryRow(guid, "push", body) for guid, body in (("a", b"1"), ("same", b"{}"), ("other", b"2"), ("b", b"3"))
    ]
    new, same, other = Stored(duplicate=False), Stored(duplicate=True), Stored(duplicate=True, altered=True)
    assert inbox.add_many(rows) == [new, same, other, new]
    assert [(taken.guid, taken.body) for taken in inbox.take()] == [
        ("same", b"{}"), ("other", b"{}"), ("a", b"1"), ("b", b"3")
    ]  # fmt: skip


def test_two_dispatchers_share_the_work(engine: Engine) -> None:
    """No delivery is handed to two dispatchers."""
    inbox = Inbox(engine)
    inbox.add_many([DeliveryRow(str(n), "push", b"{}") for n in range(40)])
    with ThreadPoolExecutor(4) as pool:
        taken = [row.guid for rows in pool.map(lambda _: inbox.take(10), range(8)) for row in rows]
    assert sorted(taken, key=int) == [str(n) for n in range(40)]


def test_marked_deliveries_are_counted_and_not_taken_again(engine: Engine) -> None:
    """A marked delivery is done; the figures tell states and the age of the oldest new one."""
    inbox = Inbox(engine)
    inbox.add_many([DeliveryRow(str(n), "push", b"{}") for n in range(3)])
    inbox.mark(inbox.take(1)[0].id, DeliveryState.IGNORED, "nothing to do\0")
    counts = inbox.counts()
    assert counts.by_state == {"new": 2, "ignored": 1}
    assert 0 <= counts.oldest_new < 60


def test_a_delivery_that_kills_its_dispatcher_is_set_aside(engine: Engine) -> None:
    """Taken five times and never marked, a delivery becomes an error instead of a sixth attempt."""
    inbox = Inbox(engine)
    inbox.add(DeliveryRow("g", "push", b"{}"))
    again = update(Delivery).values(next_at=0.0)
    for _ in range(5):
        assert len(inbox.take()) == 1
        assert inbox.take() == []
        transact(engine, lambda connection: connection.execute(again))
    assert inbox.take() == []
    assert inbox.counts().by_state == {"error": 1}


def test_a_delivery_that_kills_its_dispatcher_takes_no_other_with_it(engine: Engine) -> None:
    """What was handed out before and not marked comes again last and alone, so its neighbours are routed."""
    inbox = Inbox(engine)
    inbox.add_many([DeliveryRow(guid, "push", b"{}") for guid in ("killer", "next")])
    assert [row.guid for row in inbox.take()] == ["killer", "next"]  # and nobody marks them
    transact(engine, lambda connection: connection.execute(update(Delivery).values(next_at=0.0)))
    inbox.add(DeliveryRow("fresh", "push", b"{}"))
    assert [[row.guid for row in inbox.take()] for _ in range(3)] == [["fresh"], ["killer"], ["next"]]


def test_a_batch_is_marked_at_once(engine: Engine) -> None:
    """Several deliveries are marked in one transaction, each with its own state and reason."""
    inbox = Inbox(engine)
    inbox.add_many([DeliveryRow(str(n), "push", b"{}") for n in range(3)])
    states = (DeliveryState.ROUTED, DeliveryState.IGNORED, DeliveryState.ERROR)
    inbox.mark_many([Mark(row.id, state, state) for row, state in zip(inbox.take(), states, strict=True)])
    inbox.mark_many([])
    assert inbox.counts().by_state == {"routed": 1, "ignored": 1, "error": 1}
