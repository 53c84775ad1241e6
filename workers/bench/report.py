"""A bench for people and programs: one JSON object, or Markdown with the figures first and a line per case after them.

Always told apart: plausible, verified, correct and overfit; in-sample or held out; the command, machine and date.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.bench.chart import chart
from workers.bench.row import Row
from workers.bench.score import Class, Score, Share, counted, score
from workers.errors import UsageError
from workers.messages.markup import quote

_LONGEST = 60
_MOST_GROUPS = 20


@dataclass(frozen=True)
class Measured:
    """A suite, how it was measured, and a row for every case that was; not all of them where it was ended early."""

    suite: str
    in_sample: bool
    options: dict[str, str]
    engine: str
    model: str | None
    command: str
    machine: str
    complete: bool
    rows: tuple[Row, ...]
    extra: tuple[tuple[str, str], ...] = ()
    """Figures that only this suite has, as label and words."""


def write(measured: Measured, folder: Path) -> None:
    """The report in a folder, in each of its forms. Raises `UsageError` where nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(as_json(measured), indent=1) + "\n")
        (folder / "report.md").write_text(markdown(measured))
        (folder / "chart.svg").write_text(chart(f"{measured.suite} ({sample(measured)})", shares(score(measured.rows))))
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}") from error


def as_json(measured: Measured) -> dict[str, Any]:
    """The object of `--json`. Shares are hits, cases, value and interval."""
    figures = score(measured.rows)
    return {
        "suite": measured.suite,
        "sample": sample(measured),
        "options": measured.options,
        "engine": measured.engine,
        "model": measured.model,
        "command": measured.command,
        "machine": measured.machine,
        "complete": measured.complete,
        "score": _plain(figures),
        "extra": dict(measured.extra),
        "cases": [row.model_dump(mode="json") for row in measured.rows],
    }


def sample(measured: Measured) -> str:
    """Whether the fixers were written knowing these cases."""
    return "in-sample" if measured.in_sample else "held-out"


def _plain(value: Any) -> Any:
    if isinstance(value, Share):
        low, high = value.interval
        return {"hits": value.hits, "cases": value.cases, "value": value.value, "interval": [low, high]}
    if isinstance(value, Score | Class):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, tuple):
        if value and all(isinstance(one, tuple) for one in value):
            return dict(value)
        return [_plain(one) for one in value]
    return value


def markdown(measured: Measured) -> str:
    """The report as Markdown: what was measured, the figures, then every case."""
    figures = score(measured.rows)
    green = figures.cases - figures.red
    red = f", {figures.red} of them red here" if green else ""
    lines = [f"## {measured.suite}: {figures.cases} cases{red}, {sample(measured)}", ""]
    lines += [f"`{measured.command}`", ""] if measured.command else []
    lines += [f"{measured.machine}; engine {measured.engine}{f', model {measured.model}' if measured.model else ''}"]
    lines += ["", f"Options: {_options(measured)}."] if measured.options else []
    lines += ["", "**Ended early: not every case has been measured.**"] if not measured.complete else []
    lines += ["", "| | cases | share | 95 % interval |", "| --- | --- | --- | --- |"]
    lines += [_line(name, one) for name, one in shares(figures)]
    lines += ["", *_remarks(figures), *(f"{label}: {words}." for label, words in measured.extra)]
    lines += ["", *_groups(measured.rows), *_cases(measured.rows)]
    return "\n".join(lines) + "\n"


def _options(measured: Measured) -> str:
    return "; ".join(f"{name} {value}" for name, value in measured.options.items())


def shares(figures: Score) -> list[tuple[str, Share]]:
    """The shares of the report, by the names that it gives them."""
    told = [
        ("plausible (the check is green)", figures.plausible),
        ("verified (every gate of the verifier)", figures.verified),
        ("proposed (a fix of class high or medium)", figures.proposed),
        ("correct (as judged)", figures.correct),
        ("overfit (verified, judged wrong)", figures.overfit),
        ("precision of what was judged", figures.precision),
    ]
    return told + [(f"precision of class {one.name}", one.precision) for one in figures.classes]


def _line(name: str, one: Share) -> str:
    if one.value is None:
        return f"| {name} | 0 of 0 | | |"
    low, high = one.interval
    return f"| {name} | {one.hits:g} of {one.cases} | {one.value:.1%} | {low:.0%} to {high:.0%} |"


def _remarks(figures: Score) -> list[str]:
    unjudged = figures.verified.hits - figures.judged
    lines = [
        f"Outcomes: {_listed(figures.outcomes)}. Verified patches by fixer: {_listed(figures.tiers) or 'none'}.",
        f"{figures.seconds:.0f} s for all cases added up, median {_seconds(figures.median_s)}; to the first verified "
        f"patch median {_seconds(figures.median_first_s)}, at most {_seconds(figures.slowest_first_s)}.",
    ]
    if unjudged:
        lines.append(f"{unjudged} verified patches are unjudged: they count neither as correct nor as overfit.")
    if figures.calls:
        price = "an unknown price" if figures.usd is None else f"${figures.usd:.4f}"
        lines.append(
            f"{figures.calls} model calls, {figures.input_tokens} tokens in, {figures.output_tokens} out, {price}."
        )
    return lines


def _groups(rows: Sequence[Row]) -> list[str]:
    groups = [name for name, _ in counted(row.group for row in rows if row.group)]
    if not 2 <= len(groups) <= _MOST_GROUPS:
        return []
    lines = ["| group | red here | plausible | verified | correct | overfit |", "| --- | --- | --- | --- | --- | --- |"]
    for group in sorted(groups):
        one = score([row for row in rows if row.group == group])
        hits = (one.plausible.hits, one.verified.hits, one.correct.hits, one.overfit.hits)
        lines.append(f"| {cell(group)} | {one.red} | {' | '.join(map(str, hits))} |")
    return [*lines, ""]


def _cases(rows: Sequence[Row]) -> list[str]:
    lines = [
        "| case | outcome | fixer | class | correct | alternatives | s | first s | why |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        correct = {True: "yes", False: "no", None: "unjudged" if row.verified else ""}[row.correct]
        why = row.why or (row.detail if not row.verified else "")
        first = "" if row.first_s is None else f"{row.first_s:.1f}"
        cells = (row.case, row.outcome, row.tier, row.confidence, correct, str(row.alternatives), f"{row.seconds:.1f}")
        lines.append("| " + " | ".join(cell(text) for text in (*cells, first, why)) + " |")
    return lines


def cell(text: str) -> str:
    """Text of others in a table's cell: on one line, short, and without any meaning in Markdown."""
    plain = " ".join(text.split())
    cut = plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
    return quote(cut) if any(sign in cut for sign in "`*_<[|#@&\\") else cut


def _listed(pairs: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {word}" for word, count in pairs)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
