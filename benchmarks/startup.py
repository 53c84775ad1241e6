"""How long the command line takes to say hello, beside a bare interpreter in the same run."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HEAL = Path(sys.executable).parent / "heal"
ROUNDS = 7
COMMANDS: dict[str, list[str]] = {
    "bare interpreter": [sys.executable, "-c", "pass"],
    "heal --help": [str(HEAL), "--help"],
    "heal fix --help": [str(HEAL), "fix", "--help"],
    "import bot.app": [sys.executable, "-c", "import bot.app"],
}


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds per command, the commands in turn so that all see the same machine."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - started)
    return seconds


def table(seconds: dict[str, list[float]]) -> str:
    """The figures as Markdown."""
    bare = statistics.median(seconds["bare interpreter"])
    lines = ["| command | s, median | min | max | x bare |", "| --- | --- | --- | --- | --- |"]
    for name, values in seconds.items():
        mid = statistics.median(values)
        lines.append(f"| {name} | {mid:.3f} | {min(values):.3f} | {max(values):.3f} | {mid / bare:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seconds = measure(options.rounds)
    print(json.dumps(seconds) if options.json else table(seconds))


if __name__ == "__main__":
    main()
