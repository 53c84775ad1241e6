"""A small installation on loopback, every part a process of its own: the double of GitHub, Redis, receiver, worker."""

from __future__ import annotations

import re
import secrets
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from sandbox.images.build import resolve
from tests.hub.process import Hub, HubError, RepoInfo
from tests.processes import Process, free_port, start_redis
from workers.store.schema import upgrade

HEAL = str(Path(sys.executable).parent / "heal")
SAMPLES = Path(__file__).resolve().parents[1] / "repos"
CI_IMAGE = resolve("python")
OWNER = "octo"
ASK_SECONDS = 0.2
"""Between two looks at what the installation does: its pages are made by the processors that also do the work."""
REGISTRATION = yaml.safe_load((Path(__file__).resolve().parents[2] / "app.yml").read_text())
PERMISSIONS: dict[str, str] = REGISTRATION["default_permissions"]
EVENTS: list[str] = REGISTRATION["default_events"]


@dataclass
class Theatre:
    """`with Theatre(folder) as theatre:` starts everything and stops it again, in the opposite order."""

    folder: Path
    state_dir: Path
    """Where mirrors live; shared between theatres only by those who want warm ones."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """More settings of the worker."""
    sweep_seconds: float = 1.0
    database_url: str = ""
    """Where the database is; a SQLite file in the folder when not said."""
    common: Mapping[str, str] = field(default_factory=dict)
    """More settings of receiver and worker."""
    patience: float = 3.0
    """How many times as long as is said may be waited: other tests may be at the same processors."""

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._running: list[Process] = []
        self._pages: httpx.Client | None = None
        self.hub = Hub(ci_image=CI_IMAGE)
        try:
            self._start()
        except BaseException:
            self.__exit__(RuntimeError, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._running):
            process.stop()
        if self._pages is not None:
            self._pages.close()
        self.hub.close(check=kind is None)

    def _start(self) -> None:
        self.start_redis()
        self.database_url = self.database_url or f"sqlite:///{self.folder / 'heal.db'}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.app = self.hub.create_app(
            "heal-test",
            account=OWNER,
            permissions=PERMISSIONS,
            events=EVENTS,
            webhook_url=f"{self.url}/webhook",
            webhook_secret=secrets.token_hex(32),
        )
        key = self.folder / "app.pem"
        key.write_text(self.app.private_key)
        key.chmod(0o600)
        shared = {
            "HEAL_STATE_DIR": str(self.state_dir),
            "HEAL_DATABASE_URL": self.database_url,
            "HEAL_REDIS_URL": self.redis_url,
            "HEAL_PUBLIC_URL": self.url,
            "HEAL_APP_ID": str(self.app.app_id),
            "HEAL_SWEEP_SECONDS": str(self.sweep_seconds),
            **self.common,
        }
        self.bot_env = {**shared, "HEAL_WEBHOOK_SECRET": self.app.webhook_secret, "HEAL_APP_SLUG": self.app.slug}
        self.worker_env = {
            **shared,
            "HEAL_PRIVATE_KEY_FILE": str(key),
            "HEAL_GITHUB_API_URL": self.hub.api_url,
            "HEAL_GITHUB_PACE": "0",
            "HEAL_FOLLOW_POLL_SECONDS": "2",
            "HEAL_ALIVE_FILE": str(self.folder / "worker.alive"),
            **self.extra,
        }
        upgrade(shared["HEAL_DATABASE_URL"])
        self.start_receiver()
        self.start_worker()
        self.receiver.wait_until(lambda: self._answers("/healthz"))

    def start_redis(self) -> None:
        """Redis, and where the others find it."""
        redis, self.redis_url = start_redis(self.folder)
        self._running.append(redis)

    def start_receiver(self) -> None:
        """The receiver, with its dispatcher. It takes a second or two until it answers."""
        self.receiver = Process("receiver", [HEAL, "serve", "--port", str(self.port)], self.folder, self.bot_env)
        self._running.append(self.receiver)

    def start_worker(self, **more: str) -> None:
        """A worker; `more` are settings for this one only."""
        self.worker = Process("worker", [HEAL, "worker"], self.folder, {**self.worker_env, **more})
        self._running.append(self.worker)

    def kill_worker(self) -> None:
        """SIGKILL to the worker and its pool, as when the machine loses them. Start another afterwards."""
        self.worker.kill()
        self._running.remove(self.worker)

    def _answers(self, path: str) -> bool:
        try:
            return self.pages.get(path, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def pages(self) -> httpx.Client:
        """What asks the receiver. One for all questions: each new one reads the machine's certificates for 20 ms."""
        once = httpx.Limits(max_keepalive_connections=0)  # one that was kept may be closed while it is written to
        self._pages = self._pages or httpx.Client(base_url=self.url, timeout=30, trust_env=False, limits=once)
        return self._pages

    def sample(self, sample: str, name: str = "", **more: Any) -> RepoInfo:
        """One of the red sample repositories, on the double."""
        return self.hub.create_repo(name or f"{OWNER}/{sample}", folder=SAMPLES / sample, **more)

    def runs(self) -> list[dict[str, Any]]:
        """The runs as the JSON API lists them, newest first."""
        answer = self.pages.get("/api/runs")
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["runs"]
        return found

    def run(self, run_id: str) -> dict[str, Any]:
        """One run with its stages, events, attempts and report."""
        answer = self.pages.get(f"/api/runs/{run_id}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def runs_of(self, repo: str) -> list[dict[str, Any]]:
        """The runs of one repository, newest first."""
        return [run for run in self.runs() if run["repo"] == repo]

    def wait_for_run(self, repo: str, seconds: float = 120, at_least: int = 1) -> dict[str, Any]:
        """The newest run of a repository, once it has at least so many and all are finished."""

        def finished() -> dict[str, Any] | None:
            found = self.runs_of(repo)
            over = len(found) >= at_least and all(run["state"] == "done" for run in found)
            return found[0] if over else None

        return self.wait(finished, seconds, f"finished run of {repo}")

    def wait_for_stage(self, repo: str, stage: str, state: str = "started", seconds: float = 60) -> dict[str, Any]:
        """The newest run of a repository, once one of its stages has started (or finished)."""

        def reached() -> dict[str, Any] | None:
            for run in self.runs_of(repo)[:1]:
                for event in self.run(run["id"])["events"]:
                    if (event["kind"], event["title"], event["data"].get("state")) == ("stage", stage, state):
                        return run
            return None

        return self.wait(reached, seconds, f"stage {stage} of {repo} {state}")

    def wait_for_claims(self, repo: str, count: int, seconds: float = 60) -> None:
        """The newest run of a repository has been claimed so often."""

        def claimed() -> dict[str, Any] | None:
            runs = self.runs_of(repo)[:1]
            events = self.run(runs[0]["id"])["events"] if runs else []
            return runs[0] if len([e for e in events if e["kind"] == "claimed"]) >= count else None

        self.wait(claimed, seconds, f"claim {count} of {repo}")

    def wait_for_retry(self, repo: str, seconds: float = 60) -> dict[str, Any]:
        """The newest run of a repository, once it waits after trouble."""

        def waits() -> dict[str, Any] | None:
            queued = next((one for one in self.runs_of(repo)[:1] if one["state"] == "queued"), None)
            events = self.run(queued["id"])["events"] if queued else []
            return queued if any(event["kind"] == "retry" for event in events) else None

        return self.wait(waits, seconds, f"retry of {repo}")

    def wait_for_state(self, repo: str, state: str, seconds: float = 120) -> dict[str, Any]:
        """The newest run of a repository, once it is in this state."""
        found = self.runs_of
        return self.wait(lambda: next((r for r in found(repo)[:1] if r["state"] == state), None), seconds, state)

    def hurry(self, repo: str, state: str, seconds: float = 90) -> dict[str, Any]:
        """The newest run of a repository, once it is in this state. Whatever pause it makes after trouble is cut
        short: how long those are is decided elsewhere."""
        soon = "UPDATE run SET next_ring = 0, rung_at = NULL WHERE repo = ? AND state = 'queued' AND tries > 0"

        def reached() -> dict[str, Any] | None:
            with closing(sqlite3.connect(self.folder / "heal.db", timeout=10)) as database, database:
                database.execute(soon, (repo,))
            return next((run for run in self.runs_of(repo)[:1] if run["state"] == state), None)

        return self.wait(reached, seconds, f"{state} run of {repo}")

    def wait(self, probe: Callable[[], dict[str, Any] | None], seconds: float, what: str) -> dict[str, Any]:
        """Ask until the probe answers. Raises TimeoutError with everybody's log when it does not in time."""
        try:
            return self.hub.wait(probe, seconds * self.patience, what, ASK_SECONDS)
        except HubError as error:
            raise TimeoutError(f"{error}: {self.runs()}\n{self.logs()}") from error

    def logs(self) -> str:
        """The ends of all processes' logs, for failures."""
        return "\n".join(f"== {p.name}\n{p.log.read_text(errors='replace')[-6000:]}" for p in self._running)

    def wait_for_pull(self, repo: str, seconds: float = 120) -> dict[str, Any]:
        """The pull request that Heal opened, as the double holds it."""
        ours = self.app.bot

        def opened() -> dict[str, Any] | None:
            return next((pull for pull in self.hub.repo(repo)["pulls"] if pull["user"]["login"] == ours), None)

        return self.wait(opened, seconds, "pull request")

    def wait_for_check(self, repo: str, title: str, seconds: float = 20) -> dict[str, Any]:
        """Heal's check run, once it is over under this title; a farewell is said after its run has ended."""

        def over() -> dict[str, Any] | None:
            found = [c for c in self.checks(repo) if (c["status"], c["output"]["title"]) == ("completed", title)]
            assert all(check["conclusion"] == "neutral" for check in found)
            return found[-1] if found else None

        return self.wait(over, seconds, f"check run {title} of {repo}")

    def wait_until_routed(self) -> None:
        """Every delivery sent so far has been decided on."""
        self.hub.settle()
        done = re.compile(r"^heal_inbox_pending 0(\.0)?$", re.MULTILINE)

        def routed() -> dict[str, Any] | None:
            text = self.pages.get("/metrics").text
            return {} if done.search(text) else None

        self.wait(routed, 10, "routed deliveries")

    def pulls(self, repo: str) -> list[dict[str, Any]]:
        """All pull requests that Heal opened in a repository."""
        return [pull for pull in self.hub.repo(repo)["pulls"] if pull["user"]["login"] == self.app.bot]

    def said(self, repo: str) -> list[dict[str, Any]]:
        """All comments of Heal in a repository."""
        return [comment for comment in self.hub.repo(repo)["comments"] if comment["user"]["login"] == self.app.bot]

    def checks(self, repo: str) -> list[dict[str, Any]]:
        """Heal's check runs in a repository."""
        return [check for check in self.hub.repo(repo)["check_runs"] if check["name"] == "heal"]
