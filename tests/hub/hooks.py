"""Sends signed deliveries to the Apps' webhooks, remembers each attempt, and sends one again on request.

Like GitHub it never retries by itself, waits 10 s for an answer, and gives a redelivery the GUID of the first.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import time
import uuid

import httpx

from tests.hub.contract import Contract
from tests.hub.luck import ON_DELIVERIES, strike
from tests.hub.state import App, Delivery, Installation, Json, Repo, World

TIMEOUT_SECONDS = 10.0
_ALWAYS = {"installation", "installation_repositories", "github_app_authorization", "ping"}


def sign(secret: str, body: bytes, digest: str = "sha256") -> str:
    """The value of `X-Hub-Signature-256` (or with sha1 the old header) for a body."""
    return f"{digest}=" + hmac.new(secret.encode(), body, digest).hexdigest()


def wants(app: App, installation: Installation, event: str) -> bool:
    if event in _ALWAYS:
        return True
    if event in {"check_run", "check_suite"} and installation.permissions.get("checks") == "write":
        return event == "check_suite" or event in installation.events
    return event in installation.events


class Hooks:
    """The outbox of the double: one thread, deliveries in the order of their events."""

    def __init__(self, world: World, contract: Contract) -> None:
        self._world = world
        self._contract = contract
        self._queue: queue.Queue[Delivery | None] = queue.Queue()
        self._held: list[Delivery] = []
        self._late = 0
        self._thread = threading.Thread(target=self._work, name="hooks", daemon=True)
        self._thread.start()

    def fire(self, event: str, action: str | None, payload: Json, repo: Repo, only: App | None = None) -> None:
        """Queue an event for every App that sees the repository and asked for it."""
        for installation in list(self._world.installations_of(repo)):
            app = installation.app
            if (only is None or only is app) and wants(app, installation, event):
                short = {"id": installation.id, "node_id": f"MDIzO{installation.id}"}
                head = {"action": action} if action else {}
                self.send(app, event, action, {**head, **payload, "installation": short}, installation.id, repo.id)

    def send(
        self,
        app: App,
        event: str,
        action: str | None,
        payload: Json,
        installation_id: int | None = None,
        repository_id: int | None = None,
        guid: str = "",
    ) -> Delivery | None:
        """Queue one delivery; None when it was swallowed or has no address. A known `guid` makes it a redelivery."""
        first = Delivery(
            id=self._world.id(),
            guid=guid or str(uuid.uuid4()),
            app=app,
            event=event,
            action=action,
            payload=payload,
            installation_id=installation_id,
            repository_id=repository_id,
            delivered=self._world.stamp(),
            redelivery=bool(guid),
        )
        if not guid:
            self._contract.check_delivery(event, payload)
        if not app.hook_url:
            return None
        fault = None if guid else strike(self._world, ON_DELIVERIES, event=event)
        self._world.deliveries.append(first)
        return first if self._hand_over(first, fault) else None

    def _hand_over(self, one: Delivery, fault: Json | None) -> bool:
        """Send it on its way, as good as its luck is; False when it was swallowed."""
        kind = fault["kind"] if fault else ""
        if kind == "drop":
            one.status, one.status_code = "failed to connect to host", 0
            return False
        if kind == "reorder":
            self._held.append(one)
            if fault and fault["times"] == 0:
                self.let_go()
        elif kind == "delay" and fault:
            with self._world.lock:
                self._late += 1
            timer = threading.Timer(fault["seconds"], self._arrive, (one,))
            timer.daemon = True
            timer.start()
        else:
            for _ in range(2 if kind == "duplicate" else 1):
                self._queue.put(one)
        return True

    def _arrive(self, one: Delivery) -> None:
        with self._world.lock:
            self._queue.put(one)
            self._late -= 1

    def let_go(self) -> None:
        """Send what was held back for another order: the last comes first."""
        with self._world.lock:
            while self._held:
                self._queue.put(self._held.pop())

    def redeliver(self, old: Delivery) -> None:
        self.send(old.app, old.event, old.action, old.payload, old.installation_id, old.repository_id, guid=old.guid)

    def settle(self, seconds: float) -> bool:
        """Wait until everything queued has been sent; False when it took too long."""
        until = time.monotonic() + seconds
        self.let_go()
        while time.monotonic() < until:
            if self._late == 0 and self._queue.unfinished_tasks == 0:
                return True
            time.sleep(0.01)
        return False

    def close(self) -> None:
        self._queue.put(None)

    def _work(self) -> None:
        once = httpx.Limits(max_keepalive_connections=0)  # one that was kept may be closed while it is written to
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, limits=once) as client:
            while (one := self._queue.get()) is not None:
                self._post(client, one)
                self._queue.task_done()

    def _post(self, client: httpx.Client, one: Delivery) -> None:
        body = json.dumps(one.payload, separators=(",", ":")).encode()
        one.request_headers = headers(one, body)
        begun = time.monotonic()
        try:
            answer = client.post(one.app.hook_url, content=body, headers=one.request_headers)
        except httpx.TimeoutException:
            one.status, one.status_code = "timed out", 0
        except httpx.HTTPError:
            one.status, one.status_code = "failed to connect to host", 0
        else:
            one.status_code = answer.status_code
            one.status = "OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"
            one.response_headers = dict(answer.headers)
            one.response_body = answer.text[:10_000]
        one.duration = round(time.monotonic() - begun, 2)


def headers(one: Delivery, body: bytes) -> dict[str, str]:
    """The headers of real deliveries to a GitHub App."""
    return {
        "User-Agent": f"GitHub-Hookshot/{hashlib.sha256(one.app.slug.encode()).hexdigest()[:7]}",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "X-GitHub-Delivery": one.guid,
        "X-GitHub-Event": one.event,
        "X-GitHub-Hook-ID": str(one.app.hook_id),
        "X-GitHub-Hook-Installation-Target-ID": str(one.app.id),
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        "X-Hub-Signature": sign(one.app.secret, body, "sha1"),
        "X-Hub-Signature-256": sign(one.app.secret, body),
    }
