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


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seconds = measure(options.rounds)
    bare = statistics.median(seconds["bare interpreter"])
    rows = [(name, statistics.median(values), min(values), max(values)) for name, values in seconds.items()]
    if options.json:
        print(json.dumps({name: {"median": mid, "min": low, "max": high} for name, mid, low, high in rows}))
        return
    print(f"{'command':<20}{'median s':>10}{'min':>8}{'max':>8}{'x bare':>8}")
    for name, mid, low, high in rows:
        print(f"{name:<20}{mid:>10.3f}{low:>8.3f}{high:>8.3f}{mid / bare:>8.1f}")


if __name__ == "__main__":
    main()
