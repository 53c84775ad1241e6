"""When the services of a job are ready: the pause container says which answer, their own health commands the rest.

A service that ends, or is not ready in its time, is told with the last lines of its log.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from threading import Event

from sandbox.capture import plain
from sandbox.engine import Engine
from sandbox.engine_errors import InUse, Missing, translated
from sandbox.errors import Cancelled, SandboxError, ServiceFailed
from sandbox.service_images import Resolved
from sandbox.spec import Health

PATIENCE_S = 120.0
"""How long a service may take to get ready, unless its own health settings give it longer."""
LONGEST_PATIENCE_S = 600.0
POLL_S = 0.03
_LOG_LINES, _LOG_CHARACTERS = 60, 8000
_NOT_FOUND = (126, 127)
_BLIND_S = 10.0
"""A program we know is asked for its health before it answers only that seldom: some start twice the first time."""


@dataclass
class Running:
    """The container of one service, and where its health command stands."""

    engine: Engine
    one: Resolved
    container: str
    patience: float = PATIENCE_S
    check: str | None = None
    asked: float = 0.0

    @property
    def name(self) -> str:
        return self.one.service.name

    def exit_code(self) -> int | None:
        """None while it runs."""
        try:
            with translated():
                state = self.engine.client().api.inspect_container(self.container)["State"]
        except Missing:
            return -1
        return None if state["Running"] else int(state["ExitCode"])

    def log(self) -> str:
        """Its last lines, as plain text."""
        try:
            with translated():
                data = self.engine.client().api.logs(self.container, tail=_LOG_LINES)
        except SandboxError:
            return ""
        return plain(bytes(data))[-_LOG_CHARACTERS:]

    def ready(self, answers: bool, passed: float) -> bool:
        """Whether it is, `passed` seconds after its start. Raises ServiceFailed when it never will be."""
        code = self.exit_code()
        if code is not None:
            raise ServiceFailed(self.name, f"ended with exit code {code} before it was ready", self.log())
        health = self.one.service.health
        ready = answers if health is None else self._healthy(health, answers, passed)
        if not ready and passed > self._limit(health):
            raise ServiceFailed(self.name, f"was not ready after {passed:.0f} seconds", self.log())
        return ready

    def _limit(self, health: Health | None) -> float:
        own = health.start_s + health.retries * health.interval_s if health else 0.0
        return min(LONGEST_PATIENCE_S, max(self.patience, own))

    def _healthy(self, health: Health, answers: bool, passed: float) -> bool:
        """Take the health command's next step: it is run when the service answers, and from time to time until then."""
        blind = max(health.interval_s, _BLIND_S) if self.one.kind else health.interval_s
        try:
            with translated():
                api = self.engine.client().api
                if self.check is None:
                    if answers or passed - self.asked > blind:
                        self.check, self.asked = self._asked(health), passed
                        api.exec_start(self.check, detach=True)
                    return False
                state = api.exec_inspect(self.check)
        except InUse:  # it has ended since: the next look tells how
            return False
        waited = passed - self.asked
        if waited > (health.timeout_s if state["Running"] else min(health.interval_s, 1.0)):
            self.check = None
        missing = self.one.own and answers and state["ExitCode"] in _NOT_FOUND  # ours may lack another image's tools
        return not state["Running"] and (state["ExitCode"] == 0 or missing)

    def _asked(self, health: Health) -> str:
        return str(self.engine.client().api.exec_create(self.container, ["sh", "-c", health.command])["Id"])


def await_all(engine: Engine, pause: str, running: list[Running], cancel: Event | None) -> None:
    """Return when every service is ready. Raises ServiceFailed with the service's log, and Cancelled."""
    began, waiting = time.monotonic(), running
    while waiting:
        if cancel is not None and cancel.is_set():
            raise Cancelled("cancelled while the job's services were started")
        with translated():
            lines = bytes(engine.client().api.logs(pause)).splitlines()
        answering = {str(json.loads(line).get("ready", "")) for line in lines if line.startswith(b'{"ready"')}
        passed = time.monotonic() - began
        waiting = [each for each in waiting if not each.ready(each.name in answering, passed)]
        time.sleep(POLL_S if waiting else 0)
