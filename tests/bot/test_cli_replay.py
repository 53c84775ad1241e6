"""`heal replay RUN`: the stored trajectory of a run, as an operator reads it and as a program does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.spec import Ending
from tests.bot.command import heal, one_object
from tests.workers.made import PATCH, RED, case, diagnosis
from workers.domain import Candidate, Confidence, Coverage, RunId, Usage, Verdict
from workers.fixers.agent.observations import Observation
from workers.llm.budgets import Use
from workers.llm.exchange import Call
from workers.llm.talk import Reply
from workers.redact import Redactor
from workers.store.database import open_engine
from workers.store.lease import Lease
from workers.store.ledger import Ledger
from workers.store.pages import Pages
from workers.store.schema import upgrade
from workers.trajectory import Answered, Judged, Observed, Proposed, trajectory

KEY = f"ghp_{'a1' * 18}"
COST = Usage(1200, 80, 0.002)
CALL = Call("chatcmpl-1", "stop", cached_tokens=1000)
LOOK = Reply("I look.\n```bash\ncat calc.py\n```", "tiny", COST, call=CALL)
SAW = Observation(Ending.PASSED, 0, f"def add(a, b):\n\x1b[31m{KEY}\u202e", 0.3, b"", 4.0)
LOST = Observation(Ending.TIMEOUT, 137, "", 60.0, b"diff", 70.0, "the container ended with it")
SHOT = Candidate("llm", "", "", Confidence.MEDIUM, "tiny", COST, error="an edit is not in the file")
FIX = Candidate("agent", PATCH, "`-` became `+`.", Confidence.MEDIUM, "tiny", COST)

LOW = Verdict(True, covered=Coverage(2, (("calc.py", 3),), sidelined=(("calc.py", 3),)))


def written(lease: Lease) -> None:
    """What a run leaves that asked once, then let the agent work, whose fix was vetoed."""
    lease.record("diagnose", 0, diagnosis(), 0.1)
    lease.record("once:prompt:aaaa:0", 0, "[]", 0.0)
    lease.record("once:prompt:aaaa:1", 0, json.dumps([("user", f"Mend\x1b[31m {KEY}")]), 0.0)
    lease.record("once:llm:aaaa", 0, Reply("I am sure.", "tiny", COST, call=CALL).as_json(), 1.5)
    lease.record("propose", 0, SHOT, 1.6)
    lease.record("verify", 0, Verdict(False, "answer", SHOT.error), 0.0)
    lease.record("once:llm:bbbb", 0, LOOK.as_json(), 2.0)
    lease.record("once:agent:1:0123", 0, SAW.as_json(), 0.4)
    lease.record("once:llm:cccc", 0, Reply("", "tiny", Usage(1, 0, None), "the model refused: no").as_json(), 1.0)
    lease.record("once:agent:2:4567", 0, LOST.as_json(), 61.0)
    lease.record("propose", 1, FIX, 70.0)
    lease.record("once:llm:dddd", 0, Reply("{}", "tiny", COST).as_json(), 1.0)
    lease.record("verify", 1, Verdict(False, "regression", "t1 broke", RED, regressions=("t1",)), 5.0)
    lease.record("verify", 2, LOW, 5.0)
    lease.record("once:llm:eeee", 0, "[no reply of this version", 1.0)
    lease.record("once:agent:x", 0, "neither", 1.0)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, RunId]:
    """A database and the run in it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('replay') / 'heal.db'}"
    upgrade(url)
    engine = open_engine(url)
    ledger = Ledger(engine)
    run, _ = ledger.open_run(replace(case(), run=RunId("")), "a", "delivery")
    lease = ledger.claim(run, "worker/1")
    assert lease is not None
    written(lease)
    for key, use in (("reproduce:0", Use(40.4)), ("verify:0", Use(20.2, 1))):
        lease.purse(()).set_aside(key, use, use)
        lease.purse(()).used(key, use)
    engine.dispose()
    return url, run


