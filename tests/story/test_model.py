"""Stories with a model behind an OpenAI-compatible endpoint: asked last, told why it failed, never trusted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import SETTING
from tests.model import replies
from tests.model.answers import NO_OBJECTION, search_replace
from tests.model.process import Model
from tests.story.gate import Gate
from tests.story.scenes import CONFIG, PATH, PUZZLE, running
from tests.story.theatre import Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]

KEY = "sk-proj-story-0123456789abcdefghij"
OLD = "    return name"
RIGHT = '    first, last = name.upper().split(" ")\n    return f"{first[0]}. {last}"'
PATCH = search_replace("names.py", OLD, RIGHT)
WRONG = search_replace("names.py", OLD, "    return name.upper()")
ASSERTED = '        self.assertEqual(badge("ada lovelace"), "A. LOVELACE")'
CHEAT = search_replace("test_names.py", ASSERTED, ASSERTED.replace("A. LOVELACE", "ada lovelace"))


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    """The endpoint."""
    with Model() as running:
        yield running


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Iterator[Theatre]:
    """An installation with a model; stories use `theatre`."""
    folder = tmp_path_factory.mktemp("asking")
    extra = {**SETTING, "HEAL_MODEL": "openai:gpt-5-mini", "OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": KEY}
    with Theatre(folder, folder / "state", extra, sweep_seconds=0.5) as running:
        yield running


@pytest.fixture
def theatre(asking: Theatre) -> Iterator[Theatre]:
    """The running installation. The key has never left, and the double has nothing to complain about."""
    yield asking
    asking.hub.settle()
    asking.hub.clear_faults()
    assert asking.hub.violations(take=True) == []
    assert KEY not in asking.logs()
    assert KEY not in str(asking.hub.requests())


@pytest.mark.fault(41)
def test_wrong_answers_then_a_right_one(theatre: Theatre, model: Model, repo: str) -> None:
    """Told why its first two answers were rejected, the model finds the fix: a draft for a person to judge."""
    model.script([replies.text(one) for one in ("I am sure it is fine.", WRONG, PATCH, NO_OBJECTION)])
    theatre.hub.create_repo(repo, files=PUZZLE)
    theatre.hub.finish_ci(repo)
    pull = theatre.wait_for_pull(repo)
    theatre.wait_for_state(repo, "parked")
    theatre.hub.finish_ci(repo, branch=pull["head"]["ref"], conclusion="success")
    run = theatre.wait_for_run(repo, 30)
    assert run["outcome"] == "FIXED"
    tried = theatre.run(run["id"])["attempts"]
    assert [(a["fixer"], a["accepted"], a["rejected_by"]) for a in tried] == [
        ("llm", False, "answer"),
        ("llm", False, "check"),
        ("llm", True, ""),
    ]
    assert "ADA LOVELACE" in model.prompts()[2]
    pulls = theatre.pulls(repo)
    assert [one["draft"] for one in pulls] == [True]
    assert "Tried and rejected (2)" in pulls[0]["body"]
    assert "gpt-5-mini" in pulls[0]["body"]
    assert "Confidence: medium" in pulls[0]["body"]


@pytest.mark.fault(29)
def test_a_cheat_is_refused(theatre: Theatre, model: Model, repo: str) -> None:
    """A model that mends the tests instead of the code, whatever it is shown, is told as no fix."""
    model.script([replies.text(CHEAT)] * 6)
    theatre.hub.create_repo(repo, files={**PUZZLE, CONFIG: "models:\n  agent: false\n"})
    theatre.hub.finish_ci(repo)
    run = theatre.wait_for_run(repo)
    assert run["outcome"] == "NO_FIX_FOUND"
    assert {a["rejected_by"] for a in theatre.run(run["id"])["attempts"]} == {"policy"}
    assert theatre.pulls(repo) == []
    assert "6 candidates tried, none held" in theatre.checks(repo)[0]["output"]["summary"]


@pytest.mark.fault(45)
def test_no_money(theatre: Theatre, model: Model, repo: str) -> None:
    """`limits.usd_per_run: 0` never asks a model that costs something."""
    model.script([replies.text(PATCH)])
    theatre.hub.create_repo(repo, files={**PUZZLE, CONFIG: "limits:\n  usd_per_run: 0\n"})
    theatre.hub.finish_ci(repo)
    run = theatre.wait_for_run(repo)
    assert run["outcome"] == "OVER_BUDGET"
    assert "$0.00" in run["detail"]
    assert model.requests() == []
    assert [check["output"]["title"] for check in theatre.checks(repo)] == ["Budget spent"]


@pytest.mark.fault(45)
def test_money_runs_out(theatre: Theatre, model: Model, repo: str) -> None:
    """A budget that allows one answer allows one; what it tried is kept."""
    long_winded = "I have thought about it. " * 700 + WRONG  # about 4,400 tokens, $0.0088
    model.script([replies.text(long_winded), replies.text(PATCH)])
    theatre.hub.create_repo(repo, files={**PUZZLE, CONFIG: "limits:\n  usd_per_run: 0.012\n"})
    theatre.hub.finish_ci(repo)
    run = theatre.wait_for_run(repo, 40)
    assert run["outcome"] == "OVER_BUDGET"
    assert "1 candidate tried, none held" in theatre.checks(repo)[0]["output"]["summary"]
    assert len(model.requests()) == 1
    shown = theatre.run(run["id"])
    assert len(shown["attempts"]) == 1
    ((purpose, under_way, usd),) = [(one["purpose"], one["under_way"], one["usd"]) for one in shown["calls"]]
    assert (purpose, under_way, usd > 0.008) == ("fixer", False, True)


@pytest.mark.fault(44)
def test_quota_is_used_up(theatre: Theatre, model: Model, repo: str) -> None:
    """An endpoint whose quota is used up ends the run as without a model, in words; the next run does not ask it."""
    model.script([replies.out_of_quota(), replies.text(PATCH)])
    for name in (repo, f"{repo}-again"):
        theatre.hub.create_repo(name, files=PUZZLE)
        theatre.hub.finish_ci(name)
        assert theatre.wait_for_run(name)["outcome"] == "NO_FIX_FOUND"
        summary = theatre.checks(name)[0]["output"]["summary"]
        assert "The model could not be asked, so Heal went on without it" in summary
        assert "quota" in summary
    assert len(model.requests()) == 1
    theatre.kill_worker()
    theatre.start_worker()  # what a run learns of an endpoint stays in its process, and other stories need a model


@pytest.mark.fault(54)
def test_a_killed_worker_pays_for_nothing_twice(theatre: Theatre, model: Model, repo: str) -> None:
    """SIGKILL while a model's patch is proven: the next worker goes on with the answer that was paid for."""
    model.script([replies.text(one) for one in (PATCH, NO_OBJECTION)])
    theatre.hub.create_repo(repo, files={**PUZZLE, PATH: running("sleep 2; python -m unittest")})
    theatre.hub.finish_ci(repo)
    theatre.wait_for_stage(repo, "verify", seconds=120)
    assert len(model.requests()) == 1
    theatre.kill_worker()
    theatre.start_worker()
    pull = theatre.wait_for_pull(repo)
    theatre.wait_for_claims(repo, 2)
    theatre.wait_for_state(repo, "parked")
    theatre.hub.finish_ci(repo, branch=pull["head"]["ref"], conclusion="success")
    assert theatre.wait_for_run(repo, 30)["outcome"] == "FIXED"
    assert len(theatre.pulls(repo)) == 1
    assert len(model.requests()) == 2


