"""Pairs of outputs that are, or are not, the same failure: what CI printed, what the sandbox printed, and which rule
decides. Each pair is one decision; the rules are the docstring of `workers.diagnosis.likeness`.
"""

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    """One decision."""

    why: str
    script: str
    ci: str
    here: str
    same: bool
    code: int = 1


def failed(*lines: str, counts: str = "") -> str:
    """pytest's summary."""
    shown = "\n".join(f"FAILED {line}" for line in lines)
    return f"= test session starts =\n{shown}\n{counts or f'{len(lines)} failed'} in 0.12s\n"


A, B = "tests/test_a.py::test_a - AssertionError: assert 3 == 4", "tests/test_b.py::test_b - KeyError: 'name'"
UNITTEST = """E
======================================================================
ERROR: test_load ({})
----------------------------------------------------------------------
Traceback (most recent call last):
  File "{}/test_load.py", line 9, in test_load
    load({{}})["name"]
KeyError: 'name'

----------------------------------------------------------------------
Ran 1 test in {}s

FAILED (errors=1)
"""
GO = "--- FAIL: {} (0.00s)\n    add_test.go:{}: got 6, want 5\nFAIL\nFAIL\texample.com/calc\t{}s\nFAIL\n"
LIB = "running 1 test\ntest {} ... FAILED\n\nfailures:\n\n---- {} stdout ----\nthread '{}' panicked at src/lib.rs:{}:9:\nassertion `left == right` failed\n  left: 6\n right: 5\n\n\nfailures:\n    {}\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in {}s\n"  # noqa: E501
CONFTEST = """ImportError while loading conftest '/ws/tests/conftest.py'.
tests/conftest.py:1: in <module>
    import yaml
E   ModuleNotFoundError: {}
"""
RUFF = "{}:{}:1: {} [*] `os` imported but unused\nFound 1 error.\n"
MYPY = "{}:{}: error: {}  [{}]\nFound 1 error in 1 file (checked 3 source files)\n"

