"""`make bench-sandbox`: what the sandbox adds to what it runs, against floors measured in the same rounds.

A row is two series of seconds, taken in turn so that both see the same machine, and the bar that their medians have to
keep. Every row is a function that is given the bench and the number of rounds; `ROWS` names them in their order.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from benchmarks.results import keep
from sandbox import policy
from sandbox.admission import Ticket
from sandbox.checks import DockerEnvironment
from sandbox.environments import DockerSandbox
from sandbox.race import CORES, race
from sandbox.reaper import remove_containers
from sandbox.slots import Command, Slot
from sandbox.spec import Limits, Plan, Result, Step, Tree
from sandbox.trees import streamed
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from tests.sandbox.trees import ADDER, FIX, tree
from workers.bench.machine import describe

LIMITS = Limits(wall_s=120, memory=512 << 20)
TIMED = "began=$EPOCHREALTIME\n{command}\nended=$EPOCHREALTIME\necho TIMED $began $ended\n"
SUITE = "python -m pytest -q -p no:cacheprovider"
CANDIDATES = 8
BURN_S = 2.0
SETTLE_S = 0.3
"""What was destroyed in the background must not run into the next figure."""


@dataclass(frozen=True)
class Row:
    """`ours` and `floor` in seconds, round by round. `bar` says what has to hold, `held` whether it does."""

    what: str
    ours: Sequence[float]
    against: str
    floor: Sequence[float]
    bar: str
    held: bool

    def line(self) -> str:
        ours, floor = statistics.median(self.ours), statistics.median(self.floor)
        figures = (f"{ours * 1000:.0f}", f"{min(self.ours) * 1000:.0f}", self.against, f"{floor * 1000:.0f}",
                   f"{difference(self.ours, self.floor) * 1000:+.0f}", f"{ours / floor:.2f}")  # fmt: skip
        return " | ".join((f"| {self.what}", *figures, self.bar, "yes" if self.held else "**no**")) + " |"


def difference(ours: Sequence[float], floor: Sequence[float]) -> float:
    """Median of what each round of ours took longer than its floor."""
    return statistics.median(one - other for one, other in zip(ours, floor, strict=True))


def ratio(ours: Sequence[float], floor: Sequence[float]) -> float:
    """Of the medians."""
    return statistics.median(ours) / statistics.median(floor)


@dataclass(frozen=True)
class Bench:
    """A sandbox with an environment that has pytest."""

    sandbox: DockerSandbox
    environment: DockerEnvironment

    def run(self, command: str = SUITE, files: Tree = tree(ADDER), patch: bytes | None = FIX) -> tuple[float, float]:  # noqa: B008
        """Seconds from the patch to the verdict, and those of the command itself."""
        step = Step("bench", TIMED.format(command=command))
        started = time.perf_counter()
        result = self.environment.run(step, files, patch, LIMITS)
        return time.perf_counter() - started, inner(result.output.text)

    def waiting(self) -> None:
        """Have one container wait, and nothing else going on."""
        self.environment.warm(tree(ADDER), 1, LIMITS)
        deadline = time.monotonic() + 60
        while not self.environment.waiting(tree(ADDER), LIMITS):
            if time.monotonic() > deadline:
                raise SystemExit("no container could be started ahead of need")
            time.sleep(0.01)
        time.sleep(SETTLE_S)

    def with_settings(self, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> float:
        """Seconds from nothing to the verdict in a container whose settings were changed."""
        engine, key = self.sandbox.engine, self.environment.key
        marker = engine.volume(f"heal-env-{key}")
        volume = marker.labels["heal.volume"] if marker else ""
        labels = policy.Labels(self.sandbox.owner, "bench", "check", key, time.time() + 600)
        env = policy.check_environment()
        settings = change(policy.check_container(self.environment.image, volume, env, LIMITS, labels))
        time.sleep(SETTLE_S)
        command = Command(b"cd /ws && " + SUITE.encode(), FIX)
        started = time.perf_counter()
        slot = Slot.begin(engine, settings, streamed(tree(ADDER)), LIMITS, ticket=Ticket(0))
        try:
            ended = slot.run(command, LIMITS, None)
            seconds = time.perf_counter() - started
        finally:
            slot.discard()
        if b"HEAL-END rc=0" not in ended.stdout:
            raise SystemExit(f"the sample is not green: {ended.stderr.output().text}")
        return seconds


def inner(text: str) -> float:
    """The seconds that the command measured itself."""
    began, ended = re.findall(r"^TIMED (\S+) (\S+)$", text, re.MULTILINE)[-1]
    return float(ended) - float(began)


def patch_to_verdict(bench: Bench, rounds: int) -> Iterator[Row]:
    """A waiting container, a cold one, and the test process alone as each of the two measured it."""
    waiting, cold = [], []
    for _ in range(rounds):
        bench.waiting()
        waiting.append(bench.run())
        time.sleep(SETTLE_S)
        cold.append(bench.run())
        time.sleep(SETTLE_S)
    for what, pairs, most in (("waiting", waiting, 0.03), ("cold", cold, 0.45)):
        ours, floor = zip(*pairs, strict=True)
        held = difference(ours, floor) <= most
        yield Row(
            f"patch to verdict, {what} container", ours, "its test process", floor, f"+{most * 1000:.0f} ms", held
        )


def hardening(bench: Bench, rounds: int) -> Iterator[Row]:
    """The same cold run under all flags and under none, without network both."""
    bare = {
        "image",
        "environment",
        "entrypoint",
        "working_dir",
        "stdin_open",
        "tty",
        "mounts",
        "labels",
        "network_mode",
    }

    def unhardened(settings: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in settings.items() if name in bare}

    ours, floor = in_turn(rounds, lambda: bench.with_settings(dict), lambda: bench.with_settings(unhardened))
    yield Row("cold run, hardened", ours, "unhardened", floor, "x 1.05", ratio(ours, floor) <= 1.05)


def network(bench: Bench, rounds: int) -> Iterator[Row]:
    """The same hardened cold run without a network and on the engine's bridge."""

    def bridged(settings: Mapping[str, Any]) -> dict[str, Any]:
        return {**settings, "network_mode": policy.OPEN}

    ours, floor = in_turn(rounds, lambda: bench.with_settings(dict), lambda: bench.with_settings(bridged))
    yield Row("cold run, no network", ours, "bridge", floor, "x 1.05", ratio(ours, floor) <= 1.05)


