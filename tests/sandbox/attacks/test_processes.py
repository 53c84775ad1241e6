"""Processes that multiply, that stay, that do not end: over in time, and what is left of them is told right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Ending, Limits, Step
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
SHORT = Limits(wall_s=2, memory=192 << 20, cpus=2.0, pids=96, workspace=16 << 20, tmp=16 << 20)
LONG = replace(SHORT, wall_s=30)
THREADS = """
import threading, time
started = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        started += 1
except RuntimeError as error:
    print("stopped", started < 100, error)
"""
BOMBS = {
    "forks": ("bomb() { bomb | bomb & }; bomb; sleep infinity", {Ending.TIMEOUT, Ending.FAILED}),
    "forks that stay when the command ends": (
        "bomb() { while :; do (setsid sleep infinity &) ; done; }; bomb 2>/dev/null & sleep 1; exit 3",
        {Ending.FAILED},
    ),
    "dead children that nobody waits for": (
        "for i in $(seq 300); do (setsid true &); done; sleep 0.5; true",
        {Ending.PASSED},
    ),
    "ignores every signal": ("trap '' TERM INT HUP QUIT; while :; do sleep 1; done", {Ending.TIMEOUT}),
    "sleeps for ever": ("exec sleep infinity", {Ending.TIMEOUT}),
    "stops itself": ("kill -STOP $$; sleep infinity", {Ending.TIMEOUT}),
    "a daemon with the output open": (
        "(setsid sh -c 'sleep infinity; echo late' &); echo said; exit 0",
        {Ending.PASSED},
    ),
}


@pytest.mark.fault(32, 35)
@pytest.mark.parametrize("bomb", BOMBS)
def test_processes_end(bare: DockerEnvironment, bomb: str) -> None:
    """Whatever processes do, the run is over at its time and has its right ending with a trailer of ours."""
    script, endings = BOMBS[bomb]
    result = bare.run(Step("attack", script), tree(), limits=SHORT if Ending.TIMEOUT in endings else LONG)
    assert result.ending in endings, result
    assert result.exit_code is not None
    assert result.peak_memory > 0


@pytest.mark.fault(32)
def test_thread_bomb(bare: DockerEnvironment) -> None:
    """Threads count as processes: the limit holds for them, and the command goes on to its own end."""
    result = bare.run(Step("attack", THREADS, "python {0}"), tree(), limits=LONG)
    assert result.green, result.output.text
    assert result.output.text.startswith("stopped True")
