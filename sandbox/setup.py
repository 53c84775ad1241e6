"""The set-up phase: the recipe's steps, as root with five capabilities, on the package hosts' network only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

from sandbox import policy
from sandbox.egress import Egress, Refusal, told
from sandbox.engine import Engine
from sandbox.errors import Cancelled, EngineFull, NetworkDenied, SandboxError, SetupFailed
from sandbox.images.sources import ENVIRONMENTS
from sandbox.life import Commit, Ended
from sandbox.protocol import GRACE_S, caps, message, tar, tree_message
from sandbox.service_images import Resolved
from sandbox.services import stand_up
from sandbox.spec import Limits, Plan, Tree
from sandbox.stream import Stop
from sandbox.truststore import keystore

_EARLY_S = 0.000_001
"""The log of the proxy rounds its moments to this; it reads the same machine's clock as the set-up, and a step that
follows another begins within two milliseconds of its last request."""
_DIED = "its first process ended early"
_GOOD_PART = 4
_COUNT_LIMIT, _PAIR = 1 << 60, 2


@dataclass(frozen=True)
class Options:
    """What every set-up of one sandbox shares. `egress` None means an open network."""

    limits: Limits
    egress: Egress | None
    runtime: str | None
    ca_bundle: Path | None
    package_indexes: Mapping[str, str]


def set_up(
    engine: Engine,
    options: Options,
    plan: Plan,
    tree: Tree,
    image: str,
    volume: str,
    labels: policy.Labels,
    cancel: Event | None,
    services: tuple[Resolved, ...] = (),
) -> tuple[dict[str, Any], str | None]:
    """Run the set-up steps; returns what they exported and, if they installed system packages, the new image.

    The plan's services stand beside the steps; what these leave in them is kept with the environment.

    Raises SetupFailed with the failing step and its log, NetworkDenied where it was refused a host, ServiceFailed,
    EngineFull, and Cancelled.
    """
    limits = options.limits
    files = _authorities(options.ca_bundle) if options.ca_bundle else {}
    commit = Commit(ENVIRONMENTS, labels.key, policy.installed_system_files, asked=_changed_system)
    named = [one.service.name for one in services]
    with options.egress.opened(labels) if options.egress and plan.setup else nullcontext() as gate:
        ours = {
            **policy.setup_environment(bool(files), options.package_indexes),
            **policy.java_environment(bool(files), gate.url if gate else None),
            **(policy.proxy_environment(gate.url, named) if gate else {}),
        }
        network = gate.network.name if gate else (policy.OPEN if plan.setup else policy.NO_NETWORK)
        files |= {Path(policy.APT_FILE).name: policy.APT_SETTINGS}
        inputs = tar({**files, "plan.json": _plan_values(plan, ours)}.items())
        feed = chain(tree_message(tree.contents), message("INPUTS", inputs))
        with stand_up(engine, services, labels, network=network, runtime=options.runtime, cancel=cancel) as companions:
            joined = companions.network if services else network
            settings = policy.setup_container(image, volume, limits, labels, options.runtime, joined)
            ended = engine.run(settings, feed, limits.wall_s + GRACE_S, caps(limits), cancel, commit=commit)
            refused = options.egress.refused(gate) if options.egress and gate else ()
            state = _setup_state(ended, limits, refused, companions.ended())
            companions.keep(volume)
    return {**state, "notes": [*state.get("notes", ()), *told(refused)]}, ended.image


def _authorities(bundle: Path) -> dict[str, bytes]:
    pem = bundle.read_bytes()
    return {Path(policy.CA_FILE).name: pem, Path(policy.JAVA_CA_FILE).name: keystore(pem)}


def _plan_values(plan: Plan, ours: Mapping[str, str]) -> bytes:
    steps = [{**asdict(step), "env": policy.joined(ours, step.env, only_theirs=True)} for step in plan.setup]
    return json.dumps({"env": policy.joined(ours, plan.env), "steps": steps, "repository": plan.repository}).encode()


def _changed_system(stdout: bytes) -> bool:
    """Whether set-up's last line leaves open that it wrote outside of /env and the workspace."""
    try:
        state = json.loads(stdout.strip().rpartition(b"\n")[2])
    except (ValueError, RecursionError):
        return True
    return not isinstance(state, dict) or state.get("system") is not False


