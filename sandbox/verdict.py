"""How a finished check container becomes a `Result`: the rules that tell a failure from a limit that was hit.

Pure. The command's own exit code travels in the trailer that `heal-init` writes last, before a word that only it knows;
a container that ended without that word was tampered with or died, and counts as killed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox import denied
from sandbox.errors import SandboxError
from sandbox.life import Ended
from sandbox.results import channel
from sandbox.results.choice import choose
from sandbox.spec import Ending, Evidence, Limits, Result
from sandbox.stream import Stop

_TRAILER = re.compile(rb"\nHEAL-END rc=(\d+) peak=(\d+) full=(\d+) cpu=(\d+) oom=(\d+)\n\Z")
_TREE_FAILED = re.compile(rb"HEAL-TREE-FAILED full=(\d+)\n")
_START = b"HEAL-START\n"
_KILLED = 137
_FULL_PERCENT = 95
_STOPPED = {Stop.CANCELLED: Ending.CANCELLED, Stop.OUTPUT: Ending.OUTPUT_LIMIT, Stop.DEADLINE: Ending.TIMEOUT}


@dataclass(frozen=True)
class Trailer:
    exit_code: int
    peak_memory: int
    fullest_percent: int
    cpu_us: int
    oom_kills: int


def result(ended: Ended, limits: Limits, evidence: Evidence, refused: Sequence[str] = ()) -> Result:
    """`refused` are the hosts that the egress proxy denied it, where it had one.

    Raises SandboxError when the tree we sent could not be unpacked although there was room for it.
    """
    head, started, body = ended.stdout.partition(_START)
    trailer = _trailer(body) if ended.over else None
    output = ended.stderr.output()
    reports = channel.read(body)
    read = choose(reports, output.text)
    notes = []
    if started and trailer is None and ended.stopped is None:
        notes.append("the container ended before the command's end was told: its exit code is not to be trusted")
    oom_killed = ended.oom_killed or bool(trailer and trailer.oom_kills)
    unpacked = _TREE_FAILED.search(head)
    if unpacked and int(unpacked.group(1)) < _FULL_PERCENT and ended.stopped is None:
        raise SandboxError(f"the files of commit {evidence.tree} could not be unpacked: {output.text[-500:]}")
    ending = _stopped_early(ended, head, bool(started)) or _ending(ended, trailer, oom_killed, limits, output.text)
    asked = denied.cause(output.text, read.tests, refused) if ending is Ending.FAILED else None
    if asked is not None:
        ending = Ending.NETWORK_DENIED
        notes.append(f"it asked for {', '.join(asked) or 'a host that it does not name'}, which it may not reach")
    if oom_killed and ending is not Ending.OOM:
        notes.append("a process ran out of memory although the command went on")
    return Result(
        ending=ending,
        exit_code=trailer.exit_code if trailer else None,
        output=output,
        tests=read.tests,
        report=reports.report,
        wall_s=round(ended.seconds, 3),
        peak_memory=trailer.peak_memory if trailer else 0,
        evidence=evidence,
        notes=(*notes, *read.notes),
        cpu_s=trailer.cpu_us / 1e6 if trailer else 0.0,
        source=read.source,
        told=read.told,
        asked=asked or (),
    )


def never_began(ended: Ended) -> bool:
    """The container died by itself before it had looked at the patch: what it was to run had no part in that."""
    told = (_START, b"HEAL-PATCH-REJECTED", b"HEAL-TREE-FAILED")
    return ended.stopped is None and not any(line in ended.stdout for line in told)


def _trailer(body: bytes) -> Trailer | None:
    match = _TRAILER.search(body)
    return Trailer(*(int(group) for group in match.groups())) if match else None


def _stopped_early(ended: Ended, head: bytes, started: bool) -> Ending | None:
    """Endings before the command ran, and those we brought about ourselves."""
    if ended.stopped is not None:
        return _STOPPED[ended.stopped]
    if not started and b"HEAL-PATCH-REJECTED" in head:
        return Ending.PATCH_REJECTED
    if not started and _TREE_FAILED.search(head):
        return Ending.DISK_FULL
    return None


def _ending(ended: Ended, trailer: Trailer | None, oom_killed: bool, limits: Limits, output: str) -> Ending:
    if trailer is None:
        return Ending.OOM if oom_killed else Ending.KILLED
    if trailer.exit_code == 0:
        return Ending.PASSED
    if trailer.exit_code == _KILLED and ended.seconds >= limits.wall_s - 0.05:
        return Ending.TIMEOUT
    if oom_killed:
        return Ending.OOM
    if trailer.fullest_percent >= _FULL_PERCENT and "No space left on device" in output:
        return Ending.DISK_FULL
    return Ending.KILLED if trailer.exit_code == _KILLED else Ending.FAILED
