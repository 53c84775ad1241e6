"""CircleCI: the jobs of `.circleci/config.yml` with executors, commands and parameters put in their places.

Orbs are code of others that is not in the repository: their steps are left out, but for two that only install.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sandbox.policy import WORKSPACE
from sandbox.spec import Skipped, Step
from workers import scripts
from workers.ci.document import Mapped, Unreadable, lines, listed, load, section, word, words
from workers.ci.jobs import (
    BASH,
    CiJob,
    elsewhere,
    first_line,
    language_of,
    needs_docker,
    reference,
    shell_of,
    told_apart,
    without_caches,
)
from workers.expressions import as_text
from workers.services import Written
from workers.text_files import TextFiles

PATH = re.compile(r"\.circleci/config\.ya?ml")
_PARAMETER = re.compile(r"<<\s{0,9}(?:pipeline\.)?(?:parameters|matrix)\.([\w-]{1,100})\s{0,9}>>")
_HOLE = re.compile(r"<<\s{0,9}[\w.-]{1,100}\s{0,9}>>")
_HARMLESS: Mapping[str, str] = {
    "save_cache": "a cache only saves time",
    "restore_cache": "a cache only saves time",
    "store_artifacts": "it only hands files on",
    "store_test_results": "it only reports",
    "persist_to_workspace": "it only hands files on",
    "add_ssh_keys": "keys of others are never used here",
    "setup_remote_docker": "there is no engine in the sandbox",
}
_ORBS: Mapping[str, tuple[str, str]] = {
    "python/install-packages": ("python", "python -m pip install -r requirements.txt"),
    "node/install-packages": ("node", "npm ci"),
}
"""Steps of CircleCI's own orbs that stand for an installation: language, command with their default arguments."""
_MAX_CELLS, _MAX_STEPS, _MAX_DEPTH = 60, 300, 8


@dataclass
class _Walk:
    """What adds up while the steps of one job are read."""

    root: Mapped
    job: str
    shell: str
    home: str
    steps: list[Step] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    seen: int = 0


def jobs(path: str, files: TextFiles) -> tuple[CiJob, ...]:
    """Every job of the workflows with its parameters, else every job of the file. Raises `Unreadable`."""
    root = load(files.text(path))
    usual = _defaults(root)
    called = list(_called(root))
    if not called:
        called = [(name, name, {}, False) for name in section(root, "jobs")]
    found: dict[str, CiJob] = {}
    for shown, name, given, optional in called[:_MAX_CELLS]:
        if isinstance(section(root, "jobs").get(name), dict):
            found.setdefault(shown, _job(shown, name, {**usual, **given}, root, optional))
    return tuple(found.values())


def _called(root: Mapped) -> Iterator[tuple[str, str, dict[str, str], bool]]:
    """(shown name, job, parameters, waits for a person) of every job that a workflow starts."""
    for workflow in section(root, "workflows").values():
        entries = listed(workflow, "jobs") if isinstance(workflow, dict) else []
        held = {name for entry in entries for name, raw in _entry(entry) if word(raw, "type") == "approval"}
        for name, raw in (pair for entry in entries for pair in _entry(entry)):
            optional = bool(held & set(lines(raw.get("requires"))))
            matrix = section(section(raw, "matrix"), "parameters")
            own = words(raw)
            for cell in _cells(matrix):
                label = f"{name}-{'-'.join(cell.values())}" if cell else name
                yield _filled(word(raw, "name"), cell) or label, name, {**own, **cell}, optional


def _entry(entry: object) -> list[tuple[str, Mapped]]:
    if isinstance(entry, dict):
        return [(name, raw if isinstance(raw, dict) else {}) for name, raw in entry.items()]
    return [(entry, {})] if isinstance(entry, str) else []


def _cells(matrix: Mapped) -> Iterator[dict[str, str]]:
    axes = [[as_text(item) for item in listed(matrix, key)] for key in matrix]
    for values in itertools.islice(itertools.product(*axes), _MAX_CELLS):
        yield dict(zip(matrix, values, strict=True))


def _defaults(raw: Mapped) -> dict[str, str]:
    """The default values of declared parameters."""
    declared = section(raw, "parameters")
    return {name: word(one, "default") for name, one in declared.items() if isinstance(one, dict) and "default" in one}


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PARAMETER.sub(lambda match: values.get(match[1], match[0]), text)


