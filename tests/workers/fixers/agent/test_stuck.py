"""When an agent goes round in circles, and when it only looks like it."""

from __future__ import annotations

import pytest

from sandbox.spec import Ending
from workers.fixers.agent.actions import Run
from workers.fixers.agent.observations import Observation
from workers.fixers.agent.stuck import Step, stuck


def step(script: str, output: str = "", code: int = 0, diff: bytes = b"") -> Step:
    ending = Ending.FAILED if code else Ending.PASSED
    return Run(script), Observation(ending, code, output, 0.1, diff, 1.0)


READ, TEST = step("cat calc.py", "def area"), step("pytest -q", "1 failed in 0.12s", 1)
EDITED = step("pytest -q", "1 failed in 0.12s", 1, b"x")


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([READ] * 3, ""),
        ([READ] * 4, "the same command 4 times"),
        ([step("pytest -q", f"3 passed in 0.{n}s at 0x7f{n}") for n in range(4)], "the same command 4 times"),
        ([step("tail log", str(n)) for n in range(9)], ""),
        ([step("./step", "ok", 0, bytes([n])) for n in range(9)], ""),
        ([TEST] * 2, ""),
        ([TEST, step("pytest -q", "2 failed", 1), TEST], "the same failing command 3 times"),
        ([TEST, READ, TEST, TEST], ""),
        ([READ, TEST] * 3, "two things in turn"),
        ([READ, TEST, READ, TEST, READ, EDITED], ""),
        ([READ, TEST] * 2 + [READ, READ], ""),
        ([step("echo a"), step("true"), step("# b")], "do nothing"),
        ([step("echo a"), READ, step("# b")], ""),
    ],
)
def test_circles(steps: list[Step], why: str) -> None:
    """Equal but for times and addresses; a step that changed a file or saw another thing is progress."""
    said = stuck(steps)
    assert (why in said) if why else not said


def test_only_the_end_counts() -> None:
    """What repeated long ago and was left is forgiven."""
    assert not stuck([*[READ] * 3, TEST, *[step("ls", str(n)) for n in range(6)]])