@pytest.mark.fault(38)
def test_the_engine_restarts_while_a_check_runs(theatre: Theatre, model: Model, repo: str, tmp_path: Path) -> None:
    """Every connection to the engine ends in the middle of the check, and nobody listens for a while: the run waits as
    for infrastructure, no model is asked, and once the engine is back the same run goes on to its fix."""
    model.script([replies.text(one) for one in (PATCH, NO_OBJECTION)])
    theatre.kill_worker()
    with Gate(tmp_path / "engine.sock") as gate:
        theatre.start_worker(HEAL_DOCKER_HOST=gate.host)
        theatre.hub.create_repo(repo, files={**PUZZLE, PATH: running("sleep 3; python -m unittest")})
        theatre.hub.finish_ci(repo)
        theatre.wait_for_stage(repo, "reproduce")
        gate.cut()
        waiting = theatre.wait_for_retry(repo)
        assert (waiting["state"], waiting["outcome"]) == ("queued", None)
        events = theatre.run(waiting["id"])["events"]
        assert [event["data"]["blame"] for event in events if event["kind"] == "retry"] == ["engine"]
        assert model.requests() == []
        gate.open()
        theatre.hurry(repo, "parked")
        theatre.hub.finish_ci(repo, branch=theatre.wait_for_pull(repo)["head"]["ref"], conclusion="success")
        run = theatre.wait_for_run(repo, 30)
        theatre.worker.stop()
    theatre.start_worker()
    assert (run["id"], run["outcome"]) == (waiting["id"], "FIXED")
    assert len(theatre.pulls(repo)) == 1
    assert len(model.requests()) == 2
