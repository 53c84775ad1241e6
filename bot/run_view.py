"""One run as its page shows it: what the store knows, put into the order a reader asks for it.

A run that has not ended yet is shown from its checkpoints, one that has from its report.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from bot.views import Chip, chip, diff_size, duration, one_line
from sandbox.spec import Plan, Result
from workers.domain import Diagnosis, JobReport, Outcome, Reproduction, StageName, Verdict
from workers.store.codec import from_json
from workers.store.models import RunState
from workers.store.pages import AttemptLine, EventLine, RunLine, RunPage, StageLine

T = TypeVar("T")


@dataclass(frozen=True)
class StageView:
    """A stage in the timeline. `status` is done, now or later; `times` how often it ran."""

    name: str
    status: str
    seconds: float | None
    times: int


@dataclass(frozen=True)
class RunView:
    """Everything the run page shows."""

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
    red_reruns: str
    after: Result | None
    verdict: Verdict | None
    diagnosis: Diagnosis | None
    accepted: AttemptLine | None
    attempts: tuple[AttemptLine, ...]
    events: tuple[EventLine, ...]
    last_event: int


def run_view(page: RunPage, now: datetime) -> RunView:
    """The view of one run at a moment."""
    line = page.line
    reproduction = page.report.reproduction if page.report else _answer(page, StageName.REPRODUCE, Reproduction)
    accepted = next((attempt for attempt in page.attempts if attempt.accepted), None)
    verdict = _verdict(page)
    return RunView(
        line=line,
        chip=chip(line.state, line.outcome),
        sentence=sentence(page, accepted),
        seconds=elapsed(line, now),
        live=line.state is not RunState.DONE,
        cancel_asked=page.cancel_asked and line.state is not RunState.DONE,
        stages=_stages(page),
        plan=reproduction.plan if reproduction else None,
        job=page.report.job if page.report else _answer(page, StageName.CHECKOUT, JobReport),
        before=reproduction.before if reproduction else None,
        red_reruns=f"{reproduction.red_reruns} of {reproduction.reruns}" if reproduction else "",
        after=verdict.after if verdict else None,
        verdict=verdict,
        diagnosis=page.report.diagnosis if page.report else _answer(page, StageName.DIAGNOSE, Diagnosis),
        accepted=accepted,
        attempts=page.attempts,
        events=_news(page.events),
        last_event=page.events[-1].id if page.events else 0,
    )


def elapsed(line: RunLine, now: datetime) -> float | None:
    """Seconds from the first claim to the end, or to now; None before it was claimed."""
    return ((line.finished_at or now) - line.started_at).total_seconds() if line.started_at else None


def sentence(page: RunPage, accepted: AttemptLine | None) -> str:
    """The one sentence under the title: what happened, why, and how large the fix is."""
    line = page.line
    cause = one_line(page.report.diagnosis.summary) if page.report and page.report.diagnosis else ""
    if line.outcome is Outcome.FIXED and accepted:
        files, added, removed = diff_size(accepted.patch)
        return f"{cause.rstrip('.') or 'The check is green again'}; {_count(files, 'file')}, +{added} -{removed}."
    if line.state is RunState.DONE:
        return line.detail or cause
    return doing(line)


def doing(line: RunLine) -> str:
    """What a run says about itself in one line: its end, or what it is at."""
    if line.state is RunState.DONE:
        return line.detail
    if line.state is RunState.WAITING:
        return "Waits until the workflow run has ended."
    if line.error and line.state is not RunState.RUNNING:
        return f"Will be tried again: {one_line(line.error)}"
    return f"At work; last finished stage: {line.stage}." if line.stage else "Has not begun yet."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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


def _stages(page: RunPage) -> tuple[StageView, ...]:
    current = _current(page)
    return tuple(_stage(name, [line for line in page.stages if line.stage == name], current) for name in StageName)


def _stage(name: StageName, lines: list[StageLine], current: str) -> StageView:
    status = "now" if name == current else "done" if lines else "later"
    seconds = sum(line.seconds for line in lines) if lines else None
    return StageView(name=name, status=status, seconds=seconds, times=len(lines))


def _current(page: RunPage) -> str:
    """The stage under way: the last one that was started and has no answer of that number yet."""
    if page.line.state is RunState.DONE:
        return ""
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
    if event.kind != "stage":
        return event.title
    seconds = event.data.get("seconds")
    return f"{event.title} took {duration(seconds)}" if isinstance(seconds, int | float) else f"{event.title} began"
