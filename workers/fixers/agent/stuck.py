"""Whether an agent goes round in circles: the same again and again, two things in turn, or nothing at all.

Pure. Two outputs count as equal when they differ in times and addresses only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.fixers.agent.actions import Run
from workers.fixers.agent.observations import Observation

Step = tuple[Run, Observation]
_SAME, _FAILING, _IDLE, _IN_TURN = 4, 3, 3, 6
_CHANCE = re.compile(r"0x[0-9a-fA-F]{1,16}|\d{1,9}\.\d{1,9}|\d{1,2}:\d{2}:\d{2}")


def stuck(steps: Sequence[Step]) -> str:
    """Why the episode leads nowhere, as a sentence without its subject; empty while it may still."""
    recent = steps[-_IN_TURN:]
    seen = [_seen(*step) for step in recent]
    if len(seen) >= _SAME and len(set(seen[-_SAME:])) == 1:
        return f"ran the same command {_SAME} times and saw the same each time"
    last = recent[-_FAILING:]
    if len(last) == _FAILING and len({run.script for run, _ in last}) == 1 and all(o.failed for _, o in last):
        return f"ran the same failing command {_FAILING} times"
    if len(last) == _IDLE and all(run.idle for run, _ in last):
        return f"ran {_IDLE} commands that do nothing"
    if len(seen) == _IN_TURN and len(set(seen)) == 2 and seen[0::2] == [seen[0]] * 3 and seen[1::2] == [seen[1]] * 3:
        return f"did the same two things in turn for {_IN_TURN} steps"
    return ""


def _seen(run: Run, observation: Observation) -> tuple[str, int | None, str, bytes]:
    return run.script, observation.exit_code, _CHANCE.sub("", observation.output), observation.diff
