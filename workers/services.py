"""The `services:` of a workflow's job as the sandbox takes them, or a sentence why it cannot.

What people wrote for Docker's command line is read option by option: health is understood, what makes no difference
here is noted, anything else is refused. Nothing of it reaches an engine as it stands.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.errors import ImageMissing
from sandbox.images.services import stand_in
from sandbox.references import parse
from sandbox.spec import Health, Service
from workers.domain import Outcome
from workers.errors import Stop
from workers.expressions import Rendered, render
from workers.repo_config import ServiceSection

_PORT = re.compile(r"(?:(?:\d{1,3}(?:\.\d{1,3}){3}):)?(?:(\d{1,5}):)?(\d{1,5})(?:/tcp)?")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_HEALTH = ("--health-cmd", "--health-interval", "--health-timeout", "--health-retries", "--health-start-period",
           "--health-start-interval")  # fmt: skip
_SAME_HERE = frozenset(
    ("--name", "--hostname", "-h", "--network-alias", "--restart", "--memory", "-m", "--memory-swap", "--cpus",
     "--shm-size", "--ulimit", "--label", "-l", "--pids-limit", "--platform", "--pull", "--stop-timeout", "--tmpfs",
     "--log-driver", "--log-opt", "--memory-reservation", "--oom-score-adj")
)  # fmt: skip
"""Options with a value that change nothing of what a test sees, or less than the sandbox's own limits do."""
_FLAGS = frozenset(("--rm", "-d", "--detach", "-t", "--tty", "-i", "--interactive", "-it", "--init", "-q", "--quiet"))
_EMPTY_PASSWORD = {
    "POSTGRES_PASSWORD": ("POSTGRES_HOST_AUTH_METHOD", "trust"),
    "MYSQL_ROOT_PASSWORD": ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes"),
    "MARIADB_ROOT_PASSWORD": ("MARIADB_ALLOW_EMPTY_ROOT_PASSWORD", "yes"),
}
"""What lets a service start whose password is a secret: job and service both have the same empty one."""


@dataclass(frozen=True)
class Written:
    """One service as the workflow writes it, expressions and all."""

    name: str
    image: str
    env: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    options: str = ""
    command: str = ""
    private: bool = False
    refused: tuple[str, ...] = ()
    """Keys that cannot be honoured here (`volumes`, `entrypoint`, ...)."""


@dataclass
class _Options:
    """What Docker's options say, as far as it matters here."""

    health: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    no_health: bool = False


def planned(written: Sequence[Written], contexts: Mapping[str, object]) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """The services of a job and what is to be noted of them. Raises `Stop(UNSUPPORTED)` with a sentence."""
    services: list[Service] = []
    notes: list[str] = []
    for one in written:
        service = _planned(one, contexts, notes)
        if service is not None:
            services.append(service)
    _refuse_clashes(services)
    return tuple(services), tuple(notes)


def joined(job: Sequence[Service], wished: Mapping[str, ServiceSection]) -> tuple[tuple[Service, ...], tuple[str, ...]]:
    """The job's services and those of heal.yml, which stand in for one of the same name, and what is to be noted of
    the latter. Raises `Stop(UNSUPPORTED)` with a sentence."""
    written = [Written(name, one.image, one.env, tuple(map(str, one.ports))) for name, one in wished.items()]
    own, notes = planned(written, {})
    together = (*(service for service in job if service.name not in wished), *own)
    _refuse_clashes(together)
    return together, notes


def context(written: Sequence[Written], contexts: Mapping[str, object]) -> dict[str, object]:
    """The value of `job.services`: under which port of the job each port of a service answers."""
    pairs = {one.name: [pair for port in one.ports if (pair := _pair(port, contexts))] for one in written}
    return {
        name: {"id": name, "network": "", "ports": {str(inside): str(outside) for outside, inside in found}}
        for name, found in pairs.items()
    }


def _planned(one: Written, contexts: Mapping[str, object], notes: list[str]) -> Service | None:
    image = render(one.image, contexts)
    if image.unresolved or image.secrets:
        raise _refusal(one, f"has an image that only GitHub knows ({one.image})")
    if not image.text.strip():
        notes.append(f"service '{one.name}' has no image in this job: it is not started, as on GitHub")
        return None
    if one.refused:
        raise _refusal(one, f"has `{one.refused[0]}`, which is not given here")
    if not _NAME.fullmatch(one.name):
        raise _refusal(one, "has a name that is no host name")
    if one.private:
        notes.append(f"service '{one.name}' has credentials for its registry, which are not used here")
    options = _options(one, _known(one, one.options, contexts, "options"))
    if options.ignored:
        notes.append(f"service '{one.name}': the options {' '.join(options.ignored)} are left out")
    pairs = _ports(one, contexts)
    return Service(
        name=one.name,
        image=image.text.strip().removeprefix("docker://"),
        env={**_env(one, contexts, notes), **options.env},
        ports=tuple(dict.fromkeys(inside for _, inside in pairs)),
        forwards=tuple(dict.fromkeys((outside, inside) for outside, inside in pairs if outside != inside)),
        health=_health(one, options),
        command=tuple(_split(one, _known(one, one.command, contexts, "command"))),
    )


