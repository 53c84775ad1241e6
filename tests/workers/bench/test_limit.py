"""The limit that is put beside programs which may loop for ever."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from workers.bench.case import limit_file, limited

TESTS = """import time


def test_loops():
    while True:
        try:
            sum(range(100))
        except Exception:
            pass


def test_waits():
    time.sleep(1.2)


def test_ends():
    pass
"""


def test_processor_time_is_limited_and_no_other(tmp_path: Path) -> None:
    """A loop ends as a failure though it catches exceptions; who is made to wait passes, and so does the next one."""
    for path, content in {**limit_file(), "test_a.py": TESTS.encode()}.items():
        (tmp_path / path).write_bytes(content)
    python, *arguments = shlex.split(limited(1, "test_a.py -c /dev/null -p no:cacheprovider"))
    run = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert python == "python"
    assert "took more than 1 s of processor time" in run.stdout
    assert "1 failed, 2 passed" in run.stdout
