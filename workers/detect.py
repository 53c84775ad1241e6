"""Guesses how a repository is tested from its files alone, when neither a log nor a workflow says it.

Every guess is approximate and says which file it rests on. One rule per kind of file, in the order of `_RULES`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.spec import Step
from workers import toolchains
from workers.ports import SourceTree
from workers.tables import dig, toml
from workers.text_files import TextFiles

_MAKE_TARGET = re.compile(r"^(test|tests|check|lint)\s*:(?!=)", re.MULTILINE)
_MAKEFILES = ("Makefile", "GNUmakefile", "makefile")
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
_NODE_TESTS = ("test", "test:unit", "test:ci", "unit")
_NODE_CHECKS = ("lint", "typecheck", "type-check", "check-types", "tsc", "format:check", "check", "build")
_TASKS = ("test", "tests", "check", "lint")
_UV = """\
python -m pip install uv
uv export --quiet --all-extras --all-groups --no-hashes --locked >"$RUNNER_TEMP/locked.txt"
uv pip install -r "$RUNNER_TEMP/locked.txt\""""
"""What a uv.lock names, into the environment that is active: `uv sync` would make another in the workspace."""
_UNTESTED = re.compile(r"no test specified")
"""npm's own placeholder for a test script."""


@dataclass(frozen=True)
class Detected:
    """A guess: scripts for the set-up in order, the check, the file that led to it. `image` is a language key.

    `more` are other checks of the same kind of file, to be tried while the check is green.
    """

    setup: tuple[str, ...]
    check: str
    because: str
    image: str = "python"
    more: tuple[str, ...] = ()


def detect(tree: SourceTree, language: str = "") -> Detected | None:
    """The first guess that fits, among those for the language where one is given; or None."""
    files = TextFiles(tree)
    guesses = (guess for rule in _RULES if (guess := rule(files)) is not None)
    return next((guess for guess in guesses if language in ("", guess.image)), None)


def python_setup(tree: SourceTree) -> tuple[str, ...]:
    """How the Python packages this repository needs are installed, as far as its files tell."""
    files = TextFiles(tree)
    settings = _pyproject(files)
    if "uv.lock" in files.paths:
        return (_UV,)
    for manager, lock, install in _MANAGERS:
        if lock in files.paths or (manager == "poetry" and manager in _tools(settings)):
            return (f"python -m pip install {manager}\n{install}",)
    setup = [f"python -m pip install -r {path}" for path in _requirements(files.paths)]
    if "setup.py" in files.paths or "project" in settings or "build-system" in settings:
        setup.append(f"python -m pip install -e .{_extras(settings)}")
    if groups := _groups(settings):
        setup.append(f"python -m pip install --quiet --upgrade pip\npython -m pip install {groups}")
    return tuple(setup)


def _tox(files: TextFiles) -> Detected | None:
    if "tox.ini" not in files.paths and "tox.toml" not in files.paths and "tox" not in _tools(_pyproject(files)):
        return None
    return Detected(("python -m pip install tox",), "tox run -e py", "tox's settings")


def _nox(files: TextFiles) -> Detected | None:
    if "noxfile.py" not in files.paths:
        return None
    return Detected(("python -m pip install nox",), "nox", "noxfile.py")


def _python(files: TextFiles) -> Detected | None:
    tests = [path for path in sorted(files.paths) if _TEST_FILE.search(path)]
    if not tests:
        return None
    setup = python_setup(files.tree)
    if "pytest" not in "".join(files.text(path) for path in (*tests[:200], *_CONFIGS)) and _uses_unittest(files, tests):
        return Detected(setup, "python -m unittest discover -v", tests[0])
    return Detected((*setup, "python -m pip install pytest"), "python -m pytest", tests[0])


def _task(files: TextFiles) -> Detected | None:
    """A task of pyproject.toml that tests or checks: of hatch, PDM, Poe the Poet or taskipy."""
    settings = _pyproject(files)
    tools = _tools(settings)
    for tool, place, run in _TASK_RUNNERS:
        tasks = _inside(tools, place)
        name = next((name for name in _TASKS if name in tasks), None)
        if name is not None:
            install = (*python_setup(files.tree), f"python -m pip install {tool}")
            return Detected(install, run.format(name), f"the task '{name}' of pyproject.toml")
    return None


def _linters(files: TextFiles) -> Detected | None:
    """Nothing is tested, but something is configured to be checked."""
    tools = _tools(_pyproject(files))
    ruff = bool({"ruff.toml", ".ruff.toml"} & files.paths) or "ruff" in tools
    mypy = "mypy.ini" in files.paths or "mypy" in tools
    checks = [*(["ruff check ."] if ruff else []), *(["mypy ."] if mypy else [])]
    if not checks:
        return None
    install = f"python -m pip install {' '.join(check.split()[0] for check in checks)}"
    setup = (*python_setup(files.tree), install) if mypy else (install,)
    return Detected(setup, checks[0], f"{checks[0].split()[0]}'s settings", more=tuple(checks[1:]))


def _pre_commit(files: TextFiles) -> Detected | None:
    if ".pre-commit-config.yaml" not in files.paths:
        return None
    return Detected(("python -m pip install pre-commit",), "pre-commit run --all-files", ".pre-commit-config.yaml")


def _make(files: TextFiles) -> Detected | None:
    name = next((name for name in _MAKEFILES if name in files.paths), "")
    text = files.text(name) if name else ""
    targets = {match[1]: None for match in _MAKE_TARGET.finditer(text)}
    target = next((target for target in ("test", "tests", "check", "lint") if target in targets), None)
    if target is None:
        return None
    language = next(iter(toolchains.of_files(files.paths) or toolchains.needed((), [Step(name, text)])), "python")
    setup = _node_setup(files) if language == "node" else python_setup(files.tree)
    return Detected(setup, f"make {target}", name, language)


