"""How long a job's log takes from its bytes to its steps, and what memory it takes, beside a bare loop over its lines.

Each figure is taken in a process of its own, so that its peak of memory is its own; the two kinds take turns.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

SIZES_MB = (50, 200)
ROUNDS = 5
_STAMP = "2026-11-20T10:00:01.1234567Z "
_CHUNK = 64 << 10


def job(size: int) -> Iterator[bytes]:
    """The log of a Python job of about so many bytes, in chunks as a socket gives them: a set-up that installs, noisy
    steps that pass, and a test run that fails at its end."""
    yield _block("Current runner version: '2.329.0'", "##[group]Runner Image", "Image: ubuntu-24.04", "##[endgroup]")
    installing = [f"Collecting package{at}>=1 (from shop==0.1)" for at in range(500)]
    yield _step(
        "pip install -e .", *installing, "Successfully installed " + " ".join(f"p{at}-1.{at}" for at in range(300))
    )
    for name in ("make build", "make docs"):
        yield _step(name)
        yield from _noise(size // 10)
    yield _step("pytest -v")
    yield from _noise(size * 8 // 10)
    yield _block("FAILED tests/test_a.py::test_a - assert 1 == 2", "##[error]Process completed with exit code 1.")
    yield _block("Post job cleanup.", "Cleaning up orphan processes")


def _block(*lines: str) -> bytes:
    return "".join(f"{_STAMP}{line}\n" for line in lines).encode()


def _step(script: str, *output: str) -> bytes:
    shell = "shell: /usr/bin/bash --noprofile --norc -e -o pipefail {0}"
    return _block(f"##[group]Run {script}", f"\x1b[36;1m{script}\x1b[0m", shell, "##[endgroup]", *output)


def _noise(size: int) -> Iterator[bytes]:
    lines = [f"tests/test_{at:04}.py::test_adds \x1b[32mPASSED\x1b[0m    [{at % 100:3}%]" for at in range(1000)]
    block = _block("##[group]tests", *lines, "##[endgroup]", "##[warning]a deprecated thing was used")
    chunks = [block[at : at + _CHUNK] for at in range(0, len(block), _CHUNK)]
    for _ in range(size // len(block)):
        yield from chunks


def _read(size: int) -> None:
    from workers import logs

    log = logs.read(job(size))
    assert log.failed is not None
    assert log.failed.exit_code == 1
    assert len(log.steps) == 4


def _floor(size: int) -> None:
    lines, rest = 0, b""
    for chunk in job(size):
        *whole, rest = (rest + chunk).split(b"\n")
        for _ in whole:
            lines += 1
    assert lines > 1000


_KINDS: dict[str, Callable[[int], None]] = {"read": _read, "floor": _floor}


def once(kind: str, megabytes: int) -> dict[str, float]:
    """Seconds, and MiB of memory that came on top, of one run in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.joblog", "--once", kind, "--mb", str(megabytes)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(answer)
    return found


def _once(kind: str, megabytes: int) -> dict[str, float]:
    _KINDS[kind](1 << 20)  # imports, compiled patterns
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    _KINDS[kind](megabytes << 20)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def measure(rounds: int) -> dict[str, list[dict[str, float]]]:
    """The runs of each kind and size: "read 50", "floor 50", ..."""
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for megabytes in SIZES_MB:
            for kind in _KINDS:
                runs.setdefault(f"{kind} {megabytes}", []).append(once(kind, megabytes))
    return runs


def table(runs: dict[str, list[dict[str, float]]]) -> str:
    """The figures as Markdown."""
    lines = [
        "| log | s, median | min | max | MB/s | a bare loop over its lines, s | ratio | memory on top, MiB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for megabytes in SIZES_MB:
        seconds = [run["seconds"] for run in runs[f"read {megabytes}"]]
        mid = statistics.median(seconds)
        floor = statistics.median(run["seconds"] for run in runs[f"floor {megabytes}"])
        memory = max(run["mib"] for run in runs[f"read {megabytes}"])
        lines.append(
            f"| {megabytes} MB | {mid:.2f} | {min(seconds):.2f} | {max(seconds):.2f} | {megabytes / mid:.0f} "
            f"| {floor:.2f} | {mid / floor:.1f} | {memory:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--once", choices=tuple(_KINDS), help="one run of one kind, in this process")
    parser.add_argument("--mb", type=int, default=SIZES_MB[0])
    options = parser.parse_args()
    if options.once:
        print(json.dumps(_once(options.once, options.mb)))
        return
    runs = measure(options.rounds)
    print(json.dumps(runs) if options.json else table(runs))


if __name__ == "__main__":
    main()
