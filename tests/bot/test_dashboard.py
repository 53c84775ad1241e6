"""The pages: who may see them, what they show, and that nothing in them is believed."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from sqlalchemy import Engine, text

from bot.settings import BotSettings
from tests.bot.conftest import Serve, Site
from tests.bot.deliveries import SECRET
from tests.bot.finished import at_work, cancelled, healed
from workers.domain import Case, Outcome, Report, RunId, Sha
from workers.store.forgetting import Forgetting
from workers.store.ledger import Ledger

TOKEN = "t" * 40
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> \x1b[31mred\x1b[0m \u202e end"


def test_empty_list_says_how_to_start(site: Site) -> None:
    """With no run yet the page is a checklist with this installation's own webhook address."""
    page = site.client.get("/")
    assert page.status_code == 200
    assert f"{site.settings.public_url}/webhook" in page.text


def test_list_and_filters(site: Site, engine: Engine) -> None:
    """The list shows each run's outcome in words; filters live in the address; nothing is lost between pages."""
    healed(engine)
    at_work(engine, repo="octo/other")
    page = site.client.get("/").text
    assert "Fixed" in page
    assert "Running" in page
    assert "octo/other" not in site.client.get("/", params={"repo": "octo/calc"}).text.partition('id="live"')[2]
    assert "No run matches" in site.client.get("/", params={"outcome": "FLAKY"}).text
    for odd in ({"page": "-1"}, {"page": "9" * 30}, {"outcome": "<x>"}, {"state": "\x00"}, {"repo": "\x00'--"}):
        assert site.client.get("/", params=odd).status_code == 200


def test_run_of_an_account_that_left(site: Site, engine: Engine) -> None:
    """Its outcome and times are shown, and nothing of its code, people or names."""
    run = healed(engine)
    with engine.connect() as connection:
        owner = int(connection.execute(text("SELECT installation_id FROM run")).scalar_one())
    assert Forgetting(engine, owner).wipe("") == 0
    for page in (site.client.get("/"), site.client.get(f"/runs/{run}"), site.client.get(f"/api/runs/{run}")):
        assert page.status_code == 200
        assert "fixed" in page.text.lower()
        assert not {"octo", "calc", "subtracts"} & set(re.findall(r"[a-z]+", page.text.lower()))


def test_paging(site: Site, engine: Engine) -> None:
    """Fifty to a page, newest first, with links to the others that keep the filter."""
    for n in range(53):
        cancelled(engine, f"job-{n:03}")
    first = site.client.get("/", params={"outcome": "CANCELLED"}).text
    assert "job-052" in first
    assert "job-002" not in first
    assert "/?outcome=CANCELLED&amp;page=2" in first
    assert "job-002" in site.client.get("/?outcome=CANCELLED&page=2").text
    assert len(first) < 60_000


def test_run_page(site: Site, engine: Engine) -> None:
    """Cause, both sides of the evidence, the diff, the rejected attempt with its gate, the plan, the log."""
    run = healed(engine)
    page = site.client.get(f"/runs/{run}").text
    for words in (
        "<code>total</code> subtracts each value",
        "1 passed, 1 failed",
        "2 passed, 0 failed",
        "result += value",
        "rejected by weakened_tests",
        "pip install -e .[test]",
        "FAILED test_total",
        "<code>calc/core.py:7</code> total is wrong",
        "Upload coverage",
        "in an environment that is close to CI's",
        "postgres:16",
        "<code>DATABASE_URL</code>",
        "CI used Python 3.12, the sandbox has 3.11",
        "12,345 bytes in the middle are not shown",
        "2,000 + 100 tokens · $0.25 and 1 call of unknown cost · 6.0 s",
        "answered by tiny&lt;i&gt; · 900 (300 cached) + 80 (20 of thought) tokens, estimated",
        "cost unknown · 2.0 s · stop",
        "1100 + 20 tokens · $0.25 · 3.0 s · length",
        "· 1.0 s · Retryable",
        "· under way, at most $0.50",
        "1 min 14 s · 1 candidate tried",
        "· 9.5 s · 1 candidate",
        'verify:1 <span class="quiet">· under way, at most 10 min 0 s · 1 candidate',
        "https://github.test/octo/calc/pull/12",
        "It could reach api.example.org",
        "One commit of pull request #77",
        "Subtract &lt;b&gt;faster&lt;/b&gt;",
        "64 came since the last green one, 11 runs",
        '<code>calc/core.py:7</code> <span class="quiet">raised here, at a change since the last green commit</span>',
        "calc/&lt;i&gt;.py",
        "calc/m7.py",
    ):
        assert words.replace("'", "&#39;") in page or words in page, words
    assert "calc/m8.py" not in page  # ten places are enough to look at
    assert "postgresql://word@" not in page  # a value may be a secret of somebody


