"""Environments on a Docker engine: made once per key in the set-up phase, then frozen and used by many checks.

An environment is a named volume mounted at /env, and a second, empty volume named after the key whose labels point
to it. The second is created last and creating a volume is atomic, so a half-made environment is never found, and of
two workers that make the same one the first wins and the other throws its own away.
"""

from __future__ import annotations

import hashlib
import io
import json
import shlex
import tarfile
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, Literal

from sandbox import policy
from sandbox.egress import Allowed, Egress
from sandbox.engine import Commit, Ended, Engine
from sandbox.errors import Cancelled, SandboxError, SetupFailed
from sandbox.hosts import by_https
from sandbox.images.build import resolve
from sandbox.spec import SETUP_LIMITS, Evidence, Finding, Limits, Plan, Result, Step, Tree
from sandbox.stream import Caps, Stop
from sandbox.verdict import result

_GRACE_S = 30
"""Beyond a command's own time: start of the container, unpacking, report."""
_KEEP_S = 3600
"""How long after its deadline a container of ours may be removed by the reaper of another worker."""
_LABEL_LIMIT = 60_000
_PROTOCOL_BYTES = 64 << 10


@dataclass(frozen=True)
class Frozen:
    """A finished environment: where it is, and what its set-up steps exported for the steps after them."""

    key: str
    image: str
    volume: str
    exports: Mapping[str, str]
    path: tuple[str, ...]
    notes: tuple[str, ...]


class DockerSandbox:
    """A `Sandbox` on a Docker engine.

    `owner` names this installation in the labels. `ca_bundle` is given to the set-up phase where the host has its
    own certificate authority. `package_indexes` are environment variables for the set-up phase (PIP_INDEX_URL, ...).

    Set-up reaches the package hosts of `sandbox.hosts`, those of `package_indexes` and `allowed_hosts` (exact or
    `*.suffix`) through the egress proxy, and nothing else. A host whose name resolves to a private address is refused
    unless `private_hosts` has its exact name. `setup_network` "open" gives set-up whatever the engine's host reaches.
    """

    def __init__(
        self,
        docker_host: str | None,
        owner: str,
        runtime: str | None = None,
        ca_bundle: Path | None = None,
        state_dir: Path = Path(".heal"),
        package_indexes: Mapping[str, str] | None = None,
        setup_limits: Limits = SETUP_LIMITS,
        allowed_hosts: tuple[str, ...] = (),
        private_hosts: tuple[str, ...] = (),
        setup_network: Literal["proxy", "open"] = "proxy",
    ) -> None:
        self.engine = Engine(docker_host)
        self.owner = owner
        self.runtime = runtime
        self.state_dir = state_dir
        self._ca_bundle = ca_bundle
        self._package_indexes = dict(package_indexes or {})
        self._setup_limits = setup_limits
        allowed = Allowed(by_https(allowed_hosts, self._package_indexes), private_hosts)
        self.egress = Egress(self.engine, owner, allowed) if setup_network == "proxy" else None
        self._guard = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def prepare(self, plan: Plan, tree: Tree, cancel: Event | None = None) -> DockerEnvironment:
        """The environment for a plan, made now unless there is one. Raises SetupFailed, ImageMissing, EngineDown."""
        image = self.engine.image_id(resolve(plan.image))
        key = plan.env_key(image)
        with self._guard:
            lock = self._making.setdefault(key, threading.Lock())
        with lock:
            frozen = self._find(key) or self._make(plan, tree, image, key, cancel)
        return DockerEnvironment(self.engine, frozen, plan, self.owner, self.runtime, cancel)

    def doctor(self) -> list[Finding]:
        """Whether this machine can run untrusted code, line by line. Never raises."""
        from sandbox.doctor import examine

        return examine(self.engine, self.owner, self.runtime, self.state_dir, self.egress)

    def _find(self, key: str) -> Frozen | None:
        marker = self.engine.volume(f"heal-env-{key}")
        if marker is None:
            return None
        labels = marker.labels
        volume = self.engine.volume(labels.get("heal.volume", ""))
        if volume is None or not self.engine.has_image(labels.get("heal.image", "")):  # someone removed it
            self.engine.remove_volume(marker.name)
            return None
        state = json.loads(labels.get("heal.state", "{}"))
        return Frozen(
            key, labels["heal.image"], labels["heal.volume"], state.get("exports", {}),
            tuple(state.get("path", ())), tuple(state.get("notes", ())),
        )  # fmt: skip

    def _make(self, plan: Plan, tree: Tree, image: str, key: str, cancel: Event | None) -> Frozen:
        limits = self._setup_limits
        labels = policy.Labels(self.owner, uuid.uuid4().hex, "setup", key, time.time() + limits.wall_s + _KEEP_S)
        volume = f"heal-env-{key}-{labels.run[:12]}"
        self.engine.create_volume(volume, replace(labels, role="environment").as_dict())
        kept = False
        try:
            state, made = self._set_up(plan, tree, image, volume, labels, cancel)
            frozen = self._publish(key, made or image, volume, labels, state)
            kept = frozen.volume == volume
        finally:
            if not kept:
                self.engine.remove_volume(volume)
        return frozen

    def _set_up(
        self, plan: Plan, tree: Tree, image: str, volume: str, labels: policy.Labels, cancel: Event | None
    ) -> tuple[dict[str, Any], str | None]:
        """Run the set-up steps; returns what they exported and, if they installed system packages, the new image."""
        limits = self._setup_limits
        gate = self.egress.gate() if self.egress and plan.setup else None
        env = {**policy.setup_environment(self._ca_bundle is not None, self._package_indexes),
               **(policy.proxy_environment(gate.url) if gate else {}), **plan.env}  # fmt: skip
        network = gate.network if gate else (policy.OPEN if plan.setup else policy.NO_NETWORK)
        settings = policy.setup_container(image, volume, limits, labels, self.runtime, network)
        files = {"plan.json": _plan_values(plan, env)}
        if self._ca_bundle is not None:
            files[Path(policy.CA_FILE).name] = self._ca_bundle.read_bytes()
        feed = [*_message("TREE", tree.archive), *_message("INPUTS", _tar(files.items()))]
        commit = Commit("heal-sandbox/environment", labels.key, policy.installed_system_files)
        ended = self.engine.run(settings, feed, limits.wall_s + _GRACE_S, _caps(limits), cancel, commit=commit)
        refused = self.egress.refused(gate, ended) if self.egress and gate else ()
        state = _setup_state(ended, refused)
        return {**state, "notes": [*state.get("notes", ()), *refused]}, ended.image

    def _publish(self, key: str, image: str, volume: str, labels: policy.Labels, state: Mapping[str, Any]) -> Frozen:
        text = json.dumps({name: state.get(name) for name in ("exports", "path", "notes") if state.get(name)})
        if len(text) > _LABEL_LIMIT:
            raise SetupFailed("set-up", None, "the set-up steps exported more than 60 kB of environment variables")
        marks = {**replace(labels, role="marker").as_dict(), "heal.volume": volume, "heal.image": image,
                 "heal.state": text}  # fmt: skip
        self.engine.create_volume(f"heal-env-{key}", marks)
        frozen = self._find(key)
        if frozen is None:
            raise SandboxError(f"environment {key} was removed while it was being made")
        return frozen


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
        deadline = limits.wall_s + _GRACE_S
        labels = policy.Labels(self._owner, uuid.uuid4().hex, "check", self.key, time.time() + deadline + _KEEP_S)
        settings = policy.check_container(
            self.image, self._frozen.volume, policy.check_environment(limits), limits, labels, self._runtime
        )
        files = {"step/script": step.script.encode(), "step/run": self._runner(step, limits).encode()}
        files.update({f"in/{name}": data for name, data in (inputs or {}).items()})
        feed = [
            *_message("TREE", tree.archive), *_message("INPUTS", _tar(files.items())), *_message("PATCH", patch or b""),
        ]  # fmt: skip
        ended = self._engine.run(
            settings, feed, deadline, _caps(limits), cancel or self._cancel, marker=b"HEAL-START\n"
        )
        evidence = Evidence(
            image=self.image, environment=self.key, tree=tree.sha, patch=hashlib.sha256(patch or b"").hexdigest(),
            runtime=self._runtime or "default", flags=policy.flags(settings),
        )  # fmt: skip
        return result(ended, limits, evidence)

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


