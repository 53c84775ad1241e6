"""Commands in a frozen environment: each in a container of its own, hardened, without network, used once."""

from __future__ import annotations

import hashlib
import shlex
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from threading import Event

from sandbox import policy, trees
from sandbox.engine import Engine
from sandbox.errors import SandboxError
from sandbox.protocol import GRACE_S, KEEP_S, caps, message, tar
from sandbox.spec import Evidence, Limits, Plan, Result, Step, Tree
from sandbox.verdict import result


@dataclass(frozen=True)
class Frozen:
    """A finished environment: where it is, and what its set-up steps exported for the steps after them."""

    key: str
    image: str
    volume: str
    exports: Mapping[str, str]
    path: tuple[str, ...]
    notes: tuple[str, ...]


class DockerEnvironment:
    """A frozen environment. Every `run` is a container of its own that is used once.

    The cancel event it was prepared with ends its runs too, where they are given none of their own.
    """

    def __init__(
        self,
        engine: Engine,
        frozen: Frozen,
        plan: Plan,
        owner: str,
        runtime: str | None,
        cancel: Event | None = None,
    ) -> None:
        self._engine, self._frozen, self._plan = engine, frozen, plan
        self._owner, self._runtime, self._cancel = owner, runtime, cancel

    @property
    def key(self) -> str:
        return self._frozen.key

    @property
    def image(self) -> str:
        return self._frozen.image

    @property
    def notes(self) -> tuple[str, ...]:
        """What set-up could not keep, and the hosts that it was refused."""
        return self._frozen.notes

    def run(
        self,
        step: Step,
        tree: Tree,
        patch: bytes | None = None,
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        inputs: Mapping[str, bytes] | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """As `sandbox.spec.Environment.run`."""
        if self._engine.volume(self._frozen.volume) is None:  # the engine would silently make an empty one
            raise SandboxError(f"environment {self.key} was removed from the engine: prepare it again")
        deadline = limits.wall_s + GRACE_S
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "check", self.key, time.time() + deadline + KEEP_S)
        placed = trees.place(tree)
        env = policy.check_environment(limits)
        settings = policy.check_container(
            self.image, self._frozen.volume, env, limits, labels, self._runtime, placed.mounts
        )
        files = {"step/script": step.script.encode(), "step/run": self._runner(step, limits).encode()}
        files.update({f"in/{name}": data for name, data in (inputs or {}).items()})
        feed = chain(placed.feed, message("INPUTS", tar(files.items())), message("PATCH", patch or b""))
        try:
            ended = self._engine.run(
                settings, feed, deadline, caps(limits), cancel or self._cancel, marker=b"HEAL-START\n"
            )
        finally:
            placed.release()
        evidence = Evidence(
            image=self.image, environment=self.key, tree=tree.sha, patch=hashlib.sha256(patch or b"").hexdigest(),
            runtime=self._runtime or "default", flags=policy.flags(settings),
        )  # fmt: skip
        verdict = result(ended, limits, evidence)
        return replace(verdict, notes=(*verdict.notes, *placed.notes))

    def warm(self, tree: Tree, count: int, limits: Limits = Limits()) -> None:  # noqa: B008 - a frozen value
        """As `sandbox.spec.Environment.warm`."""

    def _runner(self, step: Step, limits: Limits) -> str:
        """The little shell file that enters the step's directory and becomes its shell, with its environment."""
        env = {**self._plan.env, **self._frozen.exports, **step.env}
        ours = policy.check_environment(limits)
        for name, glue in (("PYTEST_ADDOPTS", " "), ("PYTHONPATH", ":")):
            if name in env:
                env[name] = f"{env[name]}{glue}{ours[name]}"
        assigned = [f"{name}={value}" for name, value in env.items()]
        argv = [word.replace("{0}", f"{policy.SCRATCH}/step/script") for word in shlex.split(step.shell)]
        extra = "".join(f"PATH={shlex.quote(entry)}:$PATH\n" for entry in self._frozen.path)
        command = " ".join(shlex.quote(word) for word in ["env", *assigned, *argv])
        folder = shlex.quote(f"{policy.WORKSPACE}/{step.workdir}")
        return f"cd {folder} || exit 127\n{extra}export PATH\nexec {command}\n"
