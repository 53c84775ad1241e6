"""A model that works: it runs commands in the sandbox, without network, until the check passes, then submits the files.

Each answer and each observation is journaled before it is used, and with the observation how the files differ, so a run
that is taken up again goes on in another container where it stopped. What is submitted is verified like any candidate.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from sandbox.errors import NoSession
from sandbox.spec import Sessions
from workers.domain import Attempt, Candidate, Confidence, Diagnosis, Outcome, Usage
from workers.errors import Stop
from workers.fixers.agent import words
from workers.fixers.agent.changes import changed
from workers.fixers.agent.loop import Bounds, Change, End, Episode
from workers.fixers.agent.observations import OBSERVED, Observation, seen
from workers.fixers.agent.workplace import Workplace
from workers.fixers.llm import NOT_FOR_A_MODEL
from workers.llm.budgets import Purpose
from workers.llm.client import Client
from workers.llm.exchange import Message
from workers.llm.talk import LEVELS, Budget, Reply, Talk
from workers.ports import Workbench
from workers.redact import redact

__all__ = ["Agent", "Bounds"]

BUDGET = Budget(usd=1.5, tokens=1_500_000, answers=2)
"""Of one run, what others spent in it included. `answers` is how often the agent may submit."""
_BROKE = "the agent's budget ended before it was done: "


@dataclass(frozen=True)
class Agent:
    """The fixer. One conversation per run, of which at most `budget.answers` submissions are verified."""

    client: Client
    budget: Budget = BUDGET
    bounds: Bounds = field(default_factory=Bounds)
    clock: Callable[[], float] = time.monotonic
    name: str = "agent"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Everything that a change of the code can mend."""
        return diagnosis.cls not in NOT_FOR_A_MODEL

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next submission, or with `error` how the episode ended without one. Raises `Stop(OVER_BUDGET)` when that
        was what ended it, once what it cost is told."""
        mine = [attempt for attempt in tried if attempt.candidate.fixer == self.name]
        if mine and mine[-1].candidate.error.startswith(_BROKE):
            raise Stop(Outcome.OVER_BUDGET, mine[-1].candidate.error.removeprefix(_BROKE))
        over = len(mine) >= self.budget.answers or (mine and mine[-1].candidate.error)
        away = any(attempt.candidate.unasked for attempt in bench.attempts)  # a moment ago, and still
        if over or away or not isinstance(bench.environment, Sessions):
            return None
        with Workplace(bench, bench.environment, self.bounds.seconds) as shell:
            return self._candidate(self._played(bench, mine, shell))

    def _played(self, bench: Workbench, mine: Sequence[Attempt], shell: Workplace) -> End:
        """The end of the episode after these submissions of its own."""
        before = tuple(takewhile(lambda attempt: attempt.candidate.fixer != self.name, bench.attempts))
        spent = bench.spent
        for attempt in before:
            spent = spent.plus(attempt.usage)
        episode = Episode(_Desk(self, bench, shell), self.bounds, words.opening(bench, before, self.bounds), spent)
        try:
            return episode.play([(words.rejected(bench, one), one.verdict.usage) for one in mine])
        except NoSession as error:
            return End(episode.usage, episode.model, why=f"the agent has nowhere to work: {error}")
        except Stop as stop:
            if stop.outcome is not Outcome.OVER_BUDGET or episode.usage == Usage():
                raise
            return End(episode.usage, episode.model, why=f"{_BROKE}{stop.detail}")

    def _candidate(self, end: End) -> Candidate:
        said = end.words.strip()
        return Candidate(
            fixer=self.name,
            patch=end.patch,
            reasoning=said or "The model gave no reasoning.",
            confidence=Confidence.MEDIUM,
            model=end.model or self.client.model,
            usage=end.usage,
            title=re.split(r"(?<=[.!?])\s", said, maxsplit=1)[0][:120],
            error="" if end.patch else f"{end.why}{f': {said}' if said else ''}",
            unasked=end.away,
        )


class _Desk:
    """`loop.Desk` over a bench: what is known is recalled, what is not is asked and run, and kept first."""

    def __init__(self, agent: Agent, bench: Workbench, shell: Workplace) -> None:
        self._agent, self._bench, self._shell = agent, bench, shell
        self._talk = Talk(
            agent.client, agent.budget, bench.once, bench.config.limits.usd_per_run, purpose=Purpose.AGENT
        )
        self._since = agent.clock()

    def ask(self, turns: list[Message], spent: Usage) -> Reply:
        return self._talk.reply(turns, spent, len(LEVELS) - 1, lambda _: turns)  # the loop shortens it itself

    def observe(self, n: int, script: str, before: Observation | None) -> Observation:
        """What is kept counts for this command on these files only: should an answer ever be read in another way than
        before, nothing is taken for what it saw."""
        digest = hashlib.sha256(script.encode(errors="replace") + b"\0" + (before.diff if before else b"")).hexdigest()
        key = f"{OBSERVED}{n}:{digest[:16]}"
        stored = self._bench.once(key, str, lambda: self._ran(script, before).as_json())
        self._since = self._agent.clock()
        return Observation.of(stored)

    def _ran(self, script: str, before: Observation | None) -> Observation:
        diff, elapsed = (before.diff, before.elapsed) if before else (b"", 0.0)
        did = self._shell.run(script, self._agent.bounds.command_s, diff)
        return seen(did, diff, elapsed + self._agent.clock() - self._since, redact)

    def change(self, diff: bytes) -> Change:
        return changed(diff, self._bench)

    def show(self, observation: Observation, left: int) -> str:
        return words.observed(self._bench, observation, left)

    def mistaken(self, why: str) -> str:
        return words.mistaken(self._bench, why)

    def flawed(self, why: str) -> str:
        return words.flawed(self._bench, why)

    def unchanged(self, dropped: Sequence[str]) -> str:
        return words.unchanged(self._bench, dropped)
