"""A second look at a model's patch can only say no, by a rule, and with a line of the diff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from threading import Event

import pytest

from tests.model import replies
from tests.model.answers import NO_OBJECTION
from tests.model.process import Model
from tests.workers.fixers.benches import Memory
from tests.workers.hostile import HOSTILE
from tests.workers.made import GREEN, PATCH, RED, MemoryTree, ScriptedEnvironment, candidate, diagnosis, reproduction
from workers.critic import Critic, objections
from workers.domain import Attempt, Verdict
from workers.fixers import Llm
from workers.llm.client import Client
from workers.ports import Workbench
from workers.repo_config import RepoConfig, RunLimits
from workers.stages.verify import verify

ADDED = "    return a + b"


def says(rule: str, quote: str) -> str:
    """An answer with one objection."""
    return json.dumps({"violations": [{"rule": rule, "line": 2, "quote": quote}]})


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (says("special_case", ADDED), True),
        (says("UNSAFE ", f"+{ADDED}"), True),
        (f"```json\n{says('unrelated', 'return a - b')}\n```", True),
        (f"I object: {says('hides_failure', 'return a + b')} That is all.", True),
        (says("ugly", ADDED), False),
        (says("special_case", "return a * b"), False),
        (says("special_case", "def add(a, b):"), False),
        (says("special_case", "a"), False),
        (says("special_case", ""), False),
        ('{"violations": []}', False),
        ('{"violations": "special_case"}', False),
        ("It is wrong: return a + b", False),
        ("[[[[", False),
        ("", False),
    ],
)
def test_an_objection_needs_a_rule_and_a_line(answer: str, counts: bool) -> None:
    """A line that the change touches, letter by letter; whatever else is said is dropped."""
    assert bool(list(objections(answer, PATCH))) is counts


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_answer_is_read(text: str) -> None:
    """No answer raises, and none that quotes nothing objects."""
    assert list(objections(text, PATCH)) == []


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with Model() as running:
        yield running


def client(model: Model, *said: str) -> Client:
    model.script([replies.text(one) for one in said])
    return Client("openai:gpt-5-mini", None, model.url, sleep=lambda _: None)


def bench(config: RepoConfig | None = None) -> Workbench:
    environment = ScriptedEnvironment(lambda step, patch, n: GREEN if patch else RED)
    return Workbench(MemoryTree(), diagnosis(), reproduction(), environment, config or RepoConfig(), Memory())


FROM_A_MODEL = candidate(fixer="llm", model="gpt-5-mini")


def test_a_veto_rejects_what_every_gate_let_pass(model: Model) -> None:
    """With its rule and the line; what it cost is kept. It saw the diff, the failure and the policy."""
    verdict = verify(FROM_A_MODEL, bench(), Event(), Critic(client(model, says("special_case", ADDED))))
    assert (verdict.accepted, verdict.rejected_by) == (False, "review")
    assert verdict.why == "special_case: return a + b"
    assert verdict.usage.input_tokens > 0
    (prompt,) = model.prompts()
    assert "+    return a + b" in prompt
    assert "assert -1 == 3" in prompt
    assert "protected: .github/**" in prompt
    assert "requirements" not in prompt
    assert model.requests()[0]["body"]["response_format"]["type"] == "json_schema"


def test_nothing_it_says_lets_a_patch_through(model: Model) -> None:
    """A patch that a gate rejects is not even shown."""
    bad = replace(FROM_A_MODEL, error="there is no edit")
    verdict = verify(bad, bench(), Event(), Critic(client(model, '{"violations": [], "approved": true}')))
    assert (verdict.rejected_by, model.requests()) == ("answer", [])


def test_it_is_asked_of_a_models_patches_alone(model: Model) -> None:
    """What search or a tool made needs no opinion; one that is not an objection changes nothing."""
    critic = Critic(client(model, NO_OBJECTION))
    assert verify(candidate(), bench(), Event(), critic).accepted
    assert model.requests() == []
    assert verify(FROM_A_MODEL, bench(), Event(), critic).accepted


def test_a_proven_patch_is_not_lost_for_want_of_an_opinion(model: Model) -> None:
    """Where the budget or the endpoint does not allow it, there is none."""
    poor = bench(RepoConfig(limits=RunLimits(usd_per_run=0.0)))
    assert verify(FROM_A_MODEL, poor, Event(), Critic(client(model))).accepted
    model.script([replies.out_of_quota()])
    endpoint = Client("openai:gpt-5-mini", None, model.url, sleep=lambda _: None)
    assert verify(FROM_A_MODEL, bench(), Event(), Critic(endpoint)).accepted


def test_a_vetoed_patch_is_made_anew_once(model: Model) -> None:
    """The second veto ends the model's turn."""
    vetoed = Attempt(FROM_A_MODEL, Verdict(False, "review", "special_case: return a + b"))
    fixer = Llm(client(model, "no edit", "no edit"))
    here = bench()
    assert fixer.propose(here, []) is not None
    assert fixer.propose(here, [vetoed]) is not None
    assert "special_case: return a + b" in model.prompts()[-1]
    assert fixer.propose(here, [vetoed, vetoed]) is None
