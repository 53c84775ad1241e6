"""What a session promises, on the real engine: one working copy from command to command, and nothing more than a check
may do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.capture import Capture
from sandbox.checks import DockerEnvironment
from sandbox.errors import NoSession
from sandbox.life import Ended
from sandbox.sessions import LONGEST, MOST_DIFF, DockerSession, did
from sandbox.spec import Ending, Limits, Sessions, Step
from sandbox.stream import Stop
from tests.sandbox.trees import ADDER, tree

FILES = {**ADDER, ".gitignore": "*.log\nkept.txt\n", ".gitattributes": "*.py text eol=crlf\n", "kept.txt": "1\r\n"}
SMALL = Limits(wall_s=120, memory=256 << 20, pids=64, workspace=32 << 20, tmp=16 << 20)
STEP = Step("check", "", "bash {0}")


@pytest.fixture(scope="module")
def opened(bare: DockerEnvironment) -> Iterator[DockerSession]:
    session = bare.session(STEP, tree(FILES), limits=SMALL)
    yield session
    session.close()


@pytest.mark.engine
def test_a_command_meets_what_the_one_before_left(bare: DockerEnvironment) -> None:
    """Files stay, a shell's own state does not; the difference is git's own, and a new session goes on from it."""
    assert isinstance(bare, Sessions)
    step = Step("check", "never run", "bash {0}", {"ODD": "a 'b' $c"}, "sub")
    files = {**FILES, "sub/there": ""}
    session = bare.session(step, tree(files), limits=SMALL)
    first = session.run(
        'X=1; cd ..; sed -i s/-/+/ adder.py; echo 2 >>kept.txt; printf "\\0\\1" >new.bin; echo l >a.log', 20
    )
    second = session.run('echo "$ODD" "[$X]" "$PWD"; grep return ../adder.py; exit 3', 20)
    session.close()
    assert (first.ending, first.exit_code) == (Ending.PASSED, 0)
    assert (second.ending, second.exit_code) == (Ending.FAILED, 3)
    assert second.output.text == "a 'b' $c [] /ws/sub\n    return a + b\n"
    assert first.diff is not None
    assert second.diff == first.diff
    assert b"+    return a + b\n" in first.diff
    assert b" 1\r\n+2\n" in first.diff  # a file of the commit counts although it is ignored, byte for byte
    assert b"a.log" not in first.diff
    resumed = bare.session(step, tree(files), first.diff, limits=SMALL)
    third = resumed.run("cat ../adder.py; od -An -tx1 ../new.bin; rm ../new.bin", 20)
    resumed.close()
    assert "return a + b" in third.output.text
    assert " 00 01" in third.output.text
    assert third.diff == first.diff.split(b"diff --git a/new.bin")[0]


@pytest.mark.engine
def test_a_session_may_do_no_more_than_a_check(opened: DockerSession) -> None:
    """No network, no root, no capability, nothing to write outside of the workspace's memory."""
    looked = opened.run(
        "id -u; ls /sys/class/net; touch /usr/x 2>/dev/null || echo closed; "
        "grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status | tr -d '\\t'",
        20,
    )
    assert looked.output.text.split() == [
        "1000",
        "lo",
        "closed",
        "CapEff:0000000000000000",
        "NoNewPrivs:1",
        "Seccomp:2",
    ]


@pytest.mark.engine
def test_a_command_that_hangs_is_ended_and_the_next_goes_on(opened: DockerSession) -> None:
    """Also where it left something behind that holds its output."""
    hung = opened.run("echo begun >noted; setsid sleep 300 & sleep 300", 1)
    assert (hung.ending, hung.exit_code) == (Ending.TIMEOUT, 137)
    after = opened.run("cat noted; rm noted", 20)
    assert (after.ending, after.output.text, after.diff) == (Ending.PASSED, "begun\n", b"")


