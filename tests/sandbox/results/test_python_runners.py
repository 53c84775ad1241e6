"""unittest, tox and nox in the real image: every test has a name, and nothing else is changed."""

from __future__ import annotations

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Ending
from tests.sandbox.results.conftest import ran, statuses

pytestmark = pytest.mark.engine
SAMPLE = {
    "tests/__init__.py": "",
    "tests/test_a.py": """import os
import unittest


class A(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(1 - 2, 3, 'odd "q" \\u00e9 \\x1b[31m\\n2nd')

    def test_fine(self):
        print("FAIL: test_fake (tests.A)")

    @unittest.skip("later")
    def test_skip(self):
        pass

    @unittest.expectedFailure
    def test_expected(self):
        self.fail()

    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertNotEqual(i, 1)

    def test_nested(self):
        class Inner(unittest.TestCase):
            def test_bad(self):
                self.fail("inner")

        inner = unittest.TestResult()
        Inner("test_bad").run(inner)
        self.assertEqual(len(inner.failures), 1)


class B(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no room")

    def test_never(self):
        pass
""",
    "tests/test_b.py": "import not_there\n",
}
NAMES = {
    "tests.test_a.A.test_adds": "failed", "tests.test_a.A.test_fine": "passed", "tests.test_a.A.test_skip": "skipped",
    "tests.test_a.A.test_expected": "skipped", "tests.test_a.A.test_sub": "failed",
    "tests.test_a.A.test_nested": "passed", "tests.test_a.B": "error", "tests.test_b": "error",
}  # fmt: skip
SAME = r"""
same() {
  set +e
  env -u PYTHONPATH -u PYTEST_ADDOPTS "$@" >/tmp/a 2>&1; echo "exit code $?" >>/tmp/a
  "$@" >/tmp/b 2>&1; echo "exit code $?" >>/tmp/b
  sed -i -E 's/[0-9.]+ ?s\b/T/g' /tmp/a /tmp/b
  diff /tmp/a /tmp/b || { echo "CHANGED: $*"; exit 9; }
  echo "same: $* ($(tail -n 1 /tmp/b))"
}
"""
PROGRAMS = {
    **SAMPLE,
    "hello.py": "import sys\nprint(sys.argv, sys.path[0], sorted(set(sys.modules) & {'unittest', 'json', 're'}))\n",
    "throws.py": "def deep(n):\n    return deep(n - 1) if n else None.x\n\n\ndeep(3)\n",
    "site/sitecustomize.py": "print('the own sitecustomize ran', __name__, __file__)\n",
    "broken/sitecustomize.py": "raise ValueError('the own sitecustomize failed')\n",
}
COMMANDS = [
    "python hello.py", "python throws.py", "python -c 'import nowhere'", "python -m unittest", "python -m unittest -v",
    "python -m unittest -f -b", "python -m unittest tests.test_a.A.test_fine", "python -m unittest nowhere",
    "python -m pytest -q -p no:cacheprovider", "/usr/bin/python3 -m unittest -v", "python -I -m unittest -v",
]  # fmt: skip


@pytest.mark.parametrize("command", ["python -m unittest", "python -m unittest -v -b", "/usr/bin/python3 -m unittest"])
def test_unittest(with_python: DockerEnvironment, command: str) -> None:
    """Each test by its dotted name, with or without -v; subtests and inner runs belong to their test."""
    red = ran(with_python, command, SAMPLE)
    assert statuses(red) == NAMES, red.output.text
    assert (red.ending, red.exit_code, red.source, red.told) == (Ending.FAILED, 1, "unittest reporter", None)
    messages = {test.id: test.message for test in red.tests}
    assert messages["tests.test_a.A.test_adds"].startswith("/ws/tests/test_a.py:7: AssertionError: -1 != 3")
    assert "(i=1)" in messages["tests.test_a.A.test_sub"]
    assert "not_there" in messages["tests.test_b"]


@pytest.mark.parametrize(
    ("command", "name"),
    [("python -m pytest -q -p no:cacheprovider", "test_a.py::A::test_1"), ("python -m unittest", "test_a.A.test_1")],
)
def test_tests_that_replace_what_a_reporter_needs_are_named(
    with_python: DockerEnvironment, command: str, name: str
) -> None:
    """Fixtures that put another environment, and nothing for files, in their place still stand while a test reports."""
    replaced = """import json
import os
import unittest
from unittest import mock


def setUpModule():
    for place, what in ((os, "environ"), (os, "open"), (os, "write"), (os, "getpid"), (json, "dumps")):
        mock.patch.object(place, what, {} if what == "environ" else mock.Mock()).start()


class A(unittest.TestCase):
    def test_1(self):
        assert "HEAL_REPORT" not in os.environ
"""
    done = ran(with_python, command, {"test_a.py": replaced})
    assert (done.exit_code, statuses(done), done.names_all) == (0, {name: "passed"}, True)


def test_unittest_that_dies_keeps_what_it_had(with_python: DockerEnvironment) -> None:
    """Tests that had ended before `os._exit` are there; without the reporter the log still names the failing ones."""
    text = "import os\nimport unittest\n\n\nclass A(unittest.TestCase):\n    def test_1(self): pass\n"
    died = ran(with_python, "python -m unittest", {"test_a.py": text + "    def test_2(self): os._exit(0)\n"})
    assert (died.exit_code, statuses(died)) == (0, {"test_a.A.test_1": "passed"})
    quiet = ran(
        with_python, "python -I -c 'import sys, unittest; sys.path.insert(0, \"\"); unittest.main(None)'", SAMPLE
    )
    assert (quiet.source, quiet.names_all) == ("log of unittest", False)
    assert {name for name, status in statuses(quiet).items() if status != "error"} == {
        "tests.test_a.A.test_adds", "tests.test_a.A.test_sub",
    }  # fmt: skip


def test_tox_and_nox_hand_the_reporters_on(with_python: DockerEnvironment) -> None:
    """Tests that run under tox, in an environment of its own, and under nox are named as without them."""
    files = {
        **SAMPLE,
        "tox.ini": "[tox]\nskipsdist = true\nenvlist = a\n[testenv]\ncommands = python -m unittest\n",
        "noxfile.py": "import nox\n\n\n@nox.session(python=False)\ndef tests(session):\n"
        "    session.run('python', '-m', 'unittest')\n",
    }
    for command in ("tox", "nox"):
        red = ran(with_python, command, files)
        assert statuses(red) == NAMES, red.output.text
        assert red.exit_code == 1


def test_no_program_notices_the_reporter(with_python: DockerEnvironment) -> None:
    """What Python's programs and runners print, and their exit codes, are the same without our reporters, with ones
    that cannot write, and beside a `sitecustomize` of the repository's own: timings aside."""
    script = SAME + "\n".join(f"same {command}" for command in COMMANDS)
    for report in ("/dev/full", "/no/such/folder", ""):
        script += f"\nexport HEAL_REPORT={report}\nsame python -m unittest -v"
    for folder in ("site", "broken"):
        script += f"\nPYTHONPATH=/opt/heal/plugins:{folder} python hello.py >/tmp/with 2>&1"
        script += f"\nPYTHONPATH={folder} python hello.py >/tmp/without 2>&1\ndiff /tmp/with /tmp/without || exit 8"
        script += "\ngrep 'the own sitecustomize' /tmp/with"
    result = ran(with_python, script, PROGRAMS)
    assert result.green, result.output.text
    assert result.output.text.count("same: ") == len(COMMANDS) + 3
