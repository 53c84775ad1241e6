"""Travis CI: `.travis.yml` as jobs, one for each cell of its matrix, with the commands each language has by default."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.policy import WORKSPACE
from sandbox.spec import Skipped
from workers.ci.document import Mapped, lines, listed, load, section, word, words
from workers.ci.jobs import CiJob, elsewhere, phases, told_apart, without_caches
from workers.expressions import as_text
from workers.services import Written
from workers.text_files import TextFiles

PATH = re.compile(r"\.travis\.ya?ml")
_SHELL = "bash -e {0}"
_MAX_CELLS = 100
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w{0,99})=(.*)", re.DOTALL)
_NOTHING = frozenset({"true", "skip", "ignore"})


@dataclass(frozen=True)
class _Language:
    """`axis` is the key of its versions; the scripts are what Travis runs where the file says nothing."""

    key: str
    axis: str = ""
    install: str = ""
    script: str = ""


_LANGUAGES: Mapping[str, _Language] = {
    "python": _Language("python", "python", "pip install -r requirements.txt"),
    "node_js": _Language("node", "node_js", "npm ci", "npm test"),
    "go": _Language("go", "go", "go mod download", "go test -v ./..."),
    "rust": _Language("rust", "rust", "", "cargo build --verbose\ncargo test --verbose"),
    "java": _Language("java", "jdk", "mvn install -DskipTests=true -Dmaven.javadoc.skip=true -B -V", "mvn test -B"),
    **dict.fromkeys(("generic", "minimal", "bash", "sh", "shell", ""), _Language("")),
    **dict.fromkeys(("c", "cpp", "c++"), _Language("", "compiler", "", "./configure && make && make test")),
}
_SERVICES: Mapping[str, Written] = {
    "postgresql": Written("postgres", "postgres:15", {"POSTGRES_HOST_AUTH_METHOD": "trust"}),
    "mysql": Written("mysql", "mysql:8", {"MYSQL_ALLOW_EMPTY_PASSWORD": "yes"}),
    "mariadb": Written("mariadb", "mariadb:10", {"MARIADB_ALLOW_EMPTY_ROOT_PASSWORD": "yes"}),
    "redis": Written("redis", "redis:7"),
    "redis-server": Written("redis", "redis:7"),
    "memcached": Written("memcached", "memcached:1"),
    "rabbitmq": Written("rabbitmq", "rabbitmq:3"),
    "mongodb": Written("mongodb", "mongo:6"),
}


def jobs(path: str, files: TextFiles) -> tuple[CiJob, ...]:
    """One job per cell of the matrix. Raises `Unreadable`."""
    root = load(files.text(path))
    cells = itertools.islice(_cells(root), _MAX_CELLS)
    return tuple(_job(cell, root, files) for cell in cells)


def _cells(root: Mapped) -> Iterator[Mapped]:
    """The file's settings with one value for each axis, then the jobs it adds by hand over them."""
    more = {**section(root, "matrix"), **section(root, "jobs")}
    language = _language(root)
    axes = [axis for axis in (language.axis if language else "", "os", "arch") if axis and axis in root]
    values = [[as_text(item) for item in listed(root, axis)] for axis in axes]
    excluded = [entry for entry in listed(more, "exclude") if isinstance(entry, dict)]
    allowed = [entry for entry in listed(more, "allow_failures") if isinstance(entry, dict)]
    included = [entry for entry in listed(more, "include") if isinstance(entry, dict)]
    environments = _environments(root)
    expanded = bool(axes or len(environments) > 1 or not included)
    for combination in itertools.product(*values, environments) if expanded else ():
        cell = {**root, **dict(zip(axes, combination[:-1], strict=True)), "env": combination[-1]}
        if not any(_fits(cell, entry) for entry in excluded):
            yield {**cell, "optional": any(_fits(cell, entry) for entry in allowed)}
    first = {axis: column[0] for axis, column in zip(axes, values, strict=True) if column}
    for entry in included:
        cell = {**root, **first, **entry, "env": _flat(entry.get("env"))}
        yield {**cell, "optional": any(_fits(cell, one) for one in allowed)}


def _environments(root: Mapped) -> list[str]:
    """The texts of assignments that make one cell each; what is global stands in every cell."""
    env = root.get("env")
    if isinstance(env, dict):
        chosen = listed(env, "jobs") or listed(env, "matrix")
        return [_flat(item) for item in chosen] or ([""] if "global" in env else [_flat(env)])
    return [_flat(item) for item in listed(root, "env")] or [""]


def _flat(value: object) -> str:
    """Assignments as one text; an encrypted value is nothing."""
    if isinstance(value, dict):
        return " ".join(f"{name}={shlex.quote(text)}" for name, text in words(value).items() if name != "secure")
    if isinstance(value, list):
        return " ".join(filter(None, (_flat(item) for item in value if not isinstance(item, list))))
    return "" if value is None else as_text(value)


def _fits(cell: Mapped, rule: Mapped) -> bool:
    return bool(rule) and all(_flat(cell.get(key)) == _flat(value) for key, value in rule.items())


def _language(cell: Mapped) -> _Language | None:
    return _LANGUAGES.get(word(cell, "language").lower())


