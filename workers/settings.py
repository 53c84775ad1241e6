"""Everything the workers' side reads from the environment, as frozen typed objects; nowhere else is it read.

Secrets are `SecretStr` and never printed. `table()` is the settings page of the documentation.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from pydantic import AliasChoices, ByteSize, Field, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from sandbox.admission import AHEAD, SHARE
from sandbox.references import REGISTRIES
from workers.errors import UsageError

_CONFIG = SettingsConfigDict(
    env_prefix="HEAL_", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
)


_PASSWORD = re.compile(r"://[^:/@]*:([^@]*)@")
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy"})
_OTHERS = 0o027
"""What nobody but the owner may do with the key's file; its group may read it, as orchestrators mount secrets."""


def _default_state() -> Path:
    return Path.home() / ".local" / "state" / "heal"


class StoreSettings(BaseSettings):
    """Where the database is. Read by the receiver, the workers and the command line."""

    model_config = _CONFIG

    state_dir: Path = Field(
        default_factory=_default_state,
        description="Folder for the default database, mirrors and other state. Default: `~/.local/state/heal`.",
    )
    database_url: str = Field(
        default="",
        repr=False,
        description="SQLAlchemy URL, `sqlite:////path` or `postgresql://…`. Default: `heal.db` in the state folder.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_database_url(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("database_url"):
            state = Path(values.get("state_dir") or _default_state()).expanduser().absolute()
            return {**values, "database_url": f"sqlite:///{state / 'heal.db'}"}
        return values


class QueueSettings(BaseSettings):
    """Where the bell hangs. Losing Redis loses nothing."""

    model_config = _CONFIG

    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", repr=False, description="Redis that carries the bells (run ids)."
    )


class LedgerSettings(BaseSettings):
    """How runs are leased and found again. The receiver and the workers should agree on it."""

    model_config = _CONFIG

    lease_seconds: float = Field(default=60.0, gt=0, description="How long a claim lasts without a heartbeat.")
    sweep_seconds: float = Field(default=5.0, gt=0, description="How often due runs are looked for and rung.")


class KeepSettings(BaseSettings):
    """How long what has ended is kept. The sweeper beside a worker removes it, and `heal db prune` does at once."""

    model_config = _CONFIG

    keep_bodies_days: float = Field(
        default=14.0, ge=4, description="Days that a webhook delivery is kept; GitHub may send it again for three."
    )
    keep_logs_days: float = Field(
        default=30.0, gt=0, description="Days that the logs and checkpoints of an ended run are kept."
    )
    keep_runs_days: float = Field(default=400.0, gt=0, description="Days that an ended run is kept at all.")
    database_cap: ByteSize = Field(
        default=ByteSize(0),
        description="How much the database may take, such as `5GB`. Beyond it the oldest of what has ended goes: "
        "deliveries, then logs, then runs. Default: no cap.",
    )


class PruneSettings(StoreSettings, KeepSettings):
    """What `heal db` needs."""

    model_config = _CONFIG


class EngineSettings(BaseSettings):
    """Where untrusted code runs, and how this installation's containers are told from others'."""

    model_config = _CONFIG

    docker_host: str | None = Field(
        default=None,
        description="Engines that run untrusted code, with commas between: `unix://…` or `tcp://…`. Default: the local "
        "socket. A repository's runs stay on one of several, and move while that is away, full or busy.",
    )
    docker_cert_path: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("HEAL_DOCKER_CERT_PATH", "DOCKER_CERT_PATH"),
        description="Folder with ca.pem, cert.pem and key.pem for engines at `tcp://` addresses: they are spoken to by "
        "TLS only.",
    )
    installation: str = Field(
        default="heal",
        pattern=r"^[A-Za-z0-9_.:-]{1,64}$",
        description="Name of this installation on the engine: its workers clear away what one of them left behind.",
    )
    sandbox_cap: ByteSize = Field(
        default=ByteSize(20_000_000_000),
        description="How much the environments, trees and package caches kept on an engine may take, such as `20GB`. "
        "Beyond it the least recently used go.",
    )

    def docker_hosts(self) -> tuple[str | None, ...]:
        """The address of every engine; None is the local socket. Raises `UsageError` for an address of another kind."""
        hosts = [host.strip() for host in (self.docker_host or "").split(",") if host.strip()]
        for host in hosts:
            if not host.startswith(("unix://", "tcp://")):
                raise UsageError(
                    f"HEAL_DOCKER_HOST: {host} is neither unix:// nor tcp://; for an engine behind ssh forward its "
                    "socket (ssh -nNT -L /run/heal/engine.sock:/var/run/docker.sock HOST) and name that"
                )
        return tuple(hosts) or (None,)


