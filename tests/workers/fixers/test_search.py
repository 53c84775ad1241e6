"""What the offline search promises, on the real engine: the right patch, its class, its facts, and no second bill."""

# ruff: noqa: E501 - the texts are the data
from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.environments import DockerSandbox
from sandbox.spec import Plan, Step
from tests.workers.fixers.benches import Memory, bench
from tests.workers.fixers.trees import MemoryTree
from workers import spectrum
from workers.domain import Attempt, Candidate, Confidence, FailureClass, Verdict
from workers.fixers.search import Search
from workers.ports import Batch, Workbench
from workers.spectrum import evidence

pytestmark = pytest.mark.engine

PRICES = """def shipping(total):
    # free from 50 on
    return 0 if total > 50 else 5


def total(items):
    amount = sum(items)
    return amount + shipping(amount)
"""
PRICE_TESTS = """from shop.prices import shipping, total


def test_below():
    assert shipping(49) == 5


def test_limit():
    assert shipping(50) == 0


def test_total_at_the_limit():
    assert total([20, 30]) == 50


def test_above():
    assert shipping(51) == 0
"""


def red(environment: DockerEnvironment, files: dict[str, str], once: Memory | None = None, **kwargs: str) -> Workbench:
    """A bench on a tree whose check really is red."""
    check = kwargs.get("check", "python -m pytest -q")
    before = environment.run(Step("check", check), MemoryTree(files).tar())
    assert not before.green, before.output.text
    return bench(
        files,
        environment,
        check,
        before,
        once=once,
        cls=FailureClass(kwargs.get("cls", "test_failure")),
        tool=kwargs.get("tool", "pytest"),
    )


UNITS = """import unittest

from shop.prices import shipping, total


class Prices(unittest.TestCase):
    def test_around_the_limit(self):
        for price, cost in ((49, 5), (50, 0), (51, 0)):
            with self.subTest(price=price):
                self.assertEqual(shipping(price), cost)

    def test_total_at_the_limit(self):
        self.assertEqual(total([20, 30]), 50)

    def test_below(self):
        self.assertEqual(total([20]), 25)

    @unittest.expectedFailure
    def test_nothing_is_free(self):
        self.assertEqual(total([]), 0)
"""


@pytest.fixture(scope="module")
def bare(sandbox: DockerSandbox) -> DockerEnvironment:
    """Python, and nothing else."""
    return sandbox.prepare(Plan("python", (), Step("check", "true")), MemoryTree({"README": ""}).tar())


def rejected(candidate: Candidate) -> Attempt:
    return Attempt(candidate, Verdict(accepted=False, rejected_by="test"))


def test_a_wrong_operator_is_found_with_its_facts(environment: DockerEnvironment) -> None:
    """Two failing tests and one meaning make it high; the comment on the line above stays."""
    once = Memory()
    files = {"shop/__init__.py": "", "shop/prices.py": PRICES, "tests/test_prices.py": PRICE_TESTS}
    work = red(environment, files, once)
    candidate = Search().propose(work, [])
    assert candidate is not None
    assert "+    return 0 if total >= 50 else 5" in candidate.patch
    assert candidate.confidence is Confidence.HIGH
    assert "`>` became `>=` at shop/prices.py:3" in candidate.reasoning
    assert candidate.title == "change `>` to `>=` in shop/prices.py"
    assert "executed by 2 of 2 failing and 2 of 2 passing tests" in candidate.reasoning
    after = environment.run(work.reproduction.plan.check, work.tree.tar(), candidate.patch.encode())
    assert after.green
    assert Search().propose(work, [rejected(candidate)]) is None
    assert once.computed == ["trace", "search:candidates"]


