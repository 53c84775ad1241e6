"""A change of ours in memory, with remarks on it: the patch made `total` add, where it subtracted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from sandbox.spec import Ending, Evidence, Output, Result
from tests.workers.fixers import benches
from tests.workers.fixers.trees import MemoryTree
from workers.domain import Confidence, Finding, Ours, Remark, RunId, Sha
from workers.messages import wanted
from workers.ports import Revision, Workbench
from workers.repo_config import RepoConfig

BROKEN = "def total(a, b):\n    return a - b\n\n\ndef double(a):\n    return a * 2\n"
FIXED = BROKEN.replace("a - b", "a + b")
TEST = "from shop import total\n\n\ndef test_total():\n    assert total(1, 2) == 3\n"
FILES = {"shop.py": BROKEN, "test_shop.py": TEST}


@cache
def patch() -> str:
    """Our change."""
    return MemoryTree(FILES).diff({"shop.py": FIXED.encode()})


def suggest(code: str, line: int = 2, start: int | None = None, path: str = "shop.py", comment: int = 1) -> Remark:
    """A remark that holds code."""
    return remark(f"```suggestion\n{code}```", line, start, path, comment)


def remark(
    body: str, line: int | None = 2, start: int | None = None, path: str = "shop.py", comment: int = 1
) -> Remark:
    """A remark at a line; without a path it is the review's own text."""
    return Remark("ada", body, comment if path else 0, 9, path, line if path else None, start, comment if path else 0)


def bench(remarks: Sequence[Remark], config: RepoConfig | None = None, once: benches.Memory | None = None) -> Workbench:
    """A workbench for the revision."""
    evidence = Evidence("sha256:0", "e", "t", "p", "runc")
    red = Result(Ending.FAILED, 1, Output("E   assert -1 == 3"), (), b"", 0.1, 0, evidence)
    finding = Finding("assert -1 == 3", "test_shop.py", 5, "test_shop.py::test_total")
    made = benches.bench(FILES, None, "pytest -q", red, (finding,), config=config, once=once)  # type: ignore[arg-type]
    ours = Ours(12, "heal/test-1", Sha("b" * 40), "main", Sha("a" * 40), patch(), RunId("r1"))
    found = tuple(remarks)
    return replace(made, revision=Revision(ours, found, wanted(found), "`-` became `+`.", Confidence.HIGH))