@pytest.mark.engine
def test_a_flood_of_output_is_cut(opened: DockerSession) -> None:
    """Head and tail are kept, and how much went is counted."""
    flood = opened.run("yes 0123456789 | head -c 8000000; echo the end", 20)
    assert flood.ending is Ending.PASSED
    assert len(flood.output.text) < 300_000
    assert flood.output.dropped > 7_000_000
    assert flood.output.text.endswith("the end\n")


@pytest.mark.engine
def test_who_ends_its_own_container_is_told_so(bare: DockerEnvironment) -> None:
    """The session is of no use then; nothing of it is believed."""
    session = bare.session(STEP, tree(FILES), limits=SMALL)
    gone = session.run("kill -KILL -1", 20)
    again = session.run("true", 20)
    session.close()
    assert (gone.diff, again.ending, again.diff) == (None, Ending.KILLED, None)


@pytest.mark.engine
def test_a_difference_that_does_not_fit_opens_no_session(bare: DockerEnvironment) -> None:
    """What was stored of another commit, or was never a diff."""
    with pytest.raises(NoSession, match="no working copy can be kept: error: "):
        bare.session(STEP, tree(FILES), b"diff --git a/x b/x\nnonsense\n", limits=SMALL)


def ended(stdout: bytes, stopped: Stop | None = None, seconds: float = 1.0) -> Ended:
    return Ended(None, False, stdout, Capture(10, 10), stopped, seconds, over=stopped is None)


@pytest.mark.parametrize(
    ("end", "ending", "code", "diff"),
    [
        (ended(b"d\n\nHEAL-DID rc=0 kept=0 left=6\n"), Ending.PASSED, 0, b"d\n"),
        (ended(b"\nHEAL-DID rc=2 kept=0 left=6\n"), Ending.FAILED, 2, b""),
        (ended(b"\nHEAL-DID rc=137 kept=0 left=6\n"), Ending.FAILED, 137, b""),
        (ended(b"\nHEAL-DID rc=137 kept=0 left=6\n", None, 61.0), Ending.TIMEOUT, 137, b""),
        (ended(b"d\n\nHEAL-DID rc=0 kept=128 left=6\n"), Ending.PASSED, 0, None),
        (ended(b"d" * (MOST_DIFF + 1) + b"\nHEAL-DID rc=0 kept=0 left=6\n"), Ending.PASSED, 0, None),
        (ended(b"\nHEAL-DID rc=0 kept=0 left=6\nmore"), Ending.KILLED, None, None),
        (ended(b"", Stop.DEADLINE), Ending.TIMEOUT, None, None),
        (ended(b"", Stop.OUTPUT), Ending.OUTPUT_LIMIT, None, None),
    ],
)  # fmt: skip
def test_what_a_process_said_of_its_command(end: Ended, ending: Ending, code: int | None, diff: bytes | None) -> None:
    """Only the last line counts; where the files are not known there is no difference, and a note says why."""
    said = did(end, 60.0, 256)
    assert (said.ending, said.exit_code, said.diff) == (ending, code, diff)
    assert bool(said.note) is (diff is None)
    assert not said.spent


def test_a_crowded_container_is_told() -> None:
    """The files are known, and yet the next command would find no place among the processes."""
    crowded = did(ended(b"d\n\nHEAL-DID rc=0 kept=0 left=257\n"), 60.0, 256)
    assert (crowded.diff, crowded.spent) == (b"d\n", True)


@pytest.mark.engine
def test_a_fork_bomb_spends_its_session(bare: DockerEnvironment) -> None:
    """What it says of the files is not needed: another session goes on from the last difference."""
    session = bare.session(STEP, tree(FILES), limits=SMALL)
    bomb = session.run("for n in $(seq 100); do setsid sleep 300 >/dev/null 2>&1 & done; sleep 1", 20)
    session.close()
    assert bomb.spent or bomb.diff is None


def test_a_script_that_cannot_travel_is_refused_before() -> None:
    """It is the caller's to keep to the limits."""
    for script in ("a" * (LONGEST + 1), "\0"):
        with pytest.raises(ValueError, match="argument"):
            DockerSession(None, str, SMALL, None).run(script, 1)  # type: ignore[arg-type]
