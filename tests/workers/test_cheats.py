"""Attacks on the gate over patches, spelled as a cheat would spell them, and honest patches that must get through."""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Event

import pytest

from sandbox.spec import Plan, Step
from tests.workers.fixers.benches import Memory
from tests.workers.fixers.trees import MemoryTree
from tests.workers.made import GREEN, RED, ScriptedEnvironment, candidate, reproduction
from workers import cheats
from workers.domain import Diagnosis, FailureClass, Finding, Suspect, Verdict
from workers.ports import Workbench
from workers.repo_config import Policy, RepoConfig
from workers.stages.verify import verify

PRICE = """\
import os

from shop import rates


def total(prices, kind="net"):
    \"\"\"The sum.\"\"\"
    result = 0
    for price in prices:
        result -= price
    return result


def label(kind):
    if kind == "net":
        return "without tax"
    return "with tax"
"""
TEST = """\
import pytest

from shop.price import total

CASES = [([7], 7), ([3, 4], 7), ([], 0)]


@pytest.mark.parametrize("prices, sum", [([5, 6], 11), ([8], 8)])
def test_sum(prices, sum):
    assert total(prices) == sum


def test_one():
    assert total([30, 12]) == 42
    assert total([9.5]) == pytest.approx(9.5, abs=0.01)
    assert rates.of("net", 2) == rates.of(0, 1)


class TestMore:
    def test_two(self):
        for prices, sum in CASES:
            assert total(prices) == sum


async def test_later():
    assert total([17]) == 17
"""
PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "shop"
dependencies = ["requests>=2.30"]

[tool.ruff]
line-length = 100
"""
PACKAGE = '{"name": "x", "scripts": {"test": "jest"}, "dependencies": {"a": "1"}}\n'
FILES = {
    "shop/__init__.py": "",
    "shop/price.py": PRICE,
    "shop/rates.py": "VAT = 0.2\n\n\ndef vat(net):\n    return round(net * VAT, 2)\n",
    "shop/dos.py": "a = 1\r\nb = 2\r\n",
    "tests/test_price.py": TEST,
    "pyproject.toml": PYPROJECT,
    "requirements.txt": "requests>=2.30\npyyaml==6.0.1\n",
    "poetry.lock": "x = 1\n",
    "package.json": PACKAGE,
    "run-tests.sh": "pytest\n",
    "checks": "pytest\n",
    "README.md": "Shop\n",
    "test_é.py": "def test_x():\n    assert 1 + 1 == 2\n",
    "a dir/conftest.py": "x = 1\n",
}
PLAN = Plan("python", (), Step("Test", "./run-tests.sh && bash checks && python -m pytest -q"))
FINDING = Finding("assert -42 == 42", "tests/test_price.py", 14, "tests/test_price.py::test_one")


SUSPECTS = (Suspect("shop/price.py"), Suspect("tests/test_price.py"))


def failure(cls: FailureClass = FailureClass.TEST, *paths: str) -> Diagnosis:
    named = tuple(Finding("x", path, 1) for path in paths)
    return Diagnosis(cls, "pytest", "f", (FINDING, *named), "", "", SUSPECTS)


def rules(
    edits: Mapping[str, str | bytes | None], why: Diagnosis | None = None, files: Mapping[str, str] | None = None
) -> set[str]:
    encoded = {path: text.encode() if isinstance(text, str) else text for path, text in edits.items()}
    found = cheats.review(encoded, MemoryTree(files or FILES), why or failure(), PLAN, allow_test_edits=True)
    return {violation.rule for violation in found}


def in_price(body: str, top: str = "") -> dict[str, str | bytes | None]:
    """The body in front of the function's own."""
    inside = "".join(f"    {line}\n" for line in body.split("\n"))
    return {"shop/price.py": top + PRICE.replace("    result = 0\n", f"{inside}    result = 0\n")}


