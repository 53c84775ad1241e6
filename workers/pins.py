"""Time is pinned: a set-up of today gets the packages CI had, as far as anything tells which they were.

Lock files are used as they are. Where none names a step's packages, the versions that CI's log prints become
constraints, else nothing newer than the day of the run is taken. `without` is the plan for when that cannot be had.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sandbox.languages import BY_KEY
from sandbox.spec import Fidelity, Plan, Step
from workers import logs, scripts
from workers.text_files import TextFiles

Versions = Mapping[str, Mapping[str, str]]
"""ecosystem ("python", "npm", and "tox" for what it put into its environments) -> package -> version."""

_FILE = "/env/versions-of-ci.txt"
_CONSTRAINTS = "packages as in CI"
_NEWER_PIP = "a pip that looks at dates"
_PIP = "python -m pip install --quiet pip==26.3"
"""The first line of pip that can leave out what was uploaded later is 26; the image has Debian's 23."""
_PIP_CONSTRAINED, _UV_CONSTRAINED = "PIP_CONSTRAINT", "UV_CONSTRAINT"
_DATES = ("PIP_UPLOADED_PRIOR_TO", "UV_EXCLUDE_NEWER", "npm_config_before")
_NAME, _VERSION = r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}", r"[0-9][A-Za-z0-9.!+_-]{0,60}"
_PAIR = re.compile(rf"({_NAME})==({_VERSION})")
_FROZEN = re.compile(rf"^({_NAME})==({_VERSION})$")
_TOX_SAID = re.compile(r"^[\w.,-]{1,60}: (.{1,20000})$")
_NEVER = frozenset({"pip", "setuptools", "wheel", "uv", "distribute", "virtualenv"})
"""What builds packages is asked for by the packages themselves, in an environment of its own."""
_PIPPED = (("pip", "install"), ("pip3", "install"), ("pipx", "install"), ("pipx", "run"))
_UVED = (("uv", "pip", "install"), ("uv", "tool", "install"), ("uv", "tool", "run"), ("uvx",))
_UV_PROJECT = (("uv", "sync"), ("uv", "run"), ("uv", "lock"), ("uv", "add"))
_NPMED = (("npm", "install"), ("npm", "i"), ("npx",), ("npm", "exec"))
_BY_THEMSELVES = ("tox", "nox", "pre-commit", "hatch")
_PINNED_LINE = re.compile(r"^[\w.\[\],-]+\s*={2,3}|^\s*(#|--hash|-r |-c |\\|$)|^[\w.\[\],-]+ @ ")
_OWN_NAME = re.compile(r"""^\s*name\s*=\s*["']?([\w.-]{1,100})|\bname\s*=\s*["']([\w.-]{1,100})["']""", re.MULTILINE)


def versions(log: logs.JobLog) -> Versions:
    """What the job printed about the packages it installed; of several versions of one the last counts, and of those
    that tox prints for its environments none does when they differ."""
    said = logs.versions(log)
    python = {_normal(name): version for name, version in said.get("pypi", {}).items()}
    in_tox: dict[str, set[str]] = {}
    for line in (line for step in log.steps for line in step.output.split("\n") if "==" in line):
        if found := _FROZEN.match(line):
            python[_normal(found[1])] = found[2]
        for name, version in _of_tox(line):
            in_tox.setdefault(name, set()).add(version)
    agreed = {name: found.pop() for name, found in in_tox.items() if len(found) == 1}
    tox = {name: version for name, version in agreed.items() if python.get(name, version) == version}
    return {"python": python, "npm": said.get("npm", {}), "tox": tox}


