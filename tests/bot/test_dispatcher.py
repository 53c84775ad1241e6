"""From the stored row to the rung run: real store, real Redis, and the sentence each row ends with."""

from __future__ import annotations

import base64
import json
import random
import time
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, insert, update

from bot.carrying import Carrier
from bot.decisions import Identity
from bot.dispatcher import Dispatcher
from bot.metrics import Metrics
from tests.bot.conftest import Serve, Site, rows, until
from tests.bot.deliveries import PAYLOADS, REAL_PAYLOADS, encoded, headers, payload
from workers.domain import Outcome, RunId
from workers.store.errands import Errands
from workers.store.inbox import DeliveryRow, Inbox
from workers.store.ledger import Ledger
from workers.store.models import Change, Delivery, Errand
from workers.store.roster import Roster

CHECK, WORKFLOW, PULL = "check_run.completed", "workflow_run.completed", "pull_request.synchronize"
COMMENT = "issue_comment.created"


class Office:
    """A dispatcher that is swept by hand; `rung` collects the bells that `broker` lets through."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.inbox, self.ledger = engine, Inbox(engine), Ledger(engine)
        self.rung: list[RunId] = []
        self.broker = True
        self.asked = 0
        self.errands = Errands(engine)
        self.carrier = Carrier(engine, self.ledger, self.errands)
        self.dispatcher = Dispatcher(
            self.inbox, self.ledger, self.carrier, self._ring, Identity(42, "heal-bot"), Metrics()
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

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """The errands of a kind."""
        return [row for row in rows(self.engine, "errand") if row["kind"] == kind]

    def finish(self, kind: str) -> None:
        """Somebody has done the errands of a kind."""
        with self.engine.begin() as connection:
            connection.execute(update(Errand).where(Errand.kind == kind).values(state="done"))

    def open_change(self, target: str, branch: str) -> None:
        """An open pull request of ours."""
        texts = dict.fromkeys(("commit", "onto", "patch", "fingerprint", "job"), "x")
        ids = {"installation_id": 501, "repo_id": 7001, "number": 9, "created_at": 1.0, "updated_at": 1.0}
        row = {**texts, **ids, "how": "pull", "branch": branch, "target": target, "state": "open"}
        with self.engine.begin() as connection:
            connection.execute(insert(Change).values(**row))

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


@pytest.mark.fault(18)
def test_workflow_run_before_its_jobs(office: Office) -> None:
    """Out of order is the same: one run, rung once."""
    office.deliver(WORKFLOW)
    assert "has it already" in office.deliver(CHECK)
    assert (len(office.runs()), len(office.rung)) == (1, 1)


@pytest.mark.fault(19)
def test_matrix_of_a_hundred_jobs(office: Office) -> None:
    """A hundred red jobs of one workflow run are one run."""
    for n in range(100):
        body = encoded(payload(CHECK, check_run__id=9100 + n, check_run__name=f"unit ({n})"))
        office.inbox.add(DeliveryRow(guid=f"m-{n}", event="check_run", body=body))
    office.deliver(WORKFLOW)
    assert (len(office.runs()), len(office.rung)) == (1, 1)


def test_matrix_with_everything_it_sends(office: Office) -> None:
    """Twenty red jobs are twenty check runs, twenty jobs and one workflow run, twice and in any order: one run."""
    job = {"action": "completed", "workflow_job": {"run_id": 8001, "conclusion": "failure"}}
    sent = [("workflow_run", encoded(payload(WORKFLOW)))]
    sent += [("check_run", encoded(payload(CHECK, check_run__id=9100 + n))) for n in range(20)]
    sent += [("workflow_job", encoded({**job, "n": n})) for n in range(20)]
    for seed in range(3):
        order = sent * 2
        random.Random(seed).shuffle(order)  # noqa: S311 - an order to try, nothing secret
        for n, (event, body) in enumerate(order):
            office.inbox.add(DeliveryRow(guid=f"{seed}-{n}", event=event, body=body))
        office.dispatcher.sweep()
        assert [state for state, _ in office.runs()] == ["queued"]
        assert {row["state"] for row in rows(office.engine, "delivery")} <= {"routed", "ignored"}


def test_waiting_run_is_asked_about(office: Office) -> None:
    """A run that is held back comes with the errand that asks GitHub, due before it would start by itself; once."""
    for n in range(3):
        office.deliver(CHECK, check_run__id=9001 + n)
    (row,) = office.sent("settle")
    assert json.loads(row["payload"])["actions_run_id"] == 8001
    assert row["next_at"] < rows(office.engine, "run")[0]["next_ring"]
    office.deliver(WORKFLOW, workflow_run__id=8002)
    assert len(office.sent("settle")) == 1


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


@pytest.mark.fault(18)
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


FORK = {"pull_request__head__repo": {"id": 9}, "pull_request__head__ref": "main"}


def at(seconds: float) -> str:
    """A time of GitHub's, so many seconds from now."""
    return datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_push_to_a_fork_cancels_what_is_older(office: Office) -> None:
    """A fork's branch may be called as ours is: a new head ends the runs of the pull request's earlier heads alone."""
    office.deliver(PULL, **FORK, pull_request__head__sha="a" * 40, pull_request__updated_at=at(-20))
    office.deliver(WORKFLOW, workflow_run__head_repository={"id": 9})
    office.deliver(WORKFLOW, workflow_run__id=8002)
    told = office.deliver(PULL, **FORK, before="c" * 40, pull_request__updated_at=at(2))
    assert "cancelled 1 runs: Pull request #3 has moved on" in told
    assert office.runs() == [("done", Outcome.HEAD_MOVED), ("queued", None)]


