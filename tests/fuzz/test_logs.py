"""What CI and tools print: job logs as streams of bytes, and every tool's own output."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sandbox import denied
from sandbox.spec import TestCase
from tests.fuzz.shapes import ODD, STRANGE, changed, soup
from tests.workers.test_redact import CANARIES
from tests.workers.tools.texts import NEAR
from workers import diagnosis, logs, pins, tools
from workers.diagnosis import fingerprint
from workers.diagnosis.places import frames
from workers.domain import FailureClass, Finding, JobReport
from workers.logs.text import normalise
from workers.redact import redact
from workers.since import since
from workers.store.codec import from_json, to_json
from workers.tools import TOOLS

CASES = Path(__file__).parents[1] / "workers"
LOGS = [
    path.read_text().partition("--- expected\n")[0].partition("--- reported\n")[0].replace("\\e", "\x1b")
    for path in sorted((CASES / "logs" / "cases").glob("*.txt"))
]
STAMP = "2026-11-20T10:00:00.1234567Z "
MARKS = ("##[group]Run make", "##[endgroup]", "##[error]Process completed with exit code 1.", "##[group]",
         "##[error]", STAMP, "\x1b[36;1mmake\x1b[0m", "shell: /usr/bin/bash -e {0}", "env:", "with:", "  A: b",
         "Post job cleanup.", "##[command]x", "Successfully installed a-1.0 b-2", "+ express@4.18.2",
         "Current runner version: '2.3'", "##[section]Starting: x", "-----BEGIN PRIVATE KEY-----", "***", *ODD
)  # fmt: skip
KEYS_SEEN = tuple(CANARIES.values())
ENDS = st.sampled_from(["\n", "\r\n"])


@given(changed(LOGS, MARKS, 8), st.booleans(), ENDS, st.lists(st.integers(0, 1 << 20), max_size=12))
def test_a_job_log_is_read_however_it_comes(text: str, stamped: bool, end: str, places: list[int]) -> None:
    """Cut anywhere by the network, stamped or not: the same steps, without escapes, and stored as they are."""
    lines = text.split("\n")
    data = "".join(f"{STAMP if stamped else ''}{line}{end}" for line in lines).encode("utf-8", "surrogatepass")
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    log = logs.read(data[start:stop] for start, stop in pairwise(edges))
    assert log == logs.read((data,))
    assert "\x1b" not in log.text
    assert from_json(to_json(log), logs.JobLog) == log
    assert log.failed is None or log.failed in log.steps
    for step in log.steps:
        assert (step.uses is None) or (step.script is None)
    logs.machine(log)
    logs.versions(log)


REPORTED = st.lists(
    st.tuples(
        st.sampled_from(["Run make", "Set up job", "Post x", "", "Run  make "]) | st.text(max_size=9),
        st.sampled_from(["success", "failure", "skipped", "", "cancelled"]),
    ),
    max_size=9,
)


@given(changed(LOGS, MARKS), REPORTED)
def test_what_the_job_api_says_is_taken_in(text: str, reported: list[tuple[str, str]]) -> None:
    """The two lists of steps need not fit; what is blamed is a step of the log."""
    log = logs.with_reported(logs.parse(text), reported)
    assert log.blamed is None or 0 <= log.blamed < len(log.steps)


@given(changed(LOGS, MARKS), changed(LOGS, MARKS))
def test_two_jobs_are_compared(red: str, green: str) -> None:
    """What moved is named with two versions that differ."""
    found = since(JobReport("a", logs.parse(red)), lambda: JobReport("a", logs.parse(green)))
    assert all(one.before != one.after for one in found.moved)
    assert all(name and version for said in pins.versions(logs.parse(red)).values() for name, version in said.items())


@given(soup([*MARKS, *STRANGE, *KEYS_SEEN, "error: ", "0x7f3a", "12:30:01", "/tmp/x1", "in 0.31s", "1 of 2"]))
def test_what_was_stored_without_secrets_compares_like_a_fresh_output(text: str) -> None:
    """Lines are looked at one by one, and whether their secrets are gone already makes no difference."""
    assert all("\n" not in line for line in logs.signature_lines(text))
    assert normalise(redact(text)) == normalise(text)
    fingerprint.masked(text)


RECORDED = [path.read_bytes().decode() for path in sorted((CASES / "tools" / "cases").glob("*.txt"))]
OUTPUTS = [text.split("\n--- output\n", 1)[1].split("\n--- expected\n", 1)[0] for text in RECORDED]
COMMANDS = sorted({text.split("\n--- output\n", 1)[0] for text in RECORDED})
TEST_CASES = st.lists(
    st.builds(
        TestCase,
        st.sampled_from(["tests/a.py::b", "T.m", "x > y", "a::b"])
        | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
        st.sampled_from(["passed", "failed", "error", "skipped"]),
        st.just(0.1),
        changed(OUTPUTS[:40], most=2).map(lambda text: text.encode("utf-8", "replace").decode()),
    ),
    max_size=3,
)


@given(changed(OUTPUTS, (*NEAR, *ODD)), changed(COMMANDS, ("--fix", "&&", "|", "'", "$(", "-m", "tox -e")), TEST_CASES)
def test_every_tool_reads_every_output(output: str, command: str, ran: list[TestCase]) -> None:
    """Also another tool's and a broken one: bounded findings of a known class, and repairs that a shell can read."""
    output = output.encode("utf-8", "replace").decode()  # it was bytes
    for tool in TOOLS:
        tool.recognises(command, output)
        found = tool.findings(output, ran)
        assert tool.classify(output, found) in FailureClass
        _sound(found)
        for fix in tool.fix_commands(command, found):
            assert shlex.split(fix), fix
    denied.cause(output, ran, ("a.example",))
    frames(output, {"tests/a.py", "src/lib.rs"})
    diagnosis.in_ci(JobReport("a", logs.parse(f"##[group]Run x\n##[endgroup]\n{output}")), command)
    tools.only_look(command)
    tools.script(command, output)


def _sound(found: tuple[Finding, ...]) -> None:
    for finding in found:
        assert len(finding.message) <= 700
        assert finding.line is None or finding.line >= 0
        to_json(finding)
