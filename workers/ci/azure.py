"""Azure Pipelines: the jobs of `azure-pipelines.yml` with stages, matrix legs and the repository's own templates.

`${{ }}` is filled in where it only names a parameter or a variable; the rest is known to Azure only and is said so.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sandbox.policy import WORKSPACE
from sandbox.spec import Skipped, Step
from workers.ci.document import Mapped, Unreadable, listed, load, section, word, words
from workers.ci.jobs import (
    CiJob,
    elsewhere,
    first_line,
    language_of,
    needs_docker,
    reference,
    told_apart,
    without_caches,
)
from workers.ci.tasks import Task, task
from workers.expressions import as_text
from workers.services import Written
from workers.text_files import TextFiles

PATH = re.compile(r"\.?azure-pipelines\.ya?ml|\.azure-pipelines/azure-pipelines\.ya?ml")
BASH = "bash --noprofile --norc {0}"
"""Azure does not stop at the first failing line: the last one decides."""
_EXPRESSION = re.compile(r"\$\{\{\s{0,9}(?:parameters|variables)\.([\w.]{1,100})\s{0,9}\}\}")
_MACRO = re.compile(r"\$\(([\w.]{1,100})\)")
_HOLE = re.compile(r"\$\{\{[^}]{0,200}\}\}")
_MAX_JOBS, _MAX_LEGS, _MAX_STEPS, _MAX_DEPTH = 60, 60, 300, 8
_KNOWN: Mapping[str, str] = {
    "Build.SourcesDirectory": WORKSPACE,
    "System.DefaultWorkingDirectory": WORKSPACE,
    "Pipeline.Workspace": "/",
    "Build.ArtifactStagingDirectory": "/tmp/staging",  # noqa: S108 - a path in the container
    "Build.StagingDirectory": "/tmp/staging",  # noqa: S108 - as above
    "Agent.TempDirectory": "/tmp/runner",  # noqa: S108 - as above
    "Common.TestResultsDirectory": "/tmp/results",  # noqa: S108 - as above
    "Agent.OS": "Linux",
    "Build.Reason": "PullRequest",
}
_ENV: Mapping[str, str] = {"TF_BUILD": "True", "AGENT_OS": "Linux", "BUILD_SOURCESDIRECTORY": WORKSPACE}


@dataclass
class _Walk:
    """What adds up while the steps of one job are read."""

    files: TextFiles
    variables: Mapping[str, str]
    steps: list[Step] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    seen: int = 0


@dataclass(frozen=True)
class _Level:
    """What a job finds around it: variables, machine, and where the file lies that it is written in."""

    variables: Mapping[str, str]
    pool: str
    path: str
    root: Mapped
    parameters: Mapping[str, str] = field(default_factory=dict)


def jobs(path: str, files: TextFiles) -> tuple[CiJob, ...]:
    """Every job, one for each leg of its matrix. Raises `Unreadable`."""
    root = load(files.text(path))
    level = _Level({**_KNOWN, **_variables(root)}, _pool(root, ""), path, root, _defaults(root))
    return tuple(itertools.islice(_jobs(root, level, files, 0), _MAX_JOBS))


def _jobs(raw: Mapped, level: _Level, files: TextFiles, depth: int) -> Iterator[CiJob]:
    """The jobs of a file, a stage or a template; a file of steps alone is one job."""
    if depth > _MAX_DEPTH:
        return
    here = _Level({**level.variables, **_variables(raw)}, _pool(raw, level.pool), level.path, level.root,
                  level.parameters)  # fmt: skip
    if "steps" in raw:
        yield from _legs(raw, here, files)
    for entry in (*listed(raw, "stages"), *listed(raw, "jobs")):
        if not isinstance(entry, dict) or "deployment" in entry:
            continue
        template = word(entry, "template")
        if not template:
            yield from _jobs(entry, here, files, depth + 1)
        elif (opened := _opened(template, entry, here, files)) is not None:
            yield from _jobs(*opened, files, depth + 1)


def _opened(template: str, entry: Mapped, level: _Level, files: TextFiles) -> tuple[Mapped, _Level] | None:
    """A template of the repository and what it is given; None for one of another repository."""
    path = _path(template, level.path)
    if path not in files.paths:
        return None
    raw = load(files.text(path))
    given = {name: _filled(text, level) for name, text in words(entry.get("parameters")).items()}
    return raw, _Level(level.variables, level.pool, path, level.root, {**_defaults(raw), **given})


def _path(template: str, at: str) -> str:
    if template.startswith("/"):
        return template.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(at), template))


def _defaults(raw: Mapped) -> dict[str, str]:
    """The default values of parameters, in both ways to write them."""
    declared = raw.get("parameters")
    if isinstance(declared, dict):
        return words(declared)
    named = [one for one in listed(raw, "parameters") if isinstance(one, dict)]
    return {word(one, "name"): word(one, "default") for one in named if "default" in one}


def _variables(raw: Mapped) -> dict[str, str]:
    written = raw.get("variables")
    if isinstance(written, dict):
        return words(written)
    pairs = [one for one in listed(raw, "variables") if isinstance(one, dict) and "name" in one]
    return {word(one, "name"): word(one, "value") for one in pairs}


def _pool(raw: Mapped, usual: str) -> str:
    pool = raw.get("pool")
    if isinstance(pool, dict):
        return word(pool, "vmImage") or " ".join(map(as_text, listed(pool, "demands"))) or usual
    return as_text(pool) if isinstance(pool, str) else usual


def _filled(text: str, level: _Level) -> str:
    known = {**{f"variables.{name}": value for name, value in level.variables.items()}, **level.parameters,
             **level.variables}  # fmt: skip
    return _EXPRESSION.sub(lambda match: known.get(match[1], match[0]), text)


def _legs(raw: Mapped, level: _Level, files: TextFiles) -> Iterator[CiJob]:
    matrix = section(raw, "strategy").get("matrix")
    legs = matrix if isinstance(matrix, dict) else {}
    name = _filled(word(raw, "job") or word(raw, "displayName") or word(raw, "name") or word(raw, "stage"), level)
    for leg, values in itertools.islice(legs.items(), _MAX_LEGS):
        yield _job(f"{name} {leg}".strip(), raw, level, words(values), files)
    if not legs:
        yield _job(name or "test", raw, level, {}, files)


def _job(name: str, raw: Mapped, level: _Level, leg: Mapping[str, str], files: TextFiles) -> CiJob:
    variables = {**level.variables, **leg}
    walk = _Walk(files, variables)
    _walk(listed(raw, "steps"), walk, level, 0)
    pool = _known(_filled(level.pool, level), variables)
    container = raw.get("container", level.root.get("container"))
    image = _image(container, level, variables)
    services = tuple(_service(alias, one, level, variables) for alias, one in section(raw, "services").items())
    versions = {language: _known(text, variables) for language, text in walk.versions.items()}
    return CiJob(
        name=name,
        steps=tuple(walk.steps),
        env={**_ENV, **without_caches(_environment({**_own(level.variables), **leg}, variables))},
        image=reference(image),
        languages=(*language_of(image), *versions),
        versions=versions,
        services=services,
        skipped=tuple(walk.skipped),
        notes=tuple(dict.fromkeys(walk.notes)),
        refused=elsewhere(pool) or needs_docker(service.image for service in services),
    )


def _own(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in _KNOWN}


def _environment(written: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Variables reach scripts in capitals, with `_` for what no name of the environment has."""
    return {re.sub(r"\W", "_", name).upper(): _known(value, known) for name, value in written.items() if name}