@pytest.mark.parametrize("check", ["python -m unittest discover -s checks -p 'check_*.py' -t .", "make test"])
def test_unittests_tests_lead_to_the_patch_without_pytest(bare: DockerEnvironment, check: str) -> None:
    """As those of pytest do, with the facts of the tests that the command runs, also where it hides them; and the lines
    that the patched code executes are known."""
    hidden = check == "make test"
    files = {
        "shop/__init__.py": "", "shop/prices.py": PRICES, "Makefile": "test:\n\tpython -m unittest discover -s tests\n",
        "checks/__init__.py": "", "tests/test_prices.py" if hidden else "checks/check_prices.py": UNITS,
    }  # fmt: skip
    work = red(bare, files, check=check, tool="unittest")
    assert "No module named" in bare.run(Step("check", "python -m pytest"), work.tree.tar()).output.text
    candidate = Search().propose(work, [])
    assert candidate is not None
    assert "+    return 0 if total >= 50 else 5" in candidate.patch
    assert candidate.confidence is Confidence.HIGH, candidate.reasoning
    assert "executed by 2 of 2 failing and 1 of 1 passing tests" in candidate.reasoning
    assert bare.run(work.reproduction.plan.check, work.tree.tar(), candidate.patch.encode()).green
    how = spectrum.started(work)
    plan = {"mode": "lines", "args": how.args, "files": ["shop/prices.py"], "budget_s": 60.0}
    told = spectrum.inside(work, how, plan, 60.0, patch=candidate.patch.encode())
    assert [row["kind"] for row in evidence.rows(told)] == ["lines"], "tests are reported beside it"
    assert {3, 7, 8} <= (evidence.lines(told) or {})["shop/prices.py"]


@pytest.mark.parametrize(("size", "found"), [(9, True), (1, False)])
def test_a_smaller_batch_has_the_likeliest_candidates(environment: DockerEnvironment, size: int, found: bool) -> None:
    """Where a budget has no room for all of them; what was tried is told for the bill."""
    batch = Batch(size)
    files = {"shop/__init__.py": "", "shop/prices.py": PRICES, "tests/test_prices.py": PRICE_TESTS}
    work = replace(red(environment, files), batch=lambda wanted: nullcontext(batch))
    assert (Search().propose(work, []) is not None) is found
    assert batch.tried == size


def test_a_missing_import_is_added_at_its_place(environment: DockerEnvironment) -> None:
    """The raising frame names the import; one failing test is enough."""
    files = {
        "circle.py": '"""Circles."""\n\nimport dataclasses\n\n\ndef area(r):\n    return math.pi * r * r\n',
        "test_circle.py": "from circle import area\n\n\ndef test_area():\n    assert round(area(1), 2) == 3.14\n",
    }
    candidate = Search().propose(red(environment, files, cls="missing_import"), [])
    assert candidate is not None
    assert "+import math\n" in candidate.patch
    assert candidate.confidence is Confidence.HIGH
    assert "NameError was raised there" in candidate.reasoning


def test_a_missing_import_at_the_top_of_a_module(environment: DockerEnvironment) -> None:
    """Tests that cannot even be collected are healed too."""
    files = {
        "clock.py": "DAY = timedelta(days=1)\n",
        "test_clock.py": "from clock import DAY\n\n\ndef test_day():\n    assert DAY.total_seconds() == 86400\n",
    }
    candidate = Search().propose(red(environment, files, cls="missing_import"), [])
    assert candidate is not None
    assert "+from datetime import timedelta" in candidate.patch


def test_a_function_that_raises_at_import_is_mended(environment: DockerEnvironment) -> None:
    """The module runs it when it is loaded: no test is there yet, and the traceback alone says where to look."""
    files = {
        "words.py": (
            "RULES = []\n\n\ndef rule(one, many):\n    RULES.append('{}|{}'.format(one))\n\n\n"
            "rule('ox', 'oxen')\nrule('child', 'children')\n"
        ),
        "test_words.py": "import words\n\n\ndef test_rules():\n    assert words.RULES == ['ox|oxen', 'child|children']\n",
    }
    candidate = Search().propose(red(environment, files, cls="test_error"), [])
    assert candidate is not None
    assert "+    RULES.append('{}|{}'.format(one, many))" in candidate.patch


def test_an_attribute_typo_is_corrected(environment: DockerEnvironment) -> None:
    """The live object's own names are the candidates."""
    files = {
        "names.py": "def shout(text):\n    return text.uper()\n",
        "test_names.py": "from names import shout\n\n\ndef test_shout():\n    assert shout('a') == 'A'\n",
    }
    candidate = Search().propose(red(environment, files, cls="test_error"), [])
    assert candidate is not None
    assert "+    return text.upper()" in candidate.patch
    assert candidate.confidence is Confidence.HIGH


def test_an_endless_loop_does_not_stop_the_search(environment: DockerEnvironment) -> None:
    """Candidates that never end are killed; the right one is found among them."""
    files = {
        "count.py": "def upto(n):\n    found = []\n    i = 1\n    while i < n:\n        found.append(i)\n        i += 1\n    return found\n",
        "test_count.py": "import pytest\nfrom count import upto\n\n\n@pytest.mark.parametrize('n', [1, 2, 5])\n"
        "def test_upto(n):\n    assert upto(n) == list(range(1, n + 1))\n",
    }
    candidate = Search().propose(red(environment, files), [])
    assert candidate is not None
    assert "+    while i <= n:" in candidate.patch