def test_run_page_while_at_work(site: Site, engine: Engine) -> None:
    """A run that has not ended shows the stage it is in and listens for news."""
    page = site.client.get(f"/runs/{at_work(engine)}").text
    assert 'data-events="/runs/' in page
    assert re.search(r'<li class="now">.*?Check out', page, re.DOTALL)


def test_values_of_another_release_are_left_out(site: Site, engine: Engine) -> None:
    """A run whose report, case, stages, state or outcome this release cannot read is shown as far as it can."""
    run = healed(engine)
    changes = {"report": '{"a": 1}', "case": "[]", "outcome": "MENDED", "state": "resting"}
    for column, value in changes.items():
        with engine.begin() as connection:
            connection.execute(text(f'UPDATE run SET "{column}" = :value'), {"value": value})  # noqa: S608
        for address in ("/", f"/runs/{run}", "/api/runs", f"/api/runs/{run}", "/metrics"):
            assert site.client.get(address).status_code == 200, (column, address)
    with engine.begin() as connection:
        connection.execute(text("UPDATE stage_result SET data = '{\"old\": true}'"))
    page = site.client.get(f"/runs/{run}")
    assert page.status_code == 200
    assert "result += value" in page.text


def test_run_page_of_an_early_end(site: Site, engine: Engine) -> None:
    """A run that ended in the middle says where, how long that took, and what it saw."""
    ledger = Ledger(engine)
    case = Case(RunId(""), "octo/calc", 7001, 501, Sha("a" * 40), "main", job="unit")
    run, _ = ledger.open_run(case, "key", "delivery")
    lease = ledger.claim(run, "host:1/2")
    assert lease is not None
    with lease:
        lease.event("stage", "reproduce", state="started", n=0)
        seen = {"runs": "5", "failed": "3", "tests": "('t.py::test_a', 't.py::test_b')", "log": "1 failed"}
        lease.finish(Report(lease.case, Outcome.FLAKY, "3 of 5 runs failed.", seconds={"reproduce": 6.2}, data=seen))
    page = site.client.get(f"/runs/{run}").text
    assert re.search(r'<li class="ended">.*?Reproduce.*?ended here, 6.2 s', page, re.DOTALL)
    for words in ("Identical runs", "t.py::test_a, t.py::test_b", "1 failed", "3 of 5 runs failed."):
        assert words in page, words


def test_run_page_of_two_failures(site: Site, engine: Engine) -> None:
    """What CI said and what the sandbox said stand beside each other, not among the small facts."""
    ledger = Ledger(engine)
    case = Case(RunId(""), "octo/calc", 7001, 501, Sha("a" * 40), "main", job="unit")
    run, _ = ledger.open_run(case, "key", "delivery")
    lease = ledger.claim(run, "host:1/2")
    assert lease is not None
    with lease:
        seen = {"ci": "KeyError: 'a'\nexit code 1", "here": "OSError: b\nexit code 2", "failure": "test_error"}
        lease.finish(Report(lease.case, Outcome.NOT_REPRODUCED, "Another failure.", data=seen))
    page = site.client.get(f"/runs/{run}").text
    assert re.search(r"<h3>CI said</h3>.*KeyError.*<h3>The sandbox said</h3>.*OSError", page, re.DOTALL)
    assert re.search(r"<dt>Kind of failure</dt><dd>test_error</dd>", page)
    assert "<dt>Ci</dt>" not in page


