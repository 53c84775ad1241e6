"""How `heal replay` shows a run: each answer, command, candidate and verdict in its order, from the database alone.

Nothing is asked, run or written. What models, programs and strangers wrote is redacted, and does nothing in a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

import typer

from bot.cli_fix import harmless
from workers.domain import RunId, Usage
from workers.errors import UsageError
from workers.settings import StoreSettings
from workers.store.database import open_engine
from workers.store.pages import Pages, RunPage
from workers.store.schema import require
from workers.trajectory import Answered, Entry, Judged, Observed, Proposed, Trajectory, trajectory

_INDENT = "    "


def replay(run: str, as_json: bool, prompts: bool) -> None:
    """Print the stored trajectory of a run. Raises `UsageError` for one that is not known."""
    url = StoreSettings().database_url
    require(url)
    page = Pages(open_engine(url)).run(RunId(run))
    if page is None:
        raise UsageError(f"no run {run[:100]} is known here; `heal fix` keeps none")
    found = trajectory(page)
    if as_json:
        typer.echo(json.dumps(_object(page, found)))  # ASCII: an escape sequence of others does nothing in a terminal
        return
    for line in _lines(page, found, prompts):
        typer.echo(line)


def _object(page: RunPage, found: Trajectory) -> dict[str, object]:
    return {
        "run": page.line.id,
        "repository": page.line.repo,
        "commit": page.line.head_sha,
        "state": page.line.state.value,
        "outcome": page.line.outcome.value if page.line.outcome else None,
        "entries": [asdict(entry) for entry in found.entries],
        "tokens": {"input": found.usage.input_tokens, "output": found.usage.output_tokens},
        "cost_usd": found.usage.cost_usd,
        "sandbox": asdict(page.used),
    }


def _lines(page: RunPage, found: Trajectory, prompts: bool) -> Iterator[str]:
    line = page.line
    ended = line.outcome.value if line.outcome else line.state.value
    yield harmless(f"run {line.id} of {line.repo} at {line.head_sha[:12]}: {ended}")
    if line.cause:
        yield harmless(line.cause)
    for entry in found.entries:
        yield ""
        for role, text in entry.shown if prompts and isinstance(entry, Answered) else ():
            yield typer.style(f"told the model ({harmless(role)})", bold=True)
            yield from (f"{_INDENT}{line}" for line in harmless(text).split("\n"))
        yield typer.style(harmless(_title(entry)), bold=True)
        yield from (f"{_INDENT}{text}" for text in harmless(_body(entry)).split("\n") if text.strip())
    yield ""
    yield f"in all {_bill(found.usage)}"
    if page.uses:
        tried = "1 candidate" if page.used.candidates == 1 else f"{page.used.candidates} candidates"
        yield f"in the sandbox {page.used.seconds:.0f} s of commands, {tried} tried"


def _title(entry: Entry) -> str:
    match entry:
        case Answered():
            who = f" to {entry.asked_by}" if entry.asked_by else ""
            ended = f", {entry.call.finish}" if entry.call.finish else ""
            told = f"prompt {entry.prompt}, {_bill(entry.usage, entry.call.estimated)}, {entry.seconds:.1f} s{ended}"
            return f"answer of {entry.model or 'nobody'}{who} ({told})"
        case Observed():
            return f"command {entry.number}: {entry.how}, {entry.seconds:g} s, {entry.changed} bytes changed"
        case Proposed():
            made = entry.candidate
            return f"candidate {entry.number} of {made.fixer}: {'none' if made.error else made.confidence.value}"
        case Judged():
            said = "accepted" if entry.accepted else f"rejected by {entry.rejected_by}"
            return f"verdict on candidate {entry.number}: {said}, {entry.seconds:.1f} s"


def _body(entry: Entry) -> str:
    match entry:
        case Answered():
            return entry.problem or entry.text
        case Observed():
            return f"{entry.note}\n{entry.output}"
        case Proposed():
            return entry.candidate.error or f"{entry.candidate.reasoning}\n{entry.candidate.patch}"
        case Judged():
            low = (f"low: no test executes {path}:{line} with it" for path, line in entry.sidelined)
            return "\n".join((entry.why, *entry.regressions, *low))


def _bill(usage: Usage, estimated: bool = False) -> str:
    cost = "unknown cost" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    about = "about " if estimated else ""
    return f"{about}{usage.input_tokens} tokens in, {usage.output_tokens} out, {cost}"
