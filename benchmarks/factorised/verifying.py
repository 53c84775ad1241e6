"""The whole way once: a persona behind HTTP, the model's fixer, the verifier in the sandbox. A sample, not all."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from benchmarks.event import opened
from sandbox.spec import Environment, Plan, Step
from tests.model.process import Model
from tests.model.scenes import CHECK, STAGES, Stage
from tests.workers.fixers.benches import bench
from tests.workers.fixers.trees import MemoryTree
from workers.domain import Attempt, Finding
from workers.fixers import Budget, Llm
from workers.llm.client import Client
from workers.ports import Workbench
from workers.stages.verify import verify

RIGHT = ("gold/search", "gold@2/clean/JSON", "gold/V4A/thoughts", "gold/whole/fence", "gold@3/bare/CRLF", "flaky")
SILENT = ("prose", "refuser")


@dataclass(frozen=True)
class Seen:
    """What became of a persona's answers: the gate that said no to the last of them, empty when it was accepted."""

    stage: str
    persona: str
    rejected_by: str
    why: str
    answers: int

    @property
    def good(self) -> bool:
        """The persona says the right edit in the end."""
        return self.persona in RIGHT


def sample(most: int = 3) -> list[Seen]:
    """Every persona on every stage, with `most` answers each."""
    seen = []
    install = Step("install", "python -m pip install -q pytest")
    with opened() as sandbox, Model() as model:
        environment = sandbox.prepare(
            Plan("python", (install,), Step("check", CHECK)), MemoryTree({"README": ""}).tar()
        )
        for stage in STAGES:
            for persona in (*RIGHT, *stage.scene.wrong, *SILENT):
                model.cast(persona, stage.scene)
                seen.append(_asked(stage, persona, model, environment, most))
    return seen


def _asked(stage: Stage, persona: str, model: Model, environment: Environment, most: int) -> Seen:
    """A wrong persona says the same every time, so one answer of it is enough."""
    work = red(stage, environment)
    fixer = Llm(Client("openai:test", None, model.url, sleep=lambda _: None), Budget(answers=most))
    tried: list[Attempt] = []
    while len(tried) < (most if persona in RIGHT else 1):
        candidate = fixer.propose(work, tried)
        if candidate is None:
            break
        tried.append(Attempt(candidate, verify(candidate, work, Event())))
        if tried[-1].verdict.accepted:
            break
    last = tried[-1].verdict if tried else None
    return Seen(stage.name, persona, last.rejected_by if last else "no answer", last.why if last else "", len(tried))


def red(stage: Stage, environment: Environment) -> Workbench:
    """The stage's failure, reproduced."""
    files, path = stage.scene.files, f"tests/test_{next(iter(stage.scene.gold))}"
    before = environment.run(Step("check", CHECK), MemoryTree(files).tar())
    findings = tuple(Finding(said, path, None, f"{path}::{name}") for name, said in stage.failing.items())
    return bench(files, environment, CHECK, before, findings)
