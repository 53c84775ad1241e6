"""What becomes of a run that waits for the end of its workflow run when nobody tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.conftest import database, empty_database
from tests.hub.process import CiResult, Hub, RepoInfo
from tests.workers.errands.desks import Office, office
from workers.domain import Case, Outcome, RunId, Sha
from workers.errands.model import RunWaits
from workers.run_key import actions_key
from workers.store.codec import from_json

__all__ = ["database", "empty_database"]

REPO = "octo/calc"
FILES: dict[str, str | bytes | None] = {"calc.py": "x = 1\n"}


class Held:
    """A red job of a workflow run that goes on, and the run that waits for its end."""

    def __init__(self, desks: Office, info: RepoInfo, ci: CiResult) -> None:
        self.desks, self.ci = desks, ci
        self.key = actions_key(info.id, ci.run_id, 1)
        case = Case(
            run=RunId(""),
            repo=REPO,
            repo_id=info.id,
            installation_id=desks.keys.installation_id,
            head_sha=Sha(ci.sha),
            branch="main",
            job="test",
            job_id=ci.job_id,
            actions_run_id=ci.run_id,
        )
        desks.ledger.open_run(case, self.key, "delivery", wait=300.0)
        self.waits = RunWaits(desks.place(REPO, info.id), self.key, ci.run_id)

    def settle(self) -> str:
        """Do the errand and give its answer."""
        row = self.desks.do(self.waits)
        assert row["state"] == "done", row
        return str(row["answer"])

    def runs(self) -> list[tuple[str, str | None]]:
        """(state, outcome) of every run."""
        return [(row["state"], row["outcome"]) for row in self.desks.rows("run")]


@pytest.fixture
def held(hub: Hub, database: str, tmp_path: Path) -> Iterator[Held]:
    info, keys = hub.create_repo(REPO, files=FILES), hub.create_app(account="octo")
    desks = office(hub, keys, database, tmp_path)
    yield Held(desks, info, hub.finish_ci(REPO, log="red", goes_on=True))
    desks.engine.dispose()


def test_it_still_works(held: Held) -> None:
    """While the workflow run works, the run is held back further and GitHub will be asked again."""
    before = held.desks.rows("run")[0]["next_ring"]
    assert held.settle() == "the workflow run still works"
    assert held.runs() == [("waiting", None)]
    assert held.desks.rows("run")[0]["next_ring"] > before
    again = [row for row in held.desks.rows("errand") if row["state"] == "queued"]
    assert [from_json(row["payload"], RunWaits) for row in again] == [held.waits]
    assert again[0]["next_at"] > again[0]["created_at"] + 60


def test_it_ended_red(held: Held) -> None:
    """The run is let go, with the path of the workflow file that only the workflow run tells."""
    held.desks.hub.end_ci(REPO, held.ci.run_id)
    assert held.settle().startswith("released run")
    assert held.runs() == [("queued", None)]
    case = from_json(held.desks.rows("run")[0]["case"], Case)
    assert (case.workflow_path, case.job, case.attempt, case.fork) == (".github/workflows/ci.yml", "test", 1, False)


def test_it_ended_red_the_second_time(held: Held) -> None:
    """A later attempt gets a run of its own, as when its event had come, and that event opens no other."""
    held.desks.hub.end_ci(REPO, held.ci.run_id, attempt=2)
    assert held.settle().endswith("for attempt 2")
    assert held.runs() == [("done", Outcome.DUPLICATE), ("queued", None)]
    assert held.desks.rows("run")[1]["key"] == actions_key(held.waits.place.repo_id, held.ci.run_id, 2)


def test_it_ended_green(held: Held) -> None:
    """A job that was allowed to fail is nothing to heal."""
    held.desks.hub.end_ci(REPO, held.ci.run_id, conclusion="success")
    assert "success" in held.settle()
    assert held.runs() == [("done", Outcome.CANCELLED)]


def test_it_is_gone(held: Held) -> None:
    """A workflow run that was deleted ends what waited for it."""
    gone = RunWaits(held.waits.place, held.key, 1)
    assert held.desks.do(gone)["answer"] == "the workflow run is gone"
    assert held.runs() == [("done", Outcome.CANCELLED)]


def test_nobody_waits(held: Held) -> None:
    """When the event came after all, GitHub is not asked."""
    held.desks.ledger.release_run(held.key)
    assert held.settle() == "the run does not wait any more"
    assert held.desks.hub.requests() == []
