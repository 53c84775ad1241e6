"""`python -m tests.chaos`: the whole suite, its counts, and the seed that repeats it.

Exit code 1 when anything is lost, done twice or left behind, and when the worker without a ledger loses nothing.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from tests.chaos.acts import KILLS
from tests.chaos.audit import shortly
from tests.chaos.suite import OF, RUNS, Outcome, halves, naive, play

LEAST = {"runs": 500, "kills": 100, "flushes": 20, "restarts": 10}
"""What the whole suite has to have done, to count as such."""


def report(outcomes: Sequence[Outcome]) -> str:
    """The counts as Markdown."""
    done: Counter[str] = Counter()
    for one in outcomes:
        done.update(one.done)
    kills = sum(count for name, count in done.items() if name in KILLS)
    lines = [
        f"Kills: {kills}. Faults: " + ", ".join(f"{name} {count}" for name, count in sorted(done.items())) + ".",
        "",
    ]
    lines += [
        "| database | deliveries accepted | runs due | ended | claims | lost | twice | left | resumed after | seconds |"
    ]
    lines += ["| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *map(_line, outcomes)])


def _line(one: Outcome) -> str:
    found = one.audit
    name = one.half.database + (", no ledger" if one.half.naive else "")
    ended = ", ".join(f"{outcome} {count}" for outcome, count in sorted(found.outcomes.items()))
    counts = [found.accepted, found.due, ended, found.claims, len(found.lost), len(found.twice), len(found.left)]
    return f"| {name} | {' | '.join(map(str, counts))} | {shortly(found.resumed)} | {one.seconds:.0f} |"


def too_little(outcomes: Sequence[Outcome]) -> list[str]:
    """What the suite has done less of than it promises."""
    done = sum((Counter(one.done) for one in outcomes if not one.half.naive), Counter[str]())
    reached = {
        "runs": sum(one.audit.due for one in outcomes if not one.half.naive),
        "kills": sum(count for name, count in done.items() if name in KILLS),
        "flushes": done["flush"],
        "restarts": done["redis restart"] + done["database restart"],
    }
    return [f"only {reached[name]} {name}, not {least}" for name, least in LEAST.items() if reached[name] < least]


def main() -> int:
    """Play, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="0: draw one")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--database", choices=[*OF, "both"], default="both")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="say each fault when it is over")
    options = parser.parse_args()
    seed = options.seed or secrets.randbelow(1_000_000) + 1
    _say(f"seed {seed}: make chaos SEED={seed} DATABASE={options.database}")
    databases = [*OF] if options.database == "both" else [options.database]
    say = _say if options.verbose else lambda _: None
    outcomes = []
    for half in [*halves(seed, options.runs, databases), naive(seed)]:
        outcomes.append(play(half, say))
        if not options.json:  # a later one may not come to its end
            _say(report(outcomes[-1:]))
    if options.json:
        _say(json.dumps([asdict(one) for one in outcomes], indent=1))
    wrong = [f"{one.half.database}: {what}" for one in outcomes if not one.half.naive for what in one.audit.wrong]
    if not outcomes[-1].audit.lost:
        wrong.append("the worker without a ledger lost nothing: the faults were too few to show anything")
    if options.database == "both" and options.runs >= RUNS:
        wrong += too_little(outcomes)
    _say("\n".join(wrong) or "nothing lost, nothing done twice, nothing left behind")
    return int(bool(wrong))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what the suite is run for


if __name__ == "__main__":
    sys.exit(main())