def _all_filled(value: object, values: Mapping[str, str], depth: int = 0) -> object:
    if depth > 10 * _MAX_DEPTH:
        raise Unreadable("it is nested too deeply")
    if isinstance(value, str):
        return _filled(value, values)
    if isinstance(value, list):
        return [_all_filled(item, values, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_filled(key, values): _all_filled(item, values, depth + 1) for key, item in value.items()}
    return value


def _job(shown: str, name: str, given: Mapping[str, str], root: Mapped, optional: bool) -> CiJob:
    written = section(section(root, "jobs"), name)
    values = {**given, **{key: value for key, value in _defaults(written).items() if key not in given}}
    job = _made(_all_filled(written, values))
    machine = {**_executor(job, root), **job}
    images = [one for one in listed(machine, "docker") if isinstance(one, dict)]
    image = word(images[0], "image") if images else ""
    shell = _shell(word(machine, "shell"), image)
    walk = _Walk(root, shown, shell, word(machine, "working_directory").rstrip("/") or "~/project")
    _walk(listed(job, "steps"), walk, values, 0)
    env = {**(words(images[0].get("environment")) if images else {}), **words(machine.get("environment"))}
    named = [word(section(machine, "macos"), "xcode") and "macos", word(machine, "resource_class"),
             word(section(machine, "machine"), "image")]  # fmt: skip
    services = tuple(_service(one) for one in images[1:])
    return CiJob(
        name=shown,
        steps=tuple(walk.steps),
        env={"CIRCLECI": "true", "CIRCLE_JOB": shown, "CIRCLE_WORKING_DIRECTORY": WORKSPACE,
             "BASH_ENV": "/env/.bash_env", **without_caches(env)},
        image=reference(image),
        languages=(*language_of(image), *walk.languages, *language_of(word(machine, "orb"))),
        services=services,
        skipped=tuple(walk.skipped),
        notes=(*walk.notes, *_notes(machine, image)),
        refused=elsewhere(*filter(None, named)) or needs_docker(service.image for service in services),
        optional=optional,
    )  # fmt: skip


def _made(value: object) -> Mapped:
    return value if isinstance(value, dict) else {}


def _executor(job: Mapped, root: Mapped) -> Mapped:
    """The executor that the job names, with the parameters it is given; one of an orb tells its language only."""
    raw = job.get("executor")
    name = word(raw, "name") if isinstance(raw, dict) else word(job, "executor")
    written = section(section(root, "executors"), name)
    if not written:
        return {"orb": name} if "/" in name else {}
    given = words(raw) if isinstance(raw, dict) else {}
    return _made(_all_filled(written, {**_defaults(root), **_defaults(written), **given}))


def _notes(machine: Mapped, image: str) -> Iterator[str]:
    if image and not reference(image):
        yield f"its image {image[:100]} is named by a parameter that only CircleCI knows"
    if orb := word(machine, "orb"):
        yield f"its executor {orb[:100]} is of an orb, which is not read"


def _service(raw: Mapped) -> Written:
    image = word(raw, "image")
    name = image.rpartition("/")[2].split("@")[0].split(":")[0]
    return Written(name=word(raw, "name") or name, image=image, env=words(raw.get("environment")),
                   command=" ".join(lines(raw.get("command"))), private="auth" in raw)  # fmt: skip


def _walk(steps: list[object], walk: _Walk, values: Mapping[str, str], depth: int) -> None:
    for step in steps:
        walk.seen += 1
        if walk.seen > _MAX_STEPS or depth > _MAX_DEPTH:
            raise Unreadable("its steps have no end")
        for name, raw in [(step, None)] if isinstance(step, str) else list(_made(step).items())[:1]:
            if name == "run":
                _run(raw, walk, values)
            elif name in ("when", "unless"):
                _conditional(name, _made(raw), walk, values, depth)
            else:
                _other(name, raw, walk, values, depth)


def _conditional(name: str, raw: Mapped, walk: _Walk, values: Mapping[str, str], depth: int) -> None:
    holds = _holds(_all_filled(raw.get("condition"), values))
    if holds is None:
        walk.skipped.append(Skipped(f"steps of a {name!r}", "their condition is known to CircleCI only", True))
    elif holds is (name == "when"):
        _walk(listed(raw, "steps"), walk, values, depth + 1)


def _holds(condition: object) -> bool | None:
    """Whether a condition holds; None where it cannot be known here."""
    if isinstance(condition, dict):
        equal, negated = condition.get("equal"), condition.get("not")
        if isinstance(equal, list) and not any(_HOLE.search(as_text(item)) for item in equal):
            return len({as_text(item) for item in equal}) <= 1
        inner = _holds(negated) if "not" in condition and not isinstance(negated, dict) else None
        return None if inner is None else not inner
    text = as_text(condition)
    return None if isinstance(condition, list) or _HOLE.search(text) else text not in ("", "false", "0")


def _other(name: str, raw: object, walk: _Walk, values: Mapping[str, str], depth: int) -> None:
    command = section(walk.root, "commands").get(name)
    if isinstance(command, dict):
        given = {key: _filled(value, values) for key, value in words(raw).items()}
        known = {**_defaults(walk.root), **_defaults(command), **given}
        _walk(listed(_made(_all_filled(command, known)), "steps"), walk, known, depth + 1)
    elif name in _ORBS:
        _orb(name, words(raw), walk)
    elif name in _HARMLESS:
        walk.skipped.append(Skipped(name, _HARMLESS[name], weakens_proof=False))
    elif name == "attach_workspace":
        walk.skipped.append(Skipped(name, "files that jobs before it hand on are not made here", weakens_proof=True))
    elif name != "checkout":
        walk.skipped.append(Skipped(name[:120], "a step of an orb, which is not read", weakens_proof=True))


def _orb(name: str, given: Mapping[str, str], walk: _Walk) -> None:
    language, command = _ORBS[name]
    manager = given.get("pkg-manager", "")
    other = {"poetry": "python -m pip install poetry\npoetry install", "yarn": "yarn install --frozen-lockfile",
             "pipenv": "python -m pip install pipenv\npipenv install --dev"}  # fmt: skip
    folder = _folder(given.get("app-dir", ""), walk.home)
    walk.languages.append(language)
    walk.notes.append(f"the orb's step {name} is replaced by the commands it stands for")
    walk.steps.append(Step(name, other.get(manager, command), walk.shell, workdir=folder))


def _run(raw: object, walk: _Walk, values: Mapping[str, str]) -> None:
    step = _made(_all_filled(raw if isinstance(raw, dict) else {"command": raw}, values))
    commands, reports = told_apart(lines(step.get("command")))
    walk.skipped += reports
    script = "\n".join(commands)
    name = word(step, "name") or first_line(script)
    if not script:
        return
    if why := _left_out(step, script):
        walk.skipped.append(Skipped(name, why, weakens_proof=word(step, "when") not in ("always", "on_fail")))
        return
    shell = _shell(word(step, "shell"), "") if step.get("shell") else walk.shell
    walk.steps.append(Step(name, script, shell, words(step.get("environment")),
                           _folder(word(step, "working_directory"), walk.home)))  # fmt: skip


def _left_out(step: Mapped, script: str) -> str:
    if step.get("background") is True:
        return "what runs in the background of the whole job is not started here"
    if word(step, "when") in ("always", "on_fail"):
        return "it runs whatever happens, so it proves nothing"
    if _HOLE.search(script):
        return f"it needs {(_HOLE.search(script) or [''])[0]}, which only CircleCI knows"
    return "" if scripts.commands(script) else "it does nothing"


def _shell(written: str, image: str) -> str:
    """CircleCI appends the script's text to the shell's words; here it gets a file."""
    if not written:
        return shell_of(image) if image else BASH
    parts = [part for part in written.split() if part != "-c"]
    return " ".join([parts[0].rpartition("/")[2], *parts[1:], "{0}"]) if parts else BASH


def _folder(written: str, home: str = "~/project") -> str:
    """The job's own folder is the workspace, whatever it is called; others lie in it."""
    path = written.strip().rstrip("/")
    inside = path[len(home) + 1 :] if path.startswith(f"{home}/") else path
    return inside.removeprefix("./") if inside and not inside.startswith(("~", "/", "$")) else "."
