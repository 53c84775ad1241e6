"""GitLab CI: the jobs of `.gitlab-ci.yml` with what they inherit, extend, refer to and include from the repository.

`rules`, `only` and `except` are not evaluated: which event started the pipeline is not known here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from sandbox.policy import WORKSPACE
from workers.ci.document import Mapped, Unreadable, expand, lines, listed, load, section, word, words
from workers.ci.jobs import (
    CiJob,
    elsewhere,
    language_of,
    needs_docker,
    phases,
    reference,
    shell_of,
    told_apart,
    without_caches,
)
from workers.expressions import as_text
from workers.services import Written
from workers.strict_yaml import Tagged
from workers.text_files import TextFiles

PATH = re.compile(r"\.gitlab-ci\.ya?ml")
_REFERENCE = "!reference"
_RESERVED = frozenset(
    ("default", "include", "stages", "variables", "workflow", "image", "services", "before_script", "after_script",
     "cache", "types", "spec", "pages:deploy")
)  # fmt: skip
_INHERITED = ("image", "services", "before_script", "after_script", "tags")
_MAX_JOBS, _MAX_CELLS, _MAX_INCLUDES, _MAX_DEPTH, _MAX_RESOLVED = 100, 200, 30, 10, 20_000
_FOREIGN = ("remote", "template", "project", "component")


def jobs(path: str, files: TextFiles) -> tuple[CiJob, ...]:
    """Every job that runs a script, in the file's order. Raises `Unreadable`."""
    notes: list[str] = []
    root = _included(load(files.text(path), (_REFERENCE,)), files, notes)
    names = [name for name, job in root.items() if name not in _RESERVED and isinstance(job, dict)]
    shown = [name for name in names if not name.startswith(".")][:_MAX_JOBS]
    return tuple(job for name in shown for job in _cells(name, root, notes))


def _included(root: Mapped, files: TextFiles, notes: list[str]) -> Mapped:
    """The file over those it includes; what lies elsewhere is noted."""
    seen: set[str] = set()

    def read(raw: Mapped) -> Mapped:
        merged: Mapped = {}
        for entry in listed(raw, "include"):
            for path in _local(entry, files, notes):
                if path not in seen and len(seen) < _MAX_INCLUDES:
                    seen.add(path)
                    merged = _over(merged, read(load(files.text(path), (_REFERENCE,))))
        return _over(merged, raw)

    return read(root)


def _local(entry: object, files: TextFiles, notes: list[str]) -> list[str]:
    raw = entry if isinstance(entry, dict) else {"local": entry}
    name = word(raw, "local").removeprefix("/")
    if not name or "://" in name:
        kind = next((kind for kind in _FOREIGN if kind in raw), "remote")
        notes.append(f"what the config includes from elsewhere ({kind}) is not read")
        return []
    found = sorted(path for path in files.paths if path == name or ("*" in name and fnmatchcase(path, name)))
    if not found:
        notes.append(f"the config includes {name[:100]}, which is not in the repository")
    return found


