"""A recipe as the cases of `recipe` and of `ci` write it down."""

from __future__ import annotations

from sandbox.spec import Plan, Service
from workers.priming import first_line


def described(recipe: Plan) -> list[str]:
    """One line per fact."""
    lines = [f"image: {recipe.image}", f"fidelity: {recipe.fidelity}"]
    lines += [f"service: {one.name}: {one.image}" + _ports(one) for one in recipe.services]
    lines += [f"set-up: {step.name}: {first_line(step.script)}" for step in recipe.setup]
    if recipe.network:
        lines.append(f"network: {', '.join(recipe.network)}, as far as HEAL_CHECK_HOSTS grants it")
    lines.append(f"check: {recipe.check.name}: {first_line(recipe.check.script)}")
    lines += [f"after: {step.name}: {first_line(step.script)}" for step in recipe.after]
    lines += [
        f"skipped: {s.step}: {s.reason}" + (" (weakens the proof)" if s.weakens_proof else "") for s in recipe.skipped
    ]
    return lines + [f"note: {note}" for note in recipe.notes]


def _ports(service: Service) -> str:
    told = [*map(str, service.ports), *(f"{outside} for {inside}" for outside, inside in service.forwards)]
    return f" (ports {', '.join(told)})" if told else ""
