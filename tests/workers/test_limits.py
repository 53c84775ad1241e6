"""Where a run meets the limits of Heal's own machine, it waits; it is not our bug and not the repository's failure."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NoReturn, cast

import pytest

from tests.chaos.machine import small_disk
from workers.attend import Told
from workers.domain import Case, RunId, Sha
from workers.errors import Retryable
from workers.git.command import Command
from workers.store.lease import Lease
from workers.tasks import within_limits

CASE = Case(RunId("run"), "octo/red", 7, 9, Sha("a" * 40), "main")
LEASE = cast(Lease, None)  # these stories have no use for it


def on_a_full_disk(case: Case, lease: Lease) -> NoReturn:
    with Path("/dev/full").open("wb", buffering=0) as disk:
        disk.write(b"x")
    raise AssertionError("there was room")


def with_a_full_git(case: Case, lease: Lease) -> NoReturn:
    with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder) / "full", 1 << 16) as full:
        (full / "ballast").write_bytes(bytes(1 << 16))
        Command(full).run_outside("init", "--quiet", "--bare", "--template=", ".")
    raise AssertionError("there was room")


def without_a_file(case: Case, lease: Lease) -> NoReturn:
    raise FileNotFoundError("a file of ours")


@pytest.mark.fault(67)
@pytest.mark.parametrize("story", [on_a_full_disk, with_a_full_git])
def test_a_full_disk_makes_a_run_wait(story: Told) -> None:
    """No room for files of ours or of git's is put down to the disk, and tried again later."""
    with pytest.raises(Retryable) as waits:
        within_limits(story, CASE, LEASE)
    assert waits.value.blame == "disk"


def test_other_trouble_with_files_is_ours() -> None:
    """Only what says so is a full disk."""
    with pytest.raises(FileNotFoundError):
        within_limits(without_a_file, CASE, LEASE)