def test_late_news_of_a_fork(office: Office) -> None:
    """News of a head that was replaced long ago leaves the runs of newer heads alone."""
    office.deliver(PULL, **FORK, pull_request__head__sha="c" * 40, pull_request__updated_at=at(-900))
    office.deliver(WORKFLOW, workflow_run__head_repository={"id": 9}, workflow_run__head_sha="c" * 40)
    told = office.deliver(PULL, **FORK, before="d" * 40, pull_request__updated_at=at(-600))
    assert "cancelled 0 runs" in told
    assert office.runs() == [("queued", None)]


def test_closed_fork(office: Office) -> None:
    """Closing a fork's pull request ends its runs."""
    office.deliver(PULL, **FORK, pull_request__updated_at=at(-20))
    office.deliver(WORKFLOW, workflow_run__head_repository={"id": 9}, workflow_run__head_sha="b" * 40)
    assert "cancelled 1 runs" in office.deliver("pull_request.closed", **FORK, pull_request__closed_at=at(2))
    assert office.runs() == [("done", Outcome.CANCELLED)]


@pytest.mark.parametrize("name", [CHECK, "status"])
def test_commit_of_a_fork_without_a_branch(office: Office, name: str) -> None:
    """A check or a status that names no branch is about the pull request that has its commit; unknown, it starts
    nothing."""
    known: dict[str, dict[str, Any]] = {CHECK: {"check_run__check_suite": None}, "status": {"branches": []}}
    nameless = known[name]
    assert "no pull request has this head" in office.deliver(name, **nameless)
    office.deliver(PULL, **FORK, pull_request__head__sha="a" * 40)
    assert "opened run" in office.deliver(name, **nameless)
    case = office.case()
    assert (case["branch"], case["pull_request"], case["fork"]) == ("refs/pull/3/head", 3, True)


def test_status_that_turns_green_ends_its_run(office: Office) -> None:
    """The same context failing again is the same run; its success ends the run, another context's does not."""
    office.deliver("status")
    assert "has it already" in office.deliver("status", state="error")
    office.deliver("status", state="success", context="ci/other")
    assert office.runs() == [("queued", None)]
    assert "ended run" in office.deliver("status", state="success")
    assert office.runs() == [("done", Outcome.CANCELLED)]


def test_heads_are_kept(office: Office) -> None:
    """Every head of a pull request is kept with its time, once."""
    for _ in range(2):
        office.deliver(PULL, pull_request__updated_at="2023-11-14T22:13:20Z")
    office.deliver("pull_request.opened", pull_request__updated_at="2023-11-14T22:13:21Z")
    heads = [(row["number"], row["sha"], row["at"]) for row in rows(office.engine, "pull_head")]
    assert heads == [(3, "b" * 40, 1_700_000_000.0)]


def test_errands_are_opened_once(office: Office) -> None:
    """A command delivered twice is one errand; a button pressed twice is two."""
    for _ in range(2):
        office.deliver("issue_comment.created")
        office.deliver("check_run.requested_action")
    assert len(office.sent("command")) == 1
    assert len(office.sent("button")) == 2


@pytest.mark.parametrize("first", ["comment", "review"])
def test_a_review_and_its_comments_are_one_errand(office: Office, first: str) -> None:
    """Whatever comes first, the errand is about the review as it was given, and due at once when that is there."""
    names = ["pull_request_review_comment.created", "pull_request_review.submitted"]
    for name in names if first == "comment" else reversed(names):
        office.deliver(name)
    (row,) = office.sent("review")
    assert json.loads(row["payload"])["state"] == "changes_requested"
    assert row["next_at"] <= time.time() + 2


