"""In which order the files of the suite run. What leans on containers mostly waits, so it runs beside what computes,
the longest file first: a long one that starts last would leave the other processes idle.

    python -m tests.scheduling .heal/junit.xml     keeps what each file took, as `make test` wrote it
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

ROOT = Path(__file__).resolve().parents[1]
SECONDS = ROOT / "tests" / "seconds.json"
"""What files took in CI, those over `LONG`. It is a hint: a file that is not in it runs all the same."""
LONG = 8.0
WAITS = ("pytest.mark.engine", "pytest.mark.story")
UNKNOWN_S = 20.0
"""Of a file with containers that is not in the table: new ones had better begin early."""


def waits(file: str) -> bool:
    """Whether a test file (its path from the root) leans on containers, as its marks say."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return any(mark in text for mark in WAITS)


def expected(file: str, table: Mapping[str, float]) -> float:
    """Seconds that a file is taken to need."""
    return table.get(file, UNKNOWN_S if waits(file) else 0.0)


def next_file(queue: Iterable[str], waiting: frozenset[str], at_work: int, room: int) -> str:
    """Which file of the queue (in order, not empty) goes next, when `at_work` processes of `room` are busy with files
    of `waiting`: one of those while there is room, else the first that computes, else what there is."""
    queued = list(queue)
    wanted = at_work < room
    return next((file for file in queued if (file in waiting) is wanted), queued[0])


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file is one piece of work. One process is kept for files that compute, as long as there are any."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._table: dict[str, float] = json.loads(SECONDS.read_text())
        self._waiting: frozenset[str] = frozenset()

    def schedule(self) -> None:
        """Called once when all processes have collected the same tests, and again for a process that replaces one."""
        if not self._waiting and self.collection_is_completed:
            files = {self._split_scope(test) for test in next(iter(self.registered_collections.values()))}
            self._waiting = frozenset(file for file in files if waits(file))
        super().schedule()

    def _assign_work_unit(self, node: WorkerController) -> None:
        busy = sum(self._is_waiting(other) for other in self.nodes if other is not node)
        longest_first = sorted(self.workqueue, key=lambda file: expected(file, self._table), reverse=True)
        file = next_file(longest_first, self._waiting, busy, self.numnodes - 1)
        self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)

    def _is_waiting(self, node: WorkerController) -> bool:
        units: dict[str, dict[str, bool]] = self.assigned_work[node]
        return any(file in self._waiting and not all(unit.values()) for file, unit in units.items())


def taken(report: Path) -> dict[str, float]:
    """Seconds per file with all set-up in them, from a JUnit report; only files that took long."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        seconds[f"{case.attrib['classname'].replace('.', '/')}.py"] += float(case.attrib["time"])
    return {file: round(total) for file, total in sorted(seconds.items()) if total >= LONG}


def main() -> None:
    """Write the table anew."""
    SECONDS.write_text(json.dumps(taken(Path(sys.argv[1])), indent=1) + "\n")


if __name__ == "__main__":
    main()
