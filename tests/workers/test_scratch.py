"""Promises of temporary folders: they go with their block, and those of a killed process are cleared by another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.process import this_process
from workers import scratch

KILLED = """
import os, signal
from workers.scratch import scratch_folder
with scratch_folder():
    pass
with scratch_folder() as folder:
    (folder / "index").write_text("half written")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.fault(54)
def test_the_folder_of_a_killed_process_is_cleared(tmp_path: Path) -> None:
    """SIGKILL leaves the folder behind; whoever clears removes it, also in the folder of
    a process that lives, and leaves alone what lives and what is not ours."""
    killed = subprocess.run([sys.executable, "-c", KILLED], env={**os.environ, "TMPDIR": str(tmp_path)})
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    ours = tmp_path / f"heal-tmp-{this_process().replace(':', '.')}-1"
    others = tmp_path / "heal-tmp-of somebody else"
    ours.mkdir()
    others.mkdir()
    subprocess.run([sys.executable, "-c", KILLED], env={**os.environ, "TMPDIR": str(ours)})
    assert scratch.clear(tmp_path) == 2
    assert {*tmp_path.iterdir()} == {ours, others}
    assert not list(ours.iterdir())
