"""The set-up phase: the recipe's steps, as root with five capabilities, on the package hosts' network only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

from sandbox import policy
from sandbox.egress import Egress
from sandbox.engine import Engine
from sandbox.errors import Cancelled, SetupFailed
from sandbox.life import Commit, Ended
from sandbox.protocol import GRACE_S, caps, message, tar, tree_message
from sandbox.spec import Limits, Plan, Tree
from sandbox.stream import Stop


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
) -> tuple[dict[str, Any], str | None]:
    """Run the set-up steps; returns what they exported and, if they installed system packages, the new image.

    Raises SetupFailed with the failing step and its log, and Cancelled.
    """
    limits = options.limits
    gate = options.egress.gate() if options.egress and plan.setup else None
    env = {**policy.setup_environment(options.ca_bundle is not None, options.package_indexes),
           **(policy.proxy_environment(gate.url) if gate else {}), **plan.env}  # fmt: skip
    network = gate.network if gate else (policy.OPEN if plan.setup else policy.NO_NETWORK)
    settings = policy.setup_container(image, volume, limits, labels, options.runtime, network)
    files = {"plan.json": _plan_values(plan, env)}
    if options.ca_bundle is not None:
        files[Path(policy.CA_FILE).name] = options.ca_bundle.read_bytes()
    feed = chain(tree_message(tree.contents), message("INPUTS", tar(files.items())))
    commit = Commit("heal-sandbox/environment", labels.key, policy.installed_system_files)
    ended = engine.run(settings, feed, limits.wall_s + GRACE_S, caps(limits), cancel, commit=commit)
    refused = options.egress.refused(gate, ended) if options.egress and gate else ()
    state = _setup_state(ended, refused)
    return {**state, "notes": [*state.get("notes", ()), *refused]}, ended.image


def _plan_values(plan: Plan, env: Mapping[str, str]) -> bytes:
    steps = [{**asdict(step), "env": dict(step.env)} for step in plan.setup]
    return json.dumps({"env": dict(env), "steps": steps}).encode()


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