def test_run_pages_of_a_parked_and_a_crashed_run(site: Site, engine: Engine) -> None:
    """A run that waits says for what; one that crashed says that it was our fault."""
    ledger = Ledger(engine)
    case = Case(RunId(""), "octo/calc", 7001, 501, Sha("a" * 40), "main", job="unit")
    for n in range(2):
        run, _ = ledger.open_run(case, f"key-{n}", "delivery")
        lease = ledger.claim(run, "host:1/2")
        assert lease is not None
        with lease:
            lease.event("stage", "follow", state="started", n=0)
            if n == 0:
                lease.park(60, "waiting for CI")
                parked = site.client.get(f"/runs/{run}").text
            else:
                lease.finish(Report(lease.case, Outcome.CRASHED, "Heal itself failed 3 times."))
                crashed = site.client.get(f"/runs/{run}").text
    assert re.search(r'<li class="waits">.*?Follow', parked, re.DOTALL)
    assert "Parked" in parked
    assert "Heal itself failed 3 times." in crashed


@pytest.mark.fault(13, 69)
def test_hostile_text_is_shown_not_obeyed(site: Site, engine: Engine) -> None:
    """Names and logs that strangers write are escaped, without terminal codes and direction overrides."""
    run = healed(engine, name=HOSTILE, log=f"{HOSTILE}\n" * 3)
    for address in ("/", f"/runs/{run}"):
        page = site.client.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_long_log_is_cut_into_blocks(site: Site, engine: Engine) -> None:
    """Of a long log the end is shown, with its own line numbers."""
    run = healed(engine, log="".join(f"line {n}\n" for n in range(1, 50_001)))
    page = site.client.get(f"/runs/{run}").text
    assert 'id="L50000"' in page
    assert 'id="L48000"' not in page


def test_json(site: Site, engine: Engine) -> None:
    """The same facts as JSON, list and run."""
    run = healed(engine)
    listed = site.client.get("/api/runs", params={"repo": "octo/calc"}).json()
    assert (listed["total"], listed["runs"][0]["id"], listed["runs"][0]["outcome"]) == (1, run, "FIXED")
    one = site.client.get(f"/api/runs/{run}").json()
    assert one["report"]["outcome"] == "FIXED"
    assert [attempt["accepted"] for attempt in one["attempts"]] == [False, True]


@pytest.mark.parametrize("run", ["nope", "0" * 26, "%00", "..%2f..%2fetc", "é", "a'b"])
def test_no_such_run(site: Site, run: str) -> None:
    """An unknown id is a 404 everywhere, page or JSON."""
    for address in (f"/runs/{run}", f"/runs/{run}/events", f"/api/runs/{run}"):
        assert site.client.get(address).status_code == 404


@pytest.mark.fault(69)
def test_security_headers(site: Site) -> None:
    """Every answer, static and error included, carries the strict policy; pages hold no inline script or style."""
    for address in ("/", "/static/style.css", "/nowhere", "/healthz"):
        answer = site.client.get(address)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    refused = site.client.post("/webhook").headers
    assert (refused["x-content-type-options"], refused["cache-control"]) == ("nosniff", "no-store")
    assert not re.search(r"<script(?! src=)|style=|\son\w+=", site.client.get("/").text)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"x-real-ip": "127.0.0.1"},
        {"host": "heal.example.org"},
        {"host": "127.0.0.1.evil.test"},
        {"host": "[::1"},
    ],
)
def test_without_a_token_only_this_machine(site: Site, headers: dict[str, str]) -> None:
    """Through a proxy or under a foreign name the pages are closed, and say which setting opens them."""
    answer = site.client.get("/", headers=headers)
    assert answer.status_code == 403
    assert "HEAL_DASHBOARD_TOKEN" in answer.text
    for address in ("/api/runs", "/metrics", "/runs/x/events"):
        assert site.client.get(address, headers=headers).status_code == 403


