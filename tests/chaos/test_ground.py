"""What the suite is told about deliveries, on which its acts judge the receiver."""

from __future__ import annotations

from typing import Any

from tests.chaos.ground import Ground


class OneOnItsWay:
    """GitHub, while a worker's own check run has just made it send one more."""

    def __init__(self) -> None:
        self.tried = [{"guid": "a", "status": "OK"}, {"guid": "b", "status": "pending"}]

    def settle(self, seconds: float) -> None:
        """All that had happened when this was asked is out."""

    def deliveries(self, first: int = 0) -> list[dict[str, Any]]:
        return self.tried[first:]


def test_what_is_on_its_way_is_told_the_next_time() -> None:
    """It has no answer yet, which is not the same as none."""
    ground = Ground.__new__(Ground)
    ground._told, ground.hub = 0, OneOnItsWay()  # type: ignore[assignment]
    assert [one["guid"] for one in ground.told()] == ["a"]
    ground.hub.tried[1]["status"] = "OK"  # type: ignore[attr-defined]
    assert [one["guid"] for one in ground.told()] == ["b"]
