"""The room that bodies share while nothing is known of their senders."""

from __future__ import annotations

import pytest

from bot.bodies import SMALL_BODY, Refused, Room


def test_a_large_body_waits_for_nobody_and_gives_its_room_back() -> None:
    """Where the room is held, a large body is refused with 503; when the holder is gone it fits."""
    room = Room(most=4 * SMALL_BODY)
    with room.reading() as first:
        first.take(3 * SMALL_BODY)
        with room.reading() as second:
            second.take(SMALL_BODY)
            with pytest.raises(Refused) as refused:
                second.take(1)
        assert refused.value.status == 503
        assert room.held == 3 * SMALL_BODY
    with room.reading() as third:
        third.take(4 * SMALL_BODY)
    assert room.held == 0


def test_a_small_body_always_fits() -> None:
    """Large ones cannot keep small deliveries out."""
    room = Room(most=2 * SMALL_BODY)
    with room.reading() as large, room.reading() as small:
        large.take(2 * SMALL_BODY)
        small.take(SMALL_BODY)
        with pytest.raises(Refused):
            small.take(1)
    assert room.held == 0