PAIRS = (
    # tests
    Pair("the same test", "pytest", failed(A), failed(A), True),
    Pair(
        "a script of its own in the shell's words",
        "./x.sh",
        "/home/runner/work/_temp/0c9f-8a11.sh: line 1: ./x.sh: Permission denied",
        "/run/script: line 3: ./x.sh: Permission denied",
        True,
        126,
    ),
    Pair(
        "another program that may not be run",
        "./x.sh",
        "/a/b.sh: line 1: ./x.sh: Permission denied",
        "/run/script: line 1: ./y.sh: Permission denied",
        False,
        126,
    ),
    Pair("durations and counts of others", "pytest", failed(A, counts="1 failed, 3 passed"), failed(A), True),
    Pair("another test", "pytest", failed(A), failed(B), False),
    Pair("another order", "pytest", failed(A, B), failed(B, A), True),
    Pair("other values of an assertion", "pytest", failed(A), failed(A.replace("3 == 4", "30 == 40")), True),
    Pair(
        "another parameter", "pytest", failed("t.py::t[1] - ValueError: x"), failed("t.py::t[2] - ValueError: x"), True
    ),
    Pair("fewer tests here than in CI", "pytest", failed(A, B), failed(A), True),
    Pair("one more test here", "pytest", failed(A), failed(A, B), False),
    Pair("CI's log names fewer than failed", "pytest", failed(A, counts="2 failed"), failed(A, B), True),
    Pair("another exception", "pytest", failed(A), failed("tests/test_a.py::test_a - OSError: no route"), False),
    Pair(
        "an exception's name of an older Python",
        "pytest",
        failed("t.py::t - ModuleNotFoundError: No module named 'x'"),
        failed("t.py::t - ImportError: No module named x"),
        True,
    ),
    Pair(
        "another message of one exception",
        "pytest",
        failed("t.py::t - ValueError: the rate of this country is missing"),
        failed("t.py::t - ValueError: cannot open database connection pool"),
        False,
    ),
    Pair(
        "the same message with another address, port and temporary name",
        "pytest",
        failed("t.py::t - OSError: cannot bind 127.0.0.1:4312 for /tmp/pytest-of-runner/pytest-0/a at 0x7f01"),
        failed("t.py::t - OSError: cannot bind 127.0.0.1:9981 for /tmp/pytest-of-heal/pytest-3/a at 0x55aa"),
        True,
    ),
    Pair(
        "a message that another Python words a little differently",
        "pytest",
        failed("t.py::t - TypeError: pay() missing 1 required positional argument: 'order'"),
        failed("t.py::t - TypeError: Shop.pay() missing 1 required positional argument: 'order'"),
        True,
    ),
    Pair(
        "a message cut by a narrow terminal",
        "pytest",
        failed("t.py::t - ValueError: the rate of..."),
        failed("t.py::t - ValueError: the rate of this country is missing"),
        True,
    ),
    Pair("no exception named in CI", "pytest", failed("t.py::t"), failed("t.py::t - ValueError: x"), True),
    Pair(
        "another root of the tests",
        "pytest",
        failed("app/tests/t.py::t - ValueError: x"),
        failed("tests/t.py::t - ValueError: x"),
        True,
    ),
    Pair(
        "another file of the same name",
        "pytest",
        failed("a/tests/t.py::t - ValueError: x"),
        failed("b/tests/t.py::t - ValueError: x"),
        False,
    ),
    Pair(
        "a test's short name is the end of another word",
        "pytest",
        failed("t.py::test_load - ValueError: x"),
        failed("t.py::test_reload - ValueError: x"),
        False,
    ),
    Pair(
        "processes of xdist before the lines",
        "pytest -n 2",
        "[gw0] linux -- Python 3.12.4 /usr/bin/python\n" + failed(A),
        failed(A),
        True,
    ),
    Pair("tests fail in CI, usage is wrong here", "pytest", failed(A), "ERROR: usage: pytest [options]\n", False),
    Pair("the set-up of CI's log says nothing here", "pytest", failed(A), "", False),
    Pair(
        "unittest below another root",
        "python -m unittest",
        UNITTEST.format("test_load.LoadTest.test_load", "/home/runner/work/a/a", "0.001"),
        UNITTEST.format("test_load.LoadTest.test_load", "/ws", "2.500"),
        True,
    ),
    Pair(
        "unittest of Python 3.10 and of 3.12",
        "python -m unittest",
        UNITTEST.format("test_load.LoadTest", "/ws", "0.001"),
        UNITTEST.format("test_load.LoadTest.test_load", "/ws", "0.001"),
        True,
    ),
    Pair(
        "unittest, another class",
        "python -m unittest",
        UNITTEST.format("test_load.LoadTest.test_load", "/ws", "0.001"),
        UNITTEST.format("test_load.SaveTest.test_load", "/ws", "0.001"),
        False,
    ),
    Pair("go, another line", "go test ./...", GO.format("TestAdd", 9, "0.003"), GO.format("TestAdd", 12, "0.9"), True),
    Pair(
        "go, another test", "go test ./...", GO.format("TestAdd", 9, "0.003"), GO.format("TestSub", 9, "0.003"), False
    ),
    Pair(
        "cargo, another line",
        "cargo test",
        LIB.format(*["tests::adds"] * 3, 8, "tests::adds", "0.00"),
        LIB.format(*["tests::adds"] * 3, 9, "tests::adds", "0.01"),
        True,
        101,
    ),
    Pair(
        "cargo, another test",
        "cargo test",
        LIB.format(*["tests::adds"] * 3, 8, "tests::adds", "0.00"),
        LIB.format(*["tests::subs"] * 3, 8, "tests::subs", "0.00"),
        False,
        101,
    ),
    Pair(
        "a hidden runner",
        "make test",
        failed(A).replace("= test session starts =\n", ""),
        failed(A).replace("= test session starts =\n", ""),
        True,
        2,
    ),
    Pair(
        "a hidden runner, another test",
        "make test",
        failed(A).replace("= test session starts =\n", ""),
        failed(B).replace("= test session starts =\n", ""),
        False,
        2,
    ),
    Pair(
        "a conftest that cannot be read",
        "pytest",
        CONFTEST.format("No module named 'yaml'"),
        CONFTEST.format("No module named 'yaml'"),
        True,
        4,
    ),
    Pair(
        "a conftest that only the sandbox cannot read",
        "pytest",
        CONFTEST.format("x").replace("ModuleNotFoundError", "ValueError"),
        CONFTEST.format("No module named 'yaml'"),
        False,
        4,
    ),
    # checkers
    Pair(
        "another line of a file",
        "ruff check .",
        RUFF.format("shop/a.py", 3, "F401"),
        RUFF.format("shop/a.py", 4, "F401"),
        True,
    ),
    Pair(
        "another rule", "ruff check .", RUFF.format("shop/a.py", 3, "F401"), RUFF.format("shop/a.py", 3, "E711"), False
    ),
    Pair(
        "another file", "ruff check .", RUFF.format("shop/a.py", 3, "F401"), RUFF.format("shop/b.py", 3, "F401"), False
    ),
    Pair(
        "another root",
        "ruff check .",
        RUFF.format("/home/runner/work/s/s/shop/a.py", 3, "F401"),
        RUFF.format("shop/a.py", 3, "F401"),
        True,
    ),
    Pair(
        "two roots",
        "flake8",
        "/home/runner/work/s/s/shop/a.py:1:1: F401 'os' imported but unused",
        "/ws/shop/a.py:1:1: F401 'os' imported but unused",
        True,
    ),
    Pair(
        "more findings of a newer version here",
        "ruff check .",
        RUFF.format("shop/a.py", 3, "F401"),
        RUFF.format("shop/a.py", 3, "F401") + RUFF.format("shop/c.py", 1, "RUF100"),
        True,
    ),
    Pair(
        "more findings in CI",
        "ruff check .",
        RUFF.format("shop/a.py", 3, "F401") + RUFF.format("shop/c.py", 1, "RUF100"),
        RUFF.format("shop/c.py", 1, "RUF100"),
        True,
    ),
    Pair(
        "a rule that another version words differently",
        "flake8",
        "shop/a.py:3:1: F401 'os' imported but unused",
        "shop/a.py:3:1: F401 module imported but unused: os",
        True,
    ),
    Pair(
        "files to be formatted", "black --check .", "would reformat shop/a.py\n", "would reformat shop/a.py\n", True, 1
    ),
    Pair(
        "another file to be formatted",
        "black --check .",
        "would reformat shop/a.py\n",
        "would reformat shop/b.py\n",
        False,
        1,
    ),
    Pair(
        "types",
        "mypy shop",
        MYPY.format("shop/a.py", 3, "bad", "arg-type"),
        MYPY.format("shop/a.py", 5, "bad", "arg-type"),
        True,
    ),
    Pair(
        "other types",
        "mypy shop",
        MYPY.format("shop/a.py", 3, "bad", "arg-type"),
        MYPY.format("shop/a.py", 3, "worse", "return-value"),
        False,
    ),
    Pair(
        "a package that only the sandbox lacks",
        "mypy shop",
        MYPY.format("shop/a.py", 3, "bad", "arg-type"),
        MYPY.format("shop/a.py", 3, "bad", "arg-type")
        + MYPY.format(
            "shop/a.py", 1, 'Cannot find implementation or library stub for module named "yaml"', "import-not-found"
        ),
        False,
    ),
    Pair(
        "a package that both lack",
        "mypy shop",
        MYPY.format("shop/a.py", 1, 'Cannot find "yaml"', "import-not-found"),
        MYPY.format("shop/a.py", 1, 'Cannot find "yaml"', "import-not-found"),
        True,
    ),
    Pair(
        "another tool of the same step",
        "ruff check . && mypy shop",
        RUFF.format("shop/a.py", 3, "F401"),
        MYPY.format("shop/a.py", 3, "bad", "arg-type"),
        False,
    ),
    Pair("a linter in CI, tests here", "ruff check . && pytest", RUFF.format("shop/a.py", 3, "F401"), failed(A), False),
    Pair(
        "a compiler's other error in the same file",
        "gcc -c a.c",
        "a.c:3:1: error: unknown type name 'x'",
        "a.c:9:1: error: too few arguments to function 'f'",
        False,
    ),
    Pair(
        "a compiler's error on another line",
        "gcc -c a.c",
        "a.c:3:1: error: unknown type name 'x'",
        "a.c:9:1: error: unknown type name 'x'",
        True,
    ),
    # outputs that no tool knows
    Pair(
        "a line with a place",
        "./lint",
        "docs/a.rst:3: bad heading level\n2 problems",
        "docs/a.rst:9: bad heading level\n3 problems",
        True,
    ),
    Pair(
        "another line with a place",
        "./lint",
        "docs/a.rst:3: bad heading level\n1 problem",
        "docs/b.rst:3: dead link\n1 problem",
        False,
    ),
    Pair("an error line", "./build", "ok\nerror: no target named 'web'\n", "error: no target named 'api'\n", True),
    Pair("another error line", "./build", "error: no target named 'web'\n", "error: out of cheese\n", False),
    Pair(
        "only make's last line is the same",
        "make x",
        "boom\nmake: *** [Makefile:3: x] Error 1\n",
        "bang\nmake: *** [Makefile:9: x] Error 1\n",
        False,
        2,
    ),
    Pair("the same last line and exit code", "./x", "one\ntwo\n", "zero\ntwo\n", True, 3),
    Pair("another last line", "./x", "one\n", "two\n", False, 3),
    Pair(
        "CI ran out of the job's time, tests fail here",
        "pytest",
        "= test session starts =\ntests/a.py ..\n",
        failed(A),
        False,
    ),
    Pair("nothing printed on both sides", "./x", "", "", True, 3),
)
