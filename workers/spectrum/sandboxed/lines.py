"""Which lines of some files a green run executes, from before the first import to the end."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from .children import answer
from .outcomes import Outcomes
from .project import ROOT, Report
from .session import session


def lines(plan: dict[str, Any], report: Report) -> None:
    """One row with the executed lines of the plan's files, and which tests passed and failed."""
    wanted = {str((ROOT / path).resolve()): path for path in plan["files"]}
    known: dict[str, set[int] | None] = {}
    seen: dict[str, set[int]] = {path: set() for path in plan["files"]}

    def trace_calls(frame: FrameType, _event: str, _arg: Any) -> Any:
        name = frame.f_code.co_filename
        if name not in known:
            path = wanted.get(str(Path(name).resolve()))
            known[name] = seen[path] if path is not None else None
        executed = known[name]
        if executed is None:
            return None
        executed.add(frame.f_lineno)

        def local(inner: FrameType, _event: str, _arg: Any) -> Any:
            executed.add(inner.f_lineno)
            return local

        return local

    def run() -> dict[str, Any]:
        threading.settrace(trace_calls)
        sys.settrace(trace_calls)
        found = session(plan["runner"], plan["args"], Outcomes())
        sys.settrace(None)
        return {**found, "lines": {path: sorted(executed) for path, executed in seen.items()}}

    report.write(kind="lines", **answer(run, plan["budget_s"]))