def _job(cell: Mapped, root: Mapped, files: TextFiles) -> CiJob:
    language = _language(cell)
    known = language or _Language("")
    version = lines(cell.get(known.axis))[:1] if known.axis else ()
    env, secret = _variables(cell, root)
    name = _name(cell, known, version)
    before = [*_addons(cell), *_phase(cell, "before_install"), *_install(cell, known, files),
              *_phase(cell, "before_script")]  # fmt: skip
    script, skipped = told_apart(_phase(cell, "script") or _default(known, files))
    prepared, steps = phases(name, before, script, _SHELL)
    services, missing = _services(cell)
    notes = [
        "encrypted variables are empty here" if secret else "",
        "its condition is not evaluated" if cell.get("if") else "",
    ]
    return CiJob(
        name=name,
        before=prepared,
        steps=steps,
        env={"TRAVIS": "true", "CONTINUOUS_INTEGRATION": "true", "TRAVIS_OS_NAME": "linux",
             "TRAVIS_BUILD_DIR": WORKSPACE, **_version_variable(known, version), **without_caches(env)},
        languages=(known.key,) if known.key else (),
        versions={known.key: version[0]} if known.key and version else {},
        services=services,
        skipped=(*skipped, *missing),
        notes=tuple(filter(None, notes)),
        refused=_refused(cell, language),
        optional=cell.get("optional") is True,
    )  # fmt: skip


def _refused(cell: Mapped, language: _Language | None) -> str:
    if language is None:
        return f"is written in {word(cell, 'language')[:40]}, for which the sandbox has no image yet"
    return elsewhere(*lines(cell.get("os")), *lines(cell.get("arch")))


def _name(cell: Mapped, language: _Language, version: Sequence[str]) -> str:
    parts = [*(f"{language.axis}: {one}" for one in version), " ".join(_flat(cell.get("env")).split())[:100]]
    return word(cell, "name") or word(cell, "stage") or ", ".join(filter(None, parts)) or "test"


def _variables(cell: Mapped, root: Mapped) -> tuple[dict[str, str], bool]:
    """The job's variables, and whether some of the file's are encrypted."""
    raw = section(root, "env").get("global")
    found: dict[str, str] = {}
    for part in _split(f"{_flat(raw)} {_flat(cell.get('env'))}"):
        if match := _ASSIGNMENT.fullmatch(part):
            found[match[1]] = match[2]
    secret = any(isinstance(item, dict) and "secure" in item for item in (raw if isinstance(raw, list) else [raw]))
    return found, secret


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _version_variable(language: _Language, version: Sequence[str]) -> dict[str, str]:
    names = {"python": "TRAVIS_PYTHON_VERSION", "node": "TRAVIS_NODE_VERSION", "go": "TRAVIS_GO_VERSION",
             "rust": "TRAVIS_RUST_VERSION", "java": "TRAVIS_JDK_VERSION"}  # fmt: skip
    return {names[language.key]: version[0]} if version and language.key in names else {}


def _phase(cell: Mapped, key: str) -> tuple[str, ...]:
    found = lines(cell.get(key))
    return () if len(found) == 1 and found[0] in _NOTHING and key != "script" else found


def _install(cell: Mapped, language: _Language, files: TextFiles) -> tuple[str, ...]:
    if "install" in cell:
        return _phase(cell, "install")
    if language.key == "python" and "requirements.txt" not in files.paths:
        return ()
    if language.key == "node":
        return (_node_install(files),)
    if language.key == "java" and {"build.gradle", "build.gradle.kts"} & files.paths:
        return ("./gradlew assemble" if "gradlew" in files.paths else "gradle assemble",)
    if language.key == "go" and "go.mod" not in files.paths:
        return ()
    return tuple(filter(None, language.install.split("\n")))


def _node_install(files: TextFiles) -> str:
    if "yarn.lock" in files.paths:
        return "yarn install --frozen-lockfile"
    return "npm ci" if {"package-lock.json", "npm-shrinkwrap.json"} & files.paths else "npm install"


def _default(language: _Language, files: TextFiles) -> tuple[str, ...]:
    if language.key == "node" and "yarn.lock" in files.paths:
        return ("yarn test",)
    if language.key == "go" and {"Makefile", "GNUmakefile", "makefile"} & files.paths:
        return ("make",)
    if language.key == "java" and {"build.gradle", "build.gradle.kts"} & files.paths:
        return ("./gradlew check" if "gradlew" in files.paths else "gradle check",)
    return tuple(filter(None, language.script.split("\n")))


def _addons(cell: Mapped) -> tuple[str, ...]:
    """What the job gets from Debian's archive."""
    apt = section(cell, "addons").get("apt")
    packages = lines(apt.get("packages")) if isinstance(apt, dict) else lines(apt)
    if not packages:
        return ()
    return (f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {shlex.join(packages)}",)


def _services(cell: Mapped) -> tuple[tuple[Written, ...], tuple[Skipped, ...]]:
    names = tuple(dict.fromkeys(lines(cell.get("services"))))
    unknown = [name for name in names if name not in _SERVICES]
    found = {_SERVICES[name].name: _SERVICES[name] for name in names if name in _SERVICES}
    skipped = tuple(Skipped(name[:60], "a service that is not started here", weakens_proof=True) for name in unknown)
    return tuple(found.values()), skipped
