"""The values a job's log is read into: bounded in size, without secrets, as JSON-able as everything that is stored.

What was left out is counted and said; nothing here knows where a log comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.redact import MARK

MASK = "***"
"""What the runner prints in the place of a secret."""

Versions = Mapping[str, Mapping[str, str]]
"""Ecosystem (pypi, npm, apt, cargo, go, gem, or tool for what set-up actions bring) to package to version."""


@dataclass(frozen=True)
class LogStep:
    """One step as the runner printed it. `uses` or `script` is set, never both; `exit_code` only when it failed."""

    title: str
    uses: str | None = None
    script: str | None = None
    shell: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    """Head and tail: a long one says between them how many lines are missing."""
    errors: tuple[str, ...] = ()
    exit_code: int | None = None
    left_out: int = 0
    """Lines of the output that were not kept."""
    cut: bool = False
    """What the step was told to do was too long to be kept whole, so it must not be run from here."""
    installed: Versions = field(default_factory=dict)
    """The versions that its output names."""
    number: int | None = None
    """Which of the job API's steps it belongs to, counted from 0; None when that cannot be told."""
    nested: bool = False
    """It ran inside the composite action before it, as far as can be told."""

    @property
    def masked(self) -> bool:
        """A secret was hidden in what this step was told to do, by the runner or by us."""
        told = (self.script or "", *self.env.values(), *self.inputs.values())
        return any(MASK in text or MARK in text for text in told)

    @property
    def red(self) -> bool:
        """It ended with an exit code other than 0, or printed an error of the runner's kind."""
        return self.exit_code not in (None, 0) or bool(self.errors)


@dataclass(frozen=True)
class JobLog:
    """A whole job: what came before the first step, the steps in order, and what the runner said after the last.

    A log of another CI is all preamble. False when nothing was printed at all.
    """

    preamble: str = ""
    steps: tuple[LogStep, ...] = ()
    epilogue: str = ""
    began: str = ""
    """When the first line was printed, in ISO 8601 (UTC); empty when the log has no time stamps."""
    blamed: int | None = None
    """Index of the step that the job API says failed, when that could be told."""
    notes: tuple[str, ...] = ()
    """What was not read, for people."""

    def __bool__(self) -> bool:
        return bool(self.preamble or self.steps or self.epilogue)

    @property
    def failed(self) -> LogStep | None:
        """The step that turned the job red: the one the job API blames, else the first with an exit code, else the
        first with an error line."""
        if self.blamed is not None:
            return self.steps[self.blamed]
        with_code = (step for step in self.steps if step.exit_code not in (None, 0))
        with_error = (step for step in self.steps if step.errors)
        return next(with_code, None) or next(with_error, None)

    @property
    def text(self) -> str:
        """Everything that was kept, as clean text in the order it was printed."""
        steps = (text for step in self.steps for text in (_header(step), step.output))
        return "\n".join(text for text in (self.preamble, *steps, self.epilogue, *self.notes) if text)


def _header(step: LogStep) -> str:
    return "\n".join((f"##[group]Run {step.title}", *((step.script,) if step.script else ()), "##[endgroup]"))