def _known(text: str, variables: Mapping[str, str]) -> str:
    """`$(name)` of known names filled in; what the shell can run by the same spelling stays."""
    for _ in range(3):
        text = _MACRO.sub(lambda match: variables.get(match[1], match[0]), text)[:16_000]
    return text


def _image(container: object, level: _Level, variables: Mapping[str, str]) -> str:
    """The image of a container that is named, described, or declared among the resources."""
    if isinstance(container, dict):
        return _known(_filled(word(container, "image"), level), variables)
    alias = _known(_filled(as_text(container), level), variables)
    declared = _containers(level.root).get(alias)
    return word(declared, "image") if declared is not None else alias


def _containers(root: Mapped) -> dict[str, Mapped]:
    declared = [one for one in listed(section(root, "resources"), "containers") if isinstance(one, dict)]
    return {word(one, "container"): one for one in declared}


def _service(alias: str, named: object, level: _Level, variables: Mapping[str, str]) -> Written:
    raw = _containers(level.root).get(as_text(named), {"image": named})
    env = {name: _known(value, variables) for name, value in words(raw.get("env")).items()}
    ports = tuple(as_text(port) for port in listed(raw, "ports"))
    return Written(alias, word(raw, "image"), env, ports, private="endpoint" in raw)


def _walk(steps: list[object], walk: _Walk, level: _Level, depth: int) -> None:
    for raw in steps:
        walk.seen += 1
        if walk.seen > _MAX_STEPS or depth > _MAX_DEPTH:
            raise Unreadable("its steps have no end")
        if not isinstance(raw, dict):
            continue
        if any(_HOLE.match(key) for key in raw):
            walk.skipped.append(Skipped(first_line(next(iter(raw))), "its condition is known to Azure only", True))
        elif template := word(raw, "template"):
            opened = _opened(template, raw, level, walk.files)
            if opened is None:
                walk.skipped.append(Skipped(template[:120], "a template of another repository", weakens_proof=True))
            else:
                _walk(listed(opened[0], "steps"), walk, opened[1], depth + 1)
        else:
            _step(raw, walk, level)