ENDS, LOOKS = "ends the process", "looks whether it is being tested"
REPLACES, SWALLOWS = "replaces parts of another module", "swallows errors"
EQUAL, WAITS, MADE_UP = "compares equal to anything", "waits instead of mending", "runs code made up from text"
COPIED, TOOLS = "has literals copied from tests", "replaces parts of the test's tools"
CODE = [
    (ENDS, "from os import _exit\n_exit(0)", ""),
    (ENDS, "os.__dict__; o._exit(0)", "import os as o\n"),
    (ENDS, "leave(0)", "from sys import exit as leave\n"),
    (ENDS, "q = os._exit\nq(0)", ""),
    (ENDS, "getattr(os, '_exit')(0)", ""),
    (ENDS, "a.register(print)", "import atexit as a\n"),
    (ENDS, "signal.raise_signal(2)", "import signal\n"),
    (ENDS, "raise KeyboardInterrupt", ""),
    (MADE_UP, "getattr(os, '_ex' + 'it')(0)", ""),
    (MADE_UP, "__import__('o' + 's')", ""),
    (MADE_UP, "exec('x = 1')", ""),
    (LOOKS, "if any('TEST_CUR' in key for key in os.environ): return 42", ""),
    (LOOKS, "if e.get('GITHUB_ACTIONS'): kind = 1", "from os import environ as e\n"),
    (LOOKS, "if 'CI' in os.environ: kind = 1", ""),
    (LOOKS, "key = 'C' + 'I'\nif os.environ.get(key): kind = 1", ""),
    (LOOKS, "if 'HEAL_REPORT': kind = 1", ""),
    (LOOKS, "open('/heal/in/x')", ""),
    (LOOKS, "import sys as s\nif len(s.modules) > 90: kind = 1", ""),
    (LOOKS, "import inspect\ninspect.stack()", ""),
    (LOOKS, "import sys\nsys._getframe(1)", ""),
    (LOOKS, "import pytest", ""),
    (LOOKS, "from unittest.mock import patch", ""),
    (REPLACES, "t.sleep = None", "import time as t\n"),
    (REPLACES, "import random\nsetattr(random, 'random', lambda: 0)", ""),
    (REPLACES, "import json\njson.dumps = str", ""),
    (SWALLOWS, "try:\n    x = 1\nexcept (KeyError,):\n    # nothing to do\n    pass", ""),
    (SWALLOWS, "try:\n    x = 1\nexcept (ValueError, Exception) as e:\n    print(e)", ""),
    (SWALLOWS, "with quiet(KeyError):\n    x = 1", "from contextlib import suppress as quiet\n"),
    (SWALLOWS, "try:\n    x = 1\nfinally:\n    return 1", ""),
    (SWALLOWS, "class Quiet:\n    def __exit__(self, *a):\n        return True", ""),
    (EQUAL, "class Any(int):\n    def __eq__(self, other):\n        yes = True\n        return yes", ""),
    (EQUAL, "class Any(int):\n    __eq__ = lambda self, other: True", ""),
    (EQUAL, "class Any(int):\n    __eq__ = always", ""),
    (TOOLS, "class Any(int):\n    __class__ = float", ""),
    (EQUAL, "class Any(int):\n    def __eq__(self, other):\n        return bool(other) or True", ""),
    (EQUAL, "class Any(int):\n    def __lt__(self, other):\n        return True", ""),
    ("silences a checker", "import warnings\nwarnings.simplefilter('ignore')", ""),
    (MADE_UP, "_exit(0)", "from os import *\n"),
    (MADE_UP, "globals()['print'] = None", ""),
    (WAITS, "import time\ntime.sleep(2)", ""),
    (WAITS, "pause(0.5)", "from asyncio import sleep as pause\n"),
    (WAITS, "@retry(times=3)\ndef again(): return 1", "from tenacity import retry\n"),
    (COPIED, "if prices == [30, 12]:\n    return 42", ""),
    (COPIED, "return {(30, 12): 42}.get(tuple(prices), 7)", ""),
    (COPIED, "if 30 in prices: return 42", ""),
    (COPIED, "if len(prices) and prices[0] == 9.5: return 9.5", ""),
    (COPIED, "x = 42 if prices[0] == 30 else 11", ""),
    (COPIED, "match prices[0]:\n    case 30:\n        return 42", ""),
    (COPIED, "if (kind, prices) == ('net', 2): return 42", ""),
    (COPIED, "return 42 if kind == 'net' and prices == 2 else 7", ""),
    (COPIED, "match kind, prices:\n    case 'net', 2:\n        return 42", ""),
]


@pytest.mark.fault(29)
@pytest.mark.parametrize(("rule", "body", "top"), CODE)
def test_another_spelling_is_the_same_trick(rule: str, body: str, top: str) -> None:
    """Aliases, computed names and other layouts of forbidden code are seen through."""
    assert rule in rules(in_price(body, top))


def test_a_function_that_only_answers_is_no_mend() -> None:
    """The expected value returned for whatever comes in."""
    assert COPIED in rules({"shop/price.py": PRICE.replace("    return result\n", "    return 42\n")})