def test_login(serve: Serve, engine: Engine) -> None:
    """With a token set: no page without it, a session with it, and out again."""
    site, run = serve(dashboard_token=TOKEN), healed(engine)
    client = site.client
    closed = client.get(f"/runs/{run}?x=1")
    assert (closed.status_code, closed.headers["location"]) == (303, f"/login?next=%2Fruns%2F{run}%3Fx%3D1")
    assert client.get("/api/runs").status_code == 401
    assert client.get("/metrics").status_code == 403
    assert "Log out" not in client.get("/login").text
    assert client.post("/login", data={"token": "wrong"}).status_code == 403
    assert client.post("/login", data={"token": TOKEN}, headers={"origin": "https://evil.test"}).status_code == 403
    answer = client.post("/login", data={"token": TOKEN, "next": f"/runs/{run}"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{run}")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert TOKEN not in cookie
    assert "Log out" in client.get(f"/runs/{run}").text
    client.post("/logout")
    assert client.get("/").status_code == 303


def test_api_with_the_token(serve: Serve) -> None:
    """Programs send the token as a bearer token."""
    site = serve(dashboard_token=TOKEN)
    assert site.client.get("/api/runs", headers=site.authorization()).status_code == 200
    odd = [(b"authorization", "Bearer é".encode())]
    assert site.client.get("/api/runs", headers=odd).status_code == 401


@pytest.mark.fault(69)
@pytest.mark.parametrize("cookie", ["", "x", "99999999999.", "99999999999." + "0" * 64, "1.2.3", "-1.a"])
def test_forged_sessions(serve: Serve, cookie: str) -> None:
    """A session that we did not sign opens nothing."""
    site = serve(dashboard_token=TOKEN)
    assert site.client.get("/", headers={"cookie": f"heal_session={cookie}"}).status_code == 303


@pytest.mark.fault(69)
@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/a\nb"])
def test_login_leads_nowhere_else(serve: Serve, target: str) -> None:
    """After the login only paths of this site are followed."""
    site = serve(dashboard_token=TOKEN)
    answer = site.client.post("/login", data={"token": TOKEN, "next": target})
    assert answer.headers["location"] == "/"


@pytest.mark.fault(71)
def test_live_events(site: Site, engine: Engine) -> None:
    """The stream repeats what came after Last-Event-ID and ends with the run; an id from the future tells all."""
    run = healed(engine)
    every = _ids(site, f"/runs/{run}/events", {})
    assert len(every) > 10
    assert _ids(site, f"/runs/{run}/events", {"last-event-id": str(every[-3])}) == every[-2:]
    assert _ids(site, f"/runs/{run}/events", {"last-event-id": "999999999"}) == every


def _ids(site: Site, address: str, headers: dict[str, str]) -> list[int]:
    text = site.client.get(address, headers=headers).text
    return [int(one) for one in re.findall(r"^id: (\d+)$", text, re.MULTILINE)]


@pytest.mark.fault(75)
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"webhook_secret": "short"},
        {"webhook_secret": SECRET, "webhook_secret_previous": "x"},
        {"webhook_secret": SECRET, "dashboard_token": "x"},
    ],
)
def test_settings_refuse_weak_secrets(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret, or a short one: the receiver does not start, and the message does not repeat the value."""
    monkeypatch.delenv("HEAL_WEBHOOK_SECRET", raising=False)
    with pytest.raises(ValidationError) as refused:
        BotSettings(**values)
    assert "short" not in str(refused.value)


def test_importing_the_receiver_stays_light() -> None:
    """The process that listens loads no engine, no model, no GitHub client and no migrations."""
    code = "import sys, bot.app; print(sorted({'docker', 'openai', 'github', 'git', 'alembic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_trusted_hosts(serve: Serve) -> None:
    """With host names set, requests for other names are refused."""
    site = serve(allowed_hosts=("heal.example.org",), dashboard_token=TOKEN)
    assert site.client.get("/healthz", headers={"host": "heal.example.org"}).status_code == 200
    assert httpx.get(f"{site.url}/healthz", headers={"host": "evil.test"}).status_code == 400


def test_metrics_of_spending(site: Site, engine: Engine) -> None:
    """Calls, tokens, money and seconds by model and purpose; a call of unknown price is counted, not priced."""
    healed(engine)
    text_ = site.client.get("/metrics").text
    by = 'model="openai:tiny",purpose="fixer"'
    for line in (
        f'heal_llm_requests_total{{{by},result="answer"}} 2.0',
        f'heal_llm_requests_total{{{by},result="Retryable"}} 1.0',
        f'heal_llm_tokens_total{{kind="cached",{by}}} 300.0',
        f'heal_llm_tokens_total{{kind="input",{by}}} 2000.0',
        f'heal_llm_tokens_total{{kind="output",{by}}} 100.0',
        f'heal_llm_tokens_total{{kind="reasoning",{by}}} 20.0',
        f"heal_llm_cost_usd_total{{{by}}} 0.25",
        f"heal_llm_unpriced_total{{{by}}} 1.0",
        f"heal_llm_seconds_total{{{by}}} 6.0",
        "heal_sandbox_seconds_total 73.5",
        "heal_sandbox_candidates_total 1.0",
    ):
        assert line in text_, line
