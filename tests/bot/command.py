"""Runs `heal` as people type it, on git copies of the sample repositories: in this process, or as one of its own."""

from __future__ import annotations

import atexit
import fcntl
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import structlog
from typer.testing import CliRunner

from bot.cli import app
from tests.installation import SETTING
from tests.workers.git.checkouts import git
from workers.telemetry import QUIET

ROOT = Path(__file__).resolve().parents[2]
HEAL = str(Path(sys.executable).parent / "heal")
SAMPLES = ROOT / "tests" / "repos"
STATE = ROOT / ".heal"


def environment(**more: str) -> dict[str, str]:
    """The test's own environment without any setting of ours, the shared state folder, and what is given."""
    kept = {name: value for name, value in os.environ.items() if not _is_setting(name)}
    return {**kept, **_ours(more), "PYTHONWARNINGS": "always::ResourceWarning"}


def _is_setting(name: str) -> bool:
    return name.startswith(("HEAL_", "OPENAI_"))


def _ours(more: dict[str, str]) -> dict[str, str]:
    return {**SETTING, "HEAL_STATE_DIR": str(STATE), **more}


def heal(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in this process, which saves the two seconds of a start. An error that it does not
    explain is raised here, and pytest makes one of everything that is left open."""
    unset = dict.fromkeys(filter(_is_setting, os.environ))
    with _logging_kept():
        done = CliRunner().invoke(app, [*map(str, arguments)], env={**unset, **_ours(more)}, catch_exceptions=False,
                                  prog_name="heal")  # fmt: skip
    return subprocess.CompletedProcess(["heal", *map(str, arguments)], done.exit_code, done.stdout, done.stderr)


def process(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The same as a process of its own. It must not show a traceback or leak anything, whatever it was asked."""
    command = [HEAL, *map(str, arguments)]
    done = subprocess.run(command, env=environment(**more), capture_output=True, text=True, timeout=150, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert "ResourceWarning" not in done.stderr, done.stderr
    return done


@contextmanager
def _logging_kept() -> Iterator[None]:
    """A command sends the log of its process to its own standard error: what was before is there again afterwards."""
    loggers = [logging.getLogger(), *map(logging.getLogger, QUIET)]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    hooks, configured = (sys.excepthook, threading.excepthook), structlog.get_config()
    try:
        yield
    finally:
        for one, handlers, level, propagate in before:
            one.handlers[:], one.propagate = handlers, propagate
            one.setLevel(level)
        sys.excepthook, threading.excepthook = hooks
        structlog.configure(**configured)


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
