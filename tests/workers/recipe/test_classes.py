"""The class table: what decides, in which order, and that nobody's words inside another's output do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.diagnosis import labelled
from sandbox.spec import Ending, Evidence, Output, Result
from workers import diagnosis, logs
from workers.bench.wilson import interval
from workers.diagnosis import said, table
from workers.domain import FailureClass, Finding, JobReport

ENOUGH = 0.95


def test_the_labelled_logs_are_classified() -> None:
    """What `python -m benchmarks.diagnosis` measures stays above its bar, the traps and the held-out third as well."""
    found = labelled.answers(labelled.read())
    parts = {
        "all": found,
        "traps": labelled.part(found, lambda case: bool(case.trap)),
        "held out": labelled.part(found, lambda case: case.held_out),
    }
    shares = {name: sum(one.right for one in part) / len(part) for name, part in parts.items()}
    wrong = [f"{one.case.name}: {one.ruling.cls.value}" for one in found if not one.right and not one.case.held_out]
    assert len(found) >= 150
    assert len(parts["traps"]) >= 40
    assert min(shares.values()) >= ENOUGH, (shares, wrong)


def test_the_interval_is_wilsons() -> None:
    """Known values: certainty needs more than forty hits of forty, and half of ten says little."""
    assert interval(40, 40) == pytest.approx((0.912, 1.0), abs=1e-3)
    assert interval(5, 10) == pytest.approx((0.237, 0.763), abs=1e-3)
    assert interval(0, 0) == (0.0, 1.0)


def test_every_class_that_a_log_can_show_is_among_the_labels() -> None:
    """Flaky and red on the base are no log's to tell."""
    unseen = set(FailureClass) - {case.cls for case in labelled.read()}
    assert unseen == {FailureClass.FLAKY, FailureClass.BASE_RED}


@pytest.mark.parametrize("case", labelled.read(), ids=lambda case: case.name)
def test_what_decided_is_quoted(case: labelled.Case) -> None:
    """The evidence is a line of the log, a finding of a tool, or how it ended; it is there whenever a class is."""
    ruling = table.classify(case.said)
    shown = [table.shown(finding)[: table.QUOTE].strip() for finding in ruling.findings]
    lines = [line.strip()[: table.QUOTE] for line in (*case.said.lines, *case.said.marked)]
    assert ruling.evidence or ruling.cls is FailureClass.UNKNOWN
    for words in ruling.evidence:
        assert (
            words in shown
            or words in lines
            or words.startswith(("exit code ", "ended with "))
            or any(words in finding.message for finding in ruling.findings)
        )


BROKEN = (
    ("curl: (6) Could not resolve host: get.example.org", FailureClass.NETWORK),
    ("curl: (56) Recv failure: Connection reset by peer", FailureClass.NETWORK),
    ("wget: unable to resolve host address 'example.org'", FailureClass.NETWORK),
    (
        "fatal: unable to access 'https://github.com/a/b/': Failed to connect to github.com port 443",
        FailureClass.NETWORK,
    ),
    ("npm error code EAI_AGAIN", FailureClass.NETWORK),
    ("npm ERR! network request to https://registry.npmjs.org/x failed, reason: socket hang up", FailureClass.NETWORK),
    (
        'go: example.com/x@v1.0.0: Get "https://proxy.golang.org/x": dial tcp 1.2.3.4:443: i/o timeout',
        FailureClass.NETWORK,
    ),
    ("warning: spurious network error (2 tries remaining): [28] Timeout was reached", FailureClass.NETWORK),
    ("ssh: connect to host github.com port 22: Connection timed out", FailureClass.NETWORK),
    (
        "E: Failed to fetch http://deb.example.org/x.deb  Temporary failure resolving 'deb.example.org'",
        FailureClass.NETWORK,
    ),
    ("requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x', port=443): Max retries", FailureClass.NETWORK),
    ("urllib.error.URLError: <urlopen error [Errno -2] Name or service not known>", FailureClass.NETWORK),
    ("  Caused by: dns error: failed to lookup address information", FailureClass.NETWORK),
    ("curl: (22) The requested URL returned error: 503", FailureClass.INFRASTRUCTURE),
    ("ERROR: HTTP error 502 while getting https://files.pythonhosted.org/x.whl", FailureClass.INFRASTRUCTURE),
    ("npm ERR! 503 Service Unavailable - GET https://registry.npmjs.org/x", FailureClass.INFRASTRUCTURE),
    (
        "Error response from daemon: toomanyrequests: You have reached your pull rate limit.",
        FailureClass.INFRASTRUCTURE,
    ),
    ("toomanyrequests: Too Many Requests", FailureClass.INFRASTRUCTURE),
    ("E: Failed to fetch http://deb.example.org/Packages.gz  Hash Sum mismatch", FailureClass.INFRASTRUCTURE),
    ("error: RPC failed; curl 56 GnuTLS recv error (-9)", FailureClass.INFRASTRUCTURE),
    ("fatal: the remote end hung up unexpectedly", FailureClass.INFRASTRUCTURE),
    ("tar: x: Cannot write: No space left on device", FailureClass.INFRASTRUCTURE),
    ("OSError: [Errno 28] No space left on device", FailureClass.INFRASTRUCTURE),
    ("npm error nospc ENOSPC: no space left on device, write", FailureClass.INFRASTRUCTURE),
    (
        "[ERROR] Could not transfer artifact a:b:1 from/to central (https://x): status code: 503",
        FailureClass.INFRASTRUCTURE,
    ),
    ("   > Received status code 502 from server: Bad Gateway", FailureClass.INFRASTRUCTURE),
    ("Error: Unexpected HTTP response: 504", FailureClass.INFRASTRUCTURE),
    ("Error: Failed to FinalizeArtifact: Received non-retryable error", FailureClass.INFRASTRUCTURE),
    ("HttpError: API rate limit exceeded for installation ID 7.", FailureClass.INFRASTRUCTURE),
    ("Resource not accessible by integration", FailureClass.PERMISSION),
    ("remote: Permission to a/b.git denied to github-actions[bot].", FailureClass.PERMISSION),
    ("fatal: could not read Username for 'https://github.com': terminal prompts disabled", FailureClass.PERMISSION),
    ("npm error code E401", FailureClass.PERMISSION),
    ("denied: permission_denied: write_package", FailureClass.PERMISSION),
    ("Error: SONAR_TOKEN secret is not set", FailureClass.PERMISSION),
    ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", FailureClass.OOM),
    ("java.lang.OutOfMemoryError: Java heap space", FailureClass.OOM),
    ("terminate called after throwing an instance of 'std::bad_alloc'", FailureClass.OOM),
    ("./x.sh: fork: Cannot allocate memory", FailureClass.OOM),
)
RUNNER = (
    ("The runner has received a shutdown signal. It was stopped.", FailureClass.INFRASTRUCTURE),
    ("The hosted runner: GitHub Actions 4 lost communication with the server.", FailureClass.INFRASTRUCTURE),
    ("Failed to download action 'https://api.github.com/repos/a/b/tarball/c'. Error: 503", FailureClass.INFRASTRUCTURE),
    ("Docker pull failed with exit code 1", FailureClass.INFRASTRUCTURE),
    ("The operation was canceled.", FailureClass.INFRASTRUCTURE),
    ("The job running on runner X 2 has exceeded the maximum execution time of 360 minutes.", FailureClass.TIMEOUT),
    ("The action 'Test' has timed out after 5 minutes.", FailureClass.TIMEOUT),
)  # fmt: skip


