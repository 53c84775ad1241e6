"""A version that was raised in one file is raised in the other, where a commit and the failing check say which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.diffs import between
from tests.workers.fixers.test_from_tools import bench
from workers.domain import Attempt, Blame, Confidence, FailureClass, Finding, Verdict
from workers.fixers import Version
from workers.ports import Workbench

OLD = '[project]\nname = "shop"\nversion = "1.2.0"\n'
NEW = OLD.replace("1.2.0", "1.3.0")
INIT = '"""A shop."""\n\n__version__ = "1.2.0"\n'
SAID = "E       AssertionError: assert '1.2.0' == '1.3.0'"
RAISED = between("pyproject.toml", OLD, NEW)


def work(files: dict[str, str], said: str = SAID, raised: str = RAISED) -> Workbench:
    made, _ = bench(files, "pytest", FailureClass.TEST, "pytest", (Finding(said),), said)
    return replace(made, blame=Blame(diff=raised))


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"src/shop/__init__.py": INIT}, ['+__version__ = "1.3.0"']),
        ({"package.json": '{\n  "name": "shop",\n  "version": "1.2.0",\n  "private": true\n}\n'},
         ['+  "version": "1.3.0",']),
        ({"VERSION": "1.2.0\n", "shop/_version.py": "version = '1.2.0'\n"}, ["+1.3.0", "+version = '1.3.0'"]),
    ],
)  # fmt: skip
def test_what_was_forgotten_is_raised(files: dict[str, str], lines: list[str]) -> None:
    """In every file of the project that still says the old version, and nowhere else."""
    bench, fixer = work({"pyproject.toml": NEW, "tests/data/setup.py": "version = '1.2.0'\n", **files}), Version()
    assert fixer.applies(bench.diagnosis)
    candidate = fixer.propose(bench, [])
    assert candidate is not None
    added = [line for line in candidate.patch.split("\n") if line.startswith("+") and not line.startswith("+++")]
    assert added == lines
    assert candidate.confidence is Confidence.MEDIUM
    assert "from 1.2.0 to 1.3.0 in pyproject.toml" in candidate.reasoning
    assert fixer.propose(bench, [Attempt(candidate, Verdict(False, "check"))]) is None


@pytest.mark.parametrize(
    ("files", "said", "raised"),
    [
        ({"shop/__init__.py": INIT}, SAID, ""),
        ({"shop/__init__.py": INIT}, "assert '1.2.0' == '9.9.9'", RAISED),
        ({"shop/__init__.py": INIT}, "assert '1.2.0.1' == '1.3.0'", RAISED),
        ({"shop/__init__.py": INIT.replace("1.2.0", "1.1.0")}, SAID, RAISED),
        ({"shop/__init__.py": INIT}, SAID, RAISED + between("setup.cfg", "version = 1.0.0\n", "version = 2.0.0\n")),
        ({"other/setup.py": "version = '1.2.0'\n"}, SAID, RAISED),
        ({f"shop/{n}/__init__.py": INIT for n in "abcd"}, SAID, RAISED),
        ({"shop/__init__.py": INIT + "version = '1.2.0'\n"}, SAID, RAISED),
        ({"uv.lock": 'version = "1.2.0"\n', "docs.md": "version: 1.2.0\n"}, SAID, RAISED),
    ],
    ids=["no commit", "other words", "another version", "nothing is old", "two versions", "another project",
         "many files", "twice in a file", "a lock and prose"],
)  # fmt: skip
def test_which_version_is_meant_is_never_guessed(files: dict[str, str], said: str, raised: str) -> None:
    """A commit, the check and the files have to agree."""
    assert Version().propose(work({"pyproject.toml": NEW, **files}, said, raised), []) is None