def test_only_branches_of_open_changes_are_looked_after(office: Office) -> None:
    """A push or a green build asks for nothing where nothing of ours is open."""
    office.deliver("push")
    office.deliver(WORKFLOW, workflow_run__conclusion="success", workflow_run__head_branch="topic")
    assert office.sent("tend") == []
    office.open_change(target="topic", branch="heal/x")
    for _ in range(2):
        office.deliver("push")
        office.deliver(WORKFLOW, workflow_run__conclusion="success", workflow_run__head_branch="topic")
    office.deliver("push", ref="refs/heads/heal/x")
    office.deliver("push", ref="refs/heads/else")
    told = [(one["branch"], one["why"]) for one in map(json.loads, (row["payload"] for row in office.sent("tend")))]
    assert sorted(told) == [("heal/x", "pushed"), ("topic", "green"), ("topic", "moved")]


@pytest.mark.fault(15)
def test_uninstalled(office: Office) -> None:
    """Uninstalling ends every run of the installation, opens no other, and has what is kept of it forgotten."""
    office.deliver(WORKFLOW)
    office.deliver("installation.deleted")
    assert office.runs() == [("done", Outcome.CANCELLED)]
    assert len(office.sent("forget")) == 1
    assert "not started" in office.deliver(WORKFLOW, workflow_run__id=8002)
    assert len(office.runs()) == 1


@pytest.mark.fault(15)
def test_suspended_and_back(office: Office) -> None:
    """A suspended installation gets no runs and no errands until it is back, and forgets nothing."""
    when = {"installation__updated_at": at(0)}
    office.deliver("installation.created")
    office.deliver(WORKFLOW)
    office.deliver("installation.deleted", action="suspend", **when)
    assert "not started" in office.deliver(WORKFLOW, workflow_run__id=8002)
    assert office.deliver(COMMENT) == "routed: left alone: Heal is suspended or gone there, or it is archived"
    assert office.sent("command") == []
    office.deliver("installation.deleted", action="unsuspend", **when)
    assert "opened run" in office.deliver(WORKFLOW, workflow_run__id=8003)
    office.deliver(COMMENT)
    assert len(office.sent("command")) == 1
    assert office.runs() == [("done", Outcome.CANCELLED), ("queued", None)]
    assert office.sent("forget") == []


def test_removed_repository(office: Office) -> None:
    """A repository that was taken out loses its runs; others of the installation go on."""
    office.deliver("installation.created")
    office.deliver(WORKFLOW)
    office.deliver(WORKFLOW, workflow_run__id=8002, repository__id=7002, workflow_run__head_repository={"id": 7002})
    office.deliver("installation_repositories.removed")
    assert office.runs() == [("done", Outcome.CANCELLED), ("queued", None)]


@pytest.mark.fault(14)
def test_renamed_repository_keeps_its_history(office: Office) -> None:
    """Runs are found and shown under the name the repository has now."""
    office.deliver(WORKFLOW)
    office.deliver("repository.renamed")
    assert [row["repo"] for row in rows(office.engine, "run")] == ["octo/abacus"]
    office.deliver("installation_target.renamed")
    assert [row["full_name"] for row in rows(office.engine, "repo")] == ["octopus/abacus"]


def test_rows_know_whose_they_are(office: Office) -> None:
    """Each delivery is kept with the installation and the repository it is about, so that it can be forgotten."""
    office.deliver(WORKFLOW)
    office.deliver("installation.created")
    office.raw("workflow_job", encoded({"action": "queued", "installation": {"id": 5}, "repository": {"id": 6}}))
    owners = [(row["installation_id"], row["repo_id"]) for row in rows(office.engine, "delivery")]
    assert owners == [(501, 7001), (501, 0), (5, 6)]


def test_missed_deliveries_are_looked_for(office: Office) -> None:
    """One look is ordered at a time, and another when the time for the next has come."""
    office.dispatcher.sweep()
    office.carrier.look_for_missed(time.time() + 3600)
    assert len(office.sent("recover")) == 1
    office.finish("recover")
    office.carrier.look_for_missed(time.time() + 3600)
    assert len(office.sent("recover")) == 2


def test_own_branch_wakes_nobody_when_nobody_waits(office: Office) -> None:
    """CI on a branch of ours opens no run."""
    assert "no run waits" in office.deliver(WORKFLOW, workflow_run__head_branch="heal/x")
    assert office.runs() == []


@pytest.mark.fault(11)
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


