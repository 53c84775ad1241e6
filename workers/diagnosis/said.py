"""What a failed step was told to do and what came of it: in CI by the job's log, in the sandbox by the result.

Both sides have one shape, so that one table classifies them and one comparison says whether they are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sandbox.spec import Ending, Result, TestCase
from workers import logs
from workers.domain import Finding, JobReport

OUTPUT = 400_000
"""Characters of the end of an output that are looked at."""
_MARK = "##[error]"
_EXITS = ("Process completed with exit code", "##[error]Process completed with exit code")


@dataclass(frozen=True)
class Said:
    """One side. `marked` are the lines that stand as errors for the runner, `action` the action of a `uses` step.

    `exit_code` is None where the step was ended from outside, or is not known. `result` is set for the sandbox's side.
    `unset` are the step's variables that CI left empty, as it does with a secret that is not there.
    """

    script: str
    output: str
    marked: tuple[str, ...] = ()
    exit_code: int | None = None
    action: str = ""
    result: Result | None = None
    unset: tuple[str, ...] = ()

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The output's lines without the runner's mark, in order; empty ones and its note on the exit code left out."""
        found = (line.removeprefix(_MARK).rstrip()[:2000] for line in self.output.split("\n"))
        return tuple(line for line in found if line and not line.startswith(_EXITS))

    @property
    def tests(self) -> tuple[TestCase, ...]:
        """What a reporter said of single tests; names that only the output gives are better read by the tools."""
        return () if self.result is None or self.result.from_log else self.result.tests

    @property
    def ending(self) -> Ending | None:
        """How it ended, where the sandbox saw it."""
        return self.result.ending if self.result else None


def here(script: str, result: Result) -> Said:
    """The sandbox's side."""
    output = logs.clean(logs.ending(result.output.text, OUTPUT))
    return Said(script, output, exit_code=result.exit_code, result=result)


def in_ci(log: logs.JobLog, script: str = "", annotations: Sequence[Finding] = ()) -> Said:
    """CI's side: the step that turned the job red; without one, all that was printed.

    `script` stands in where the log does not show the command, annotations for the log where that is gone.
    """
    notes = tuple(note.message for note in annotations)
    failed = log.failed
    if failed is None:
        marked = tuple(line.removeprefix(_MARK) for line in log.preamble.split("\n") if line.startswith(_MARK))
        return Said(script, log.preamble[-OUTPUT:] or "\n".join(notes), (*marked, *notes))
    return Said(
        failed.script or script,
        failed.output[-OUTPUT:],
        (*failed.errors, *notes),
        failed.exit_code,
        failed.uses or "",
        unset=tuple(name for name, value in failed.env.items() if not value),
    )


def of_job(job: JobReport, script: str = "") -> Said:
    """CI's side of a job as the forge reports it."""
    return in_ci(job.log, script, () if job.log.failed else job.annotations)
