"""Answers to questions about a change: one call of the model, whose words are all that comes out of it.

The model sees the change, what was run for it, and the questions, all as data. Without an answer nothing is lost: who
asks falls back on what the evidence says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from workers import prompts
from workers.domain import Answers, Ours, Outcome, Remark, Said, Usage
from workers.errors import Stop
from workers.fixers import context
from workers.llm.budgets import Purpose
from workers.llm.client import Client, Message
from workers.llm.talk import LEVELS, Budget, Talk
from workers.ports import Once
from workers.repo_config import RepoConfig

_PATCH, _EVIDENCE, _QUESTION = 12_000, 16_000, 2_000


def ask(
    client: Client,
    once: Once,
    config: RepoConfig,
    ours: Ours,
    questions: Mapping[int, Remark],
    evidence: str,
) -> Answers:
    """What the model says to the questions, by their places; nothing for those it leaves out, or when it may not be
    asked or will not answer. Raises `Retryable` for trouble that passes."""
    turns = opening(ours, questions, evidence)
    talk = Talk(client, Budget(), once, config.limits.usd_per_run, purpose=Purpose.ANSWER)
    try:
        reply = talk.reply(turns, Usage(), len(LEVELS) - 1, lambda _: turns)
    except Stop as stop:
        if stop.outcome is not Outcome.OVER_BUDGET:
            raise
        return Answers()
    words, _ = spoken(reply.text)
    said = tuple(Said(n, words[n], reply.model) for n in questions if words.get(n))
    return Answers(said, reply.usage)


def opening(ours: Ours, questions: Mapping[int, Remark], evidence: str) -> list[Message]:
    """The prompt. Its fence is made of ids that no reviewer has seen together."""
    fence = "DATA-" + hashlib.sha256(f"{ours.commit}:{ours.run}".encode()).hexdigest()[:16]
    task = prompts.render(
        "question",
        nonce=fence,
        patch=context.cleaned(ours.patch, fence, _PATCH),
        evidence=context.cleaned(evidence, fence, _EVIDENCE),
        questions=[
            (n, context.stands(one, fence), context.words(one, fence, _QUESTION)) for n, one in questions.items()
        ],
    )
    return [Message("system", prompts.render("question_system", nonce=fence)), Message("user", task)]


def spoken(text: str) -> tuple[dict[int, str], str]:
    """The answers in a model's text by their numbers, and the text without them."""
    before, *parts = text.split('<answer n="')
    found: dict[int, str] = {}
    rest = [before]
    for part in parts:
        number, opened, after = part.partition('">')
        said, closed, tail = after.partition("</answer>")
        if opened and closed and number.isascii() and number.isdecimal() and len(number) < 4:
            found[int(number)] = said.strip()
            rest.append(tail)
        else:
            rest.append(part)
    return found, "".join(rest)