def _of_tox(line: str) -> Iterator[tuple[str, str]]:
    """tox prints `py311: name==1,other==2` when it has made an environment."""
    found = _TOX_SAID.match(line)
    for part in found[1].split(",") if found else ():
        if pair := _PAIR.fullmatch(part):
            yield _normal(pair[1]), pair[2]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class _Needs:
    """How a step installs what no lock file names."""

    pip: bool = False
    uv: bool = False
    uv_project: bool = False
    npm: bool = False
    tox: bool = False
    by_itself: bool = False
    locked_uv: bool = False
    """It works with a uv.lock too, which notes the date it was made for and does not fit another."""


def pin(
    setup: Sequence[Step], printed: Versions, day: str, files: TextFiles, image: str, taken: Collection[str] = ()
) -> tuple[list[Step], tuple[str, ...]]:
    """The set-up steps with what pins their packages, and what to tell people.

    `day` is of `end_of_day`, may be empty; `taken` are the variables that the job or a person has set themselves.
    """
    known = _usable({**printed.get("tox", {}), **printed.get("python", {})}, files)
    in_tox = bool(printed.get("tox"))
    chosen = [_pins(_needs(step.script, files), known, day, in_tox) for step in setup]
    ours = [{name: value for name, value in pins.items() if name not in (*taken, *step.env)}
            for pins, step in zip(chosen, setup, strict=True)]  # fmt: skip
    steps = [replace(step, env={**step.env, **pins}) for pins, step in zip(ours, setup, strict=True)]
    names = {name for pins in ours for name in pins}
    first: list[Step] = []
    notes: list[str] = []
    if names & {_PIP_CONSTRAINED, _UV_CONSTRAINED}:
        listed = "\n".join(f"{name}=={version}" for name, version in sorted(known.items()))
        first.append(Step(_CONSTRAINTS, f"cat >{_FILE} <<'END'\n{listed}\nEND"))
        notes.append(f"packages that no lock file names have the versions that CI's log prints ({len(known)} of them)")
    if names & set(_DATES):
        where = "" if image in BY_KEY else ", where the image's own pip looks at dates"
        notes.append(f"packages that nothing else names are of the day of the run (before {day[:10]}){where}")
    if "PIP_UPLOADED_PRIOR_TO" in names and image in BY_KEY:
        first.append(Step(_NEWER_PIP, _PIP))
    return [*first, *steps], tuple(notes)


def without(plan: Plan, failed: str) -> Plan | None:
    """The plan with today's packages, when it was a pinned step that failed; None when pins had no part in it."""
    if not any(step.name == failed and (step.name in (_CONSTRAINTS, _NEWER_PIP) or _ours(step)) for step in plan.setup):
        return None
    setup = tuple(
        replace(step, env={name: value for name, value in step.env.items() if name not in _ours(step)})
        for step in plan.setup
        if step.name not in (_CONSTRAINTS, _NEWER_PIP)
    )
    note = "the set-up failed with the packages of the day of the run: they are of today"
    fidelity = Fidelity.CLOSE if plan.fidelity is Fidelity.EXACT else plan.fidelity
    return replace(plan, setup=setup, fidelity=fidelity, notes=(*plan.notes, note))


def freed(plan: Plan, names: Collection[str]) -> Plan:
    """The plan that leaves the versions of these packages (by any spelling) to what the files say."""
    normal = frozenset(map(_normal, names))
    setup = tuple(
        replace(step, script=_unpinned(step.script, normal)) if step.name == _CONSTRAINTS else step
        for step in plan.setup
    )
    return replace(plan, setup=setup)


def _unpinned(script: str, names: Collection[str]) -> str:
    lines = ((line, _FROZEN.match(line)) for line in script.split("\n"))
    return "\n".join(line for line, pinned in lines if not pinned or _normal(pinned[1]) not in names)


def while_it_lasts(plan: Plan, started_at: str, now: datetime) -> Plan:
    """The plan without the newer pip, as long as the run's day is not over: nothing later was uploaded that it could
    leave out, and to bring it takes seconds. The dates stay, because the environment is one of that day."""
    end = end_of_day(started_at)
    if not end or now >= datetime.fromisoformat(end):
        return plan
    return replace(plan, setup=tuple(step for step in plan.setup if step.name != _NEWER_PIP))


