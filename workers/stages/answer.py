"""What people ask about a change of ours is answered first, and without a sandbox: by a model that is shown what was
run, or read off the evidence. A question alone changes nothing."""

from __future__ import annotations

from workers import messages
from workers.domain import Answers, Case, Outcome, Remark, Report, Said
from workers.errors import Stop
from workers.fixers import questions
from workers.llm.client import Client
from workers.ports import Once
from workers.remarks import Ask, asked
from workers.repo_config import RepoConfig


def answer(case: Case, earlier: Report | None, config: RepoConfig, model: Client | None, once: Once) -> Answers:
    """Answers to the questions among the case's remarks, as far as anything is known. `earlier` is what the run that
    made the change has proven."""
    found = {n: one for n, one in enumerate(case.remarks) if asked(one.body) is Ask.QUESTION}
    by_model = _by_model(case, found, earlier, config, model, once)
    answered = {one.remark for one in by_model.said}
    read = [(n, messages.from_evidence(one.body, earlier)) for n, one in found.items() if n not in answered]
    return Answers((*by_model.said, *(Said(n, text) for n, text in read if text)), by_model.usage)


def only_answered(case: Case) -> None:
    """Raises `Stop` when nothing among the remarks asks for a change."""
    if not messages.wanted(case.remarks):
        raise Stop(Outcome.NO_FIX_FOUND, "The review asks and wants nothing changed: it is answered in its threads.")


def _by_model(
    case: Case,
    found: dict[int, Remark],
    earlier: Report | None,
    config: RepoConfig,
    model: Client | None,
    once: Once,
) -> Answers:
    if model is None or not found or case.ours is None:
        return Answers()
    evidence = messages.pull_request_body(earlier, "") if earlier else "nothing is known any more"
    return questions.ask(model, once, config, case.ours, found, evidence)
