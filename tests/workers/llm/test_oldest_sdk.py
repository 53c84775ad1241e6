"""The client works with the oldest SDK that pyproject.toml allows; all other tests use the newest, from uv.lock."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import unmeasured

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.process
def test_the_client_keeps_its_promises_with_the_oldest_sdk() -> None:
    """Every test of the client again, in a process that finds the older SDK first."""
    declared = re.search(r'"openai>=([0-9.]+),', (ROOT / "pyproject.toml").read_text())
    assert declared is not None
    found = {**unmeasured(), "PYTHONPATH": f"{ROOT / '.tools' / f'openai-{declared[1]}'}{os.pathsep}{ROOT}"}
    which = [sys.executable, "-c", "import openai; print(openai.__version__)"]
    version = subprocess.run(which, env=found, capture_output=True, text=True, check=True).stdout.strip()
    assert version == f"{declared[1]}.0"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/workers/llm/test_client.py"]
    done = subprocess.run(command, cwd=ROOT, env=found, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
