"""One run as its page shows it: what the store knows, put into the order a reader asks for it.

A run that has not ended yet is shown from its checkpoints, one that has from its report.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from bot.views import STAGE_WORDS, Chip, chip, diff_size, duration, money, one_line
from sandbox import explain
from sandbox.spec import Ending, Plan, Result
from workers.domain import Blame, Diagnosis, JobReport, Lead, Outcome, Reproduction, StageName, Suspect, Verdict
from workers.llm.budgets import Use
from workers.reruns import limits
from workers.store.calls import CallLine
from workers.store.codec import from_json
from workers.store.models import RunState
from workers.store.pages import AttemptLine, EventLine, RunLine, RunPage, StageLine
from workers.store.sandbox_use import UseLine
from workers.suspects import telling

T = TypeVar("T")

FAILING_LINES = 40
"""Of the failing step's output, how many lines are shown without a click."""
SUSPECTS = 10
"""How many places are shown to look at."""


@dataclass(frozen=True)
class StageView:
    """A stage in the timeline. `status` is done, now, waits, ended (the run ended here) or later; `times` its count."""

    name: str
    status: str
    seconds: float | None
    times: int


@dataclass(frozen=True)
class RunView:
    """Everything the run page shows. `told` are small facts of the outcome; `failing` is the log's failing part."""

    line: RunLine
    chip: Chip
    sentence: str
    seconds: float | None
    live: bool
    cancel_asked: bool
    stages: tuple[StageView, ...]
    plan: Plan | None
    job: JobReport | None
    before: Result | None
    ended: str
    red_reruns: str
    after: Result | None
    verdict: Verdict | None
    diagnosis: Diagnosis | None
    suspects: tuple[Suspect, ...]
    blame: Blame | None
    lead: Lead | None
    told: tuple[tuple[str, str], ...]
    compared: tuple[tuple[str, str], ...]
    """What CI said and what the sandbox said, when these are two failures."""
    end_log: str
    failing: str
    accepted: AttemptLine | None
    attempts: tuple[AttemptLine, ...]
    events: tuple[EventLine, ...]
    last_event: int
    calls: tuple[CallLine, ...]
    spent: str
    uses: tuple[UseLine, ...]
    used: str


def run_view(page: RunPage, now: datetime) -> RunView:
    """The view of one run at a moment."""
    line = page.line
    reproduction = page.report.reproduction if page.report else _answer(page, StageName.REPRODUCE, Reproduction)
    accepted = next((attempt for attempt in page.attempts if attempt.accepted), None)
    verdict = _verdict(page)
    job = page.report.job if page.report else _answer(page, StageName.CHECKOUT, JobReport)
    diagnosis = page.report.diagnosis if page.report else _diagnosis(page)
    data = page.report.data if page.report else {}
    return RunView(
        line=line,
        chip=chip(line.state, line.outcome),
        sentence=sentence(page, accepted),
        seconds=elapsed(line, now),
        live=line.state is not RunState.DONE,
        cancel_asked=page.cancel_asked and line.state is not RunState.DONE,
        stages=_stages(page),
        plan=reproduction.plan if reproduction else None,
        job=job,
        before=reproduction.before if reproduction else None,
        ended=_ended(reproduction) if reproduction else "",
        red_reruns=f"{reproduction.red_reruns} of {reproduction.reruns}" if reproduction else "",
        after=verdict.after if verdict else None,
        verdict=verdict,
        diagnosis=diagnosis,
        suspects=telling(diagnosis)[:SUSPECTS] if diagnosis else (),
        blame=page.report.blame if page.report else _answer(page, StageName.BLAME, Blame),
        lead=page.report.lead if page.report else None,
        told=tuple(
            (_TOLD.get(name, name), _listed(value)) for name, value in data.items() if name not in _APART and value
        ),
        compared=tuple((who, data[name]) for name, who in _COMPARED if data.get(name)),
        end_log=data.get("log", ""),
        failing=_failing(job),
        accepted=accepted,
        attempts=page.attempts,
        events=_news(page.events),
        last_event=page.events[-1].id if page.events else 0,
        calls=page.calls,
        spent=spent(page.calls),
        uses=page.uses,
        used=used(page.used),
    )


def _ended(reproduction: Reproduction) -> str:
    """Why the failing command ended as it did, where that was not by its own exit code."""
    before = reproduction.before
    by_itself = before.ending in (Ending.FAILED, Ending.PASSED)
    return "" if by_itself else explain.ending(before, limits(reproduction.plan))


_TOLD = {
    "runs": "Identical runs",
    "failed": "Red",
    "tests": "Unsteady tests",
    "line": "CI's log says",
    "mended": "Mended on the base",
    "past": "Earlier runs",
    "failure": "Kind of failure",
    "rerun": "Re-run of the failed jobs",
    "setting": "Raised by",
}
_COMPARED = (("ci", "CI said"), ("here", "The sandbox said"))
_APART = frozenset({"log", "ci", "here"})
"""Texts of many lines, which are shown by themselves."""


def _listed(value: str) -> str:
    """A sequence, stored as Python writes it, as a list for people; any other text as it is."""
    try:
        found = ast.literal_eval(value) if value.startswith(("(", "[")) else value
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
    return ", ".join(map(str, found)) if isinstance(found, tuple | list) else value


def elapsed(line: RunLine, now: datetime) -> float | None:
    """Seconds from the first claim to the end, or to now; None before it was claimed."""
    return ((line.finished_at or now) - line.started_at).total_seconds() if line.started_at else None