def test_the_trajectory_is_in_order_and_complete(stored: tuple[str, RunId]) -> None:
    """Every answer with who asked for it and what it cost, every command, candidate and verdict; what another version
    wrote is text. The whole bill is unknown where one part of it is."""
    url, run = stored
    engine = open_engine(url)
    page = Pages(engine, Redactor()).run(run)
    engine.dispose()
    assert page is not None
    found = trajectory(page)
    kinds = [(type(entry), getattr(entry, "asked_by", getattr(entry, "number", None))) for entry in found.entries]
    assert kinds == [
        (Answered, "llm"), (Proposed, 1), (Judged, 1),
        (Answered, "agent"), (Observed, 1), (Answered, "agent"), (Observed, 2), (Proposed, 2),
        (Answered, "critic"), (Judged, 2), (Judged, 3), (Answered, ""), (Observed, 0),
    ]  # fmt: skip
    assert found.usage == Usage(3 * 1200 + 1, 3 * 80, None)
    assert found.entries[-2] == Answered(
        "eeee", "", "", "[no reply of this version", "", Usage(0, 0, None), Call(), 1.0
    )


def test_it_is_shown_and_does_nothing_in_a_terminal(stored: tuple[str, RunId]) -> None:
    """For a person: no escape code, no key; for a program: one object of ASCII."""
    url, run = stored
    done = heal("replay", run, HEAL_DATABASE_URL=url)
    assert done.returncode == 0
    assert not any(character in done.stdout for character in ("\x1b[31m", "\u202e", KEY))
    lines = done.stdout.splitlines()
    assert lines[0] == f"run {run} of octo/shop at {'a' * 12}: running"
    assert "answer of tiny to llm (prompt aaaa, 1200 tokens in, 80 out, $0.0020, 1.5 s, stop)" in lines
    assert "command 1: exit code 0, 0.3 s, 0 bytes changed" in lines
    assert "    [redacted]" in lines
    assert "command 2: ended by the sandbox: timeout, 60 s, 4 bytes changed" in lines
    assert "    the model refused: no" in lines
    assert "candidate 2 of agent: medium" in lines
    assert "    +    return a + b" in lines
    assert "verdict on candidate 2: rejected by regression, 5.0 s" in lines
    at = lines.index("verdict on candidate 3: accepted, 5.0 s")
    assert lines[at + 1] == "    low: no test executes calc.py:3 with it"
    assert lines[-1] == "in the sandbox 61 s of commands, 1 candidate tried"
    assert lines[-2] == "in all 3601 tokens in, 240 out, unknown cost"
    assert "Mend" not in done.stdout
    told = heal("replay", run, "--prompts", HEAL_DATABASE_URL=url).stdout
    assert "told the model (user)\n    Mend [redacted]\n" in told
    shown = heal("replay", run, "--json", HEAL_DATABASE_URL=url)
    found = one_object(shown)
    assert shown.stdout.isascii()
    assert KEY not in shown.stdout
    assert [entry["kind"] for entry in found["entries"]][:4] == ["answer", "candidate", "verdict", "answer"]
    assert found["entries"][0]["shown"] == [["user", "Mend\x1b[31m [redacted]"]]
    assert (found["tokens"], found["cost_usd"]) == ({"input": 3601, "output": 240}, None)
    assert found["sandbox"] == {"seconds": pytest.approx(60.6), "candidates": 1}
    assert json.dumps(found["entries"][3]["text"]) == json.dumps(LOOK.text)


def test_what_cannot_be_shown_is_one_line(stored: tuple[str, RunId], tmp_path: Path) -> None:
    """A run that nobody knows, and a database that is none yet."""
    url, _ = stored
    unknown = heal("replay", "r\x1b[31m1", HEAL_DATABASE_URL=url)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr == "heal: no run r1 is known here; `heal fix` keeps none\n"
    empty = heal("replay", "r1", HEAL_DATABASE_URL=f"sqlite:///{tmp_path / 'none.db'}")
    assert (empty.returncode, empty.stdout) == (2, "")
    assert "heal db upgrade" in empty.stderr
