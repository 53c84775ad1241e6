"""How `heal plan` talks: the recipe of a job as people read it, or as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterator

import typer

from bot.cli_fix import harmless
from sandbox.spec import Plan, Service, Step
from workers.messages.plan import FIDELITY
from workers.plans import Planned
from workers.store.codec import to_json

_INDENT = "    "


def present(planned: Planned, as_json: bool) -> None:
    """Print the plan on standard output, or the outcome that a run would end with on standard error."""
    if as_json:
        stop = planned.stop
        refusal = json.dumps({"outcome": stop.outcome.value, "detail": stop.detail}) if stop else ""
        text = to_json(planned.plan) if planned.plan else refusal
        typer.echo(json.dumps(json.loads(text)))  # ASCII: an escape sequence of others does nothing in a terminal
    elif planned.plan:
        for line in _lines(planned.plan):
            typer.echo(line)
    if planned.stop and not as_json:
        typer.echo(harmless(f"{planned.stop.outcome}: {planned.stop.detail}"), err=True)
    if planned.others and not as_json:
        typer.echo(harmless(f"jobs: {', '.join(planned.others)}. Choose one with --job NAME."), err=True)
    if planned.unsaved:
        typer.echo("note: the plan is of HEAD; changes that are not committed are not in it.", err=True)


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{_bold('image')}  {harmless(plan.image)}"
    yield f"{_bold('fidelity')}  {plan.fidelity.value}: {FIDELITY[plan.fidelity]}"
    if plan.setup:
        yield from _section("set-up, with network")
        for number, step in enumerate(plan.setup, 1):
            yield from _step(step, f"{number}. ")
    hosts = f", may reach {', '.join(plan.network)}" if plan.network else ", without network"
    yield from _section(f"check{hosts}")
    yield from _step(plan.check)
    if plan.after:
        yield from _section("tried while the check is green" if plan.guessed else "what follows it in the job")
        for step in plan.after:
            yield from _step(step)
    if plan.services:
        yield from _section("services")
        yield from (f"{_INDENT}{harmless(_service(service))}" for service in plan.services)
    if plan.env:
        yield from _section("environment")
        yield from (f"{_INDENT}{harmless(f'{name}={value}')}" for name, value in sorted(plan.env.items()))
    if plan.skipped:
        yield from _section("not run here")
        for skip in plan.skipped:
            weakens = typer.style(" (weakens the proof)", fg="yellow") if skip.weakens_proof else ""
            yield f"{_INDENT}{harmless(f'{skip.step}: {skip.reason}')}{weakens}"
    if plan.notes:
        yield from _section("notes")
        yield from (f"{_INDENT}{harmless(note)}" for note in plan.notes)


def _section(title: str) -> Iterator[str]:
    yield ""
    yield _bold(harmless(title))


def _step(step: Step, number: str = "") -> Iterator[str]:
    folder = f" in {step.workdir}" if step.workdir != "." else ""
    name = "" if step.name.strip() == step.script.strip() else step.name
    yield f"  {number}{harmless(' '.join(name.split()))}{typer.style(harmless(f'  [{step.shell}{folder}]'), dim=True)}"
    yield from (f"{_INDENT}{'  ' if number else ''}{line}" for line in harmless(step.script).strip("\n").split("\n"))


def _service(service: Service) -> str:
    ports = f", ports {', '.join(map(str, service.ports))}" if service.ports else ""
    return f"{service.name}: {service.image}{ports}"


def _bold(text: str) -> str:
    return typer.style(text, bold=True)
