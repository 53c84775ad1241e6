"""Puts the parts together: settings become the objects a run works with. The only module that knows all of them.

What only a worker needs (GitHub's client, the database) is imported when used: `heal fix` starts in half the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from sandbox import explain
from sandbox.environments import DockerSandbox
from sandbox.errors import SandboxError
from sandbox.fleet import Fleet
from sandbox.hosts import by_https
from sandbox.images.build import build
from sandbox.images.sources import Sources
from sandbox.images.stock import clear
from sandbox.languages import KEYS
from sandbox.pool import Keep
from sandbox.reaper import reap, remove_containers
from workers import ceilings
from workers.critic import Critic
from workers.domain import Aim, Case, Report
from workers.errors import Retryable, UsageError
from workers.fencing import Guard
from workers.fixers import fixers, revisers
from workers.git import mirrors
from workers.llm.cassettes import FILES
from workers.llm.client import Client
from workers.llm.prices import told
from workers.llm.purse import MemoryPurse, Purse
from workers.llm.standing import Endpoints
from workers.local import LocalForge
from workers.pipeline import Parts, drive
from workers.redact import Redactor, redact
from workers.run_id import new_run_id
from workers.scratch import scratch_folder
from workers.settings import WorkerSettings
from workers.store.memory import MemoryJournal
from workers.upkeep import hold_cap_daily
from workers.witness.tester import Tester

if TYPE_CHECKING:
    from workers.github import GitHubForge
    from workers.store.lease import Lease


SYSTEM_CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def drive_run(
    case: Case, lease: Lease, settings: WorkerSettings, sandbox: DockerSandbox | Fleet, endpoints: Endpoints
) -> Report:
    """One run of the queue, from its claim to its report. Trouble of the engine is `Retryable`: it passes.

    The sandbox is shared with the runs before and after this one, and so is what is known of the models' endpoints.
    """
    purse = lease.purse(ceilings.of_operator(settings))
    model = with_model(settings, case)
    client = make_client(model, "auto", lease.redactor, endpoints, settings.run_seconds, purse)
    with _forge(case, settings, lease.redactor, lease.guard) as forge:
        parts = Parts(
            forge=forge,
            sandbox=sandbox,
            fixers=revisers(client) if case.aim is Aim.REVISE else fixers("auto", client),
            critic=Critic(client) if client else None,
            tester=Tester(client) if client else None,
            journal=lease,
            cancelled=lease.cancelled,
            run_url=_run_url(case, settings),
            runs_today=lease.admitted_today,
            heals_lately=lease.heals_lately,
            purse=purse,
            patience=settings.follow_seconds,
            poll=settings.follow_poll_seconds,
            wishes=lease.wishes,
            show_merged=settings.show_merged,
            model=client,
            so_far=lease.so_far,
        )
        try:
            return drive(case, parts)
        except SandboxError as error:
            raise Retryable(explain.error(error), blame="engine") from error
        finally:
            sandbox.rest()


def _forge(case: Case, settings: WorkerSettings, redactor: Redactor, guard: Guard) -> GitHubForge:
    from workers.github import App, GitHubForge
    from workers.github.configs import rules_of

    mirror = mirrors.folder(settings.state_dir)
    return GitHubForge(App.of(settings), mirror, case, redactor, guard, lambda: rules_of(settings))


def _run_url(case: Case, settings: WorkerSettings) -> str:
    return f"{settings.public_url.rstrip('/')}/runs/{case.run}"


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
    good: str | None = None
    report: Path | None = None


OnStage = Callable[[str, float | None], None]
"""Called with a stage when it starts (None) and when it ends (its seconds)."""


def heal_locally(request: LocalRequest, on_stage: OnStage, cancelled: Event) -> Report:
    """Heal a checkout: the same pipeline with a memory of its own and a folder that is gone afterwards.

    Setting `cancelled` ends the run soon. Whatever ends it, none of its containers is left on the engine.
    """
    settings = WorkerSettings()
    if request.model:
        settings = settings.model_copy(update={"model": request.model})
    run = new_run_id()

    def tell(kind: str, title: str, data: Mapping[str, object]) -> None:
        seconds = data.get("seconds")
        if kind == "stage" and ":" not in title:
            on_stage(title, seconds if isinstance(seconds, float) else None)

    journal, purse = MemoryJournal(tell, cancelled), MemoryPurse(ceilings.of_run(settings))
    client = make_client(settings, request.engine, purse=purse)
    critic, tester = (Critic(client), Tester(client)) if client else (None, None)
    with scratch_folder() as folder:
        forge = LocalForge(
            request.path,
            folder,
            apply=request.apply,
            branch=request.branch,
            good=request.good,
            report=request.report,
        )
        case = forge.case(run, check=request.check, job=request.job or "")
        with own_sandbox(settings, f"{settings.installation}/fix-{run}") as sandbox:
            able = fixers(request.engine, client)
            parts = Parts(forge, sandbox, able, journal, journal.cancelled, purse=purse, critic=critic, tester=tester)
            return drive(case, parts)


@contextmanager
def opened_sandbox(settings: WorkerSettings, owner: str) -> Iterator[DockerSandbox | Fleet]:
    """The sandbox; in the end its waiting containers are destroyed and its connection to the engine is closed."""
    sandbox = make_sandbox(settings, owner)
    try:
        yield sandbox
    finally:
        sandbox.close()


@contextmanager
def own_sandbox(settings: WorkerSettings, owner: str) -> Iterator[DockerSandbox | Fleet]:
    """As `opened_sandbox`; in the end what still runs under this owner's name is removed, if the engine answers, and
    what earlier sessions left when they were killed: where no worker runs, nobody else would."""
    with opened_sandbox(settings, owner) as sandbox:
        try:
            yield sandbox
        finally:
            with suppress(SandboxError):
                for engine in sandbox.engines:
                    remove_containers(engine, owner)
                    reap(engine, settings.installation)
                hold_cap_daily(sandbox.engines, settings)


def make_sandbox(settings: WorkerSettings, owner: str) -> DockerSandbox | Fleet:
    """The sandbox on the engines of the settings. `owner` labels what it makes, for the reaper."""
    members = [_member(settings, owner, host) for host in settings.docker_hosts()]
    return members[0] if len(members) == 1 else Fleet(members)


def _member(settings: WorkerSettings, owner: str, host: str | None) -> DockerSandbox:
    return DockerSandbox(
        docker_host=host,
        certificates=settings.docker_cert_path,
        owner=owner,
        runtime=settings.sandbox_runtime,
        fork_runtime=settings.sandbox_fork_runtime,
        ca_bundle=ca_bundle(settings),
        state_dir=settings.state_dir.expanduser(),
        allowed_hosts=settings.setup_hosts,
        registries=settings.image_registries,
        check_hosts=settings.check_hosts,
        memory_share=settings.sandbox_memory,
        ahead=settings.sandbox_ahead,
        keep=Keep(settings.sandbox_keep, settings.sandbox_keep_seconds),
        # The names are the operator's and ours, never a repository's: sites that serve an index under an address of
        # their own may. What is loopback, link-local or metadata stays refused.
        private_hosts=by_https(settings.setup_hosts, {}),
    )


def make_client(
    settings: WorkerSettings,
    engine: str,
    redact: Callable[[str], str] = redact,
    endpoints: Endpoints | None = None,
    seconds: float = inf,
    purse: Purse | None = None,
) -> Client | None:
    """The model that is asked. `auto` asks one when it is set, `llm` insists on it, `offline` never does.

    `seconds` is how long the run that starts now may take: no wait for an endpoint ends after it.
    `purse` pays for it; by default one that knows of nothing else.
    """
    if engine == "llm" and not settings.model:
        raise UsageError("--engine llm needs a model: pass --model or set HEAL_MODEL")
    if not settings.model or engine == "offline":
        return None
    own_price = told(settings.model_price) if settings.model_price else None
    ends = time.monotonic() + seconds
    return Client(
        settings.model,
        settings.openai_api_key,
        settings.openai_base_url,
        own_price,
        redact=redact,
        left=lambda: ends - time.monotonic(),
        endpoints=endpoints or Endpoints(),
        answer_tokens=settings.tokens_per_answer,
        purse=purse or MemoryPurse(ceilings.of_run(settings)),
    )


def with_model(settings: WorkerSettings, case: Case) -> WorkerSettings:
    """The model that a maintainer asked for, another one of the same provider; the price told is not its price."""
    if not case.model or not settings.model or case.model == settings.model:
        return settings
    provider = case.model.partition(":")[0]
    if provider != settings.model.partition(":")[0] or provider in FILES:
        return settings
    return settings.model_copy(update={"model": case.model, "model_price": ""})


def build_sandbox_images(languages: tuple[str, ...], say: Callable[[str], None], fresh: bool = False) -> list[str]:
    """Make the sandbox images on the engine of the settings, then remove outdated ones; returns their references."""
    settings = WorkerSettings()
    sources = Sources(ca_bundle=ca_bundle(settings))
    with opened_sandbox(settings, settings.installation) as sandbox:
        state = settings.state_dir.expanduser()
        made = [build(engine, state, languages or KEYS, sources, say, fresh) for engine in sandbox.engines]
        for engine in sandbox.engines:
            for name in clear(engine):
                say(f"removed {name}: of another version, and nothing uses it")
    return made[0]


def ca_bundle(settings: WorkerSettings) -> Path | None:
    """The bundle the host trusts: packages come through the same authorities inside the set-up phase."""
    if settings.ca_bundle is not None:
        return settings.ca_bundle
    return SYSTEM_CA_BUNDLE if SYSTEM_CA_BUNDLE.exists() else None
