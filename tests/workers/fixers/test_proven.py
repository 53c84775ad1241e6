"""The whole verifier on the real sandbox: what the repository's checkers, its suite and a trace add to a verdict."""

from __future__ import annotations

from threading import Event

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Step
from tests.workers.fixers.benches import bench
from tests.workers.fixers.trees import MemoryTree
from workers.domain import Candidate, Confidence, Coverage, Finding, Verdict
from workers.stages.verify import verify

pytestmark = pytest.mark.engine
CHECK = "python -m pytest -q tests/test_shop.py"
FILES = {
    "conftest.py": "import shop\n",
    "ruff.toml": 'lint.select = ["F"]\n',
    "mypy.ini": "[mypy]\n",
    "shop.py": "def rate():\n    return 2\n\n\ndef total(price, count):\n    if count > 9:\n        return 0\n"
    "    return price - count\n",
    "tests/test_shop.py": "from shop import total\n\n\ndef test_total():\n    assert total(3, 2) == 10\n",
    "tests/test_rate.py": "from shop import rate\n\n\ndef test_rate():\n    assert rate() == 2\n",
}
RIGHT = """EXTRA = 2


def rate():
    return 2


def total(price, count):
    if count > 9:
        return price * count * rate()
    return (
        price * count * rate()
        - EXTRA
    )
"""


def judged(environment: DockerEnvironment, after: str) -> Verdict:
    before = environment.run(Step("check", CHECK), MemoryTree(FILES).tar())
    finding = Finding("assert 1 == 10", "tests/test_shop.py", 5, "tests/test_shop.py::test_total")
    work = bench(FILES, environment, CHECK, before, (finding,))
    patch = work.tree.diff({"shop.py": after.encode()})
    return verify(Candidate("llm", patch, "why", Confidence.MEDIUM), work, Event())


def test_a_right_fix_is_seen_by_checkers_suite_and_trace(environment: DockerEnvironment) -> None:
    """The tool that is there found nothing new, the one that is not there is named; of the changed lines only the one
    in the branch that no test takes was not executed, the constant in the module was."""
    verdict = judged(environment, RIGHT)
    assert verdict.accepted, verdict.why
    assert (verdict.checkers, verdict.unchecked) == (("ruff",), ("mypy",))
    assert verdict.beside is not None
    assert verdict.suite is not None
    assert (verdict.beside.before.passed, verdict.suite.passed) == (1, 2)
    assert verdict.covered == Coverage(5, (("shop.py", 10),))


@pytest.mark.parametrize(
    ("after", "gate", "why"),
    [
        (f"import os\n\n{RIGHT}", "lint", "ruff: shop.py:1: F401 `os` imported but unused"),
        (RIGHT.replace("return 2", "return 3").replace("EXTRA = 2", "EXTRA = 8"), "suite", "test_rate passed before"),
    ],
)
def test_a_green_check_is_not_enough(environment: DockerEnvironment, after: str, gate: str, why: str) -> None:
    """Something new for a linter, or a test of the suite that the check leaves out."""
    verdict = judged(environment, after)
    assert (verdict.accepted, verdict.rejected_by) == (False, gate)
    assert why in verdict.why
