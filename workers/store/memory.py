"""The journal of a local run (`heal fix`): remembers in memory, tells a callback, belongs to nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from workers.domain import (
    Candidate,
    Case,
    Diagnosis,
    Experience,
    Lead,
    Lesson,
    Ours,
    Outcome,
    Past,
    RunId,
    Sha,
    Sighting,
)
from workers.errors import Stop
from workers.fencing import unfenced
from workers.ports import CI

T = TypeVar("T")

OnEvent = Callable[[str, str, Mapping[str, object]], None]
"""Called with kind, title and data of each event, as they happen."""


class MemoryJournal:
    """Implements `workers.ports.Journal`. Setting `cancelled` (Ctrl-C) ends the run at its next guard."""

    def __init__(self, on_event: OnEvent | None = None, cancelled: threading.Event | None = None) -> None:
        self.cancelled = cancelled or threading.Event()
        self._on_event = on_event
        self._values: dict[tuple[str, int], object] = {}
        self._told = False
        self._seconds: dict[str, float] = {}

    def recall(self, stage: str, n: int, kind: type[T]) -> T | None:
        """What was recorded, if it has the asked kind."""
        value = self._values.get((stage, n))
        return value if isinstance(value, kind) else None

    def record(self, stage: str, n: int, value: object, seconds: float) -> None:
        """Keep the value for the rest of the run."""
        self._values[stage, n] = value
        if ":" not in stage:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds
        self.event("stage", stage, stage=stage, n=n, seconds=round(seconds, 3))

    def seconds(self) -> Mapping[str, float]:
        """Seconds per stage."""
        return dict(self._seconds)

    def past(self, tests: Sequence[str]) -> tuple[Past, ...]:  # noqa: ARG002 - there are no earlier runs
        """Nothing: a local run knows of no other."""
        return ()

    def sighted(self, seen: Sequence[Sighting]) -> None:
        """Nothing is kept."""

    def experience(self, fingerprint: str) -> Experience:  # noqa: ARG002 - nothing is kept
        """Nobody made anything of a fix that was applied to a checkout."""
        return Experience()

    def similar(self, diagnosis: Diagnosis) -> tuple[Lesson, ...]:
        """Nothing either."""
        del diagnosis
        return ()

    def made(self, sha: Sha) -> bool:
        """Nothing is known of other runs' commits."""
        del sha
        return False

    def ours(self) -> Ours | None:
        """There is no pull request to go on with."""
        return None

    def answered(self, ci: CI) -> None:
        """There is no CI here."""

    def held(self, run: RunId) -> Candidate | None:
        """There was no earlier run."""
        del run
        return None

    def publishing(self) -> None:
        """Nobody tells of pushes here."""

    def event(self, kind: str, title: str, **data: object) -> None:
        """Pass on to the callback."""
        if self._on_event is not None:
            self._on_event(kind, title, data)

    def lead_to(self, case: Case) -> Lead | None:
        """Nobody would work on another run."""
        del case
        return None

    def guard(self) -> float:
        """Raises `Stop(CANCELLED)` once after `cancelled` was set."""
        if self.cancelled.is_set() and not self._told:
            self._told = True
            raise Stop(Outcome.CANCELLED, "The run was cancelled.")
        return unfenced()