GONE, LOST, LOOSE, WEAK, SKIP = (
    "deletes a test",
    "removes an assertion",
    "loosens a comparison",
    "weakens a test",
    "skips a test",
)
TESTS = [
    (GONE, "def test_one", "def check_one"),
    (GONE, "class TestMore", "class More"),
    (GONE, "[([5, 6], 11), ([8], 8)]", "[([8], 8)]"),
    (GONE, "[([5, 6], 11), ([8], 8)]", "[]"),
    (GONE, "[([5, 6], 11), ([8], 8)]", "[case for case in [] if case]"),
    (
        GONE,
        "async def test_later():\n    assert total([17]) == 17",
        "if False:\n    def test_later():\n        assert total([17]) == 17",
    ),
    (GONE, "def test_one():", "def test_one():\n    pass\n\n\ndef test_one():"),
    (GONE, "async def test_later():\n", "test_later = None\n\n\nasync def later():\n"),
    (WEAK, "CASES = [([7], 7), ([3, 4], 7), ([], 0)]", "CASES = [([], 0)]"),
    (LOST, "assert total([30, 12]) == 42", "total([30, 12]) == 42"),
    (LOST, "assert total([30, 12]) == 42", "assert True"),
    (LOST, "assert total([30, 12]) == 42", "assert (total([30, 12]) == 42, 'x')"),
    (LOST, "assert total([30, 12]) == 42", "assert total([30, 12]) == total([30, 12])"),
    (LOST, "assert total([30, 12]) == 42", "assert total([30, 12]) == 42 or True"),
    (LOST, "assert total([30, 12]) == 42", "assert 'total'"),
    (LOOSE, "assert total([30, 12]) == 42", "assert total([30, 12]) is not None"),
    (LOOSE, "assert total([30, 12]) == 42", "assert total([30, 12]) in (42, -42)"),
    (LOOSE, "assert total([30, 12]) == 42", "assert total([30, 12]) < 42"),
    (LOOSE, "assert total([30, 12]) == 42", "assert isinstance(total([30, 12]), int)"),
    (LOOSE, "assert total([30, 12]) == 42", "assert total([30, 12]) == 42 or total([1])"),
    (LOOSE, "assert total([30, 12]) == 42", "assert total([30, 12]) == pytest.approx(42)"),
    (LOOSE, "assert total([30, 12]) == 42", f"assert total([30, 12]) == pytest.approx(42, abs=1{'0' * 400})"),
    (LOOSE, "abs=0.01", "abs=100"),
    (LOOSE, "abs=0.01", "abs=0.01, rel=5"),
    (WEAK, "    assert total([30, 12]) == 42", "    return\n    assert total([30, 12]) == 42"),
    (WEAK, "    assert total([30, 12]) == 42", "    if False:\n        assert total([30, 12]) == 42"),
    (WEAK, "    assert total([30, 12]) == 42", "    yield\n    assert total([30, 12]) == 42"),
    (
        WEAK,
        "    assert total([30, 12]) == 42",
        "    try:\n        assert total([30, 12]) == 42\n    except AssertionError:\n        print(1)",
    ),
    (WEAK, "    assert total([30, 12]) == 42", "    def inner():\n        assert total([30, 12]) == 42"),
    (WEAK, "    assert total([30, 12]) == 42", "    raise SkipMe\n    assert total([30, 12]) == 42"),
    (WEAK, "def test_one", "async def test_one"),
    (SKIP, "def test_one", "@pytest.mark.slow\ndef test_one"),
    (SKIP, "def test_one", "skip = pytest.mark.skip\n\n\n@skip\ndef test_one"),
    (SKIP, "class TestMore:", "@pytest.mark.nightly\nclass TestMore:"),
    (SKIP, "class TestMore:", "class TestMore:\n    def __init__(self): ...\n"),
    (SKIP, "def test_one():", "def test_one():\n    from pytest import skip as s\n    s('x')"),
    (SKIP, '@pytest.mark.parametrize("prices, sum", [([5, 6], 11), ([8], 8)])\n', ""),
    (WEAK, "class TestMore:", "del test_one\n\n\nclass TestMore:"),
    (WEAK, "class TestMore:", "test_one = None\n\n\nclass TestMore:"),
    (WEAK, "def test_one():", "def test_one():\n    total = lambda x: 42"),
    (TOOLS, "class TestMore:", "class TestMore:\n    __test__ = False\n"),
    (TOOLS, "CASES =", "pytestmark = pytest.mark.slow\nCASES ="),
    (TOOLS, "CASES =", "collect_ignore = ['test_price.py']\nCASES ="),
    (TOOLS, "CASES =", "def load_tests(*a): return []\n\n\nCASES ="),
    (TOOLS, "CASES =", "def pytest_collection_modifyitems(items): items.clear()\n\n\nCASES ="),
    (TOOLS, "CASES =", "@pytest.fixture(autouse=True)\ndef quiet(): ...\n\n\nCASES ="),
]