def many_candidates(bench: Bench, rounds: int) -> Iterator[Row]:
    """Eight candidates, none of them a winner, and the same processes on this host, as many at a time."""
    burn = f"import time\n\n\ndef test_burn():\n    while time.process_time() < {BURN_S}: pass\n"
    files = {**ADDER, "test_burn.py": burn}
    held, step = tree(files, sha="b" * 40), Step("bench", SUITE)
    at_once = min(2, CORES)

    def checked(patch: bytes, ended: Event) -> Result:
        return bench.environment.run(step, held, patch, LIMITS, cancel=ended)

    def sandboxed() -> float:
        time.sleep(SETTLE_S)
        started = time.perf_counter()
        bench.environment.warm(held, CANDIDATES, LIMITS)
        results = race([FIX] * CANDIDATES, checked, at_once=at_once)
        seconds = time.perf_counter() - started
        if not all(result and result.green for result in results):
            raise SystemExit("the sample is not green")
        return seconds

    with tempfile.TemporaryDirectory(prefix="heal-bench-") as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text.replace("a - b", "a + b"))
        command = [sys.executable, *SUITE.split()[1:]]

        def on_host(_: int) -> None:
            subprocess.run(command, cwd=folder, check=True, capture_output=True)

        def bare() -> float:
            started = time.perf_counter()
            with ThreadPoolExecutor(at_once) as pool:
                list(pool.map(on_host, range(CANDIDATES)))
            return time.perf_counter() - started

        ours, floor = in_turn(rounds, sandboxed, bare)
    what = f"{CANDIDATES} candidates, {at_once} at a time, {BURN_S:g} s of processor time each"
    yield Row(what, ours, "bare host", floor, "x 1.15", ratio(ours, floor) <= 1.15)


def in_turn(rounds: int, *measures: Callable[[], float]) -> list[list[float]]:
    """Each measure once per round, after one round that does not count."""
    seconds = [[measure() for measure in measures] for _ in range(rounds + 1)][1:]
    return [list(series) for series in zip(*seconds, strict=True)]


Rows = Callable[[Bench, int], Iterator[Row]]
ROWS: dict[str, Rows] = {
    "patch": patch_to_verdict,
    "hardening": hardening,
    "network": network,
    "candidates": many_candidates,
}


@contextmanager
def opened() -> Iterator[Bench]:
    """A bench whose containers are gone afterwards; its environment stays for the next time."""
    owner = f"bench/{uuid.uuid4().hex[:12]}"
    sandbox = DockerSandbox(None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    install = Step("install", "python -m pip install -q pytest pytest-xdist")
    try:
        yield Bench(sandbox, sandbox.prepare(Plan("python", (install,), Step("check", SUITE)), tree(ADDER)))
    finally:
        sandbox.close()
        remove_containers(sandbox.engine, owner)
        sandbox.engine.close()


def table(rows: Sequence[Row], rounds: int, machine: str) -> str:
    """The rows as Markdown."""
    lines = [
        f"{rounds} rounds, both sides of a row in turn, on {machine}. Times are medians in ms.",
        "",
        "| what | ms | min | against | ms | difference | ratio | bar | held |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(row.line() for row in rows),
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and keep the table when every row was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox", description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(ROWS)}; all when none is named")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print one JSON object per row, write nothing")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"no such rows: {', '.join(sorted(unknown))}")
    machine = describe()
    rows: list[Row] = []
    with opened() as bench:
        for name in options.rows or ROWS:
            for row in ROWS[name](bench, options.rounds):
                rows.append(row)
                print(json.dumps(vars(row)) if options.json else row.line(), flush=True)
    if not options.rows and not options.json:
        keep("Sandbox", table(rows, options.rounds, machine))


if __name__ == "__main__":
    main()