def _node(files: TextFiles) -> Detected | None:
    package = _package(files)
    scripts = package.get("scripts")
    known = scripts if isinstance(scripts, dict) else {}
    named = [name for name in (*_NODE_TESTS, *_NODE_CHECKS) if isinstance(known.get(name), str) and known[name]]
    named = [name for name in named if not _UNTESTED.search(known[name])]
    if not named:
        return None
    run = f"{_manager(files)} run"
    checks = [f"{_manager(files)} test" if name == "test" else f"{run} {name}" for name in named if name != "build"]
    checks = checks or [f"{run} build"]
    return Detected(_node_setup(files), checks[0], "package.json", "node", tuple(checks[1:]))


def _node_setup(files: TextFiles) -> tuple[str, ...]:
    manager = _manager(files)
    locked = {"npm": "npm ci", "pnpm": "pnpm install --frozen-lockfile", "yarn": "yarn install"}
    has_lock = bool({"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml"} & files.paths)
    if "package.json" not in files.paths:
        return ()
    return (locked[manager] if has_lock or manager == "yarn" else f"{manager} install",)


def _manager(files: TextFiles) -> str:
    """What installs: `packageManager` says it, else the lock file."""
    named = str(_package(files).get("packageManager", "")).partition("@")[0]
    if named in ("npm", "pnpm", "yarn"):
        return named
    return "pnpm" if "pnpm-lock.yaml" in files.paths else "yarn" if "yarn.lock" in files.paths else "npm"


def _go(files: TextFiles) -> Detected | None:
    return Detected((), "go test ./...", "go.mod", "go", ("go vet ./...",)) if "go.mod" in files.paths else None


def _cargo(files: TextFiles) -> Detected | None:
    locked = " --locked" if "Cargo.lock" in files.paths else ""
    if "Cargo.toml" not in files.paths:
        return None
    more = [
        *(["cargo fmt --check"] if {"rustfmt.toml", ".rustfmt.toml"} & files.paths else []),
        *([f"cargo clippy{locked} -- -D warnings"] if {"clippy.toml", ".clippy.toml"} & files.paths else []),
    ]
    return Detected((), f"cargo test{locked}", "Cargo.toml", "rust", tuple(more))


def _java(files: TextFiles) -> Detected | None:
    if "gradlew" in files.paths:
        return Detected((), "./gradlew test", "gradlew", image="java")
    if "pom.xml" not in files.paths:
        return None
    maven = "./mvnw" if "mvnw" in files.paths else "mvn"
    return Detected((), f"{maven} -B test", "pom.xml", image="java")


_RULES: tuple[Callable[[TextFiles], Detected | None], ...] = (
    _python,  # first: asked directly, pytest reports each test, and tox would install everything once more
    _tox,
    _nox,
    _node,
    _make,
    _task,
    _go,
    _cargo,
    _java,
    _pre_commit,
    _linters,
)
_CONFIGS = ("pytest.ini", "setup.cfg", "pyproject.toml", "requirements.txt")
_MANAGERS = (
    ("poetry", "poetry.lock", "poetry install --all-extras"),
    ("pdm", "pdm.lock", "pdm install --dev"),
    ("pipenv", "Pipfile.lock", "pipenv sync --dev"),
)
"""Tools that install a Python project from a lock file of their own, into the environment that is active."""
_TASK_RUNNERS = (
    ("poethepoet", ("poe", "tasks"), "poe {}"),
    ("taskipy", ("taskipy", "tasks"), "task {}"),
    ("hatch", ("hatch", "envs", "default", "scripts"), "hatch run {}"),
    ("pdm", ("pdm", "scripts"), "pdm run {}"),
)


def _uses_unittest(files: TextFiles, tests: Sequence[str]) -> bool:
    return any("unittest" in files.text(path) for path in tests[:50])


def _requirements(paths: frozenset[str]) -> list[str]:
    wanted = re.compile(
        r"^(requirements/)?(dev-|test-)?(requirements|dev|test|tests)([-_.](dev|test|tests))?\.(txt|pip)$"
    )
    return sorted(path for path in paths if wanted.match(path) and ("requirements" in path))


def _package(files: TextFiles) -> Mapping[str, object]:
    try:
        package = json.loads(files.text("package.json") or "{}")
    except (ValueError, RecursionError):
        return {}
    return package if isinstance(package, dict) else {}


def _pyproject(files: TextFiles) -> Mapping[str, object]:
    return toml(files.text("pyproject.toml")) or {}


def _tools(settings: Mapping[str, object]) -> Mapping[str, object]:
    return _inside(settings, ("tool",))


def _inside(settings: Mapping[str, object], place: Sequence[str]) -> Mapping[str, object]:
    """The table at a place; empty when there is none."""
    found = dig(settings, *place)
    return found if isinstance(found, dict) else {}


def _extras(settings: Mapping[str, object]) -> str:
    extras = _inside(settings, ("project", "optional-dependencies"))
    found = [name for name in ("test", "tests", "testing", "dev") if name in extras]
    return f"[{','.join(found)}]" if found else ""


def _groups(settings: Mapping[str, object]) -> str:
    """Dependency groups with what tests need, as pip's options."""
    groups = _inside(settings, ("dependency-groups",))
    return " ".join(f"--group {name}" for name in ("test", "tests", "testing", "dev") if name in groups)
