"""From the stored row to the rung run: real store, real Redis, and the sentence each row ends with."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine

from bot.dispatcher import Dispatcher
from bot.metrics import Metrics
from bot.triage import Identity
from tests.bot.conftest import Serve, Site, rows, until
from tests.bot.deliveries import encoded, headers, payload
from workers.domain import Outcome, RunId
from workers.store.errands import Errands
from workers.store.inbox import DeliveryRow, Inbox
from workers.store.ledger import Ledger
from workers.store.roster import Roster

CHECK, WORKFLOW = "check_run.completed", "workflow_run.completed"


class Office:
    """A dispatcher that is swept by hand; `rung` collects the bells that `broker` lets through."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.inbox, self.ledger = engine, Inbox(engine), Ledger(engine)
        self.rung: list[RunId] = []
        self.broker = True
        self.asked = 0
        self.errands = Errands(engine)
        self.dispatcher = Dispatcher(
            self.inbox, self.ledger, self.errands, self._ring, Identity(42, "heal-bot"), Metrics()
        )
        self._n = 0

    def _ring(self, run: RunId) -> bool:
        self.asked += 1
        if self.broker:
            self.rung.append(run)
        return self.broker

    def deliver(self, name: str, **changes: Any) -> str:
        """Store a delivery, sweep, and give the reason on its row."""
        return self.raw(name.partition(".")[0], encoded(payload(name, **changes)))

    def raw(self, event: str, body: bytes) -> str:
        """The same for any bytes."""
        self._n += 1
        self.inbox.add(DeliveryRow(guid=f"g-{self._n}", event=event, body=body))
        self.dispatcher.sweep()
        row = rows(self.engine, "delivery")[-1]
        assert row["state"] != "new"
        return f"{row['state']}: {row['reason']}"

    def runs(self) -> list[tuple[str, str | None]]:
        """(state, outcome) of every run."""
        return [(row["state"], row["outcome"]) for row in rows(self.engine, "run")]

    def case(self) -> dict[str, Any]:
        """The case of the first run."""
        found: dict[str, Any] = json.loads(rows(self.engine, "run")[0]["case"])
        return found


@pytest.fixture
def office(engine: Engine) -> Office:
    """A dispatcher on a fresh database."""
    return Office(engine)


def test_job_then_workflow_run(office: Office) -> None:
    """The red job holds a run back, the workflow run's end starts it, and the run knows what both said."""
    assert "waits for its workflow run" in office.deliver(CHECK)
    assert (office.runs(), office.rung) == ([("waiting", None)], [])
    assert office.deliver(WORKFLOW).startswith("routed: released run")
    assert office.runs() == [("queued", None)]
    assert len(office.rung) == 1
    case = office.case()
    assert (case["job"], case["job_id"], case["workflow_path"]) == ("unit (3.12)", 9001, ".github/workflows/ci.yml")


def test_workflow_run_before_its_jobs(office: Office) -> None:
    """Out of order is the same: one run, rung once."""
    office.deliver(WORKFLOW)
    assert "has it already" in office.deliver(CHECK)
    assert (len(office.runs()), len(office.rung)) == (1, 1)


def test_matrix_of_a_hundred_jobs(office: Office) -> None:
    """A hundred red jobs of one workflow run are one run."""
    for n in range(100):
        body = encoded(payload(CHECK, check_run__id=9100 + n, check_run__name=f"unit ({n})"))
        office.inbox.add(DeliveryRow(guid=f"m-{n}", event="check_run", body=body))
    office.deliver(WORKFLOW)
    assert (len(office.runs()), len(office.rung)) == (1, 1)


def test_fork_is_known_before_the_run_starts(office: Office) -> None:
    """What only the workflow run's event tells (a fork's head) reaches the run that a job opened."""
    office.deliver(CHECK)
    office.deliver(WORKFLOW, workflow_run__head_repository={"id": 9})
    assert office.case()["fork"] is True


def test_green_after_all(office: Office) -> None:
    """A job that was allowed to fail starts nothing: the green workflow run ends what waited."""
    office.deliver(CHECK)
    assert "ended run" in office.deliver(WORKFLOW, workflow_run__conclusion="success")
    assert (office.runs(), office.rung) == ([("done", Outcome.CANCELLED)], [])


def test_second_attempt(office: Office) -> None:
    """A rerun replaces what its jobs held back and gets a run of its own."""
    office.deliver(CHECK)
    office.deliver(WORKFLOW, workflow_run__run_attempt=2)
    assert office.runs() == [("done", Outcome.DUPLICATE), ("queued", None)]


def test_push_cancels_what_is_older(office: Office) -> None:
    """A newer commit on the branch ends the run of the older one."""
    office.deliver(WORKFLOW, workflow_run__head_branch="topic")
    assert "cancelled 1 runs" in office.deliver("push")
    assert office.runs() == [("done", Outcome.HEAD_MOVED)]


PUSHED = {"ref": "refs/heads/topic", "before": "c" * 40, "after": "b" * 40}


