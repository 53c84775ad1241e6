"""Looks at everything a worker leans on and says, line by line, how it stands and which command repairs it."""

from __future__ import annotations

import shutil
import subprocess

import redis
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from sandbox.advisories import weakness
from sandbox.spec import Finding
from workers.errors import UsageError
from workers.github.greeting import Unwell, greet
from workers.github.session import App
from workers.repo_config.bounds import rules
from workers.settings import WorkerSettings
from workers.store.database import open_engine
from workers.store.schema import is_current
from workers.wiring import opened_sandbox

OLDEST_GIT = (2, 35)
"""The first release with `safe.directory` and the fixes the hardened environment counts on."""
CLOCK_SLACK_S, CLOCK_MOST_S = 10, 60
"""A signature says that it was made 60 s ago, so a clock may be ahead by that: GitHub takes none from the future."""
GITHUB = "GitHub"
"""The finding about whether it answers at all."""
_APP, _KEY = "GitHub App", "set HEAL_PRIVATE_KEY_FILE to the App's PEM file, which only its owner may read"
_NTP = "set this machine's clock, and keep it right by NTP: timedatectl set-ntp true"


def examine() -> list[Finding]:
    """All findings, the ones `heal fix` needs first. What only a worker needs counts once an App is set. Never raises
    for what it looks at."""
    settings = WorkerSettings()
    with opened_sandbox(settings, settings.installation) as sandbox:
        findings = [_git(), *sandbox.doctor(), _model(settings)]
    if settings.app_id:
        policy = [_policy(settings)] if settings.policy_file else []
        return [*findings, *app_findings(settings), *policy, _database(settings), _redis(settings)]
    return [*findings, Finding("GitHub App", True, "none set: `heal fix` works, `heal worker` needs HEAL_APP_ID")]


def _git() -> Finding:
    if shutil.which("git") is None:
        return Finding("git", False, "not found", "apt-get install git")
    printed = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False).stdout.split()
    version = printed[2] if len(printed) > 2 else "unknown"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < OLDEST_GIT:
        return Finding("git", False, version, "install git 2.35 or newer")
    if problem := weakness("git", version, _package("git")):
        return Finding("git", True, problem, "upgrade git", warning=True)
    return Finding("git", True, version)


def _package(name: str) -> str:
    """The version with the distribution's own patch level, where Debian's package manager knows it."""
    if shutil.which("dpkg-query") is None:
        return ""
    asked = ["dpkg-query", "--show", "--showformat=${Version}", name]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def _database(settings: WorkerSettings) -> Finding:
    shown = settings.database_url.split("@")[-1]
    try:
        engine = open_engine(settings.database_url)
        with engine.connect() as connection:
            connection.execute(text("select 1"))
        current = is_current(engine)
    except SQLAlchemyError as error:
        return Finding("database", False, f"{shown}: {type(error).__name__}", "set HEAL_DATABASE_URL; heal db upgrade")
    return Finding("database", current, shown if current else f"{shown}: not at this version", "heal db upgrade")


def _redis(settings: WorkerSettings) -> Finding:
    shown = settings.redis_url.split("@")[-1]
    client = redis.Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        client.ping()
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "unknown")
    except redis.RedisError as error:
        return Finding("redis", False, f"{shown}: {type(error).__name__}",
                       "deploy/bootstrap services && redis-server --daemonize yes")  # fmt: skip
    finally:
        client.close()
    forgets = policy not in ("noeviction", "unknown")
    return Finding("redis", not forgets, f"{shown}, {policy}", "set maxmemory-policy noeviction")


def app_findings(settings: WorkerSettings) -> list[Finding]:
    """The App's key, whether GitHub takes it, and how far its clock and ours are apart."""
    try:
        app = App.of(settings)
        load_pem_private_key(app.private_key.encode(), None)
    except OSError as error:
        return [Finding(_APP, False, f"the key file cannot be read: {error.strerror}", _KEY)]
    except UsageError as error:
        return [Finding(_APP, False, str(error), _KEY)]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return [Finding(_APP, False, "its key is no private key in PEM", _KEY)]
    return _github(app)


def _github(app: App) -> list[Finding]:
    try:
        greeting = greet(app)
    except OSError as error:
        detail = f"{app.api_url} does not answer: {error if isinstance(error, Unwell) else type(error).__name__}"
        return [Finding(GITHUB, False, detail, "check HEAL_GITHUB_API_URL, the network and the proxy")]
    clock = _clock(greeting.ahead)
    known = bool(greeting.name) or not clock.ok  # a wrong clock makes every signature a bad one
    detail = f"id {app.app_id}" if known else f"GitHub does not accept the key of {app.app_id}: {greeting.said}"
    return [Finding(_APP, known, detail, "set HEAL_APP_ID and HEAL_PRIVATE_KEY_FILE to those of one App"), clock]


def _clock(ahead: float | None) -> Finding:
    """How far this machine's clock may be from GitHub's. No other one is compared: leases and pauses are timed by the
    database's alone, and nothing in Redis is timed."""
    if ahead is None:
        return Finding("clock", True, "GitHub did not tell its time", _NTP, warning=True)
    apart = abs(ahead)
    if apart <= CLOCK_SLACK_S:
        return Finding("clock", True, "GitHub's")
    detail = f"{apart:.0f} s {'ahead of' if ahead > 0 else 'behind'} GitHub's"
    if apart > CLOCK_MOST_S:
        return Finding("clock", False, f"{detail}: more than the {CLOCK_MOST_S} s that signatures allow for", _NTP)
    return Finding("clock", True, detail, _NTP, warning=True)


def _policy(settings: WorkerSettings) -> Finding:
    try:
        rules(settings.policy_file, settings.repositories)
    except UsageError as error:
        return Finding("policy", False, str(error), f"heal config check --policy {settings.policy_file}")
    return Finding("policy", True, str(settings.policy_file))


def _model(settings: WorkerSettings) -> Finding:
    return Finding("model", True, settings.model or "none: repair is offline")