@pytest.mark.parametrize(
    "library",
    [
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
        "import os\nassert os.environ.get('PYTEST_CURRENT_TEST')\n",
    ],
)
def test_a_library_that_minds_being_loaded_early_does_not_stop_the_search(
    environment: DockerEnvironment, library: str
) -> None:
    """What a library does when it is imported ahead of the session (threads, demands) costs time, not the fix."""
    files = {
        "shop/__init__.py": "", "shop/prices.py": PRICES, "site-packages/peculiar.py": library,
        "test_prices.py": PRICE_TESTS.replace("def test_below():\n", "def test_below():\n    import peculiar\n"),
    }  # fmt: skip
    bench = red(environment, files, check="PYTHONPATH=site-packages python -m pytest -q")
    candidate = Search().propose(bench, ())
    assert candidate is not None
    assert "total >= 50" in candidate.patch


def test_alternatives_that_behave_otherwise_are_told(environment: DockerEnvironment) -> None:
    """One test leaves room for several fixes: they are given other inputs, and their answers differ."""
    files = {
        "pick.py": "def pick(x, y):\n    return x\n",
        "test_pick.py": "from pick import pick\n\n\ndef test_two():\n    assert pick(2, 4) == 4\n",
    }
    candidate = Search().propose(red(environment, files), [])
    assert candidate is not None
    assert re.search(r"[1-9]\d* of [1-9]\d* plausible alternatives disagree on [1-9]\d* inputs", candidate.reasoning)
    assert candidate.alternatives >= 1
    assert candidate.confidence is Confidence.LOW


HALF = "def half(n):\n    return n * 2\n"
LEAST = "def least(a, b):\n    return a if a > b else b\n"
SUMS_TESTS = """import pytest
from sums import half
from {} import least


@pytest.mark.parametrize('n', [2, 6])
def test_half(n):
    assert half(n) + half(n) == n


@pytest.mark.parametrize('n', [3, 8])
def test_least(n):
    assert least(n, 5) == sorted([n, 5])[0]
"""


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"sums.py": f"{HALF}\n\n{LEAST}", "test_sums.py": SUMS_TESTS.format("sums")}, "line "),
        ({"sums.py": HALF, "order.py": LEAST, "test_sums.py": SUMS_TESTS.format("order")}, ".py:2 "),
    ],
    ids=["in one file", "in two files"],
)
def test_two_slips_with_tests_of_their_own_are_mended_together(
    environment: DockerEnvironment, files: dict[str, str], place: str
) -> None:
    """No single edit turns everything green; two that each mend two of the tests do, wherever the two functions are."""
    candidate = Search().propose(red(environment, files), [])
    assert candidate is not None
    assert "+    return n / 2" in candidate.patch
    assert "+    return a if a < b else b" in candidate.patch
    assert candidate.confidence is Confidence.MEDIUM
    assert re.search(rf"and in \S*{re.escape(place)}", candidate.reasoning)


def test_nothing_is_proposed_when_nothing_is_plausible(environment: DockerEnvironment) -> None:
    """A bug that no single edit mends ends without a candidate, and tests are never edited."""
    files = {
        "fetch.py": "def fetch(url):\n    return url\n",
        "test_fetch.py": "from fetch import fetch\n\n\ndef test_fetch():\n    assert fetch('a') == {'b': 'c', 'd': 'e'}\n",
    }
    assert Search(budget_s=20).propose(red(environment, files), []) is None


def test_the_repositorys_own_settings_and_command_are_used(environment: DockerEnvironment) -> None:
    """A source folder on pythonpath, addopts with unknown plug-ins, and a path in the command all work."""
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['src']\naddopts = '-ra --strict-markers'\n",
        "src/pack/__init__.py": "",
        "src/pack/mean.py": "def mean(xs):\n    return sum(xs) * len(xs)\n",
        "checks/test_mean.py": "from pack.mean import mean\n\n\ndef test_two():\n    assert mean([2, 4]) == 3\n\n\n"
        "def test_three():\n    assert mean([3, 3, 3]) == 3\n",
    }
    candidate = Search().propose(red(environment, files, check="set -x\npytest -q --tb=short checks"), [])
    assert candidate is not None
    assert "sum(xs) / len(xs)" in candidate.patch
