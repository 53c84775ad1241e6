"""A changed lock file with a warm package cache: the environment made in the sandbox beside the tool's own work here.

The host does the same to the same lock with a warm cache of its own. Both uv figures are given, because uv compiles
nothing unless it is told to and an environment that nobody may write to has to be compiled. `prepare` is everything:
containers, the cache lent and taken back, compiling, freezing; `cached` is what a check pays when nothing changed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.event import opened
from benchmarks.results import keep
from sandbox.environments import DockerSandbox
from sandbox.spec import Plan, Step
from tests.workers.fixers.trees import MemoryTree
from workers.bench.machine import describe

ROUNDS = 5
UV = Path(__file__).resolve().parents[1] / ".tools" / "bin" / "uv"
_PROJECT = """[project]
name = "bench"
version = "0"
requires-python = ">=3.11"
dependencies = ["flask", "django", "requests", "sqlalchemy", "pydantic", "pytest", "hypothesis", "rich", "black",
                "mypy", "celery", "httpx", "jinja2", "markdown", "pillow", "{changed}"]
[tool.uv]
package = false
"""
_CHANGED = ("idna==3.10", "idna==3.9")
_PACKAGE = """{{"name": "bench", "version": "0.0.0",
 "dependencies": {{"jest": "29.7.0", "eslint": "8.57.1", "ms": "{changed}"}}}}
"""
_VERSIONS = ("2.1.3", "2.1.2")


@dataclass
class Figures:
    """Seconds per round of each series."""

    prepare: list[float] = field(default_factory=list)
    cached: list[float] = field(default_factory=list)
    host: list[float] = field(default_factory=list)
    compiled: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Tool:
    """A package manager: its image, the set-up script, the locked projects in turn, and its commands on the host."""

    name: str
    image: str
    script: str
    projects: tuple[dict[str, str], ...]
    host: tuple[str, ...]
    compiled: tuple[str, ...] = ()
    clean: str = ""


def measure(rounds: int = ROUNDS) -> dict[str, Figures]:
    """Each tool's rounds after two that fill the caches of both sides."""
    with tempfile.TemporaryDirectory(prefix="heal-bench-") as folder, opened() as sandbox:
        found = {}
        for tool in (_uv(Path(folder)), _npm(Path(folder))):
            figures = Figures()
            for n in range(rounds + 2):
                _round(sandbox, tool, Path(folder), n, figures if n >= 2 else Figures())
            found[tool.name] = figures
        return found


def _round(sandbox: DockerSandbox, tool: Tool, folder: Path, n: int, figures: Figures) -> None:
    files = tool.projects[n % len(tool.projects)]
    place = folder / f"{tool.name}-host"
    _write(place, files)
    for command, seconds in ((tool.host, figures.host), (tool.compiled, figures.compiled)):
        if command:
            subprocess.run(["rm", "-rf", str(place / tool.clean)], check=True)
            seconds.append(_timed(lambda command=command: _run(command, place)))  # type: ignore[misc]
    tree = MemoryTree({**files, "round": str(n)}).tar()
    plan = Plan(
        tool.image, (Step("set up", f"{tool.script}\n# {n}"),), Step("check", "true"), trust=f"bench:{tool.name}"
    )
    figures.prepare.append(_timed(lambda: sandbox.prepare(plan, tree)))
    figures.cached.append(_timed(lambda: sandbox.prepare(plan, tree)))


def _uv(folder: Path) -> Tool:
    projects = []
    for changed in _CHANGED:
        project = {"pyproject.toml": _PROJECT.format(changed=changed)}
        place = folder / changed
        _write(place, project)
        _run((str(UV), "lock", "-q"), place)
        projects.append({**project, "uv.lock": (place / "uv.lock").read_text()})
    script = (
        f"python -m pip install -q uv=={_run((str(UV), '--version'), folder).split()[1]}\nuv sync -q --frozen --active"
    )
    sync = (str(UV), "sync", "-q", "--frozen", "--python", "3.11")
    return Tool("uv", "python", script, tuple(projects), sync, (*sync, "--compile-bytecode"), ".venv")


def _npm(folder: Path) -> Tool:
    projects = []
    for changed in _VERSIONS:
        project = {"package.json": _PACKAGE.format(changed=changed)}
        place = folder / changed
        _write(place, project)
        _run(("npm", "install", "--silent", "--package-lock-only"), place)
        projects.append({**project, "package-lock.json": (place / "package-lock.json").read_text()})
    return Tool("npm", "node", "npm ci --silent", tuple(projects), ("npm", "ci", "--silent"), clean="node_modules")


def _write(place: Path, files: dict[str, str]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (place / name).write_text(text)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _run(command: tuple[str, ...], place: Path) -> str:
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {(done.stderr or done.stdout)[-800:]}")
    return done.stdout


def table(found: dict[str, Figures]) -> str:
    """The figures as Markdown."""
    lines = [
        f"{len(next(iter(found.values())).prepare)} rounds, another lock in every round, all packages in the caches.",
        "",
        "| tool | environment made, s | on the host, s | ratio | on the host, compiled, s | ratio | found again, s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, one in found.items():
        made, host, cached = (statistics.median(series) for series in (one.prepare, one.host, one.cached))
        compiled = statistics.median(one.compiled) if one.compiled else None
        more = f"{compiled:.2f} | {made / compiled:.2f}" if compiled else "- | -"
        lines.append(f"| {name} | {made:.2f} | {host:.2f} | {made / host:.2f} | {more} | {cached:.3f} |")
    return "\n".join([*lines, "", "The bars are 1.5 for the ratio and 0.1 s for an environment that is found again."])


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox_caches", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    machine = describe()
    text = table(measure(parser.parse_args().rounds))
    print(text)
    keep("Sandbox: package caches", f"On {machine}.\n\n{text}")


if __name__ == "__main__":
    main()
