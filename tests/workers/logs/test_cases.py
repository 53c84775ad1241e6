"""Every file in `cases/` is a test: a job's log, what the job API says of its steps, and what must be known of it.

Form: the log (`\\e` is the escape character), `--- reported` (a JSON list of name and conclusion, may be missing),
`--- expected` (a JSON object). Only the keys of a step that the file names are compared.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from workers import logs

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
STAMP = "2026-11-20T10:00:00.1234567Z "


def read(case: Path, *, stamped: bool) -> tuple[logs.JobLog, dict[str, object]]:
    """The log as GitHub serves it, or as people paste it; and what the file expects."""
    said, _, expected = case.read_text().partition("--- expected\n")
    text, _, reported = said.partition("--- reported\n")
    text = text.replace("\\e", "\x1b")
    if stamped:
        text = "\ufeff" + "".join(f"{STAMP}{line}\r\n" for line in text.split("\n")[:-1])
    return logs.with_reported(logs.parse(text), json.loads(reported or "[]")), json.loads(expected)


@pytest.mark.parametrize("stamped", [True, False], ids=["as served", "as pasted"])
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_recorded_log_is_known(case: Path, stamped: bool) -> None:
    """Steps with their headers and ends, the failing one, the machine and the versions come out as printed."""
    log, expected = read(case, stamped=stamped)
    steps, machine = expected.pop("steps"), expected.pop("machine", None)
    seen = {
        "blamed": log.blamed,
        "failed": log.failed and log.failed.title,
        "epilogue": log.epilogue,
        "preamble": log.preamble,
        "versions": logs.versions(log),
    }
    assert isinstance(steps, list)
    assert {key: seen[key] for key in expected} == expected
    named = zip(log.steps, steps, strict=True)
    assert json.loads(json.dumps([{key: getattr(step, key) for key in wanted} for step, wanted in named])) == steps
    if isinstance(machine, dict):
        assert {key: value for key, value in asdict(logs.machine(log)).items() if value} == machine
    assert log.began == (STAMP.strip() if stamped else "")