def sentence(page: RunPage, accepted: AttemptLine | None) -> str:
    """The one sentence under the title: what happened, why, and how large the fix is."""
    line = page.line
    cause = one_line(line.cause)
    if line.outcome is Outcome.FIXED and accepted:
        files, added, removed = diff_size(accepted.patch)
        return f"{cause.rstrip('.') or 'The check is green again'}; {_count(files, 'file')}, +{added} -{removed}."
    if line.state is RunState.DONE:
        return line.detail or cause
    return doing(line)


def doing(line: RunLine) -> str:
    """What a run says about itself in one line: its end, or what it is at."""
    if line.state is RunState.DONE:
        return line.detail or line.cause
    if line.state is RunState.PARKED:
        return "Waits for the repository's own CI." if line.published_url else "Waits, and goes on by itself."
    if line.state is RunState.WAITING:
        return "Waits until the workflow run has ended."
    if line.error and line.state is not RunState.RUNNING:
        return f"Will be tried again: {one_line(line.error)}"
    return f"At work; last finished stage: {line.stage}." if line.stage else "Has not begun yet."


def spent(calls: Sequence[CallLine]) -> str:
    """What the calls cost together, in one line; what is not known is said to be."""
    over = [call for call in calls if not call.under_way]
    tokens_in, tokens_out = sum(call.input_tokens for call in over), sum(call.output_tokens for call in over)
    unknown = sum(call.usd is None and call.input_tokens + call.output_tokens > 0 for call in over)
    known = [call.usd for call in over if call.usd is not None]
    cost = [money(sum(known))] if known or not unknown else []
    cost += [f"{_count(unknown, 'call')} of unknown cost"] if unknown else []
    seconds = sum(call.seconds or 0.0 for call in over)
    return f"{tokens_in:,} + {tokens_out:,} tokens · {' and '.join(cost)} · {duration(seconds)}"


def used(use: Use) -> str:
    """What was used of the sandbox, in one line."""
    return f"{duration(use.seconds)} · {_count(use.candidates, 'candidate')} tried"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _diagnosis(page: RunPage) -> Diagnosis | None:
    """With all that is known of where to look, as soon as it is known."""
    return _answer(page, StageName.LOCATE, Diagnosis) or _answer(page, StageName.DIAGNOSE, Diagnosis)


def _verdict(page: RunPage) -> Verdict | None:
    if page.report:
        return page.report.accepted.verdict if page.report.accepted else None
    found = _answer(page, StageName.VERIFY, Verdict)
    return found if found and found.accepted else None


def _answer(page: RunPage, stage: StageName, kind: type[T]) -> T | None:
    """The newest stored answer of a stage; None too when another release wrote it in another shape."""
    lines = [line for line in page.stages if line.stage == stage]
    if not lines:
        return None
    try:
        return from_json(lines[-1].data, kind)
    except ValidationError:
        return None


def _failing(job: JobReport | None) -> str:
    """The output of the step that turned the job red; the end of the log when it does not say which."""
    if job is None:
        return ""
    failed = job.log.failed
    text = failed.output if failed and failed.output.strip() else job.log.text
    return "\n".join(text.strip("\n").splitlines()[-FAILING_LINES:])


def _stages(page: RunPage) -> tuple[StageView, ...]:
    current = _current(page)
    return tuple(
        _stage(page, name, [line for line in page.stages if line.stage == name], name == current) for name in StageName
    )


def _stage(page: RunPage, name: StageName, lines: list[StageLine], current: bool) -> StageView:
    if not current:
        status = "done" if lines else "later"
    elif page.line.state is RunState.DONE:
        status = "ended"
    else:
        status = "now" if page.line.state is RunState.RUNNING else "waits"
    seconds = sum(line.seconds for line in lines) if lines else None
    if status == "ended" and page.report:
        seconds = page.report.seconds.get(name, seconds)
    return StageView(name=name, status=status, seconds=seconds, times=len(lines))


def _current(page: RunPage) -> str:
    """The stage under way, or where the run ended: the last one begun that has no answer of that number yet."""
    finished = {(line.stage, line.n) for line in page.stages}
    for event in reversed(page.events):
        if event.kind == "stage" and event.data.get("state") == "started":
            return "" if (event.title, event.data.get("n")) in finished else event.title
    return ""


def _news(events: tuple[EventLine, ...]) -> tuple[EventLine, ...]:
    """The timeline without the beginnings of stages whose end it tells too."""
    ended = {(event.title, event.data.get("n")) for event in events if event.data.get("state") == "finished"}
    return tuple(
        event
        for event in events
        if event.data.get("state") != "started" or (event.title, event.data.get("n")) not in ended
    )


def event_text(event: EventLine) -> str:
    """An event's line in the timeline; stages say how long they took."""
    if event.kind == "done":
        return f"Ended: {chip(RunState.DONE, event.title).word}"
    if event.kind == "claimed":
        return f"Taken up by {event.data.get('owner', 'a worker')}"
    if event.kind == "park":
        return f"Waits: {event.title}"
    if event.kind != "stage":
        return event.title[:1].upper() + event.title[1:]
    seconds, word = event.data.get("seconds"), stage_word(event.title)
    return f"{word}: {duration(seconds)}" if isinstance(seconds, int | float) else f"{word}: begun"


def stage_word(name: str) -> str:
    """A stage's name for people; a name of another release stands as it is."""
    return next((word for stage, word in STAGE_WORDS.items() if stage.value == name), name)
