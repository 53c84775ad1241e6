"""What a job's steps come to: the steps around the failing one, what was left out, and how near that is to CI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.spec import Fidelity, Service, Skipped, Step
from workers import services
from workers.domain import Outcome
from workers.errors import Stop
from workers.job_steps.bound import Bound


@dataclass(frozen=True)
class JobSteps:
    """The steps around the failing one. `check` is the failing step, or a choice among `before` was not made: None."""

    before: tuple[Step, ...]
    check: Step | None
    after: tuple[Step, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    fidelity: Fidelity = Fidelity.CLOSE
    image: str | None = None
    services: tuple[Service, ...] = ()
    languages: tuple[str, ...] = ()
    """Those the job was given by set-up actions."""
    timeout_s: float | None = None
    """How long the failing step may take by the file, where it says so."""


@dataclass
class Collected:
    """What adds up while the steps are walked."""

    steps: list[Step] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fidelity: Fidelity = Fidelity.EXACT
    languages: list[str] = field(default_factory=list)

    def lower(self, note: str) -> None:
        """It is no longer exact, because of this."""
        if self.fidelity is Fidelity.EXACT:
            self.fidelity = Fidelity.CLOSE
        self.note(note)

    def approximate(self, note: str) -> None:
        """It is only near, because of this."""
        self.fidelity = Fidelity.APPROXIMATE
        self.note(note)

    def note(self, note: str) -> None:
        """Say it once."""
        if note not in self.notes:
            self.notes.append(note)

    def skip(self, step: str, reason: str, *, weakens: bool) -> None:
        """Leave a step out; the same words are said once."""
        one = Skipped(step, reason, weakens)
        if one not in self.skipped:
            self.skipped.append(one)

    def finished(self, check: Step | None, after: tuple[Step, ...], bound: Bound | None, env: Mapping[str, str],
                 minutes: float | None) -> JobSteps:  # fmt: skip
        """All of it, with the container and the services of the job. Raises `Stop(UNSUPPORTED)` for a service."""
        image = self._container(bound) if bound else None
        beside = self._services(bound) if bound else ()
        return JobSteps(
            tuple(self.steps), check, after, env, tuple(self.skipped), tuple(self.notes), self.fidelity, image, beside,
            tuple(self.languages), minutes * 60 if minutes and minutes > 0 else None,
        )  # fmt: skip

    def _services(self, bound: Bound) -> tuple[Service, ...]:
        found, notes = services.planned(bound.job.services, bound.at_start.contexts)
        for note in notes:
            self.lower(note)
        if found:
            self.lower(f"the job's services run beside it here: {', '.join(one.image for one in found)}")
        return found

    def _container(self, bound: Bound) -> str | None:
        """The image the job's steps ran in, as a full reference; None when the job has none that can be asked for."""
        job = bound.job
        if not job.container:
            return None
        rendered = bound.at_start.render(job.container)
        if not rendered.text.strip():
            return None  # an empty expression means no container, as on GitHub
        if rendered.unresolved or rendered.secrets:
            self.approximate(f"the job's container {job.container} is known to GitHub only")
            return None
        if job.private_container:
            self.approximate(f"the job's container {rendered.text} needs credentials, which are not used here")
            return None
        if job.container_options:
            self.lower(f"the options of the job's container are left out: {job.container_options[:200]}")
        image = rendered.text.strip().removeprefix("docker://")
        return image if re.search(r"[/:@]", image) else f"{image}:latest"


def unsupported(sentence: str) -> Stop:
    """The job cannot run here: said before anything is spent."""
    return Stop(Outcome.UNSUPPORTED, sentence)
