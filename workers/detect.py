"""Guesses how a repository is tested from its files alone, when neither a log nor a workflow says it.

Every guess is approximate and says which file it rests on.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.spec import Step
from workers import toolchains
from workers.ports import SourceTree

_MAKE_TARGET = re.compile(r"^(test|tests|check|lint)\s*:(?!=)", re.MULTILINE)
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")


@dataclass(frozen=True)
class Detected:
    """A guess: scripts for the set-up in order, the check, the file that led to it. `image` is a language key."""

    setup: tuple[str, ...]
    check: str
    because: str
    image: str = "python"


@dataclass(frozen=True)
class _Files:
    tree: SourceTree
    paths: frozenset[str]

    def text(self, path: str) -> str:
        return (self.tree.read(path) or b"").decode(errors="replace")


def detect(tree: SourceTree, language: str = "") -> Detected | None:
    """The first guess that fits, among those for the language where one is given; or None."""
    files = _Files(tree, frozenset(tree.paths()))
    guesses = (guess for rule in _RULES if (guess := rule(files)) is not None)
    return next((guess for guess in guesses if language in ("", guess.image)), None)


def python_setup(tree: SourceTree) -> tuple[str, ...]:
    """How the Python packages this repository needs are installed, as far as its files tell."""
    paths = frozenset(tree.paths())
    files = _Files(tree, paths)
    setup = [f"python -m pip install -r {path}" for path in _requirements(paths)]
    if "setup.py" in paths or _buildable(files):
        setup.append(f"python -m pip install -e .{_extras(files)}")
    return tuple(setup)


def _tox(files: _Files) -> Detected | None:
    if "tox.ini" not in files.paths and "[tool.tox" not in files.text("pyproject.toml"):
        return None
    return Detected(("python -m pip install tox\ntox run --notest -e py",), "tox run -e py", "tox.ini")


def _nox(files: _Files) -> Detected | None:
    if "noxfile.py" not in files.paths:
        return None
    return Detected(("python -m pip install nox\nnox --install-only",), "nox", "noxfile.py")


def _python(files: _Files) -> Detected | None:
    tests = [path for path in sorted(files.paths) if _TEST_FILE.search(path)]
    if not tests:
        return None
    setup = python_setup(files.tree)
    if "pytest" not in "".join(files.text(path) for path in (*tests[:200], *_CONFIGS)) and _uses_unittest(files, tests):
        return Detected(setup, "python -m unittest discover -v", tests[0])
    return Detected((*setup, "python -m pip install pytest"), "python -m pytest", tests[0])


def _ruff(files: _Files) -> Detected | None:
    if {"ruff.toml", ".ruff.toml"} & files.paths or "[tool.ruff" in files.text("pyproject.toml"):
        return Detected(("python -m pip install ruff",), "ruff check .", "ruff's settings")
    return None


def _pre_commit(files: _Files) -> Detected | None:
    if ".pre-commit-config.yaml" not in files.paths:
        return None
    setup = "python -m pip install pre-commit\npre-commit install-hooks"
    return Detected((setup,), "pre-commit run --all-files", ".pre-commit-config.yaml")


def _make(files: _Files) -> Detected | None:
    match = _MAKE_TARGET.search(files.text("Makefile"))
    if match is None:
        return None
    calls = Step("Makefile", files.text("Makefile"))
    language = next(iter(toolchains.of_files(files.paths) or toolchains.needed((), [calls])), "python")
    return Detected(python_setup(files.tree), f"make {match[1]}", "Makefile", language)


def _node(files: _Files) -> Detected | None:
    try:
        package = json.loads(files.text("package.json") or "{}")
    except ValueError:
        return None
    scripts = package.get("scripts") if isinstance(package, dict) else None
    if not isinstance(scripts, dict) or not scripts.get("test"):
        return None
    manager = "pnpm" if "pnpm-lock.yaml" in files.paths else "yarn" if "yarn.lock" in files.paths else "npm"
    install = "npm ci" if "package-lock.json" in files.paths and manager == "npm" else f"{manager} install"
    return Detected((install,), f"{manager} test", "package.json", image="node")


def _go(files: _Files) -> Detected | None:
    return Detected((), "go test ./...", "go.mod", image="go") if "go.mod" in files.paths else None


def _cargo(files: _Files) -> Detected | None:
    locked = " --locked" if "Cargo.lock" in files.paths else ""
    if "Cargo.toml" not in files.paths:
        return None
    return Detected((), f"cargo test{locked}", "Cargo.toml", image="rust")


def _java(files: _Files) -> Detected | None:
    if "gradlew" in files.paths:
        return Detected((), "./gradlew test", "gradlew", image="java")
    if "pom.xml" not in files.paths:
        return None
    maven = "./mvnw" if "mvnw" in files.paths else "mvn"
    return Detected((), f"{maven} -B test", "pom.xml", image="java")


_RULES: tuple[Callable[[_Files], Detected | None], ...] = (
    _python,  # first: asked directly, pytest reports each test, and tox would install everything once more
    _tox,
    _nox,
    _node,
    _make,
    _go,
    _cargo,
    _java,
    _pre_commit,
    _ruff,
)
_CONFIGS = ("pytest.ini", "setup.cfg", "pyproject.toml", "requirements.txt")


def _uses_unittest(files: _Files, tests: Sequence[str]) -> bool:
    return any("unittest" in files.text(path) for path in tests[:50])


def _requirements(paths: frozenset[str]) -> list[str]:
    wanted = re.compile(
        r"^(requirements/)?(dev-|test-)?(requirements|dev|test|tests)([-_.](dev|test|tests))?\.(txt|pip)$"
    )
    return sorted(path for path in paths if wanted.match(path) and ("requirements" in path))


def _pyproject(files: _Files) -> dict[str, object]:
    try:
        return tomllib.loads(files.text("pyproject.toml"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _buildable(files: _Files) -> bool:
    settings = _pyproject(files)
    return "project" in settings or "build-system" in settings


def _extras(files: _Files) -> str:
    project = _pyproject(files).get("project")
    extras = project.get("optional-dependencies") if isinstance(project, dict) else None
    found = [name for name in ("test", "tests", "testing", "dev") if isinstance(extras, dict) and name in extras]
    return f"[{','.join(found)}]" if found else ""
