"""What the sandboxed screening reports, read as the untrusted text it is; what has another shape is dropped."""

from __future__ import annotations

from pydantic import ValidationError

from workers.spectrum.evidence import Value, rows


class Plausible(Value):
    """A candidate that made the failing tests pass and broke none."""

    id: int
    fixed: int = 1


class Screening(Value):
    """How the screening went. `stopped` is all, budget, grace, or a message when it could not run."""

    plausible: tuple[Plausible, ...]
    tried: int = 0
    stopped: str = ""


def screening(report: bytes) -> Screening:
    """The plausible candidates in the order they were found."""
    found: list[Plausible] = []
    tried, stopped = 0, "the run was cut off"
    for row in rows(report):
        try:
            if row.get("kind") == "plausible":
                found.append(Plausible.model_validate(row))
            elif row.get("kind") == "done":
                tried, stopped = int(str(row.get("tried", 0))), str(row.get("stopped", ""))
            elif row.get("kind") == "error":
                stopped = str(row.get("message", ""))[:300]
        except (ValidationError, ValueError):
            continue
    return Screening(plausible=tuple(found), tried=tried, stopped=stopped)
