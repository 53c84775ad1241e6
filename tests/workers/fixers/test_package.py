"""A folder that was forgotten as a package gets its empty file, where the failure and the tree prove it."""

from __future__ import annotations

import pytest

from tests.workers.fixers.test_from_tools import bench
from workers import granted, policy
from workers.domain import Attempt, Change, Confidence, FailureClass, Finding, Verdict
from workers.fixers import Package
from workers.repo_config import Policy

RELATIVE = "ImportError: attempted relative import with no known parent package"
MISMATCH = (
    "import file mismatch:\nimported module 'test_a' has this __file__ attribute:\n  /ws/tests/api/test_a.py\n"
    "which is not the same as the test file we want to collect:\n  /ws/tests/unit/test_a.py\nHINT: use a unique name\n"
)
TESTS = {"tests/helpers.py": "", "tests/test_a.py": "", "shop/__init__.py": "", "shop/a.py": ""}
SUB = {"shop/__init__.py": "", "shop/tax/rates.py": "", "tests/test_a.py": ""}
BOTH = {"tests/api/test_a.py": "", "tests/unit/test_a.py": "", "tests/__init__.py": ""}
UNIT = {"tests/unit/test_b.py": "", "tests/unit/helpers.py": "", "tests/api/__init__.py": "", "tests/api/x.py": ""}
CASES = {
    "the tests": (TESTS, "ModuleNotFoundError: No module named 'tests'", "tests/test_a.py", ["tests/__init__.py"]),
    "a module in them": (TESTS, "No module named 'tests.helpers'", None, ["tests/__init__.py"]),
    "left out of what is installed": (SUB, "No module named 'shop.tax'", None, ["shop/tax/__init__.py"]),
    "in src": ({f"src/{path}": text for path, text in SUB.items()}, "No module named 'shop.tax.rates'", None,
               ["src/shop/tax/__init__.py"]),
    "relative": (UNIT, RELATIVE, "tests/unit/test_b.py", ["tests/unit/__init__.py"]),
    "two of one name": (BOTH, MISMATCH, None, ["tests/api/__init__.py", "tests/unit/__init__.py"]),
    "no such module": (SUB, "No module named 'shop.prices'", None, []),
    "nobody else's is marked": ({"tests/helpers.py": "", "shop/a.py": ""}, "No module named 'tests'", None, []),
    "it is marked": ({**SUB, "shop/tax/__init__.py": ""}, "No module named 'shop.tax'", None, []),
    "another trouble": (TESTS, "ZeroDivisionError", "tests/test_a.py", []),
    "beside the root": ({"test_a.py": "", "shop/__init__.py": ""}, RELATIVE, "test_a.py", []),
}  # fmt: skip


@pytest.mark.parametrize(("files", "message", "path", "marks"), CASES.values(), ids=CASES)
def test_a_forgotten_mark_is_added(files: dict[str, str], message: str, path: str | None, marks: list[str]) -> None:
    """Only the empty file, once; no rule stands against it, the one against changing tests neither."""
    one, _ = bench(files, "pytest", FailureClass.IMPORT, "pytest", (Finding(message, path, 1),))
    fixer = Package()
    assert fixer.applies(one.diagnosis)
    candidate = fixer.propose(one, [])
    assert (candidate is not None) is bool(marks)
    if candidate is None:
        return
    edits = one.tree.apply(candidate.patch)
    assert edits == dict.fromkeys(marks, b"")
    assert (candidate.change, candidate.confidence) == (Change.PACKAGE, Confidence.MEDIUM)
    found = policy.review(candidate.patch, one.tree, one.diagnosis, Policy())
    facts = granted.Facts(one.diagnosis)
    assert granted.left(found, candidate.change, edits, one.tree, facts, Policy(allow_dependency_changes=False)) == []
    assert fixer.propose(one, [Attempt(candidate, Verdict(False, "check"))]) is None


@pytest.mark.parametrize(
    "edits",
    [
        {"tests/__init__.py": b"import os\n"},
        {"tests/__init__.py": b"", "tests/conftest.py": b""},
        {"docs/__init__.py": b""},
    ],
)
def test_another_new_file_is_no_mark(edits: dict[str, bytes]) -> None:
    """A claim about a file that does anything, or that nothing asks for, grants nothing."""
    one, _ = bench(TESTS, "pytest", FailureClass.IMPORT, "pytest", (Finding("No module named 'tests'"),))
    found = policy.review(one.tree.diff(edits), one.tree, one.diagnosis, Policy())
    left = granted.left(found, Change.PACKAGE, edits, one.tree, granted.Facts(one.diagnosis), Policy())
    assert "is not the change it claims to be" in {violation.rule for violation in left}