def _step(raw: Mapped, walk: _Walk, level: _Level) -> None:
    known = _task(raw, walk, level)
    if known is None:
        return
    name = _known(_filled(word(raw, "displayName"), level), walk.variables) or first_line(known.script) or known.name
    commands, reports = told_apart(tuple(filter(None, [known.script])))
    walk.skipped += reports
    if known.why:
        walk.skipped.append(Skipped(name, known.why, known.weakens))
    elif known.language:
        walk.versions[known.language] = known.version
    elif commands:
        _script(name, known, raw, walk, level)


def _script(name: str, known: Task, raw: Mapped, walk: _Walk, level: _Level) -> None:
    if why := _left_out(raw, known.script):
        walk.skipped.append(Skipped(name, why, weakens_proof=not why.startswith(("it runs", "the job goes on"))))
        return
    env = {key: _known(_filled(text, level), walk.variables) for key, text in words(raw.get("env")).items()}
    secret = [key for key, value in env.items() if _MACRO.search(value)]
    walk.notes += [f"'{name}' is given {key}, which only Azure knows: it is empty here" for key in secret]
    env |= {key: _MACRO.sub("", env[key]) for key in secret}
    folder = _filled(known.workdir or word(raw, "workingDirectory"), level)
    walk.steps.append(Step(name, known.script, BASH, env, _folder(_known(folder, walk.variables))))


def _task(raw: Mapped, walk: _Walk, level: _Level) -> Task | None:
    """What the step stands for; None for one that says nothing."""
    for kind in ("script", "bash"):
        if kind in raw:
            return Task(kind, script=_known(_filled(word(raw, kind), level), walk.variables))
    for kind in ("pwsh", "powershell"):
        if kind in raw:
            return Task(kind, why="the sandbox has no PowerShell", weakens=True)
    if "task" not in raw:
        return None
    inputs = {name: _known(_filled(text, level), walk.variables) for name, text in words(raw.get("inputs")).items()}
    return task(word(raw, "task"), inputs)


def _left_out(raw: Mapped, script: str) -> str:
    condition = word(raw, "condition")
    if raw.get("enabled") is False:
        return "it is switched off"
    if re.search(r"\b(always|failed|succeededOrFailed)\s{0,5}\(", condition):
        return "it runs whatever happens, so it proves nothing"
    if raw.get("continueOnError") is True:
        return "the job goes on when it fails, so it decides nothing"
    if hole := _HOLE.search(script):
        return f"it needs {hole[0][:100]}, which only Azure knows"
    return "its condition is known to Azure only" if condition and "succeeded()" not in condition else ""


def _folder(written: str) -> str:
    path = written.removeprefix(WORKSPACE).strip("/").removeprefix("./")
    return path if path and "$" not in path else "."
