"""Candidates by how they can be let in: into live functions of a warm session, or by a fresh import of everything.

The warm session is a child that serves; beside it, candidates that need a fresh import have sessions of their own.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import time
from contextlib import AbstractContextManager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .children import Child, answer, override, wait
from .outcomes import Outcomes, alarm
from .pool import Pool
from .project import ROOT, Report
from .session import narrowed, session
from .swapping import Swapper
from .warm import Warm

if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    from .children import Row, Tell

ENDLESS_S = 0.5
"""How long a test that never ended may take with a candidate."""
LATE_S = 90.0
"""How long the warm session may compare what it has found when the time for candidates is over."""


def screened(plan: dict[str, Any], report: Report) -> int:
    """All candidates, as far as the time goes; the last row says how it ended."""
    screen = Screen(plan, report)
    message = screen.run()
    if message:
        report.write(kind="error", message=message)
        return 1
    return 0


class Ended(Outcomes):
    """The failing tests until one fails; those that never ended may take so many seconds."""

    def __init__(self, wanted: set[str], limits: dict[str, float]) -> None:
        super().__init__(wanted, stop=True)
        self.limits = limits

    def around(self, name: str) -> AbstractContextManager[object]:
        return alarm(self.limits[name]) if name in self.limits else super().around(name)


class Screen:
    """The warm session and the cold ones."""

    def __init__(self, plan: dict[str, Any], report: Report) -> None:
        self.plan, self.report = plan, report
        self.failing = set(plan["failing"])
        self.uncollected = set(plan["uncollected"])
        self.cold = Pool(plan, self._quick, self._full, lambda row: report.write(**row))
        self.modules: list[str] = []
        self.controlled: bool | None = None
        self.served = 0
        self.stopped = ""

    def run(self) -> str:
        """Empty, or why it could not be."""
        swapper = Swapper()
        live, fresh = _sorted(self.plan["candidates"], swapper)
        collected = not self.uncollected  # what cannot be imported has nothing alive
        warm = self._warm(live, swapper) if live and collected and "HEAL_COLD" not in os.environ else None
        if warm is None:
            fresh = self.plan["candidates"]
        if fresh and not self._ready(many=warm is None):
            if warm is None:
                return "the failing tests pass when they run alone"
            fresh = []
        self.cold.waiting.extend(fresh)
        self.cold.use(max(1, self.plan["procs"] - (warm is not None)))
        self._drive(warm)
        stopped = self.cold.stopped()
        order = ("budget", "grace", "all")
        worst = min((stopped, self.stopped or stopped), key=order.index)
        self.report.write(kind="done", stopped=worst, tried=self.cold.tried + self.served)
        return ""

    def _drive(self, warm: Child | None) -> None:
        last = self.cold.budget.clock_end + LATE_S
        told = False
        while (self.cold.busy and not self.cold.over) or (warm and not warm.ended and time.monotonic() < last):
            if self.cold.busy and not self.cold.over:
                self.cold.step()
            if warm and not warm.ended:
                if self.cold.plausible and not told:
                    told = True
                    os.kill(warm.pid, signal.SIGTERM)  # it looks on a little, too
                wait([warm], 0.05)
                self._heard(warm.poll())
        if warm:
            warm.end("over")
            self.stopped = self.stopped or "budget"

    def _heard(self, rows: list[Row]) -> None:
        for row in rows:
            if row.get("kind") == "served":
                self.served, self.stopped = row["tried"], row["stopped"]
            elif row.get("kind") == "cold":
                if self._ready(many=False):
                    self.cold.waiting.extend(c for c in self.plan["candidates"] if c["id"] == row["id"])
            else:
                self.report.write(**row)
            if row.get("kind") == "plausible":
                self.cold.found(more=0)

    # -- the warm session ---------------------------------------------------------------------------------------------

    def _warm(self, live: list[Row], swapper: Swapper) -> Child | None:
        """The session that serves, or None when the failing tests do not fail in it."""

        def serve(say: Tell) -> None:
            session(self.plan["runner"], self.plan["args"], Warm(self.plan, live, swapper, say))

        child = Child(serve, self.plan["full_s"] * 3 + 60 + self.plan["budget_s"])
        while not child.ended:
            wait([child], 0.2)
            rows = child.poll()
            if any(row.get("kind") == "warm" for row in rows):
                self._heard([row for row in rows if row.get("kind") != "warm"])
                return child
        return None

    # -- cold sessions ------------------------------------------------------------------------------------------------

    def _ready(self, *, many: bool) -> bool:
        """Without any change the failing tests must fail, alone too; then import once what `many` sessions need."""
        if self.controlled is None:
            self.controlled = self._control()
        if not self.controlled:
            return False
        many = many and bool(self.modules) and "HEAL_COLD" not in os.environ
        if many and not (preload(self.modules) and self._control()):
            again = {**os.environ, "HEAL_COLD": "1", "HEAL_REPORT": self.report.path}
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, *sys.argv], again)  # noqa: S606 - this very file once more
        return True

    def _control(self) -> bool:
        found = answer(lambda: {**self._alone({}), "modules": installed()}, self.plan["quick_s"] * 4 + 10)
        seconds = 1.5 + 4 * found.get("seconds", self.plan["quick_s"])
        self.cold.silent = (seconds, 4 * seconds)
        self.modules = [str(name) for name in found.get("modules", ()) if name not in sys.modules]
        return bool(found.get("failed")) or "failed" not in found

    def _quick(self, work: list[Row], tell: Tell) -> None:
        found = self._alone(texts(work[0]["edits"]), 4 if work[0].get("turn") else 1)
        wanted = self.failing - self.uncollected
        green = not found["failed"] and bool(found["passed"]) and wanted <= set(found["passed"])
        tell({"id": work[0]["id"], "green": green, "hung": found["hung"]})

    def _full(self, work: list[Row], tell: Tell) -> None:
        override(texts(work[0]["edits"]))
        tell(session(self.plan["runner"], self.plan["args"], Outcomes()))

    def _alone(self, changed: dict[str, bytes], patience: int = 1) -> Row:
        override(changed)
        files = sorted({str(Path(self.plan["rootdir"]) / name.split("::")[0]) for name in self.failing})
        outcomes = Ended(self.failing, dict.fromkeys(self.plan.get("endless", ()), ENDLESS_S * patience))
        found = session(self.plan["runner"], narrowed(self.plan, files), outcomes)
        return {**found, "hung": bool(outcomes.hung)}


def _sorted(candidates: list[Row], swapper: Swapper) -> tuple[list[Row], list[Row]]:
    """Those that change functions only, as far as it can be told, and those that need a fresh import."""
    live: list[Row] = []
    fresh: list[Row] = []
    for candidate in candidates:
        try:
            (live if swapper.may(candidate["edits"]) else fresh).append(candidate)
        except (SyntaxError, ValueError, RecursionError):  # a file that this version of Python cannot read
            fresh.append(candidate)
    return live, fresh


def texts(edits: dict[str, list[list[Any]]]) -> dict[str, bytes]:
    """The changed files by their resolved names."""
    changed = {}
    for path, splices in edits.items():
        data = (ROOT / path).read_bytes()
        for start, end, text in sorted(splices, reverse=True):
            data = data[:start] + text.encode() + data[end:]
        changed[str((ROOT / path).resolve())] = data
    return changed


def installed() -> list[str]:
    """The modules of installed packages that are loaded, in the order they came."""
    return [
        name
        for name, module in list(sys.modules.items())
        if any(f"/{part}/" in str(getattr(module, "__file__", "")) for part in ("site-packages", "dist-packages"))
    ]


def preload(names: list[str]) -> bool:
    """Import them here, so that no child has to. False when that started a thread: forks would be unsafe then.

    pytest's plug-ins are left to pytest, which rewrites them as it loads them.
    """
    points: Any = metadata.entry_points()
    group = points.select(group="pytest11") if hasattr(points, "select") else points.get("pytest11", ())
    plugins = {str(point.value).partition(":")[0].split(".")[0] for point in group}
    for name in names:
        if name.split(".")[0] not in plugins and name not in sys.modules:
            with contextlib.suppress(BaseException):  # what cannot be imported here is imported there
                importlib.import_module(name)
    return len(list(Path("/proc/self/task").iterdir())) == 1
