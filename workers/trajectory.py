"""How a run came to its candidates: what models were asked and answered, what the agent ran and saw, what was tried and
why it held or did not. Read from the run's checkpoints alone, so it is there for a run that died, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from workers.domain import Candidate, StageName, Usage, Verdict
from workers.fixers.agent.observations import OBSERVED, Observation
from workers.llm.exchange import Call
from workers.llm.talk import ANSWER, PROMPT, Reply
from workers.store.codec import read
from workers.store.pages import RunPage, StageLine

_ASKED, _SHOWN, _RAN = f"once:{ANSWER}", f"once:{PROMPT}", f"once:{OBSERVED}"
_FOR = {StageName.WITNESS.value: "tester", StageName.VERIFY.value: "critic", "once:answers": "answers"}
"""For whom a model was asked, by the checkpoint that its answers went into; of a candidate's it is the fixer."""


@dataclass(frozen=True)
class Answered:
    """One answer of a model. `prompt` is the hash of all that it was shown, `shown` what of it was new since its last
    answer, by role; `seconds` its wait with all retries.

    `asked_by` is the fixer, or tester, critic, answers; empty while the checkpoint that would say so is not written.
    """

    prompt: str
    asked_by: str
    model: str
    text: str
    problem: str
    usage: Usage
    call: Call
    seconds: float
    shown: tuple[tuple[str, str], ...] = ()
    kind: str = "answer"


@dataclass(frozen=True)
class Observed:
    """What the agent saw of its `number`th command. `changed` is how many bytes of difference its files had then."""

    number: int
    how: str
    output: str
    note: str
    changed: int
    seconds: float
    kind: str = "observation"


@dataclass(frozen=True)
class Proposed:
    """A candidate, the `number`th of the run from 1."""

    number: int
    candidate: Candidate
    kind: str = "candidate"


@dataclass(frozen=True)
class Judged:
    """What verification said of the `number`th candidate. `sidelined` as in `Coverage`: then its class is low, whatever
    its fixer said."""

    number: int
    accepted: bool
    rejected_by: str
    why: str
    regressions: tuple[str, ...]
    sidelined: tuple[tuple[str, int], ...]
    seconds: float
    kind: str = "verdict"


Entry = Answered | Observed | Proposed | Judged


@dataclass(frozen=True)
class Trajectory:
    """All of it in order, and what the answers cost together."""

    entries: tuple[Entry, ...] = ()
    usage: Usage = field(default_factory=Usage)


def trajectory(page: RunPage) -> Trajectory:
    """What the run's checkpoints tell. Of one in a shape that this version does not know only the text is left."""
    entries = tuple(_entries(page.stages))
    usage = Usage()
    for entry in entries:
        usage = usage.plus(entry.usage) if isinstance(entry, Answered) else usage
    return Trajectory(entries, usage)


def _entries(stages: Sequence[StageLine]) -> Iterator[Entry]:
    waiting: list[Entry] = []
    shown: dict[str, str] = {}
    for line in stages:
        if line.stage.startswith(_SHOWN):  # of one that was too long at first, the last that was sent counts
            shown[line.stage.removeprefix(_SHOWN).partition(":")[0]] = line.data
        elif line.stage.startswith(_ASKED):
            waiting.append(_answered(line, shown.get(line.stage.removeprefix(_ASKED), "")))
        elif line.stage.startswith(_RAN):
            waiting.append(_observed(line))
        elif line.stage in _FOR or line.stage == StageName.PROPOSE:
            last = _told(line)
            asked_by = last.candidate.fixer if isinstance(last, Proposed) else _FOR.get(line.stage, "")
            yield from _named(waiting, asked_by)
            waiting = []
            if last is not None:
                yield last
    yield from waiting


def _named(entries: Sequence[Entry], asked_by: str) -> Iterator[Entry]:
    yield from (replace(one, asked_by=asked_by) if isinstance(one, Answered) else one for one in entries)


def _answered(line: StageLine, shown: str) -> Answered:
    stored = json.loads(line.data)
    try:
        reply = Reply.of(stored)
    except (ValueError, TypeError, KeyError, AttributeError):
        reply = Reply(stored if isinstance(stored, str) else line.data, "", Usage(0, 0, None))
    prompt = line.stage.removeprefix(_ASKED)
    return Answered(
        prompt, "", reply.model, reply.text, reply.problem, reply.usage, reply.call, line.seconds, _turns(shown)
    )


def _turns(shown: str) -> tuple[tuple[str, str], ...]:
    """The kept words of a question; none of a run before they were kept."""
    try:
        return tuple((str(role), str(text)) for role, text in json.loads(json.loads(shown)))
    except (ValueError, TypeError):
        return ()


def _observed(line: StageLine) -> Observed:
    number, stored = line.stage.removeprefix(_RAN).partition(":")[0], json.loads(line.data)
    at = int(number) if number.isdecimal() else 0
    try:
        seen = Observation.of(stored)
    except (ValueError, TypeError, KeyError):
        return Observed(at, "", str(stored), "", 0, line.seconds)
    return Observed(at, seen.how, seen.output, seen.note, len(seen.diff), seen.seconds)


def _told(line: StageLine) -> Proposed | Judged | None:
    """The candidate or the verdict of a stage."""
    if line.stage == StageName.PROPOSE and (candidate := read(line.data, Candidate)) is not None:
        return Proposed(line.n + 1, candidate)
    if line.stage == StageName.VERIFY and (verdict := read(line.data, Verdict)) is not None:
        said = (verdict.accepted, verdict.rejected_by, verdict.why, verdict.regressions, verdict.sidelined)
        return Judged(line.n + 1, *said, line.seconds)
    return None