def _plan_values(plan: Plan, env: Mapping[str, str]) -> bytes:
    steps = [{**asdict(step), "env": dict(step.env)} for step in plan.setup]
    return json.dumps({"env": dict(env), "steps": steps}).encode()


def _message(word: str, data: bytes) -> tuple[bytes, bytes]:
    return f"{word} {len(data)}\n".encode(), data


def _tar(files: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o444
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _caps(limits: Limits) -> Caps:
    return Caps(limits.report + _PROTOCOL_BYTES, limits.output_head, limits.output_tail, limits.output_kill)


def _setup_state(ended: Ended, refused: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the set-up container's last line says; SetupFailed, with what the proxy refused, when it is no good news."""
    if ended.stopped is Stop.CANCELLED:
        raise Cancelled("making the environment was cancelled")
    log = "\n".join((ended.stderr.output().text.rstrip("\n"), *refused)) + "\n"
    line = ended.stdout.strip().rpartition(b"\n")[2]
    try:
        state = json.loads(line)
    except ValueError:
        state = None
    if not isinstance(state, dict) or ended.stopped is not None:
        why = {Stop.DEADLINE: "out of time", Stop.OUTPUT: "too much output"}
        reason = why.get(ended.stopped) if ended.stopped else ("out of memory" if ended.oom_killed else "died")
        raise SetupFailed(f"set-up ({reason})", ended.exit_code, log)
    if state.get("failed") is not None:
        raise SetupFailed(str(state["failed"]), state.get("exit_code"), log)
    return state