def end_of_day(moment: str) -> str:
    """The end of the (UTC) day of an ISO date, as an ISO date; empty for a text that is none.

    By the day, because it is part of the environment's key: runs of one day share an environment.
    """
    try:
        parsed = datetime.fromisoformat(moment)
        day = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return (day + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    except (ValueError, OverflowError):
        return ""


def _ours(step: Step) -> set[str]:
    pinned = {name for name in (_PIP_CONSTRAINED, _UV_CONSTRAINED) if step.env.get(name) == _FILE}
    return pinned | {name for name in _DATES if step.env.get(name, "").endswith("T00:00:00Z")}


def _usable(printed: Mapping[str, str], files: TextFiles) -> dict[str, str]:
    """Without the project itself, what builds packages, and versions that no index has."""
    texts = (files.text(path) for path in ("pyproject.toml", "setup.cfg", "setup.py"))
    own = {_normal(found[1] or found[2]) for text in texts for found in _OWN_NAME.finditer(text[:100_000])}
    return {
        name: version
        for name, version in printed.items()
        if name not in own | _NEVER and "+" not in version and "dev" not in version
    }


def _pins(needs: _Needs, known: Mapping[str, str], day: str, in_tox: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    if needs.pip or (needs.tox and in_tox):
        found |= {_PIP_CONSTRAINED: _FILE} if known else {"PIP_UPLOADED_PRIOR_TO": day}
    elif needs.by_itself:
        found["PIP_UPLOADED_PRIOR_TO"] = day
    if needs.uv:
        found |= {_UV_CONSTRAINED: _FILE} if known else {"UV_EXCLUDE_NEWER": day}
    if needs.uv_project or needs.by_itself:
        found["UV_EXCLUDE_NEWER"] = day
    if needs.npm:
        found["npm_config_before"] = day
    if needs.locked_uv:
        found.pop("UV_EXCLUDE_NEWER", None)
    return {name: value for name, value in found.items() if value}


def _needs(script: str, files: TextFiles) -> _Needs:
    calls = [scripts.without_python(scripts.words(command)) for command in scripts.commands(script)]

    def some(known: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return [call for call in calls if any(call[: len(one)] == one for one in known)]

    locked_uv = bool(some(_UV_PROJECT)) and "uv.lock" in files.paths
    locked_npm = bool({"package-lock.json", "npm-shrinkwrap.json"} & files.paths)
    npm = [call for call in some(_NPMED) if not locked_npm or "-g" in call or "--global" in call or call[0] == "npx"]
    return _Needs(
        pip=any(not _locked(call, files) for call in some(_PIPPED)),
        uv=any(not _locked(call, files) for call in some(_UVED)),
        uv_project=bool(some(_UV_PROJECT)) and not locked_uv,
        npm=bool(npm),
        tox=bool(scripts.invocations(script, "tox")),
        by_itself=any(scripts.invocations(script, tool) for tool in _BY_THEMSELVES),
        locked_uv=locked_uv,
    )


def _locked(call: Sequence[str], files: TextFiles) -> bool:
    """It installs nothing but what a requirements file with fixed versions names."""
    at = call.index("install") + 1 if "install" in call else len(call)
    arguments = [word for word in call[at:] if not word.startswith("-")]
    chosen = [after for word, after in pairwise(call) if word in ("-r", "--requirement")]
    chosen += [word.removeprefix("--requirement=") for word in call if word.startswith("--requirement=")]
    if not chosen or set(arguments) - set(chosen):
        return "--require-hashes" in call
    return all(_fixed(files.text(path.removeprefix("./"))) for path in chosen)


def _fixed(text: str) -> bool:
    lines = text.split("\n")
    return any("==" in line for line in lines) and all(_PINNED_LINE.match(line.strip()) for line in lines)
