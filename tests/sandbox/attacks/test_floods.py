"""Too much of everything: memory, files, output. It ends at the limit that it hit, and this process stays small."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Ending, Limits, Step
from tests.sandbox.attacks.inside import in_check
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
SMALL = Limits(wall_s=60, memory=128 << 20, cpus=2.0, pids=128, workspace=32 << 20, tmp=32 << 20)
GIGABYTE = 1 << 30
FILL = """
def fill(folder, limit):
    "Writes until there is no room; gets through when it could write more than the limit."
    os.makedirs(folder, exist_ok=True)
    handle = os.open(os.path.join(folder, "fill"), os.O_WRONLY | os.O_CREAT)
    try:
        written = 0
        while written < limit:
            written += os.write(handle, b"x" * (1 << 20))
        return written
    finally:
        os.close(handle)
        os.unlink(os.path.join(folder, "fill"))
def crowd(folder, limit):
    "Makes empty files until there is no room for their names."
    os.makedirs(folder + "/crowd", exist_ok=True)
    count = 0
    while count < limit:
        os.close(os.open(f"{folder}/crowd/{count}", os.O_WRONLY | os.O_CREAT))
        count += 1
    return count
"""
FILLS = {
    "the work tree": FILL + "got = fill('/ws/a', 40 << 20)",
    "/tmp": FILL + "got = fill('/tmp/a', 40 << 20)",
    "shared memory, in names": FILL + "got = crowd('/dev/shm', 25000)",
    "message queues": "[call(240, 180, b'q%d' % n, os.O_CREAT | os.O_RDWR, 0o600, 0) for n in range(4096)]",
    "open files": "got = [os.dup(1) for _ in range(20000)]",
    "a sparse file": "os.truncate(os.open('/tmp/sparse', os.O_RDWR | os.O_CREAT), 200 << 30)",
    "a file in pages": "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); os.posix_fallocate("
    "os.open('/ws/big', os.O_RDWR | os.O_CREAT), 0, 200 << 30)",
    "/dev": "put('/dev/x', b'') if os.path.exists('/dev/x') else os.close(os.open('/dev/x', os.O_CREAT | os.O_WRONLY))",
}
FULL = {"ENOSPC", "EMFILE", "EFBIG", "EACCES", "EROFS"}


def peak_of_this_process() -> int:
    """The most memory this process has held since `forget_peak`, in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.fault(34)
def test_every_place_to_write_is_bounded(bare: DockerEnvironment) -> None:
    """Bytes, names and open files end at a limit of their own, and the check that hit them goes on."""
    answers = in_check(bare, FILLS)
    assert {name: got for name, got in answers.items() if got.removeprefix("refused ") not in FULL} == {}


@pytest.mark.fault(33)
@pytest.mark.parametrize(
    "script",
    [
        "exec python -c 'x = bytearray(1 << 30)'",
        "for i in 1 2 3 4 5 6 7 8; do python -c 'x = bytearray(100 << 20); input()' </dev/zero & done; wait; exit 1",
        "head -c 200M /dev/zero >/dev/shm/x",
        "exec python -c 'import mmap; x = mmap.mmap(-1, 1 << 30); x.write(bytes(1 << 30))'",
    ],
    ids=["one process", "many processes", "shared memory", "mapped memory"],
)
def test_memory_bomb(bare: DockerEnvironment, script: str) -> None:
    """Memory of whatever kind is counted, and the run that needs too much of it ends as OOM."""
    result = bare.run(Step("attack", script), tree(), limits=SMALL)
    assert result.ending is Ending.OOM, result


FLOODS = {
    "standard output": "head -c 1G /dev/zero | tr '\\0' x",
    "standard error": "head -c 1G /dev/zero | tr '\\0' '\\n' >&2",
}


@pytest.mark.fault(34)
@pytest.mark.parametrize("stream", FLOODS)
def test_a_flood_of_a_gigabyte(bare: DockerEnvironment, stream: str) -> None:
    """1 GB of output is over at the limit on it and never lies in this process's memory."""
    forget_peak()
    before = peak_of_this_process()
    result = bare.run(Step("attack", FLOODS[stream]), tree(), limits=SMALL)
    assert result.ending is Ending.OUTPUT_LIMIT, result.ending
    assert result.output.dropped > 200 << 20
    assert peak_of_this_process() - before < 48 << 20
    assert len(result.output.text) < 2 << 20


def test_a_gigabyte_may_pass_where_it_is_allowed(bare: DockerEnvironment) -> None:
    """With the limit raised the whole flood passes, is counted to the byte, and the verdict is the command's."""
    limits = Limits(wall_s=120, memory=128 << 20, output_kill=2 * GIGABYTE)
    forget_peak()
    before = peak_of_this_process()
    result = bare.run(Step("attack", "head -c 1G /dev/zero; exit 3"), tree(), limits=limits)
    assert (result.ending, result.exit_code) == (Ending.FAILED, 3)
    torn = 2 * 1024  # of an endless line, what may be half of a key
    assert result.output.dropped == GIGABYTE - limits.output_head - limits.output_tail + torn
    assert peak_of_this_process() - before < 48 << 20


def test_one_endless_line(bare: DockerEnvironment) -> None:
    """A line of 200 MB without an end is cut to a readable length, and the line after it is there."""
    result = bare.run(Step("attack", "head -c 200M /dev/zero | tr '\\0' x; echo; echo after"), tree(), limits=SMALL)
    assert result.green
    assert max(map(len, result.output.text.splitlines())) < 9000
    assert result.output.text.endswith("\nafter\n")


def test_what_would_steer_a_terminal(bare: DockerEnvironment) -> None:
    """No byte of the output that a terminal, a page or a database would act on comes out."""
    script = (
        r"printf 'a\033[2J\033]0;title\007\033]52;c;aGk=\007\033P1$r\033\\b\000\010\177\302\233\302\205\377\376c\n'; "
    )
    result = bare.run(Step("attack", script + "head -c 300k /dev/urandom"), tree(), limits=SMALL)
    text = result.output.text
    assert text.startswith("a")
    assert not {character for character in text if ord(character) < 32 or 127 <= ord(character) < 160} - {"\n", "\t"}
    text.encode()