def _setup_state(
    ended: Ended, limits: Limits, refused: tuple[Refusal, ...] = (), notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What the set-up container's last line says; SetupFailed, with what the proxy refused, when it is no good news.

    `notes` are what else belongs into the log then.
    """
    if ended.stopped is Stop.CANCELLED:
        raise Cancelled("making the environment was cancelled")
    log = "\n".join((ended.stderr.output().text.rstrip("\n"), *notes, *told(refused))) + "\n"
    state = _last_line(ended.stdout)
    if state is None or ended.stopped is not None:
        why = {Stop.DEADLINE: f"out of time after {limits.wall_s:g} s", Stop.OUTPUT: "too much output"}
        reason = why.get(ended.stopped) if ended.stopped else ("out of memory" if ended.oom_killed else _DIED)
        raise SetupFailed("set-up", ended.exit_code, log, reason or "")
    if "disk" in state:
        raise _disk_full(state, limits, log)
    if state.get("failed") is not None:
        denied = _denied_since(refused, state.get("began"))
        if denied:
            raise NetworkDenied(str(state["failed"]), state.get("exit_code"), log, denied)
        raise SetupFailed(str(state["failed"]), state.get("exit_code"), log)
    if ended.exit_code != 0:
        raise SetupFailed("set-up", ended.exit_code, log, _DIED)
    return state


def _last_line(stdout: bytes) -> dict[str, Any] | None:
    """The first process's last word, if it has the shape that it gives it. In an image of others it may be theirs."""
    try:
        state = json.loads(stdout.strip().rpartition(b"\n")[2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(state, dict):
        return None
    exports, values, lists = (
        state.get("exports", {}),
        state.get("values", {}),
        [state.get("path", []), state.get("notes", [])],
    )
    fits = all(isinstance(named, dict) for named in (exports, values))
    fits = fits and all(isinstance(value, str) for value in (*exports.values(), *values.values()))
    fits = fits and all(isinstance(part, list) and all(isinstance(item, str) for item in part) for part in lists)
    outputs = state.get("outputs") or [0, 0]
    fits = fits and isinstance(outputs, list) and len(outputs) == len([*filter(_is_count, outputs)]) == _PAIR
    code, failed = state.get("exit_code"), state.get("failed")
    fits = fits and (code is None or _is_count(code)) and isinstance(failed, str | None)
    fits = fits and ("disk" not in state or _is_count(state.get("written")))
    return state if fits and _is_text(exports, values, lists) else None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < _COUNT_LIMIT


def _is_text(*values: object) -> bool:
    """Whether everything in them can be written as UTF-8, which half of a surrogate pair in JSON cannot."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _disk_full(state: Mapping[str, Any], limits: Limits, log: str) -> SandboxError:
    """Set-up's own doing when it took a good part of what it may take; else the disk was full without it."""
    written = int(state["written"])
    if state["disk"] == "floor" and written < limits.disk // _GOOD_PART:
        left = f"less than {_gigabytes(limits.disk_left)} is free on the engine's disk"
        return EngineFull(f"{left}, and set-up wrote only {_gigabytes(written)} of what is there")
    bound = f"{_gigabytes(limits.disk)} are allowed" if state["disk"] == "limit" else "little else is left there"
    took = f"step '{state['failed']}' left {_gigabytes(written)} on the engine's disk"
    return SetupFailed(str(state["failed"]), None, log, f"disk full: {took}, {bound}")


def _gigabytes(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"


def _denied_since(refused: Sequence[Refusal], began: object) -> tuple[str, ...]:
    """The hosts that the allow-list denied since the failing step began (seconds since 1970), so that a step which
    could do without one is not blamed for another's failure."""
    since = began if isinstance(began, int | float) else 0.0
    return tuple(dict.fromkeys(one.host for one in refused if one.denied and one.at >= since - _EARLY_S))
