"""The agent's loop: ask, run, show, until it submits or a limit ends it. It knows no endpoint and no container.

What it is given answers from the journal where it can, so an episode that is taken up again plays itself through to
where it stopped: nothing is asked or run twice, and every decision falls as it fell before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from workers.domain import Usage
from workers.fixers.agent.actions import Malformed, Run, Submit, read
from workers.fixers.agent.observations import Observation
from workers.fixers.agent.stuck import Step, stuck
from workers.llm.exchange import Message
from workers.llm.talk import Reply
from workers.patch import PatchError

_ROOM = 120_000
"""Characters of a conversation; beyond them the outputs of early commands are left out."""
_RECENT, _BRIEF = 6, 400
"""Commands whose outputs always stay, and characters of an output that is not worth leaving out."""


@dataclass(frozen=True)
class Bounds:
    """What one episode may take. `seconds` are those of its commands and of the model together."""

    steps: int = 40
    seconds: float = 900.0
    command_s: float = 60.0
    mistakes: int = 3
    """So many answers in a row that hold no command, and so many submissions that cannot work."""


@dataclass(frozen=True)
class Change:
    """The submitted difference as a patch of our own, empty when nothing is left; `dropped` are paths that cannot be
    part of a fix, `flaw` is what lets it fail for certain."""

    patch: str
    dropped: tuple[str, ...] = ()
    flaw: str = ""


@dataclass(frozen=True)
class End:
    """How an episode ended, at a submission or for good: with `patch` or, without one, `why` there is none.

    `usage` is what the model cost since the submission before. `away`: it could not be asked at all.
    """

    usage: Usage
    model: str = ""
    patch: str = ""
    words: str = ""
    why: str = ""
    away: bool = False


class Desk(Protocol):
    """What the loop works with: journaled answers and observations, and the words for them."""

    def ask(self, turns: list[Message], spent: Usage) -> Reply: ...

    def observe(self, n: int, script: str, before: Observation | None) -> Observation:
        """What the `n`th command of the episode (from 1) did to the files as `before` left them."""

    def change(self, diff: bytes) -> Change:
        """Raises `workers.patch.PatchError` when the difference is no patch."""

    def show(self, observation: Observation, left: int) -> str: ...

    def mistaken(self, why: str) -> str: ...

    def flawed(self, why: str) -> str: ...

    def unchanged(self, dropped: Sequence[str]) -> str: ...


@dataclass
class Episode:
    """One conversation, from its opening to the submission after the last one that was rejected."""

    desk: Desk
    bounds: Bounds
    opening: Sequence[Message]
    spent: Usage = field(default_factory=Usage)
    """By the run, before this episode and outside of it."""
    usage: Usage = field(default_factory=Usage)
    """By this episode, since its last submission."""
    model: str = ""
    _turns: list[tuple[str, str]] = field(default_factory=list)
    """Each answer, and what was said to it."""
    _steps: list[Step] = field(default_factory=list)
    _mistakes: int = 0
    _empty: int = 0
    _flawed: int = 0
    _room: int = _ROOM

    def play(self, rejections: Sequence[tuple[str, Usage]] = ()) -> End:
        """To the submission after those that were rejected: what is said about each, and what the look at it cost.

        An episode that ended before ends in the same way again.
        """
        left = list(rejections)
        while True:
            end = self._turn()
            if end is None:
                continue
            if not end.patch or not left:
                return end
            words, looked = left.pop(0)
            self._say(self._turns.pop()[0], words)
            self.spent = self.spent.plus(end.usage).plus(looked)
            self.usage = Usage()

    def _turn(self) -> End | None:
        """One answer and what comes of it; the end, if that is it."""
        if self._seconds >= self.bounds.seconds:
            return self._ended(f"took longer than {self.bounds.seconds / 60:g} minutes")
        reply = self._ask()
        if reply.problem:
            return replace(self._ended(""), why=reply.problem, away=reply.away)
        action = read(reply.text)
        if isinstance(action, Submit):
            return self._submitted(reply.text, action)
        if isinstance(action, Malformed):
            self._say(reply.text, self.desk.mistaken(action.why))
            self._mistakes += 1
            many = self._mistakes >= self.bounds.mistakes
            return self._ended(f"gave {self._mistakes} answers in a row without a command") if many else None
        self._mistakes = self._empty = 0
        return self._run(reply.text, action)

    def _ask(self) -> Reply:
        """The answer; where there is none although there could be, once more with less of what was seen."""
        reply = self._asked()
        if reply.problem and not reply.away and self._room == _ROOM and len(self._steps) > 1:
            self._room = _ROOM // 4
            reply = self._asked()
        return reply

    def _asked(self) -> Reply:
        reply = self.desk.ask(conversation(self.opening, self._turns, self._room), self.spent.plus(self.usage))
        self.usage = self.usage.plus(reply.usage)
        self.model = reply.model or self.model
        return reply

    def _run(self, answer: str, action: Run) -> End | None:
        if len(self._steps) >= self.bounds.steps:
            return self._ended(f"ran {self.bounds.steps} commands without a fix")
        last = self._steps[-1][1] if self._steps else None
        observation = self.desk.observe(len(self._steps) + 1, action.script, last)
        self._steps.append((action, observation))
        self._say(answer, self.desk.show(observation, self.bounds.steps - len(self._steps)))
        why = stuck(self._steps)
        return self._ended(why) if why else None

    def _submitted(self, answer: str, action: Submit) -> End | None:
        """The patch; what cannot work is said like any mistake, before it costs a run. That nothing is changed is said
        once, and the second time it is the agent's last word."""
        try:
            change = self.desk.change(self._steps[-1][1].diff if self._steps else b"")
        except PatchError as error:
            return self._ended("", words=action.words, why=f"the agent's change is no patch: {error}")
        self._mistakes = 0
        if change.flaw:
            self._say(answer, self.desk.flawed(change.flaw))
            self._flawed += 1
            many = self._flawed >= self.bounds.mistakes
            return self._ended(f"submitted {self._flawed} changes that cannot work: {change.flaw}") if many else None
        if change.patch:
            self._say(answer, "")
            return End(self.usage, self.model, change.patch, action.words)
        self._say(answer, self.desk.unchanged(change.dropped))
        self._empty += 1
        return self._ended("submitted no change", words=action.words) if self._empty > 1 else None

    @property
    def _seconds(self) -> float:
        return self._steps[-1][1].elapsed if self._steps else 0.0

    def _say(self, answer: str, told: str) -> None:
        self._turns.append((answer, told))

    def _ended(self, did: str, words: str = "", why: str = "") -> End:
        return End(self.usage, self.model, words=words, why=why or f"the agent {did}")


def conversation(opening: Sequence[Message], turns: Sequence[tuple[str, str]], room: int = _ROOM) -> list[Message]:
    """All that was said. Where it is more than there is room for, what early commands printed is left out, many at
    once: a conversation that only grows at its end is cheaper for the endpoint."""
    start = sum(len(message.content) for message in opening)
    gone, size = 0, start
    for at, (answer, told) in enumerate(turns):
        size += len(answer) + len(told)
        if size > room and at - _RECENT > gone:
            gone = at - _RECENT
            size = start + sum(len(a) + len(_shown(t, n < gone)) for n, (a, t) in enumerate(turns[: at + 1]))
    messages = list(opening)
    for at, (answer, told) in enumerate(turns):
        messages += [Message("assistant", answer), Message("user", _shown(told, at < gone))]
    return messages


def _shown(told: str, early: bool) -> str:
    return f"[{len(told)} characters of an early output are left out]" if early and len(told) > _BRIEF else told
