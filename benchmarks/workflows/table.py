"""The survey's figures for people: per language and in all, with the commonest reasons and the time of a plan."""

from __future__ import annotations

import re
import statistics
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.workflows.jobs import CELLS, RULE
from benchmarks.workflows.survey import Answer, Row

AIM = 0.76
SECONDS = 0.2
_SHOWN = 8
_COVERED = (Answer.FULL, Answer.PARTIAL)
_QUOTED = re.compile(r"'[^']{0,80}'|@[0-9a-f]{40}\b")
_STEP = re.compile(r"^.{1,160}?: (?=[a-z])")


def judged(rows: Iterable[Row]) -> list[Row]:
    """The test and lint jobs, each by the combination that judges it."""
    return [row for row in rows if row.first and row.counts]


def covered(rows: Sequence[Row]) -> float:
    """The share of rows with a recipe of their own steps."""
    return sum(row.answer in _COVERED for row in rows) / len(rows) if rows else 0.0


def reasons(rows: Iterable[Row], answer: Answer) -> list[tuple[str, int]]:
    """The first reasons of the rows with this answer, without the names in them, the commonest first."""
    found = (_general(row.reasons[0]) for row in rows if row.answer is answer and row.reasons)
    return Counter(found).most_common(_SHOWN)


def _general(reason: str) -> str:
    """The reason without what it is said of: the step, what stands in quotes, versions after a name."""
    return re.sub(r"\b(windows|macos)-[\w.-]+", r"\1", _QUOTED.sub("…", _STEP.sub("", reason[:300])))


def seconds(rows: Sequence[Row]) -> tuple[float, float]:
    """Median and maximum of the time one plan took."""
    taken = [row.seconds for row in rows] or [0.0]
    return statistics.median(taken), max(taken)


def figures(rows: Sequence[Row]) -> Mapping[str, object]:
    """The figures as one JSON object."""
    jobs = judged(rows)
    median, longest = seconds(rows)
    return {
        "aim": AIM,
        "rule": RULE,
        "jobs": {language: _counted(part) for language, part in _by_language(jobs)},
        "combinations": _counted([row for row in rows if row.counts]),
        "other_jobs": _counted([row for row in rows if row.first and not row.counts]),
        "reasons": {answer: dict(reasons(jobs, answer)) for answer in Answer if answer is not Answer.FULL},
        "seconds": {"median": round(median, 4), "max": round(longest, 4)},
    }


def _counted(rows: Sequence[Row]) -> dict[str, object]:
    found = Counter(row.answer for row in rows)
    return {"jobs": len(rows), **{answer: found[answer] for answer in Answer}, "covered": round(covered(rows), 3)}


def _by_language(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    languages = dict.fromkeys(row.language for row in rows)
    return [*((one, [row for row in rows if row.language == one]) for one in languages), ("all", list(rows))]


def table(rows: Sequence[Row]) -> str:
    """The figures as Markdown."""
    jobs = judged(rows)
    projects, files = {row.project for row in rows}, {(row.project, row.file) for row in rows}
    told = (
        f"{len(projects)} projects, {len(files)} workflow files with jobs, {len(jobs)} test and lint jobs. "
        f"{RULE} A job is judged by its first combination on Linux, else by its first. There is no log: the case that "
        "tells least. Full: nothing is left out that weakens the proof, nothing is unknown or of another version; "
        "partial: the recipe says what; guessed: a recipe that is not of the job's steps (not covered)."
    )
    lines = [
        textwrap.fill(told, 120),
        "",
        "| language | jobs | " + " | ".join(Answer) + " | covered |",
        "| --- " * (len(Answer) + 3) + "|",
    ]
    more = [(f"combinations, up to {CELLS} a job", [row for row in rows if row.counts]),
            ("jobs that are no test or lint", [row for row in rows if row.first and not row.counts])]  # fmt: skip
    for title, part in (*_by_language(jobs), *more):
        counts = Counter(row.answer for row in part)
        cells = " | ".join(str(counts[answer]) for answer in Answer)
        lines.append(f"| {title} | {len(part)} | {cells} | {covered(part):.0%} |")
    median, longest = seconds(rows)
    held, quick = covered(jobs) >= AIM, longest <= SECONDS
    lines += ["", f"Covered {covered(jobs):.1%} (aim: {AIM:.0%}, {_held(held)}). A plan takes {median * 1000:.0f} ms,"
              f" at most {longest * 1000:.0f} ms (aim: {SECONDS * 1000:.0f} ms, {_held(quick)})."]  # fmt: skip
    for answer in (Answer.PARTIAL, Answer.REFUSED, Answer.GUESSED, Answer.WRONG, Answer.CRASH):
        found = reasons(jobs, answer)
        if found:
            lines += ["", f"{answer.capitalize()}, the commonest reasons:", ""]
            lines += [f"- {times}: {reason}" for reason, times in found]
    return "\n".join(lines)


def _held(held: bool) -> str:
    return "held" if held else "**not held**"