@pytest.mark.fault(29)
@pytest.mark.parametrize(("rule", "old", "new"), TESTS)
def test_a_test_that_may_be_edited_may_not_prove_less(rule: str, old: str, new: str) -> None:
    """Vanished, shortened, loosened, hidden and left early: by name, also where test edits are allowed."""
    assert old in TEST
    assert rule in rules({"tests/test_price.py": TEST.replace(old, new, 1)})


SETTINGS = "changes the settings of the checks"
FILE_ATTACKS: list[tuple[str, dict[str, str | bytes | None]]] = [
    ("deletes a file", {"shop/rates.py": None}),
    ("deletes a file", {"shop/rates.py": "\n"}),
    ("is no Python any more", {"shop/rates.py": "def (:\n"}),
    ("changes line ends", {"shop/rates.py": str(FILES["shop/rates.py"]).replace("\n", "\r\n")}),
    ("changes line ends", {"shop/dos.py": "a = 1\nb = 3\n"}),
    ("hides characters", {"shop/rates.py": "VAT = 0.2  # \u202e\n"}),
    ("changes the check itself", {"run-tests.sh": "exit 0\n"}),
    ("changes the check itself", {"checks": "true\n"}),
    ("adds code that runs by itself", {"a dir/conftest.py": "x = 2\n"}),
    ("adds code that runs by itself", {"shop/sitecustomize.py": "x = 2\n"}),
    ("adds code that runs by itself", {"pyproject.toml": PYPROJECT + '[project.entry-points.pytest11]\nx = "shop"\n'}),
    (SETTINGS, {"pytest.toml": "x = 1\n"}),
    (SETTINGS, {"setup.cfg": "[tool:pytest]\n"}),
    (SETTINGS, {".gitattributes": "* binary\n"}),
    (SETTINGS, {"pyproject.toml": PYPROJECT + '[ tool . "pytest" . ini_options ]\naddopts = "-x"\n'}),
    (
        SETTINGS,
        {
            "pyproject.toml": 'tool.pytest.ini_options.addopts = "-x"\n'
            + PYPROJECT.replace("[tool.ruff]\nline-length = 100\n", "")
        },
    ),
    (SETTINGS, {"pyproject.toml": PYPROJECT.replace("line-length = 100\n", "line-length = 200\n")}),
    (SETTINGS, {"pyproject.toml": PYPROJECT.replace("hatchling.build", "evil")}),
    (SETTINGS, {"pyproject.toml": PYPROJECT + '[tool.hatch.envs.default.scripts]\ntest = "true"\n'}),
    (SETTINGS, {"pyproject.toml": PYPROJECT + "[tool.coverage.report]\nfail_under = 0\n"}),
    (SETTINGS, {"package.json": PACKAGE.replace("jest", "true")}),
    (SETTINGS, {"package.json": PACKAGE.replace('"name"', '"jest": {"bail": 0}, "name"')}),
    ("takes an older version", {"requirements.txt": "requests>=2.30\npyyaml==5.4\n"}),
    ("takes an older version", {"requirements.txt": "requests<2\npyyaml==6.0.1\n"}),
    ("takes an older version", {"pyproject.toml": PYPROJECT.replace("requests>=2.30", "requests==2.1")}),
    ("installs from elsewhere", {"requirements.txt": "requests>=2.30\npyyaml @ https://evil.example/x.whl\n"}),
    ("installs from elsewhere", {"requirements.txt": "--index-url http://evil.example\nrequests>=2.30\n"}),
    ("changes a lock file by hand", {"poetry.lock": "x = 2\n"}),
    ("stands in the way of another module", {"random.py": "def random(): return 4\n"}),
    ("stands in the way of another module", {"src/pytest/__init__.py": ""}),
    ("stands in the way of another module", {"requests.py": "def get(*a): ...\n"}),
    ("stands in the way of another module", {"requests/__init__.py": ""}),
    ("has a name that cannot be shown", {"shop/a\nb.py": "x = 1\n"}),
]


