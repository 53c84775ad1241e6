"""Says what is wrong: class, findings, files to suspect and a fingerprint, from what the sandbox saw and CI printed.

An ordered table decides, never a model; the same failure on another day gets the same fingerprint.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sandbox.spec import Ending, Plan, Result
from workers import annotated, logs
from workers.diagnosis import fingerprint, places, said
from workers.diagnosis.likeness import Likeness, compare
from workers.diagnosis.table import NOT_THE_CODE, Ruling, classify
from workers.diagnosis.voices import guessed, speaker, voices
from workers.domain import Diagnosis, Finding, JobReport
from workers.ports import SourceTree
from workers.tools import Tool

__all__ = ["EXCERPT", "NOT_THE_CODE", "Likeness", "Ruling", "in_ci", "outage", "read", "same_failure"]

EXCERPT = 4000
_SHOWN, _NOTED, _SAID = 5, 20, 2000
_RED = ("failed", "error")
_MAKE = re.compile(r"make(\[\d+\])?: \*\*\* ")
"""What make says of a failed command, after what the command said itself."""


def read(plan: Plan, before: Result, job: JobReport, tree: SourceTree) -> Diagnosis:
    """The diagnosis of a red run. Works on any output; what nothing explains is UNKNOWN."""
    ours = replace(said.here(plan.check.script, before), unset=said.of_job(job).unset)
    paths = frozenset(tree.paths())
    heard = voices(ours)
    voice = speaker(heard)
    tool = voice.tool if voice else None
    found = tuple(places.placed(finding, paths) for finding in (voice.findings if voice else ()))
    texts = [*(test.message for test in before.tests if test.status in _RED), ours.output]
    traced = [trace for text in texts if (trace := places.frames(text, paths))]
    ruling = classify(ours, paths, heard)
    name = tool.NAME if tool else "shell"
    by = name if found else "CI"
    if not found:
        noted = tuple(places.placed(finding, paths) for finding in job.annotations[:_NOTED])
        found = noted or _last_words(ours.output, job)
    top = traced[-1][-1] if traced else None
    return Diagnosis(
        cls=ruling.cls,
        tool=name,
        fingerprint=fingerprint.of(name, found, f"{top.path}:{top.function}" if top else ""),
        findings=found,
        summary=_summary(tool, found, before, plan),
        excerpt=logs.excerpt(ours.output.strip(), EXCERPT),
        suspects=places.suspects(found, by, [[frame.place for frame in trace] for trace in traced], tree, paths),
        evidence=ruling.evidence,
    )


def in_ci(job: JobReport, script: str = "") -> Ruling:
    """What the table says of CI's log alone. `script` stands in where the log does not show the command."""
    return classify(said.of_job(job, script))


def outage(job: JobReport, script: str = "") -> str | None:
    """The line of a job's log that shows trouble of a machine or a network, not of the code; None without one."""
    ruling = in_ci(job, script)
    return next(iter(ruling.evidence), "") if ruling.cls in NOT_THE_CODE else None


def same_failure(script: str, before: Result, job: JobReport) -> Likeness:
    """Whether the sandbox shows what CI saw. A log that does not say what failed is compared with nothing."""
    ours = said.here(script, before)
    if job.log.failed is not None:
        return compare(said.in_ci(job.log, script), ours)
    if not job.annotations:
        return Likeness(True, "CI's log does not say which step failed")
    named = [finding for voice in (*voices(ours), *guessed(ours)) for finding in voice.findings]
    same = annotated.alike(job.annotations, named, ours.output) is not False
    shown = "\n".join(note.message for note in job.annotations[:_SHOWN])
    printed = "" if same else logs.ending(ours.output, _SAID)
    return Likeness(same, "what CI's check run points at", "" if same else shown, printed)


def _last_words(output: str, job: JobReport) -> tuple[Finding, ...]:
    """Without a tool that speaks: the last error line, of the sandbox or else of CI."""
    lines = [line for line in output.split("\n") if line.strip() and not _MAKE.match(line)]
    speaking = [line for line in lines if re.search(r"error|not found|failed|fatal", line, re.IGNORECASE)] or lines
    if not speaking:
        speaking = list(said.of_job(job).marked)
    return (Finding(speaking[-1].strip()[:500]),) if speaking else ()


def _summary(tool: Tool | None, found: Sequence[Finding], before: Result, plan: Plan) -> str:
    who = tool.NAME if tool else f"'{plan.check.name}'"
    if before.ending is not Ending.FAILED:
        return f"{who} ended with {before.ending.value.replace('_', ' ')} after {before.wall_s:.0f} s."
    if not found:
        return f"{who} failed with exit code {before.exit_code} and said nothing about why."
    first, count = found[0], len(found)
    message = logs.excerpt(first.message, 200)
    place = (
        f" at `{first.path}:{first.line}`" if first.path and first.line else f" in `{first.path}`" if first.path else ""
    )
    if first.test:
        name = first.test.split("::")[-1]
        return (f"`{name}` fails" if count == 1 else f"{count} tests fail, first `{name}`") + f"{place}: `{message}`"
    finds = f"{who} finds {count} problem{'s' if count > 1 else ''}"
    return f"{finds}{', first' if count > 1 else ''}{place}: {message}"