@pytest.mark.parametrize(
    ("what", "ended"),
    [
        ({**PUSHED, "repository__pushed_at": int(time.time()) + 3600}, True),
        ({**PUSHED, "repository__pushed_at": int(time.time()) - 600}, False),  # late: our run's commit came after it
        ({**PUSHED, "repository__pushed_at": "2020-01-01T00:00:00Z"}, False),
        ({**PUSHED, "before": "a" * 40}, True),  # a plain push or a forced one: it says which head it replaced
        ({**PUSHED, "after": "a" * 40, "before": "b" * 40}, False),  # forced back to our run's commit
        ({**PUSHED, "repository__pushed_at": "soon"}, False),
        ({**PUSHED, "deleted": True, "after": "0" * 40, "before": "a" * 40}, True),
        ({**PUSHED, "deleted": True, "after": "0" * 40, "repository__pushed_at": int(time.time()) - 600}, False),
    ],
)
def test_only_what_a_push_has_overtaken_ends(office: Office, what: dict[str, Any], ended: bool) -> None:
    """A push ends runs of commits it replaced; told late, it leaves the run of a newer commit alone."""
    office.deliver(WORKFLOW, workflow_run__head_branch="topic", workflow_run__head_sha="a" * 40)
    office.deliver("push", **what)
    assert [state for state, _ in office.runs()] == ["done" if ended else "queued"]


def test_uninstalled(office: Office) -> None:
    """Uninstalling ends every run of the installation."""
    office.deliver(WORKFLOW)
    office.deliver("installation.deleted")
    assert office.runs() == [("done", Outcome.CANCELLED)]


def test_own_branch_wakes_nobody_when_nobody_waits(office: Office) -> None:
    """CI on a branch of ours opens no run."""
    assert "no run waits" in office.deliver(WORKFLOW, workflow_run__head_branch="heal/x")
    assert office.runs() == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"not json", "error: the body is not JSON"),
        (b"\xff", "error: the body is not UTF-8"),
        (b"[" * 100_000, "error: the body is nested too deeply"),
        (b"{}", "ignored: nothing to do for check_run"),
        (b'{"action": "completed"}', "ignored: conclusion missing"),
        (b'{"action": "completed", "check_run": {"conclusion": "failure"}}', "ignored: the payload names no"),
    ],
)
def test_bad_rows_are_told_and_do_not_stop_the_rest(office: Office, body: bytes, said: str) -> None:
    """A row that cannot be read is marked with the reason; the next one is routed."""
    assert office.raw("check_run", body).startswith(said)
    assert office.deliver(WORKFLOW).startswith("routed: opened run")


def test_names_as_long_and_odd_as_they_come(office: Office) -> None:
    """Odd names are data: stored and rung like any other."""
    assert office.deliver(WORKFLOW, workflow_run__head_branch="-x;$(id) \u202e\u0000" + "y" * 244).startswith("routed")
    assert office.deliver(CHECK, check_run__name="n" * 5000, check_run__app={"id": 3, "slug": "x"}).startswith("routed")


def test_broker_away(office: Office) -> None:
    """Bells that nobody takes are rung again by a later sweep; nothing is lost."""
    office.broker = False
    office.deliver(WORKFLOW)
    assert office.rung == []
    office.broker = True
    office.dispatcher.sweep()
    assert len(office.rung) == 1


def test_broker_is_asked_once_per_sweep_while_it_is_away(office: Office) -> None:
    """However many deliveries come in, a dead broker costs one try per sweep."""
    office.broker = False
    for n in range(120):
        body = encoded(payload(WORKFLOW, workflow_run__id=5000 + n))
        office.inbox.add(DeliveryRow(guid=f"b-{n}", event="workflow_run", body=body))
    office.asked = 0
    office.dispatcher.sweep()
    assert (len(office.runs()), office.asked) == (120, 1)


def _messages(redis: Redis) -> list[str]:
    found: Any = redis.lrange("heal:heal", 0, -1)
    return [one.decode() for one in found]


@pytest.mark.redis
def test_delivery_to_bell(serve: Serve, redis_url: str, engine: Engine) -> None:
    """From the posted delivery to the message in Redis in well under a second, with the run's id and nothing else."""
    site = serve(redis_url=redis_url, sweep_seconds=60)
    body = encoded(payload(WORKFLOW))
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
        site.client.post(
            "/webhook", content=encoded(payload("push")), headers=headers("push", encoded(payload("push")))
        )
        until(lambda: site.client.get("/readyz").json()["checks"]["dispatcher"]["ok"])
        started = time.monotonic()
        assert site.client.post("/webhook", content=body, headers=headers("workflow_run", body)).status_code == 202
        until(lambda: len(_messages(redis)) == 1)
        took = time.monotonic() - started
        (message,) = _messages(redis)
        (run,) = rows(engine, "run")
        assert _arguments(message) == ([run["id"]], {})
    assert took < 2.0  # 0.05 s on a quiet machine; the first ring also opens the connection
    ready = site.client.get("/readyz").json()
    assert (ready["status"], ready["checks"]["redis"]["ok"], ready["checks"]["workers"]["ok"]) == (
        "degraded",
        True,
        False,
    )
    Roster(engine).seen("host:1", "1", 1)
    assert site.client.get("/readyz").json()["status"] == "ready"
    assert site.metric("heal_broker_up") == 1
    assert site.metric('heal_runs_active{state="queued"}') == 1
    assert site.metric('heal_errands{state="dead"}') == 0


def _arguments(message: str) -> tuple[list[Any], dict[str, Any]]:
    positional, named, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    return positional, named


def test_redis_away_is_degraded_only(site: Site, engine: Engine) -> None:
    """Without Redis deliveries are accepted and routed; readiness says degraded and stays 200."""
    body = encoded(payload(WORKFLOW))
    assert site.client.post("/webhook", content=body, headers=headers("workflow_run", body)).status_code == 202
    until(lambda: len(rows(engine, "run")) == 1)
    ready = site.client.get("/readyz")
    assert (ready.status_code, ready.json()["status"], ready.json()["checks"]["redis"]["ok"]) == (
        200,
        "degraded",
        False,
    )
