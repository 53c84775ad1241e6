"""The short form of the replay: a hundred deliveries out of order and a tenth of them twice, counted exactly."""

from __future__ import annotations

import pytest

from benchmarks.replay import measure

pytestmark = [pytest.mark.story, pytest.mark.redis]


def test_a_hundred_deliveries_come_to_exactly_what_is_due() -> None:
    """Runs, errands, pull requests, comments and check runs are as many as the script asks for, none twice."""
    replay = measure(100)
    assert replay.wrong == ()
    assert replay.sent > replay.deliveries > 100
    assert replay.due["runs"] > 3
    assert replay.due["command errands"] > 2
