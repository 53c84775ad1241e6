"""A model that revises a change of ours as its reviewers ask: the same conversation as for a failure, about remarks.

It edits the files as the change leaves them; the candidate is always the whole new patch against the commit that the
change was made for, so it is verified like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workers.domain import Attempt, Candidate, Said, Usage
from workers.fixers import context
from workers.fixers.llm import Llm, Thread
from workers.fixers.questions import spoken
from workers.fixers.revising import met, patched
from workers.fixers.views import View
from workers.llm.budgets import Purpose
from workers.llm.client import Message
from workers.llm.talk import Reply
from workers.patch import PatchError, lint, read_answer
from workers.ports import Revision, Workbench
from workers.remarks import suggestion


@dataclass(frozen=True)
class Reviser(Llm):
    """The fixer. Where all that is asked for is suggested as code, a model has nothing to add."""

    name: str = "revision"
    fresh: tuple[View, ...] = ()
    disputes: bool = False
    purpose: Purpose = Purpose.REVISER

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next answer as a candidate, or None when it has said why there is none."""
        revision = bench.revision
        if revision is None or all(suggestion(revision.remarks[n].body) is not None for n in revision.wanted):
            return None
        mine = [attempt.candidate for attempt in tried if attempt.candidate.fixer == self.name]
        if mine and mine[-1].error and {one.remark for one in mine[-1].said} >= set(revision.wanted):
            return None
        try:
            files = patched(bench, revision)
        except PatchError:
            return None
        made = super().propose(bench, tried)
        if made is None:
            return None
        made = replace(made, said=tuple(one for one in made.said if one.remark in revision.wanted))
        if made.error:
            return made
        left = [n for n in revision.wanted if n not in {one.remark for one in made.said}]
        reasoning = f"{revision.reasoning} After a review: {made.reasoning}".strip()
        return replace(made, meets=met(files, made.patch, revision, left), reasoning=reasoning)

    def _opening(self, bench: Workbench, thread: Thread, share: float) -> list[Message]:
        del thread
        revision = _revision(bench)
        return context.revising(bench, revision, patched(bench, revision), share)

    def _patch(self, bench: Workbench, text: str) -> str:
        files = patched(bench, _revision(bench))
        edits = read_answer(spoken(text)[1], files)
        lint.gate(edits, files)
        return files.diff(edits)

    def _before(self, bench: Workbench) -> Usage:
        return _revision(bench).spent

    def _candidate(self, reply: Reply, patch: str, why: str, error: str) -> Candidate:
        said = tuple(Said(n, text, reply.model) for n, text in spoken(reply.text)[0].items() if text)
        return replace(super()._candidate(reply, patch, why, error), said=said)


def _revision(bench: Workbench) -> Revision:
    if bench.revision is None:
        raise ValueError("there is nothing to revise")
    return bench.revision
