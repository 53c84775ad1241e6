"""How `heal fix` talks: a line per stage while it works, then the contract's JSON object, or the patch on standard
output and the story beside it."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType, TracebackType
from typing import Self

import typer

from sandbox.spec import Fidelity
from workers.domain import Report, Reproduction
from workers.messages.blame import brought
from workers.messages.markup import cut, visible
from workers.messages.plan import FIDELITY
from workers.messages.reported import asked
from workers.redact import redact
from workers.reruns import command
from workers.summary import summary, whole_patch
from workers.suspects import telling


class Progress:
    """One line per stage on standard error: its name when it starts, its seconds when it ends."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._open = False

    def __call__(self, stage: str, seconds: float | None) -> None:
        """A stage started (None) or ended."""
        if self._quiet:
            return
        if seconds is None:
            self._end_line()
            typer.echo(f"  {stage:<10} ", err=True, nl=False)
            self._open = True
        else:
            typer.echo(f"{seconds:6.1f} s", err=True)
            self._open = False

    def _end_line(self) -> None:
        if self._open:
            typer.echo("", err=True)
            self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_line()


@contextmanager
def interruptible() -> Iterator[Event]:
    """Ctrl-C sets the event, so that containers end in an orderly way; a second one interrupts at once."""
    cancelled = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        if cancelled.is_set():
            raise KeyboardInterrupt
        cancelled.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancelled
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_LIKELIEST = 3
"""Suspects that are shown where there is no fix."""


def present(report: Report, as_json: bool) -> None:
    """Print the report: data to standard output, the rest to standard error."""
    if as_json:
        typer.echo(json.dumps(summary(report)))  # ASCII: an escape sequence of others does nothing in a terminal
        return
    for line in _story(report):
        typer.echo(harmless(line), err=True)
    if report.accepted:
        # Byte for byte into a file or `git apply`; a terminal gets what it cannot be steered with.
        patch = whole_patch(report)
        shown = harmless(patch) if sys.stdout.isatty() else patch
        sys.stdout.buffer.write(shown.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()


def harmless(text: str) -> str:
    """Text of others for a terminal: no escapes, no control or direction characters, no keys."""
    return visible(redact(text))


def _story(report: Report) -> list[str]:
    lines = [f"{report.outcome}{': ' + report.detail if report.detail else ''}"]
    if report.reproduction:
        lines.append(f"check      {command(report.reproduction.plan.check)}")
    if report.diagnosis:
        lines.append(f"failure    {cut(report.diagnosis.summary, 160)}")
        suspects = () if report.accepted else telling(report.diagnosis)[:_LIKELIEST]
        lines += [f"look at    {one.place}: {', '.join(one.reasons)}" for one in suspects]
    if told := brought(report.blame):
        lines.append(f"culprit    {cut(told.replace('**', ''), 600)}")
    if accepted := report.accepted:
        lines.append(
            f"fix        {accepted.candidate.fixer} ({accepted.candidate.confidence} confidence): "
            f"{cut(' '.join(accepted.candidate.reasoning.split()), 300)}"
        )
    lines += [
        f"rejected   {attempt.candidate.fixer}: {attempt.verdict.rejected_by}"
        for attempt in report.attempts
        if not attempt.verdict.accepted
    ]
    if report.reproduction:
        lines += _evidence(report, report.reproduction)
    if report.witness:
        lines.append(f"test       {report.witness.path}: red in {report.witness.runs} of {report.witness.runs} runs")
    if report.data.get("missing"):
        lines.append(f"question   {asked(report).replace('**', '')}")
    if log := report.data.get("log"):
        lines.append(cut(log.strip(), 1500))
    if report.published and report.published.branch:
        lines.append(f"branch     {report.published.branch}")
    return lines


def _evidence(report: Report, found: Reproduction) -> list[str]:
    """What was seen, and what a reader must not take as proven."""
    lines = [f"before     red in {found.red_reruns + 1} of {found.reruns + 1} runs"]
    if report.accepted:
        verdict = report.accepted.verdict
        lines.append(
            f"after      green in {verdict.reruns + 1} of {verdict.reruns + 1} runs, and red without the patch"
        )
        lines += [f"           then green: {step}" for step, _ in verdict.later_steps]
    if found.plan.fidelity is not Fidelity.EXACT:
        lines.append(f"not proven {FIDELITY[found.plan.fidelity]}")
    lines += [f"not proven {skip.step}: {skip.reason}" for skip in found.plan.skipped if skip.weakens_proof]
    if hosts := found.before.evidence.network:
        lines.append(
            f"not proven the check could reach {', '.join(hosts)}: what answers there has a part in its result"
        )
    return lines + [f"note       {note}" for note in found.plan.notes]