class SweeperSettings(LedgerSettings, StoreSettings, QueueSettings, EngineSettings, KeepSettings):
    """What finding and ringing due runs and clearing the engine needs: no key, only addresses."""

    model_config = _CONFIG

    stuck_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Seconds without a sign of life from a worker's event loop after which it is ended, so that its "
        "supervisor starts another.",
    )

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the redactor."""
        return (*secrets_in_url(self.database_url), *secrets_in_url(self.redis_url), *secrets_of_proxies())


class WorkerSettings(SweeperSettings):
    """What one worker needs: the App's key, the model's key, the engine, and the limits of a run."""

    model_config = SettingsConfigDict(**{**_CONFIG, "populate_by_name": True})

    app_id: int = Field(default=0, ge=0, description="The GitHub App's id.")
    private_key: SecretStr | None = Field(default=None, description="The App's private key (PEM).")
    private_key_file: Path | None = Field(default=None, description="File that holds the App's private key instead.")
    github_api_url: str = Field(
        default="https://api.github.com",
        repr=False,
        description="Root of GitHub's REST API; `https://<host>/api/v3` for Enterprise Server.",
    )
    github_pace: float = Field(
        default=1.0, ge=0, description="Least seconds between two writes to GitHub; 0 only for tests."
    )
    sandbox_runtime: str | None = Field(
        default=None, description="Container runtime of the sandbox, such as `runsc`. Default: the engine's own."
    )
    sandbox_memory: float = Field(
        default=SHARE,
        gt=0,
        le=1,
        description="Share of the engine's memory that the containers of all workers together may use, by their "
        "limits. A run that finds no room waits five minutes, then is tried again later.",
    )
    sandbox_ahead: int = Field(
        default=AHEAD,
        ge=0,
        le=64,
        description="Containers of a kind that are started ahead of need, so that a patch is tried at once; 0 for "
        "none. Default: the number of cores, at most 4.",
    )
    sandbox_keep: int = Field(
        default=1,
        ge=0,
        le=4,
        description="Containers that stay behind when a red build was worked on, for the next commit of the same "
        "environment, which then starts at once; 0 for none. They hold no files and count for no memory.",
    )
    sandbox_keep_seconds: float = Field(
        default=600.0, gt=0, le=3600, description="How long such a container waits before it ends."
    )
    sandbox_fork_runtime: str | None = Field(
        default=None,
        description="Container runtime for what comes from forks, such as `runsc`. Default: as for everything else.",
    )
    ca_bundle: Path | None = Field(
        default=None, description="Certificate bundle for containers in the set-up phase, behind a private authority."
    )
    setup_hosts: tuple[str, ...] = Field(
        default=(),
        description="Hosts that set-up steps may reach by HTTPS beside the package indexes, as a JSON list "
        '(`["github.com"]`, `["*.example.org"]`).',
    )
    check_hosts: tuple[str, ...] = Field(
        default=(),
        description="Hosts that checks may reach where a repository's heal.yml asks for them (`environment.network`), "
        'as a JSON list (`["api.example.org"]`, `["*.example.org"]`). Whatever a check can read can be carried there.',
    )
    image_registries: tuple[str, ...] = Field(
        default=REGISTRIES,
        description="Registries, as patterns, from which images are pulled that a repository names (`container:` of a "
        "job, `environment.image` in heal.yml); always without credentials. `[]` for none.",
    )
    model: str | None = Field(
        default=None,
        description="Model as `provider:name`, such as `openai:gpt-5`. `record:FILE:provider:name` also keeps its "
        "answers in a file, `replay:FILE` plays them again (`replay-strict:FILE` ends a run that asks for more). "
        "Default: none, repair is offline.",
    )
    show_merged: bool = Field(
        default=False,
        description="Whether models are shown up to two merged fixes of like failures, also of other repositories of "
        "the same installation. What mended the very same failure before is tried again without a model in any case.",
    )
    model_price: str = Field(
        default="",
        description="What the model costs: `input,cached input,output` in US dollars per million tokens. "
        "Default: the built-in table; a model that is not in it has an unknown cost.",
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_KEY", "HEAL_OPENAI_API_KEY"),
        description="Key of the model's endpoint.",
    )
    openai_base_url: str | None = Field(
        default=None,
        repr=False,
        validation_alias=AliasChoices("OPENAI_BASE_URL", "HEAL_OPENAI_BASE_URL"),
        description="Root of an OpenAI-compatible endpoint. Default: the provider's own.",
    )
    usd_per_run: float = Field(
        default=1.0, ge=0, description="US dollars that one run may spend on the model; heal.yml can only lower it."
    )
    tokens_per_run: int = Field(default=1_000_000, ge=0, description="Tokens of the model, in and out, for one run.")
    calls_per_run: int = Field(default=200, ge=0, description="Calls of the model in one run.")
    model_seconds_per_run: float = Field(
        default=1200.0, ge=0, description="Seconds of waiting for the model in one run, after which it is not asked."
    )
    sandbox_seconds_per_run: float | None = Field(
        default=None,
        ge=0,
        description="Seconds of commands in the sandbox, set-ups included, that one run may use; heal.yml can only "
        "lower it. Default: no limit but heal.yml's.",
    )
    candidates_per_run: int | None = Field(
        default=None,
        ge=0,
        description="Candidate patches that may run in the sandbox in one run, those included that the search tries. "
        "Default: no limit but heal.yml's.",
    )
    tokens_per_answer: int = Field(default=16_384, ge=256, description="Tokens that one answer may have at most.")
    installation_usd_per_month: float | None = Field(
        default=None,
        ge=0,
        description="US dollars for the model that each installation of the App may spend in a calendar month (UTC). "
        "Default: no limit of its own.",
    )
    installation_tokens_per_month: int | None = Field(
        default=None, ge=0, description="The same in tokens, which also counts models of unknown price. Default: none."
    )
    installation_sandbox_seconds_per_month: float | None = Field(
        default=None,
        ge=0,
        description="Seconds of the sandbox that each installation of the App may use in a calendar month (UTC). "
        "Default: no limit.",
    )
    installation_candidates_per_month: int | None = Field(
        default=None,
        ge=0,
        description="Candidate patches that each installation may have run in a calendar month (UTC). "
        "Default: no limit.",
    )
    usd_per_day: float | None = Field(
        default=None, ge=0, description="US dollars for the model within 24 hours, of all runs. Default: no limit."
    )
    tokens_per_day: int | None = Field(
        default=None, ge=0, description="The same in tokens, which also counts models of unknown price. Default: none."
    )
    usd_per_month: float | None = Field(
        default=None,
        ge=0,
        description="US dollars for the model in a calendar month (UTC), of all runs. Default: no limit.",
    )
    tokens_per_month: int | None = Field(
        default=None, ge=0, description="The same in tokens, which also counts models of unknown price. Default: none."
    )
    public_url: str = Field(
        default="http://127.0.0.1:8080", description="Where people reach the dashboard; used in links to run pages."
    )
    run_seconds: float = Field(default=1800.0, gt=0, description="Longest time a run may work before it is stopped.")
    follow_seconds: float = Field(
        default=3600.0, ge=0, description="How long the repository's own CI is waited for after publishing."
    )
    follow_poll_seconds: float = Field(
        default=60.0, gt=0, description="How often the repository's own CI is looked at while it is waited for."
    )
    repositories: tuple[str, ...] = Field(
        default=(),
        description="Repositories that take part, as patterns over `owner/name` in a JSON list "
        '(`["octo/*"]`). Default: all that the App is installed on.',
    )
    policy_file: Path | None = Field(
        default=None,
        description="YAML file with what repositories may ask for at most; it can only tighten their own settings "
        "(`heal config schema --policy`).",
    )
    slots: int = Field(default=1, ge=1, le=64, description="Runs that one worker works on at a time.")
    alive_file: Path | None = Field(
        default=None, description="File touched every 10 s while the worker's loop turns. Default: in the state folder."
    )

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.private_key is not None and self.private_key_file is not None:
            raise ValueError("set HEAL_PRIVATE_KEY or HEAL_PRIVATE_KEY_FILE, not both")
        return self

    def app_key(self) -> SecretStr | None:
        """The App's private key from either place. Raises `UsageError` for a file that others may read or change, or
        that is none, and OSError when it cannot be read."""
        return self.private_key if self.private_key_file is None else SecretStr(_private_text(self.private_key_file))

    def app(self) -> tuple[int, SecretStr]:
        """The App's id and key. Raises `UsageError` where one is missing, and otherwise like `app_key`."""
        key = self.app_key()
        if not self.app_id or key is None:
            raise UsageError("this needs HEAL_APP_ID and HEAL_PRIVATE_KEY_FILE (or HEAL_PRIVATE_KEY)")
        return self.app_id, key

    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the redactor."""
        held = (self.app_key(), self.openai_api_key)
        in_urls = (*secrets_in_url(self.openai_base_url or ""), *secrets_in_url(self.github_api_url))
        return (*super().secrets(), *in_urls, *(secret.get_secret_value() for secret in held if secret is not None))


def secrets_in_url(url: str) -> tuple[str, ...]:
    """The password in an address, as it stands there and as it is meant."""
    found = _PASSWORD.search(url)
    return (found[1], unquote(found[1])) if found and found[1] else ()


def secrets_of_proxies() -> tuple[str, ...]:
    """The passwords in the addresses of proxies, which git and the clients of GitHub and the model are started with."""
    named = (value for name, value in os.environ.items() if name.lower() in _PROXIES)
    return tuple(secret for value in named for secret in secrets_in_url(value))


def _private_text(path: Path) -> str:
    """The text of a file that is nobody else's business. What is opened is what is looked at, links or not."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        seen = os.fstat(handle).st_mode
        if not stat.S_ISREG(seen):
            raise UsageError(f"HEAL_PRIVATE_KEY_FILE: {path} is no regular file.")
        if seen & _OTHERS:
            mode = f"{stat.S_IMODE(seen):04o}"
            raise UsageError(f"HEAL_PRIVATE_KEY_FILE: others may read or change {path} ({mode}); run: chmod 600 {path}")
        with open(handle, encoding="utf-8", errors="replace", closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def table(*classes: type[BaseSettings]) -> str:
    """All settings of the classes (default: ours) as a Markdown table, each once."""
    rows: dict[str, str] = {}
    for settings in classes or (WorkerSettings,):
        prefix = settings.model_config.get("env_prefix", "")
        for name, field in settings.model_fields.items():
            variable = _variable(prefix, name, field)
            rows.setdefault(variable, f"| `{variable}` | {_default(field)} | {field.description} |")
    return "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *sorted(rows.values())]) + "\n"


def _variable(prefix: str, name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"{prefix}{name}".upper()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "" if field.default_factory is not None or field.default in (None, "", 0) else f"`{field.default}`"
