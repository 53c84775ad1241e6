"""Runs `heal` as people do, as a process of its own, on git copies of the sample repositories."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from tests.installation import SETTING
from tests.workers.git.checkouts import git

ROOT = Path(__file__).resolve().parents[2]
HEAL = str(Path(sys.executable).parent / "heal")
SAMPLES = ROOT / "tests" / "repos"
STATE = ROOT / ".heal"


def environment(**more: str) -> dict[str, str]:
    """The test's own environment without any setting of ours, the shared state folder, and what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEAL_", "OPENAI_"))}
    ours = {**SETTING, "HEAL_STATE_DIR": str(STATE), "PYTHONWARNINGS": "always::ResourceWarning"}
    return {**kept, **ours, **more}


def heal(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end. It must not show a traceback or leak anything, whatever it was asked."""
    command = [HEAL, *map(str, arguments)]
    done = subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=150, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert "ResourceWarning" not in done.stderr, done.stderr
    return done


def sample(name: str) -> Path:
    """A fresh checkout of a sample at a place that is used again: it is part of its environment's key."""
    place = _place() / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(SAMPLES / name, place)
    git(place, "init", "--quiet", "--initial-branch=main")
    commit(place, "Red")
    return place


@cache
def _place() -> Path:
    """The first folder that no other test process has now."""
    for number in count():
        folder = STATE / "cli-samples" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        atexit.register(lock.close)  # held until this process ends
        return folder
    raise AssertionError


def commit(place: Path, message: str) -> str:
    """Commit everything there is; the commit's sha."""
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", message)
    return git(place, "rev-parse", "HEAD")


def one_object(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What `--json` printed: exactly one object, and nothing beside it."""
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    return found
