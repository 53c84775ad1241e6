"""Deliveries that GitHub could not bring: which are asked for again, and that asking brings them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.bot.conftest import Serve, database, empty_database, serve, until
from tests.bot.deliveries import SECRET
from tests.hub.process import Hub
from tests.workers.errands.desks import office
from workers.errands.model import Recover
from workers.errands.recover import ASKED_AGAIN_S, KEPT_S, MOST_ASKED, Tried, _since, missed, taken

__all__ = ["database", "empty_database", "serve"]

NOW = 1_800_000_000.0
REPO = "octo/calc"
AGAIN = True


@pytest.mark.parametrize(
    ("tried", "asked"),
    [
        ([], []),
        ([Tried(1, "a", NOW - 600, False, ok=True)], []),
        ([Tried(1, "a", NOW - 600, False, ok=False)], [1]),
        ([Tried(2, "b", NOW - 5, False, False), Tried(1, "a", NOW - 600, False, False)], [1, 2]),
        ([Tried(2, "a", NOW - 500, AGAIN, ok=True), Tried(1, "a", NOW - 600, False, ok=False)], []),
        ([Tried(2, "a", NOW - 500, AGAIN, ok=False), Tried(1, "a", NOW - 600, False, ok=False)], []),
        ([Tried(2, "a", NOW - ASKED_AGAIN_S - 1, AGAIN, ok=False), Tried(1, "a", NOW - 5000, False, False)], [2]),
        ([Tried(2, "a", NOW - ASKED_AGAIN_S - 1, AGAIN, ok=False)], [2]),
    ],
)
def test_missed(tried: Sequence[Tried], asked: Sequence[int]) -> None:
    """The newest attempt of each GUID that never succeeded, once an hour at most, the longest missed first."""
    assert [one.id for one in missed(tried, NOW)] == asked


@pytest.mark.fault(65)
@pytest.mark.parametrize(
    ("tried", "asked"),
    [
        ([Tried(1, "a", NOW - 600, False, ok=True)], []),  # an event that nobody stores (204)
        ([Tried(1, "a", NOW - 600, False, ok=False)], []),
        ([Tried(2, "b", NOW - 5, False, True, taken=True), Tried(1, "a", NOW - 600, False, True, taken=True)], [1, 2]),
        ([Tried(2, "a", NOW - 500, AGAIN, True, taken=True), Tried(1, "a", NOW - 600, False, True, taken=True)], []),
        ([Tried(2, "a", NOW - ASKED_AGAIN_S - 1, AGAIN, ok=False), Tried(1, "a", NOW - 5000, False, True, True)], [2]),
    ],
)
def test_taken(tried: Sequence[Tried], asked: Sequence[int]) -> None:
    """The newest attempt of each GUID that was answered as stored, once an hour at most: the inbox has to have it."""
    assert [one.id for one in taken(tried, NOW)] == asked


@pytest.mark.parametrize(
    ("last", "back"),
    [
        (None, KEPT_S),
        (NOW - 2 * KEPT_S, KEPT_S),
        (NOW - 7200, 7200 + 900),
        (NOW - 300, ASKED_AGAIN_S + 900),
    ],
)
def test_how_far_back(last: float | None, back: float) -> None:
    """To the last look, never beyond what GitHub keeps, and far enough to see what was asked for within the hour."""
    assert _since(last, NOW) == NOW - back


def test_what_was_dropped_arrives_in_the_end(hub: Hub, serve: Serve, database: str, tmp_path: Path) -> None:
    """All deliveries of a red build are lost: after the look that the receiver itself has ordered they are there and
    there is one run; a second look asks for nothing."""
    site = serve()
    keys = hub.create_app(account="octo", webhook_url=f"{site.url}/webhook", webhook_secret=SECRET)
    hub.create_repo(REPO, files={"calc.py": "x = 1\n"})
    hub.drop_deliveries("check_run|workflow_run", times=20)
    hub.finish_ci(REPO, log="red")
    lost = {one["guid"] for one in hub.deliveries() if one["status"] != "OK"}
    desks = office(hub, keys, database, tmp_path)
    until(lambda: [row["kind"] for row in desks.rows("errand")] == ["recover"])
    assert desks.counter.once("test")
    assert desks.rows("errand")[0]["answer"].endswith(f"asked for {len(lost)} again")
    hub.settle()
    until(lambda: lost <= {row["guid"] for row in desks.rows("delivery")})
    until(lambda: all(row["state"] != "new" for row in desks.rows("delivery")))
    assert [row["state"] for row in desks.rows("run")] == ["queued"]
    assert desks.do(Recover(), "second")["answer"].endswith("asked for 0 again")
    assert [row["state"] for row in desks.rows("run")] == ["queued"]
    desks.engine.dispose()


@pytest.mark.fault(65)
def test_a_new_database_asks_for_nothing_that_was_taken(
    hub: Hub, serve: Serve, database: str, empty_database: Path, tmp_path: Path
) -> None:
    """Who starts over with an empty database is not sent three days of events again: it never looked before, so it has
    forgotten nothing."""
    site = serve()
    keys = hub.create_app(account="octo", webhook_url=f"{site.url}/webhook", webhook_secret=SECRET)
    hub.create_repo(REPO, files={"calc.py": "x = 1\n"})
    hub.finish_ci(REPO, log="red")
    hub.settle()
    shutil.copy(empty_database, tmp_path / "new.db")
    desks = office(hub, keys, f"sqlite:///{tmp_path / 'new.db'}", tmp_path)
    assert desks.do(Recover(), "first")["answer"].endswith("asked for 0 again")
    desks.engine.dispose()


def test_a_round_has_an_end(hub: Hub, database: str, tmp_path: Path) -> None:
    """More than one round may ask for is left to the next, over GitHub's pages, and none is asked for twice."""
    keys = hub.create_app(account="octo", webhook_url="http://127.0.0.1:1/webhook", webhook_secret=SECRET)
    hub.create_repo(REPO, files={"calc.py": "x = 1\n"})
    hub.drop_deliveries("", times=110)
    number = hub.open_issue(REPO, "mona", "It broke")["number"]
    for _ in range(110):
        hub.comment(REPO, "mona", number, "lost")
    desks = office(hub, keys, database, tmp_path)
    states = [(row["state"], row["error"] or row["answer"]) for row in (desks.do(Recover()),)]
    assert states == [("queued", f"{110 - MOST_ASKED} missed deliveries are left")]
    asked = [one for one in hub.requests() if one["path"].endswith("/attempts")]
    assert len({one["path"] for one in asked}) == len(asked) == MOST_ASKED
    desks.engine.dispose()
