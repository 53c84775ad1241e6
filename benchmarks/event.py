"""From the red event to the reproduction running, beside the sum of its floors, with mirror and environment warm.

The floors are what the same machine needs for the bare acts: git fetching the commit, git writing its archive, the
engine creating and starting a container without any hardening that prints one line. What comes before, the delivery
and the calls to GitHub, is measured by the other benchmarks.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import keep
from sandbox.environments import DockerSandbox
from sandbox.images.build import resolve
from sandbox.reaper import remove_all
from sandbox.spec import Plan, Result, Step, Tree
from tests.hub.process import Hub
from tests.story.theatre import OWNER
from workers.bench.machine import describe
from workers.domain import Sha
from workers.git.mirror import Mirror
from workers.settings import WorkerSettings
from workers.wiring import make_sandbox

ROUNDS = 15
RATIO, BEYOND_S = 1.2, 1.0
_NOW = Step("now", "date +%s.%N")
_RED_STEP = Step("red", "false")
_TEST = Step("test", "python -m pytest -q test_one.py; test $? = 1")
_INSTALL = Step("install", "python -m pip install -q pytest")
_FILES = {f"src/module_{n}.py": f"VALUE = {n}\n" * 40 for n in range(230)}
_RED = {"test_one.py": "def test_one():\n    assert 1 + 1 == 3\n"}


@dataclass(frozen=True)
class Round:
    """Seconds of one round. `test` is the time of the check's own command within `verdict`."""

    running: float
    fetch: float
    archive: float
    start: float
    verdict: float
    test: float
    kept: float
    """As `running`, in the container that stayed behind after an earlier commit was red."""

    @property
    def floors(self) -> float:
        return self.fetch + self.archive + self.start


def measure(rounds: int = ROUNDS) -> list[Round]:
    """All rounds, after one for warming up."""
    with tempfile.TemporaryDirectory(prefix="heal-bench-") as folder, Hub() as hub, opened() as sandbox:
        made = hub.create_repo(f"{OWNER}/event", files={**_FILES, **_RED})
        bench = _Bench(hub, f"{OWNER}/event", made.clone_url, sandbox, Path(folder))
        bench.warm(made.sha)
        return [bench.round(n) for n in range(rounds)]


@contextmanager
def opened() -> Iterator[DockerSandbox]:
    """A sandbox of its own, of which nothing stays."""
    owner = f"bench-{time.time_ns()}"
    made = make_sandbox(WorkerSettings(sandbox_keep=1), owner)
    assert isinstance(made, DockerSandbox), "measured on one engine"
    try:
        yield made
    finally:
        made.close()
        remove_all(made.engine, owner)
        made.engine.close()


@dataclass
class _Bench:
    """One repository on the double of GitHub; each measured path gets a commit that nobody has seen yet."""

    hub: Hub
    repo: str
    url: str
    sandbox: DockerSandbox
    folder: Path

    def warm(self, sha: str) -> None:
        """The first commit: mirror, bare repository and environments are there afterwards."""
        _run("git", "init", "-q", "--bare", str(self.folder / "bare.git"))
        self._floors(sha)
        self._reproduce(_NOW, sha)
        self._reproduce(_TEST, sha)

    def round(self, n: int) -> Round:
        """Each path once; the floors and ours take turns in going first."""
        sha = self._push(f"{n} running")
        early = self._floors(sha) if n % 2 else None
        asked, result = self._reproduce(_NOW, sha)
        running = float(result.output.text) - asked
        fetch, archive, start = early or self._floors(sha)
        asked, result = self._reproduce(_TEST, self._push(f"{n} verdict"))
        verdict = time.time() - asked
        if [case.status for case in result.tests] != ["failed"]:
            raise SystemExit(f"the one test was not red: {result.output.text[-500:]}")
        return Round(running, fetch, archive, start, verdict, result.wall_s, self._kept(n))

    def _kept(self, n: int) -> float:
        """A commit is red, its run ends, and what stays behind waits; then the next commit comes."""
        tree = self._tree(self._push(f"{n} red"))
        environment = self.sandbox.prepare(Plan("python", (), _NOW), tree)
        environment.run(_RED_STEP, tree)
        self.sandbox.rest()
        while not environment.waiting():
            time.sleep(0.02)
        sha = self._push(f"{n} next")
        asked, result = self._reproduce(_NOW, sha)
        if environment.waiting():
            raise SystemExit("the container that stayed behind was not used")
        return float(result.output.text) - asked

    def _push(self, what: str) -> str:
        return self.hub.push(self.repo, {"README.md": what}, message=f"Round {what}")

    def _reproduce(self, step: Step, sha: str) -> tuple[float, Result]:
        """As the pipeline goes: the commit, its environment, the command. When it began, and what came of it."""
        asked = time.time()
        tree = self._tree(sha)
        setup = () if step is _NOW else (_INSTALL,)
        return asked, self.sandbox.prepare(Plan("python", setup, step), tree).run(step, tree)

    def _tree(self, sha: str) -> Tree:
        return Mirror(self.folder / "mirror", self.url).fetch(Sha(sha)).tar()

    def _floors(self, sha: str) -> tuple[float, float, float]:
        bare = str(self.folder / "bare.git")
        fetch = _run("git", "-C", bare, "fetch", "-q", "--depth=1", "--no-tags", self.url, sha)
        archive = _run("git", "-C", bare, "archive", "--format=tar", "-o", "/dev/null", sha)
        return fetch, archive, self._start()

    def _start(self) -> float:
        """A container as the engine makes it when nobody asks for anything, until its first line is here."""
        client = self.sandbox.engine.client()
        began = time.perf_counter()
        container = client.containers.create(resolve("python"), entrypoint=["date"], network_mode="none")
        try:
            lines = container.attach(stream=True, logs=True)
            container.start()
            next(lines)
            seconds = time.perf_counter() - began
            list(lines)
        finally:
            container.remove(force=True)
        return seconds


def _run(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def table(rounds: list[Round]) -> str:
    """The figures as Markdown."""
    rows = [
        ("event to reproduction running", [one.running for one in rounds]),
        ("the same in a container that stayed behind", [one.kept for one in rounds]),
        ("floor: git fetch", [one.fetch for one in rounds]),
        ("floor: git archive", [one.archive for one in rounds]),
        ("floor: bare container start", [one.start for one in rounds]),
        ("sum of the floors", [one.floors for one in rounds]),
        ("event to the verdict of one test", [one.verdict for one in rounds]),
        ("of it the test's own command", [one.test for one in rounds]),
    ]
    ratio = statistics.median(one.running / one.floors for one in rounds)
    beyond = statistics.median(one.verdict - one.test for one in rounds)
    return "\n".join([
        f"{len(rounds)} rounds, {len(_FILES) + 2} files, cold containers, warm mirror and environment", "",
        "| what | s, median | min | max |", "| --- | --- | --- | --- |",
        *(f"| {name} | {statistics.median(s):.3f} | {min(s):.3f} | {max(s):.3f} |" for name, s in rows), "",
        f"Running after {ratio:.2f}x its floors (bar: {RATIO}x{_held(ratio <= RATIO)}); the verdict {beyond:.2f} s",
        f"beyond the test's own time (bar: {BEYOND_S} s{_held(beyond <= BEYOND_S)}).",
    ])  # fmt: skip


def _held(held: bool) -> str:
    return ", held" if held else ", **not held**"


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.event", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    machine = describe()
    text = table(measure(parser.parse_args().rounds))
    print(text)
    keep("Sandbox: red event to reproduction", f"On {machine}.\n\n{text}")


if __name__ == "__main__":
    main()
