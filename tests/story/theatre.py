"""A small installation on loopback, every part a process of its own: the double of GitHub, Redis, receiver, worker."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.hub.process import Hub, HubError, RepoInfo
from tests.processes import Process, free_port, start_redis

HEAL = str(Path(sys.executable).parent / "heal")
SAMPLES = Path(__file__).resolve().parents[1] / "repos"
CI_IMAGE = "heal-sandbox/python:latest"
OWNER = "octo"
PERMISSIONS = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "actions": "read",
}
EVENTS = ("check_run", "workflow_run", "pull_request", "push", "issue_comment", "repository")


@dataclass
class Theatre:
    """`with Theatre(folder) as theatre:` starts everything and stops it again, in the opposite order."""

    folder: Path
    state_dir: Path
    """Where mirrors live; shared between theatres only by those who want warm ones."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """More settings of the worker."""
    sweep_seconds: float = 1.0

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._running: list[Process] = []
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
        self.hub.close(check=kind is None)

    def _start(self) -> None:
        redis, self.redis_url = start_redis(self.folder)
        self._running.append(redis)
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
            "HEAL_DATABASE_URL": f"sqlite:///{self.folder / 'heal.db'}",
            "HEAL_REDIS_URL": self.redis_url,
            "HEAL_PUBLIC_URL": self.url,
            "HEAL_APP_ID": str(self.app.app_id),
            "HEAL_SWEEP_SECONDS": str(self.sweep_seconds),
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
        self._run_once("migrate", [HEAL, "db", "upgrade"], shared)
        receiver = Process("receiver", [HEAL, "serve", "--port", str(self.port)], self.folder, self.bot_env)
        self._running.append(receiver)
        self.worker = Process("worker", [HEAL, "worker"], self.folder, self.worker_env)
        self._running.append(self.worker)
        receiver.wait_until(lambda: self._answers("/healthz"))

    def _run_once(self, name: str, command: list[str], env: Mapping[str, str]) -> None:
        process = Process(name, command, self.folder, env)
        if process.finished(60) != 0:
            process.stop()
            raise RuntimeError(f"{name} failed:\n{process.log.read_text(errors='replace')[-4000:]}")

    def _answers(self, path: str) -> bool:
        try:
            return httpx.get(f"{self.url}{path}", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def sample(self, name: str, **more: Any) -> RepoInfo:
        """One of the red sample repositories, on the double."""
        return self.hub.create_repo(f"{OWNER}/{name}", folder=SAMPLES / name, **more)

    def runs(self) -> list[dict[str, Any]]:
        """The runs as the JSON API lists them, newest first."""
        answer = httpx.get(f"{self.url}/api/runs", timeout=10, trust_env=False)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["runs"]
        return found

    def run(self, run_id: str) -> dict[str, Any]:
        """One run with its stages, events, attempts and report."""
        answer = httpx.get(f"{self.url}/api/runs/{run_id}", timeout=10, trust_env=False)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def wait_for_run(self, repo: str, seconds: float = 120) -> dict[str, Any]:
        """The finished run of a repository. Raises TimeoutError with the worker's log when it does not end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for run in self.runs():
                if run["repo"] == repo and run["state"] == "done":
                    return run
            time.sleep(0.1)
        raise TimeoutError(f"no finished run of {repo}: {self.runs()}\n{self.logs()}")

    def logs(self) -> str:
        """The ends of all processes' logs, for failures."""
        return "\n".join(f"== {p.name}\n{p.log.read_text(errors='replace')[-6000:]}" for p in self._running)

    def wait_for_pull(self, repo: str, seconds: float = 120) -> dict[str, Any]:
        """The pull request that Heal opened, as the double holds it."""
        ours = self.app.bot

        def opened() -> dict[str, Any] | None:
            return next((pull for pull in self.hub.repo(repo)["pulls"] if pull["user"]["login"] == ours), None)

        try:
            return self.hub.wait(opened, seconds, "pull request")
        except HubError as error:
            raise TimeoutError(f"{error}: {self.runs()}\n{self.logs()}") from error
