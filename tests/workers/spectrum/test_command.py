"""How the failing command is read: which runner takes which tests, and with what Python."""

from __future__ import annotations

import pytest

from tests.workers.made import MemoryTree
from workers.spectrum.command import Call, call

TREE = MemoryTree(
    dict.fromkeys(("tests/__init__.py", "tests/test_a.py", "tests/test_b.py", "src/test/check_c.py", "a.py"), b"")
)
LOOSE = MemoryTree({"tests/test_a.py": b""})


def read(script: str, tool: str = "unittest", tree: MemoryTree = TREE) -> Call:
    return call(script, ".", tree, tool)


@pytest.mark.parametrize(
    ("script", "args"),
    [
        ("python -m unittest", ()),
        (
            "python -m unittest discover -v -s tests -p 'test_*.py'",
            ("discover", "-v", "-s", "tests", "-p", "test_*.py"),
        ),
        ("python -m unittest tests.test_a.It -k small 2>&1 | tee log", ("tests.test_a.It", "-k", "small")),
        ("python -m unittest tests/test_*.py", ("tests/test_a.py", "tests/test_b.py")),
        ("cd tests && python -m unittest test_?.py -k 'a*'", ("test_a.py", "test_b.py", "-k", "a*")),
        ("python -m unittest nothing_*.py", ("nothing_*.py",)),
        ("python -m pytest -q others && python -m unittest tests.test_b", ("tests.test_b",)),
        ("nose2", ("discover",)),
        ("python -m nose2 -v -s src/test -t src --log-level debug", ("discover", "-s", "src/test", "-t", "src")),
        ("nose2 --start-dir=src --with-coverage --coverage a tests.test_a", ("tests.test_a",)),
    ],
)
def test_unittest_gets_the_arguments_of_the_command(script: str, args: tuple[str, ...]) -> None:
    """They are read by the environment's own unittest, so they stay as they are; nose2's are put into its words."""
    found = read(script)
    assert (found.runner, found.args, found.options, found.instead) == ("unittest", args, (), None)


@pytest.mark.parametrize(
    ("script", "start", "on_path"),
    [
        ("python -m unittest", "python screen.pyz", True),
        ("python3.12 -W error -m unittest", "python3.12 -W error screen.pyz", True),
        ("nose2", "python screen.pyz", True),
        ("coverage run --branch -m unittest discover", "python screen.pyz", True),
        ("python -m coverage run -m unittest", "python screen.pyz", True),
        ("uv run coverage run -m pytest -q", "uv run python screen.pyz", True),
        ("uv run python -m unittest", "uv run python screen.pyz", True),
        ("uv run pytest", "uv run python screen.pyz", False),
        ("poetry run nose2", "poetry run python screen.pyz", True),
        ("A=1 .venv/bin/nose2 -v", "export A=1\npython screen.pyz", True),
        ("cd src\nexport A=1\nB=2 python -m unittest", "export A=1\nexport B=2\npython screen.pyz", True),
    ],
)
def test_the_commands_own_python_is_started(script: str, start: str, on_path: bool) -> None:
    """With its options and variables, and without what measures coverage."""
    found = read(script)
    assert found.script("screen.pyz") == f"{start}\n"
    assert found.cwd_on_path is on_path


@pytest.mark.parametrize(
    ("script", "tool", "tree", "instead"),
    [
        ("make test", "unittest", TREE, ("discover",)),
        ("make test", "unittest", LOOSE, ("discover", "-s", "tests")),
        ("python setup.py test", "unittest", MemoryTree({"a.py": b""}), ("discover",)),
        ("make test", "pytest", TREE, None),
        ("tox", "pytest", TREE, None),
        ("python -m pytest -q", "unittest", TREE, None),
    ],
)
def test_what_hides_its_runner_is_pytests_first(
    script: str, tool: str, tree: MemoryTree, instead: tuple[str, ...] | None
) -> None:
    """unittest takes it where the output is unittest's and the environment has no pytest; never what says pytest."""
    found = read(script, tool, tree)
    assert (found.runner, found.instead) == ("pytest", instead)
