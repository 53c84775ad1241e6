"""`make bench`: every benchmark in turn, printed as it ends, and kept in RESULTS.md as it was measured here."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict

from benchmarks import bisect, joblog, planning, startup, story, webhook
from benchmarks.results import keep
from workers.bench.machine import describe


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
    searched = bisect.measure()
    read = joblog.measure(joblog.ROUNDS)
    planned = planning.measure()
    if options.json:
        parts = {
            "webhook": asdict(load),
            "story": asdict(told),
            "startup": started,
            "joblog": read,
            "planning": planned,
        }
        print(json.dumps({"machine": machine, **parts, "bisect": [asdict(one) for one in searched]}))
        return
    sections: tuple[tuple[str, Callable[[], str]], ...] = (
        ("Webhook", lambda: webhook.table(load)),
        ("Red event to pull request", lambda: story.table(told)),
        ("Start of the command line", lambda: f"On {machine}\n\n{startup.table(started)}"),
        ("Bisect", lambda: f"On {machine}.\n\n{bisect.table(searched)}"),
        ("A recipe without a log", lambda: f"On {machine}.\n\n{planning.table(planned)}"),
        ("A job's log, from its bytes to its steps", lambda: f"On {machine}\n\n{joblog.table(read)}"),
    )
    for title, table in sections:
        text = table()
        print(f"## {title}\n\n{text}\n")
        keep(title, text)


if __name__ == "__main__":
    main()