@pytest.mark.fault(68)
@pytest.mark.parametrize("stored", [b"broken", b"", zlib.compress(b"{}")], ids=["torn", "gone", "another"])
def test_a_damaged_body_is_told_and_does_not_stop_the_rest(office: Office, stored: bytes) -> None:
    """What is not the body that came, by its hash, is never routed; whoever looks reads why, and the rest goes on."""
    office.inbox.add(DeliveryRow(guid="hurt", event="workflow_run", body=encoded(payload(WORKFLOW))))
    with office.engine.begin() as connection:
        connection.execute(update(Delivery).values(body=stored))
    assert office.deliver(CHECK).startswith("routed")
    hurt = rows(office.engine, "delivery")[0]
    assert (hurt["state"], hurt["reason"]) == ("error", "the stored body is damaged")


@pytest.mark.fault(20)
def test_names_as_long_and_odd_as_they_come(office: Office) -> None:
    """Odd names are data: stored and rung like any other."""
    assert office.deliver(WORKFLOW, workflow_run__head_branch="-x;$(id) \u202e\u0000" + "y" * 244).startswith("routed")
    assert office.deliver(CHECK, check_run__name="n" * 5000, check_run__app={"id": 3, "slug": "x"}).startswith("routed")


@pytest.mark.fault(55)
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


def test_what_comes_during_a_sweep_is_left_for_the_next(engine: Engine) -> None:
    """It wakes the dispatcher again, so that under load deliveries are routed together and not in twos and threes."""

    class Busy(Office):
        def _ring(self, run: RunId) -> bool:
            self.inbox.add(DeliveryRow(guid=f"during-{self.asked}", event="ping", body=b"{}"))
            self.dispatcher.wake()
            return super()._ring(run)

    office = Busy(engine)
    office.inbox.add(DeliveryRow(guid="first", event="workflow_run", body=encoded(payload(WORKFLOW))))
    office.dispatcher.sweep()
    assert [row["state"] for row in rows(engine, "delivery")] == ["routed", "new"]
    office.dispatcher.sweep()
    assert [row["state"] for row in rows(engine, "delivery")] == ["routed", "ignored"]


def _messages(redis: Redis) -> list[str]:
    found: Any = redis.lrange("heal:heal", 0, -1)
    return [one.decode() for one in found]


def test_every_payload_through_the_receiver(site: Site, engine: Engine) -> None:
    """All recorded and hand-made deliveries are taken and routed; none ends as an error of ours."""
    sent = [*PAYLOADS.glob("*.json"), *REAL_PAYLOADS.rglob("*.*.json")]
    answers = {}
    for path in sent:
        event, body = path.name.partition(".")[0], path.read_bytes()
        answers[path.name] = site.client.post("/webhook", content=body, headers=headers(event, body)).status_code
    assert set(answers.values()) <= {200, 202, 204}
    until(lambda: all(row["state"] != "new" for row in rows(engine, "delivery")), 30)
    assert [(row["event"], row["reason"]) for row in rows(engine, "delivery") if row["state"] == "error"] == []


@pytest.mark.redis
def test_delivery_to_bell(serve: Serve, redis_url: str, engine: Engine) -> None:
    """From the posted delivery to the message in Redis in well under a second, with the run's id and nothing else."""
    site = serve(redis_url=redis_url, sweep_seconds=60)
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
        site.client.post(
            "/webhook", content=encoded(payload("push")), headers=headers("push", encoded(payload("push")))
        )
        until(lambda: site.client.get("/readyz").json()["checks"]["dispatcher"]["ok"])
        took: list[float] = []
        while not took or (took[-1] > 1 and len(took) < 10):  # 0.05 s, where the machine does not pause
            body = encoded(payload(WORKFLOW, workflow_run__id=8001 + len(took)))
            started = time.monotonic()
            assert site.client.post("/webhook", content=body, headers=headers("workflow_run", body)).status_code == 202
            until(lambda: len(_messages(redis)) == len(took) + 1)
            took.append(time.monotonic() - started)
        assert min(took) <= 1
        rung = [_arguments(message) for message in reversed(_messages(redis))]
        assert rung == [([run["id"]], {}) for run in rows(engine, "run")]
    ready = site.client.get("/readyz").json()
    assert (ready["status"], ready["checks"]["redis"]["ok"], ready["checks"]["workers"]["ok"]) == (
        "degraded",
        True,
        False,
    )
    Roster(engine).seen("host:1", "1", 1)
    assert site.client.get("/readyz").json()["status"] == "ready"
    assert site.metric("heal_broker_up") == 1
    assert site.metric('heal_runs_active{state="queued"}') == len(took)
    assert site.metric('heal_errands{state="dead"}') == 0


def _arguments(message: str) -> tuple[list[Any], dict[str, Any]]:
    positional, named, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    return positional, named


@pytest.mark.fault(55)
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
