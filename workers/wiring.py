"""Puts the parts together: settings become the objects a run works with. The only module that knows all of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sandbox.environments import DockerSandbox
from sandbox.errors import SandboxError
from workers.domain import Case, Report
from workers.errors import Retryable, UsageError
from workers.fixers import fixers
from workers.github import GitHubForge
from workers.llm.client import Client
from workers.local import LocalForge
from workers.pipeline import Parts, drive
from workers.ports import Fixer
from workers.settings import WorkerSettings
from workers.store.lease import Lease
from workers.store.ledger import new_run_id
from workers.store.memory import MemoryJournal


def drive_run(case: Case, lease: Lease, settings: WorkerSettings, owner: str) -> Report:
    """One run of the queue, from its claim to its report. Trouble of the engine is `Retryable`, not the code's fault."""
    with closing(GitHubForge(settings, lease)) as forge:
        parts = Parts(
            forge=forge,
            sandbox=make_sandbox(settings, owner),
            fixers=make_fixers(settings, "auto"),
            journal=lease,
            cancelled=lease.cancelled,
            run_url=f"{settings.public_url.rstrip('/')}/runs/{case.run}",
            patience=settings.follow_seconds,
        )
        try:
            return drive(case, parts)
        except SandboxError as error:
            raise Retryable(str(error), blame="engine") from error


@dataclass(frozen=True)
class LocalRequest:
    """What `heal fix` was asked."""

    path: Path
    check: str | None = None
    job: str | None = None
    engine: str = "auto"
    model: str | None = None
    apply: bool = False
    branch: str | None = None


def heal_locally(request: LocalRequest, on_stage: Callable[[str, float], None]) -> Report:
    """Heal a checkout: the same pipeline with a memory of its own and a folder that is gone afterwards."""
    settings = WorkerSettings()
    if request.model:
        settings = settings.model_copy(update={"model": request.model})
    run = new_run_id()

    def tell(kind: str, title: str, data: Mapping[str, object]) -> None:
        seconds = data.get("seconds")
        if kind == "stage" and isinstance(seconds, float) and ":" not in title:
            on_stage(title, seconds)

    journal = MemoryJournal(tell)
    with tempfile.TemporaryDirectory(prefix="heal-") as folder:
        forge = LocalForge(request.path, Path(folder), apply=request.apply, branch=request.branch)
        parts = Parts(
            forge=forge,
            sandbox=make_sandbox(settings, f"fix-{run}"),
            fixers=make_fixers(settings, request.engine),
            journal=journal,
            cancelled=journal.cancelled,
        )
        return drive(forge.case(run, check=request.check, job=request.job or ""), parts)


def make_sandbox(settings: WorkerSettings, owner: str) -> DockerSandbox:
    """The sandbox on the engine of the settings. `owner` labels what it makes, for the reaper."""
    return DockerSandbox(
        docker_host=settings.docker_host,
        owner=owner,
        runtime=settings.sandbox_runtime,
        ca_bundle=settings.ca_bundle,
        state_dir=settings.state_dir,
    )


def make_fixers(settings: WorkerSettings, engine: str) -> tuple[Fixer, ...]:
    """The fixers in their order. `auto` asks a model when one is set, `llm` insists on it, `offline` never does."""
    if engine == "llm" and not settings.model:
        raise UsageError("--engine llm needs a model: pass --model or set HEAL_MODEL")
    client = None
    if settings.model and engine != "offline":
        client = Client(settings.model, settings.openai_api_key, settings.openai_base_url)
    return fixers(engine, client)


def build_sandbox_images(languages: tuple[str, ...], say: Callable[[str], None]) -> list[str]:
    """Make the sandbox images on the engine of the settings; returns their references."""
    from sandbox.images.build import build

    settings = WorkerSettings()
    return build(languages, docker_host=settings.docker_host, state_dir=settings.state_dir, progress=say)
