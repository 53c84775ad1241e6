"""Which files and lines to suspect: the traced tests and the changed lines, beside what the failure itself points at.

All of it is a clue. Where the tests cannot be traced, the other reasons stay.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Event

from workers import clue, spectrum
from workers.diagnosis import places
from workers.domain import Diagnosis
from workers.ports import Workbench
from workers.suspects import changed, executed, ranked


def locate(bench: Workbench, cancel: Event) -> Diagnosis:
    """The diagnosis with its suspects ranked by all that is known.

    A trace has the whole traceback of every failing test, of which a runner may have printed a part or none.
    """
    found, paths = bench.diagnosis, frozenset(bench.tree.paths())
    known, lines = found.suspects, clue.lines(bench.blame.diff, bench.tree)
    trace = spectrum.traced(bench, cancel) if spectrum.traceable(found) else None
    if trace is not None:
        frames = [[(path, line) for path, line, _ in one.frames if path in paths] for one in trace.exceptions.values()]
        known = places.suspects(found.findings, found.tool, frames, bench.tree, paths) if any(frames) else known
        known = (*known, *executed(trace, bench.tree))
    return replace(found, suspects=ranked([*known, *changed(lines, bench.blame.count)]))
