"""`make bench`: every benchmark in turn, printed as it ends, and kept in RESULTS.md as it was measured here."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks import startup, story, webhook
from benchmarks.machine import describe

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# Measured figures

Written by `make bench`; do not edit. The ratios are what counts: both sides of each were measured in the same run.
"""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="load on the webhook")
    parser.add_argument("--rounds", type=int, default=5, help="stories told; the first is the warm-up")
    parser.add_argument("--json", action="store_true", help="print one JSON object, write nothing")
    options = parser.parse_args()
    machine = describe()
    load = webhook.compare(webhook.RATE, options.seconds)
    told = story.measure(options.rounds)
    started = startup.measure(startup.ROUNDS)
    if options.json:
        print(json.dumps({"machine": machine, "webhook": asdict(load), "story": asdict(told), "startup": started}))
        return
    parts: tuple[tuple[str, Callable[[], str]], ...] = (
        ("Webhook", lambda: webhook.table(load)),
        ("Red event to pull request", lambda: story.table(told)),
        ("Start of the command line", lambda: startup.table(started)),
    )
    text = f"{HEAD}\nMachine: {machine}\n" + "".join(f"\n## {title}\n\n{table()}\n" for title, table in parts)
    print(text)
    RESULTS.write_text(text)


if __name__ == "__main__":
    main()
