"""One line for every error of the sandbox and for every ending of a check: what happened, with its number, and what
a person can do about it. Plain text: whoever shows it marks up what repositories wrote into it.
"""

from __future__ import annotations

import re
from typing import assert_never

from sandbox.errors import (
    Cancelled,
    EngineBusy,
    EngineDown,
    EngineFull,
    ImageMissing,
    NetworkDenied,
    NoSession,
    PullFailed,
    RuntimeUnknown,
    SandboxError,
    ServiceFailed,
    ServiceMissing,
    SetupFailed,
)
from sandbox.images.egress import listed
from sandbox.spec import Ending, Limits, Result

Known = (
    EngineDown | EngineBusy | EngineFull | PullFailed | ServiceMissing | ImageMissing | RuntimeUnknown | ServiceFailed
    | NetworkDenied | NoSession | SetupFailed | Cancelled
)  # fmt: skip
"""The whole family of `sandbox.errors`."""

_LINE = 600
_PULLS = (
    (r"manifest unknown|not found|does not exist", "correct its name or tag in heal.yml or in the workflow"),
    (r"unauthorized|denied|authentication required|no basic auth",
     "it is private and nobody's credentials are used: name a public image, or load it into the engine"),
    (r"toomanyrequests|rate limit", "the registry's limit passes: try again later, or name a mirror of it"),
    (r"x509|certificate|tls:|http response to https", "let the engine trust the registry's certificate"),
    (r"no such host|lookup|connection refused|timeout|timed out|unreachable|network",
     "let the engine reach the registry: its network, its proxy"),
    (r"larger than|within", "name a smaller image, or load it into the engine"),
)  # fmt: skip


def error(trouble: SandboxError) -> str:
    """The line for an error of ours: its own words, then what mends it."""
    words = _one_line(str(trouble))
    advice = _advice(trouble) if isinstance(trouble, Known) else ""
    if trouble.repair:
        advice = f"repair: {trouble.repair}"
    return f"{words}; {advice or 'see `heal doctor`'}"


def _advice(trouble: Known) -> str:  # noqa: C901 - a case for each error
    match trouble:
        case EngineDown():
            return "start the container engine, or name another in HEAL_DOCKER_HOST"
        case EngineBusy():
            return "it is tried again; fewer HEAL_SLOTS or a larger engine make room"
        case EngineFull():
            return "remove what is not needed on the engine"
        case PullFailed():
            said = str(trouble).lower()
            return next((do for words, do in _PULLS if re.search(words, said)), "try `docker pull` on the engine")
        case ServiceMissing():
            return "name a public image of it, or prepare it in environment.setup of heal.yml"
        case ImageMissing():
            return "build it"
        case RuntimeUnknown():
            return "register the runtime in the engine's daemon.json, or correct HEAL_SANDBOX_RUNTIME"
        case ServiceFailed():
            return "read its log below; its image, its variables or its health check may need a change"
        case NetworkDenied():
            return "the operator can add the hosts to HEAL_SETUP_HOSTS, or the step can do without"
        case NoSession():
            return "what needed it is left out"
        case SetupFailed():
            return "read its log below; environment.setup in heal.yml replaces the steps"
        case Cancelled():
            return "nothing of it was kept"
        case _:
            assert_never(trouble)


def ending(result: Result, limits: Limits) -> str:  # noqa: C901 - a case for each ending
    """The line for how a check ended under these limits."""
    match result.ending:
        case Ending.PASSED:
            return f"The check passed in {result.wall_s:.1f} s."
        case Ending.FAILED:
            red = result.count("failed", "error")
            tests = f"; {red} of {len(result.tests)} tests are red" if red and result.names_all else ""
            tests = tests or (f"; {red} of its tests are red" if red else "")
            return f"The check failed with exit code {result.exit_code}{tests}: read its output."
        case Ending.TIMEOUT:
            return (
                f"The check did not end within its {limits.wall_s:g} s and was killed; raise environment.timeout in "
                "heal.yml or split the job."
            )
        case Ending.OOM:
            return (
                f"The check used more than its {size(limits.memory)} of memory and was killed; raise "
                "environment.memory in heal.yml or split the job."
            )
        case Ending.OUTPUT_LIMIT:
            return f"The check printed more than {size(limits.output_kill)} and was ended; let it print less."
        case Ending.DISK_FULL:
            return (
                f"The check filled its disk ({size(limits.workspace)} for the work tree, {size(limits.tmp)} for /tmp); "
                "let it write less or split the job."
            )
        case Ending.KILLED:
            return (
                "The check was killed, by none of the sandbox's limits: something inside ended it, or the engine did; "
                "look for a kill in its output."
            )
        case Ending.PATCH_REJECTED:
            return f"The patch does not apply to commit {result.evidence.tree[:12]}: make it anew on that commit."
        case Ending.NETWORK_DENIED:
            return _network_denied(result)
        case Ending.CANCELLED:
            return "The check was cancelled before it ended: nothing can be said about it."
        case _:
            assert_never(result.ending)


def _network_denied(result: Result) -> str:
    if not result.asked:
        return (
            "The check failed asking for a host that it does not name, and it may reach none; let it do without, or "
            "grant the host: environment.network in heal.yml and HEAL_CHECK_HOSTS of the operator."
        )
    hosts = ", ".join(result.asked)
    if all(listed(host, result.evidence.network) for host in result.asked):
        return (
            f"The check asked for {hosts} past the proxy through which it may reach it; let it use the proxy that "
            "HTTPS_PROXY names."
        )
    return (
        f"The check failed asking for {hosts}, which it may not reach; let it do without, or grant it: "
        "environment.network in heal.yml and HEAL_CHECK_HOSTS of the operator."
    )


def size(count: int) -> str:
    """Bytes as people say them: 2 GiB, 512 MiB."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:.4g} {name}"
    return f"{count} bytes"


def _one_line(text: str) -> str:
    words = " ".join(text.split()).rstrip(".;")
    return words if len(words) <= _LINE else words[: _LINE - 4] + " ..."