@pytest.mark.parametrize(("line", "cls"), BROKEN, ids=[line[:40] for line, _ in BROKEN])
def test_a_line_in_its_own_voice_decides(line: str, cls: FailureClass) -> None:
    """The line is what is shown."""
    ruling = table.classify(said.Said("./ci.sh", f"starting\n{line}\n", exit_code=1))
    assert ruling.cls is cls
    assert ruling.evidence == (line.strip(),)


@pytest.mark.parametrize(("line", "cls"), BROKEN, ids=[line[:40] for line, _ in BROKEN])
def test_the_same_line_told_by_another_decides_nothing(line: str, cls: FailureClass) -> None:
    """Inside an assertion, a log record, a comparison or prose it is somebody's data."""
    for told in (f'expected "{line}" to be "{line}"', f"2026-03-02 12:00:01 INFO client | {line!r}, trying again"):
        assert table.classify(said.Said("./ci.sh", f"{told}\n", exit_code=1)).cls is FailureClass.UNKNOWN
    red = f"FAILED tests/test_a.py::test_a - AssertionError: assert {line!r} == ''\n1 failed in 0.1s"
    for output in (f"{line}\n{red}", f"{red}\n{line}"):
        assert table.classify(said.Said("pytest", output, exit_code=1)).cls is FailureClass.TEST


@pytest.mark.parametrize(("line", "cls"), RUNNER, ids=[line[:40] for line, _ in RUNNER])
def test_the_runners_words_count_when_the_runner_says_them(line: str, cls: FailureClass) -> None:
    """Marked as its error, in a step it cut off; a program that prints the same and ends by itself proves nothing."""
    head = "##[group]Run ./ci.sh\n\x1b[36;1m./ci.sh\x1b[0m\n##[endgroup]\n"
    cut_off = diagnosis.in_ci(JobReport("test", logs.parse(f"{head}working\n##[error]{line}\n")))
    assert (cut_off.cls, cut_off.evidence) == (cls, (line,))
    ended = f"{head}##[error]{line}\n##[error]Process completed with exit code 1.\n"
    assert diagnosis.in_ci(JobReport("test", logs.parse(ended))).cls is FailureClass.UNKNOWN
    printed = f"{head}{line}\n##[error]Process completed with exit code 1.\n"
    assert diagnosis.in_ci(JobReport("test", logs.parse(printed))).cls is FailureClass.UNKNOWN


def test_how_the_sandbox_ended_it_goes_before_every_word() -> None:
    """A limit is a limit, whatever was printed until then."""
    red = Result(Ending.FAILED, 1, Output("FAILED a.py::t - assert 1"), (), b"", 1, 0, Evidence("", "", "", "", ""))
    endings = {
        Ending.TIMEOUT: FailureClass.TIMEOUT,
        Ending.OOM: FailureClass.OOM,
        Ending.DISK_FULL: FailureClass.INFRASTRUCTURE,
        Ending.KILLED: FailureClass.INFRASTRUCTURE,
        Ending.FAILED: FailureClass.TEST,
    }
    for ending, cls in endings.items():
        assert table.classify(said.here("pytest", replace(red, ending=ending))).cls is cls


def test_annotations_stand_in_for_a_log_that_is_gone() -> None:
    """The check run's own words are the runner's."""
    lost = Finding("The hosted runner encountered an error while running your job.", ".github", 1)
    ruling = diagnosis.in_ci(JobReport("test", annotations=(lost,)))
    assert (ruling.cls, ruling.evidence) == (FailureClass.INFRASTRUCTURE, (lost.message,))


@given(st.text(max_size=300), st.text(max_size=60), st.integers(-1, 300))
def test_any_text_has_a_class(output: str, script: str, code: int) -> None:
    """Everything is untrusted."""
    ruling = table.classify(said.Said(script, output, tuple(output.split("\n")), code))
    assert all(len(words) <= table.QUOTE for words in ruling.evidence)