def _env(one: Written, contexts: Mapping[str, object], notes: list[str]) -> dict[str, str]:
    env: dict[str, str] = {}
    for name, value in one.env.items():
        rendered = render(value, contexts)
        if rendered.unresolved:
            raise _refusal(one, f"needs {rendered.unresolved[0]} for {name}, which only GitHub knows")
        env[name] = rendered.text
        if rendered.secrets:
            notes.append(f"service '{one.name}' uses {', '.join(rendered.secrets)} for {name}, which is empty here")
            if not rendered.text and name in _EMPTY_PASSWORD:
                env.setdefault(*_EMPTY_PASSWORD[name])
    return env


def _known(one: Written, text: str, contexts: Mapping[str, object], what: str) -> str:
    rendered: Rendered = render(text, contexts)
    if rendered.unresolved:
        raise _refusal(one, f"has {what} that need {rendered.unresolved[0]}, which only GitHub knows")
    return rendered.text


def _ports(one: Written, contexts: Mapping[str, object]) -> list[tuple[int, int]]:
    pairs = []
    for written in one.ports:
        pair = _pair(written, contexts)
        if pair is None:
            raise _refusal(one, f"has the port {written!r}, which is not understood")
        pairs.append(pair)
    return pairs


def _pair(written: str, contexts: Mapping[str, object]) -> tuple[int, int] | None:
    """(port of the job, port of the service), or None for no port. One that GitHub would give a number by chance keeps
    its own."""
    match = _PORT.fullmatch(render(written, contexts).text.strip())
    if match is None:
        return None
    inside = int(match[2])
    outside = int(match[1] or inside)
    return (outside, inside) if 0 < inside < 1 << 16 and 0 < outside < 1 << 16 else None


def _refuse_clashes(services: Sequence[Service]) -> None:
    """Here all services and the job share one network, so that each port is somebody's."""
    owners: dict[int, str] = {}
    for service in services:
        listens = {
            *service.ports,
            *([kind] if (kind := _usual_port(service)) else []),
            *(o for o, _ in service.forwards),
        }
        for port in sorted(listens):
            other = owners.setdefault(port, service.name)
            if other != service.name:
                raise Stop(
                    Outcome.UNSUPPORTED,
                    f"The services '{other}' and '{service.name}' both need port {port}; "
                    "here the services of a job share one network, so one of them would not start.",
                )


def _usual_port(service: Service) -> int | None:
    try:
        kind = stand_in(parse(service.image))
    except ImageMissing:
        return None
    return kind.port if kind else None


def _options(one: Written, text: str) -> _Options:
    found = _Options()
    words = iter(_split(one, text))
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--no-healthcheck":
            found.no_health = True
        elif word in _FLAGS:
            continue
        elif name in (*_HEALTH, "--env", "-e", *_SAME_HERE):
            value = value if equals else _next(one, words, name)
            _take(found, name, value)
        else:
            raise _refusal(one, f"needs the container option {name}, which is not given here")
    return found


def _take(found: _Options, name: str, value: str) -> None:
    if name in _HEALTH:
        found.health[name] = value
    elif name in _SAME_HERE:
        found.ignored.append(name)
    elif "=" in value:
        variable, _, text = value.partition("=")
        found.env[variable] = text


def _next(one: Written, words: Iterator[str], name: str) -> str:
    value = next(words, None)
    if value is None:
        raise _refusal(one, f"has the container option {name} without a value")
    return value


def _health(one: Written, options: _Options) -> Health | None:
    command = options.health.get("--health-cmd", "")
    if options.no_health or not command or command == "none":
        return None
    usual = Health(command)
    retries = options.health.get("--health-retries", "3")
    if not retries.isdigit():
        raise _refusal(one, f"has --health-retries {retries!r}, which is no number")
    return Health(
        command=command,
        interval_s=_span(one, options.health.get("--health-interval", "30s")),
        timeout_s=max(usual.timeout_s, _span(one, options.health.get("--health-timeout", "30s"))),
        retries=max(1, int(retries)),
        start_s=_span(one, options.health.get("--health-start-period", "0s")),
    )


def _span(one: Written, text: str) -> float:
    parts = _SPAN.findall(text)
    if text == "0":
        return 0.0
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise _refusal(one, f"has the time span {text!r} in its options, which is not understood")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _split(one: Written, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise _refusal(one, "has options with an open quote") from error


def _refusal(one: Written, why: str) -> Stop:
    return Stop(Outcome.UNSUPPORTED, f"The service '{one.name}' {why}.")
