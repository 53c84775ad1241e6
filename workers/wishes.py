"""What people told Heal to leave alone: places where it is switched off, and failures it is to ignore. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from workers.domain import Case, Diagnosis, Outcome
from workers.errors import Stop
from workers.messages.wishes import ignored, switched_off


class Reach(StrEnum):
    """How far a switch reaches, widest first."""

    ALL = "all"
    INSTALLATION = "installation"
    REPO = "repo"


@dataclass(frozen=True)
class Scope:
    """What a switch is for. `id` is GitHub's, 0 for everything."""

    reach: Reach
    id: int = 0

    def __str__(self) -> str:
        return self.reach.value if self.reach is Reach.ALL else f"{self.reach}:{self.id}"


EVERYTHING = Scope(Reach.ALL)


@dataclass(frozen=True)
class Off:
    """Heal is switched off. Times are seconds since 1970; `until` None means until it is switched on again."""

    scope: str
    who: str
    why: str
    until: float | None
    at: float


class Kind(StrEnum):
    """What of a failure can be ignored."""

    TEST = "test"
    JOB = "job"
    FINGERPRINT = "fingerprint"


@dataclass(frozen=True)
class Ignored:
    """A failure that is left alone; `until` None means until that is taken back."""

    kind: Kind
    value: str
    who: str
    until: float | None


class Wishes(Protocol):
    """What holds for one run."""

    def off(self) -> Off | None:
        """The widest switch that is off for its repository."""

    def ignored(self, job: str, tests: Sequence[str], fingerprint: str) -> Ignored | None:
        """Why a failure is to be left alone: its job, its fingerprint, or every one of its red tests is ignored."""


class NoWishes:
    """Nobody asked for anything: a local run."""

    def off(self) -> Off | None:
        """Nothing is off."""
        return None

    def ignored(self, job: str, tests: Sequence[str], fingerprint: str) -> Ignored | None:  # noqa: ARG002 - a protocol
        """Nothing is ignored."""
        return None


def heed_switches(wishes: Wishes) -> None:
    """Raise `Stop(DISABLED)` where Heal is switched off. It is not told on GitHub: a kill switch ends every word."""
    off = wishes.off()
    if off is not None:
        raise Stop(Outcome.DISABLED, switched_off(off.scope, off.who, off.why, off.until), silent=True)


def heed_ignored(wishes: Wishes, case: Case, job: str, diagnosis: Diagnosis | None = None) -> None:
    """Raise `Stop(DISABLED)` for a failure that people want ignored; a person who asks for it is not held to that."""
    findings = diagnosis.findings if diagnosis else ()
    tests = tuple(dict.fromkeys(finding.test for finding in findings if finding.test))
    fingerprint = diagnosis.fingerprint if diagnosis else ""
    found = None if case.requested_by else wishes.ignored(job, tests, fingerprint)
    if found is not None:
        raise Stop(Outcome.DISABLED, ignored(found.kind, found.value, found.who, found.until))