def _over(base: Mapped, top: Mapped, depth: int = 0) -> Mapped:
    """GitLab's deep merge: mappings are joined, anything else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        joined = isinstance(merged.get(key), dict) and isinstance(value, dict) and depth < _MAX_DEPTH
        merged[key] = _over(section(merged, key), section(top, key), depth + 1) if joined else value
    return merged


def _extended(name: str, root: Mapped, depth: int = 0) -> Mapped:
    """The job over everything it extends, the last named first."""
    job = section(root, name)
    merged: Mapped = {}
    for parent in listed(job, "extends"):
        if depth < _MAX_DEPTH and isinstance(parent, str):
            merged = _over(merged, _extended(parent, root, depth + 1))
    return _over(merged, job)


def _cells(name: str, root: Mapped, shared: list[str]) -> Iterator[CiJob]:
    job = _with_defaults(_extended(name, root), root)
    if "trigger" in job or "script" not in job:
        return
    for cell in _matrix(job):
        shown = f"{name}: [{', '.join(cell.values())}]" if cell else name
        yield _job(shown, name, _resolved(job, root), root, cell, shared)


def _with_defaults(job: Mapped, root: Mapped) -> Mapped:
    """What stands under `default`, or in old files at the root, where the job has no word of its own."""
    inherit = job.get("inherit")
    wanted = inherit.get("default", True) if isinstance(inherit, dict) else True
    named = wanted if isinstance(wanted, list) else _INHERITED if wanted is True else ()
    usual = {**{key: root[key] for key in _INHERITED if key in root}, **section(root, "default")}
    return {**{key: usual[key] for key in _INHERITED if key in usual and key in named}, **job}


def _matrix(job: Mapped) -> Iterator[dict[str, str]]:
    entries = listed(section(job, "parallel"), "matrix")
    found = 0
    for entry in entries:
        axes = entry if isinstance(entry, dict) else {}
        values = [[as_text(item) for item in listed(axes, key)] for key in axes]
        for combination in itertools.islice(itertools.product(*values), _MAX_CELLS - found):
            found += 1
            yield dict(zip(axes, combination, strict=True))
    if not found:
        yield {}


def _resolved(job: Mapped, root: Mapped) -> Mapped:
    """The job with every `!reference [job, key]` replaced by what stands there."""
    left = _MAX_RESOLVED

    def resolve(value: object, depth: int) -> object:
        nonlocal left
        left -= 1
        if left < 0 or depth > 6 * _MAX_DEPTH:
            raise Unreadable("its references have no end")
        if isinstance(value, Tagged):
            return resolve(_at(root, value.value), depth + 1)
        if isinstance(value, list):
            return [resolve(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {key: resolve(item, depth + 1) for key, item in value.items()}
        return value

    needed = (*_INHERITED, "script", "variables", "tags", "needs", "dependencies", "rules", "only", "except",
              "when", "allow_failure", "inherit")  # fmt: skip
    return {key: resolve(job[key], 0) for key in needed if key in job}


def _at(root: Mapped, path: object) -> object:
    value: object = root
    for at, key in enumerate(path if isinstance(path, list) else ()):
        if not isinstance(value, dict):
            return None
        value = _extended(str(key), root) if at == 0 and isinstance(value.get(str(key)), dict) else value.get(str(key))
    return None if value is root else value


def _job(shown: str, name: str, job: Mapped, root: Mapped, cell: Mapping[str, str], shared: list[str]) -> CiJob:
    env = _variables(shown, name, job, root, cell)
    image = _image(job.get("image"), env)
    listed_services = [_service(entry, env) for entry in listed(job, "services")]
    services = tuple(service for service in listed_services if service is not None)
    script, skipped = told_apart(lines(job.get("script")))
    before, steps = phases(name, lines(job.get("before_script")), script, shell_of(image))
    return CiJob(
        name=shown,
        before=before,
        steps=steps,
        env=without_caches(env),
        image=reference(image),
        languages=language_of(image),
        services=services,
        skipped=skipped,
        notes=(*dict.fromkeys(shared), *_notes(job, image)),
        refused=elsewhere(*lines(job.get("tags"))) or needs_docker(service.image for service in services),
        optional=job.get("allow_failure") is True or word(job, "when") == "manual",
    )


def _variables(shown: str, name: str, job: Mapped, root: Mapped, cell: Mapping[str, str]) -> dict[str, str]:
    known = {"CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": WORKSPACE, "CI_JOB_NAME": shown,
             "CI_JOB_STAGE": word(section(root, name), "stage") or "test", "CI_SERVER": "yes"}  # fmt: skip
    inherited = section(job, "inherit").get("variables", True)
    levels = [section(root, "variables") if inherited is not False else {}, section(job, "variables"), cell]
    written = {key: _value(value) for level in levels for key, value in level.items()}
    everything = {**known, **written}
    return {**known, **{key: expand(value, everything) for key, value in written.items()}}


def _value(value: object) -> str:
    if isinstance(value, dict):
        return word(value, "value")
    return "" if isinstance(value, list | Tagged) else as_text(value)


def _image(value: object, env: Mapping[str, str]) -> str:
    name = word(value, "name") if isinstance(value, dict) else value if isinstance(value, str) else ""
    return expand(name, env)


def _service(entry: object, env: Mapping[str, str]) -> Written | None:
    raw = entry if isinstance(entry, dict) else {"name": entry}
    image = expand(word(raw, "name"), env)
    if not image:
        return None
    bare = image.split("@")[0]
    bare = bare.rpartition(":")[0] if ":" in bare.rpartition("/")[2] else bare
    alias = expand(word(raw, "alias"), env).split(",")[0].split(" ")[0]
    own = {key: expand(value, env) for key, value in words(raw.get("variables")).items()}
    return Written(
        name=alias or bare.replace("/", "-"),
        image=image,
        env={**{key: value for key, value in env.items() if "$" not in value}, **own},
        command=" ".join(lines(raw.get("command"))),
        refused=("entrypoint",) if raw.get("entrypoint") else (),
    )


def _notes(job: Mapped, image: str) -> Iterator[str]:
    if job.get("rules") or job.get("only") or job.get("except"):
        yield "its rules are not evaluated: they depend on the event that started the pipeline"
    if image and not reference(image):
        yield f"its image {image[:100]} is named by variables that only GitLab knows"
    if job.get("needs") or job.get("dependencies"):
        yield "files that jobs before it hand on are not made here"
