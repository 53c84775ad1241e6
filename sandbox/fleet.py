"""Several engines as one sandbox: every trust domain has its usual engine, so that what it made is found again there;
an engine that is away, full or busy is passed over.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event

from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.errors import EngineBusy, EngineDown, EngineFull, ImageMissing, SandboxError
from sandbox.spec import Finding, Plan, Tree

REST_S = 60.0
"""How long an engine that was away or full is asked last."""
_PASSING = (EngineBusy, EngineFull, EngineDown, ImageMissing)
"""What another engine may not suffer from; what is told of several is the first of these."""


class Fleet:
    """A `Sandbox` over several. An environment stays on the engine that made it."""

    def __init__(self, members: Sequence[DockerSandbox], clock: Callable[[], float] = time.monotonic) -> None:
        self._members, self._clock = tuple(members), clock
        self._rests: dict[str, float] = {}

    @property
    def engines(self) -> tuple[Engine, ...]:
        return tuple(engine for member in self._members for engine in member.engines)

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> DockerEnvironment:
        """As `DockerSandbox.prepare`, on the first engine of the plan's order that can. When none can, raises what
        will pass soonest: busy before full before away before lacking the image."""
        troubles: list[SandboxError] = []
        for member in self._order(plan.trust):
            try:
                return member.prepare(plan, tree, cancel)
            except _PASSING as trouble:
                troubles.append(trouble)
                if isinstance(trouble, EngineDown | EngineFull):
                    self._rests[member.engine.host] = self._clock() + REST_S
        raise min(troubles, key=lambda trouble: [isinstance(trouble, kind) for kind in _PASSING].index(True))

    def doctor(self) -> list[Finding]:
        """Every engine's findings, each with the engine's address before it. Never raises."""
        return [
            replace(finding, what=f"{member.engine.host}: {finding.what}")
            for member in self._members
            for finding in member.doctor()
        ]

    def rest(self) -> None:
        """As `DockerSandbox.rest`."""
        for member in self._members:
            member.rest()

    def close(self) -> None:
        for member in self._members:
            member.close()

    def _order(self, trust: str) -> list[DockerSandbox]:
        """Those that work first; among them by the hash of domain and address, so that adding or losing an engine
        moves only the domains that were, or will be, on it (rendezvous hashing)."""
        now = self._clock()

        def place(member: DockerSandbox) -> tuple[bool, str]:
            host = member.engine.host
            return self._rests.get(host, now) > now, hashlib.sha256(f"{trust}\0{host}".encode()).hexdigest()

        return sorted(self._members, key=place)
