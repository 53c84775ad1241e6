"""Entry point inside the sandbox: `screen.pyz PLAN`; the report goes to $HEAL_REPORT."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from .project import Report


def main() -> int:
    """Trace the tests, tell the lines of a green run, or screen candidates, as the plan says."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    report = Report(os.environ.pop("HEAL_REPORT"))
    os.environ.pop("PYTEST_ADDOPTS", None)
    from . import lines, screen, tracing  # they import unittest, whose listener must not find the report any more
    from .session import loaded

    try:
        loaded(plan["runner"])
    except ImportError:
        if plan["instead"] is None:
            report.write(kind="error", message="pytest is not installed in the project's environment")
            return 1
        plan.update(runner="unittest", args=plan["instead"])
        loaded("unittest")
    os.chdir(plan["folder"])
    sys.path[0:1] = [str(Path.cwd())] if plan["cwd_on_path"] else []
    if plan["mode"] == "trace":
        tracing.trace(plan, report)
        return 0
    if plan["mode"] == "lines":
        lines.lines(plan, report)
        return 0
    return screen.screened(plan, report)