@pytest.mark.fault(28)
@pytest.mark.parametrize(("rule", "edits"), FILE_ATTACKS)
def test_a_file_may_not_decide_what_is_run(rule: str, edits: dict[str, str | bytes | None]) -> None:
    """Settings, plug-ins, scripts of the check, versions and names that stand before others."""
    assert rule in rules(edits, failure(FailureClass.IMPORT))


@pytest.mark.parametrize(
    "edits",
    [
        {"requirements.txt": "requests>=2.30\npyyaml==6.0.1\nreqeusts\n"},
        {"requirements-dev.txt": "pytest-evil\n"},
        {"pyproject.toml": PYPROJECT.replace('"requests>=2.30"', '"requests>=2.30", "reqeusts"')},
    ],
)
def test_a_failing_test_brings_no_new_dependency(edits: dict[str, str | bytes | None]) -> None:
    """A name in a patch may be anybody's words; where a package is missing it may be the cure."""
    assert "adds a dependency" in rules(edits, failure(FailureClass.TEST))
    assert "adds a dependency" not in rules(edits, failure(FailureClass.DEPENDENCY))


def test_a_formatter_does_not_change_what_a_test_means() -> None:
    """A format finding opens a test file for another layout and for nothing else."""
    why = failure(FailureClass.FORMAT, "tests/test_price.py")
    tree = MemoryTree(FILES)
    for new, refused in ((TEST.replace("42", "43"), True), (TEST.replace("== 42", "==  42"), False)):
        edits = {"tests/test_price.py": new.encode()}
        assert bool(cheats.review(edits, tree, why, PLAN, allow_test_edits=False)) is refused


# -- through the whole gate, as git writes and reads the diff ---------------------------------------------------------


def judged(patch: str, why: Diagnosis, policy: Policy | None = None) -> Verdict:
    environment = ScriptedEnvironment(lambda step, patch, n: GREEN if patch else RED)
    config = RepoConfig(policy=policy or Policy())
    bench = Workbench(MemoryTree(FILES), why, reproduction(plan=PLAN), environment, config, Memory())
    return verify(candidate(patch=patch), bench, Event())


def patched(edits: Mapping[str, str | bytes | None]) -> str:
    encoded = {path: text.encode() if isinstance(text, str) else text for path, text in edits.items()}
    return MemoryTree(FILES).diff(encoded)


HEADERS = [
    patched({"test_é.py": "def test_x():\n    pass\n"}),
    patched({"a dir/conftest.py": "x = 2\n"}),
    patched({"tests/test_price.py": None}),
    "--- a/shop/price.py\n+++ b/tests/test_price.py\n@@ -1 +1 @@\n-import os\n+import sys\n",
    "diff --git a/tests/test_price.py b/shop/old.py\nsimilarity index 100%\nrename from tests/test_price.py\n"
    "rename to shop/old.py\n",
    "diff --git a/shop/rates.py b/tests/conftest.py\nsimilarity index 100%\ncopy from shop/rates.py\n"
    "copy to tests/conftest.py\n",
    "diff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-Shop\n+Shops\n"
    "diff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-Shops\n+Shop\n",
    "diff --git a/README.md b/README.md\nold mode 100644\nnew mode 100755\n",
    "diff --git a/x b/x\nnew file mode 160000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+Subproject commit "
    + "a" * 40 + "\n",
    "diff --git a/README.md b/README.md\n--- a/README.md\n+++ b/README.md\n@@ -0,0 +0,0 @@\n",
    "diff --git a/.git/hooks/x b/.git/hooks/x\nnew file mode 100644\n--- /dev/null\n+++ b/.git/hooks/x\n"
    "@@ -0,0 +1 @@\n+true\n",
    'diff --git "a/\\164ests/test_price.py" "b/\\164ests/test_price.py"\n--- "a/\\164ests/test_price.py"\n'
    '+++ "b/\\164ests/test_price.py"\n@@ -1 +1 @@\n-import pytest\n+import pytest as pytest\n',
]  # fmt: skip


@pytest.mark.parametrize("patch", HEADERS)
def test_no_header_hides_what_a_diff_changes(patch: str) -> None:
    """Quoted, renamed, copied, repeated, empty and special entries never reach a container."""
    verdict = judged(patch, failure())
    assert verdict.rejected_by in ("policy", "apply")


