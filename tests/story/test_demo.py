"""`make demo` keeps its word: it exits with 0 only when the pull request exists and its branch is green."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]


def test_the_first_case(tmp_path: Path) -> None:
    """The default case is healed, and the pull request is shown with its evidence."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.story.demo", "--case", "wrong-operator"],
        cwd=ROOT,
        env={**os.environ, "HEAL_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pull request #1 (ready for review)" in done.stdout
    assert "the same, repeated" in done.stdout