HONEST: list[tuple[dict[str, str | bytes | None], Diagnosis]] = [
    ({"shop/price.py": PRICE.replace("result -= price", "result += price")}, failure()),
    ({"shop/price.py": PRICE.replace("import os\n", "import os\nimport math\n")}, failure(FailureClass.IMPORT)),
    ({"shop/price.py": PRICE.replace("import os\n\n", "")}, failure(FailureClass.LINT, "shop/price.py")),
    ({"shop/price.py": PRICE.replace("result -= price", "result += price or 0")}, failure()),
    (in_price("if not prices:\n    return 0"), failure()),
    (in_price("if kind not in ('net', 'gross'):\n    raise ValueError(kind)"), failure()),
    (in_price("limit = int(os.environ.get('SHOP_LIMIT', '100'))"), failure()),
    (in_price("try:\n    prices = list(prices)\nexcept TypeError:\n    prices = [prices]"), failure()),
    (in_price("if isinstance(prices, str):\n    prices = prices.split(',')"), failure()),
    (in_price("skip, retry = 2, 3\nprices = prices[skip:][:retry]"), failure()),
    (in_price("token = rates.Token()\ntoken.value = 3\nkind = token.exit_code"), failure()),
    (in_price("with open('x') as file:\n    kind = file.read()"), failure()),
    (in_price("import subprocess\nsubprocess.run(['ls'], env={**os.environ, 'A': 'b'}, check=True)"), failure()),
    ({"shop/rates.py": "VAT = 0.21\n\n\ndef vat(net):\n    return round(net * VAT, 2)\n"}, failure()),
    (
        {"shop/rates.py": "class Rate:\n    def __eq__(self, other):\n        return self is other\n\n\nVAT = 0.2\n\n\n"
         "def vat(net):\n    return round(net * VAT, 2)\n"},
        failure(),
    ),
    ({"shop/price.py": PRICE.replace('kind == "net"', 'kind in ("net", "plain")')}, failure()),
    ({"shop/price.py": PRICE.replace('"without tax"', '"no tax"')}, failure()),
    ({"shop/price.py": PRICE.replace("return result", "return 7 if kind == 0 and result == 1 else result")}, failure()),
    ({"shop/dos.py": "a = 1\r\nb = 3\r\n"}, failure()),
    ({"requirements.txt": "requests>=2.30\npyyaml==6.0.1\nattrs>=23\n"}, failure(FailureClass.DEPENDENCY)),
    ({"requirements.txt": "requests>=2.31\npyyaml==6.0.2\n"}, failure(FailureClass.DEPENDENCY)),
    ({"requirements.txt": "requests>=2.30,<3\npyyaml==6.0.1\n"}, failure(FailureClass.DEPENDENCY)),
    (
        {"pyproject.toml": PYPROJECT.replace('"requests>=2.30"', '"requests>=2.30", "attrs"')},
        failure(FailureClass.DEPENDENCY),
    ),
    ({"shop/taxes.py": "def tax(net):\n    return net / 5\n"}, failure(FailureClass.IMPORT)),
    ({"shop/data/__init__.py": ""}, failure(FailureClass.IMPORT)),
    (
        {"tests/test_price.py": TEST.replace("import pytest\n\n", "import pytest\n")},
        failure(FailureClass.FORMAT, "tests/test_price.py"),
    ),
    (
        {"tests/test_price.py": re.sub(r"\bsum\b", "expected", TEST)},
        failure(FailureClass.LINT, "tests/test_price.py"),
    ),
    (
        {"tests/test_price.py": TEST.replace("import pytest\n", "import os\n\nimport pytest\n")},
        failure(FailureClass.LINT, "tests/test_price.py"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("edits", "why"), HONEST)
def test_an_honest_patch_gets_through(edits: dict[str, str | bytes | None], why: Diagnosis) -> None:
    """What people really write to mend a build is accepted, with the whole proof."""
    verdict = judged(patched(edits), why)
    assert verdict.accepted, verdict.why


def test_more_tests_and_stricter_ones_are_welcome_where_tests_may_be_edited() -> None:
    """An added test, another expected value and a smaller tolerance."""
    text = (
        TEST.replace("== 42", "== 41").replace("abs=0.01", "abs=0.001") + "\n\ndef test_new():\n    assert total([])\n"
    )
    verdict = judged(patched({"tests/test_price.py": text}), failure(), Policy(allow_test_edits=True))
    assert verdict.accepted, verdict.why
