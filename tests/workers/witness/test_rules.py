"""What a test that shows a bug may not do, and what it may."""

from __future__ import annotations

import pytest

from tests.workers.hostile import HOSTILE
from tests.workers.witness import shop
from workers.witness import rules
from workers.witness.names import Names

IMPORT = "from shop.rates import discounted\n"
PATH = "tests/test_issue_12.py"
MODULES = ("os", "sys", "time", "socket", "subprocess", "urllib.request", "requests", "pytest", "unittest.mock")


def broken(text: str) -> set[str]:
    """The rules that the text breaks."""
    return {one.rule for one in rules.review(PATH, text.encode(), Names(shop.tree()))}


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("assert False", "is red or green whatever the code does"),
        ("assert 1 == 2", "is red or green whatever the code does"),
        ("discounted(1, 1)\n    raise AssertionError('broken')", "is red or green whatever the code does"),
        ("discounted(1, 1)\n    pytest.fail('broken')", "is red or green whatever the code does"),
        ("assert 1", "does not reach the repository's code"),
        ("x = {}\n    assert x", "does not reach the repository's code"),
        ("time.sleep(3)\n    assert discounted(1, 1)", "waits instead of mending"),
        ("pytest.skip('no')\n    assert discounted(1, 1)", "skips a test"),
        ("assert discounted(1, 1) == os.environ['PRICE']", "reads its surroundings"),
        ("assert discounted(1, 1) == os.getenv('HOME')", "reads its surroundings"),
        ("assert discounted(1, 1) == sys.platform", "reads its surroundings"),
        ("assert discounted(1, 1) == time.time()", "asks the clock"),
        ("assert discounted(1, 1) == requests.get('http://x').status_code", "uses the network"),
        ("assert discounted(1, 1) == urllib.request.urlopen('http://x')", "uses the network"),
        ("socket.create_connection(('x', 1))\n    assert discounted(1, 1)", "uses the network"),
        ("assert discounted(1, 1) == subprocess.run(['id'])", "starts a process"),
        ("assert discounted(1, 1) == os.system('id')", "starts a process"),
        ("assert discounted(1, 1) == eval('1')", "runs code made up from text"),
        ("os._exit(1)\n    assert discounted(1, 1)", "ends the process"),
        ("shop.rates.discounted = print\n    assert shop.rates.discounted(1, 1)", "replaces what it tests"),
        ("unittest.mock.patch('shop.rates.discounted')\n    assert discounted(1, 1)", "replaces what it tests"),
        ("monkeypatch.setattr(shop.rates, 'x', 1)\n    assert discounted(1, 1)", "replaces what it tests"),
        ("try:\n        discounted(1, 1)\n    except Exception:\n        pass", "swallows errors"),
        ("assert discounted(1, 1) == '\u202e'", "hides characters"),
    ],
)
def test_what_it_may_not_do(body: str, rule: str) -> None:
    """Each is refused before it is run."""
    used = [name for name in MODULES if f"{name}." in body]
    text = "\n".join([*(f"import {name}" for name in used), IMPORT, f"def test_it(monkeypatch):\n    {body}\n"])
    assert rule in broken(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{IMPORT}\n\ndef test_it():\n    assert discounted(100, 10) == 95\n",
        f"import pytest\n{IMPORT}\n\ndef test_it():\n    with pytest.raises(ValueError):\n        discounted(1, -1)\n",
        f"{IMPORT}\n\ndef test_it():\n    discounted(100, None)\n",
        f"{IMPORT}\n\ndef price():\n    return discounted(1, 1)\n\n\ndef test_it():\n    assert price() == 2\n",
        "def test_it(cart):\n    assert cart.total == 0\n",
        "def test_it():\n    from shop import rates\n\n    assert rates.discounted(1, 1) == 2\n",
        f"import unittest\n{IMPORT}\n\nclass T(unittest.TestCase):\n    def test_it(self):\n"
        "        self.assertEqual(discounted(1, 1), 2)\n",
        f"from urllib.parse import quote\n{IMPORT}\n\ndef test_it():\n    assert discounted(quote('x'), 1)\n",
        f"{IMPORT}\n\nclass Fake:\n    def get(self):\n        raise ValueError\n\n\ndef test_it():\n"
        "    assert discounted(Fake(), 1) == 2\n",
    ],
)
def test_what_it_may_do(text: str) -> None:
    """Assertions, expected exceptions, plain calls, functions and fakes of its own, the repository's fixtures."""
    assert broken(text) == set()


def test_a_test_is_short_and_python() -> None:
    """What is no test of one report is not run."""
    assert broken("def test_it(:\n") == {"is no Python"}
    assert broken(f"{IMPORT}x = 1\n") == {"holds no test"}
    assert broken(f"{IMPORT}\ndef test_it():\n    discounted(1, 1)\n" + "# long\n" * 300) == {
        "is too long for a test of one report"
    }


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_is_judged(text: str) -> None:
    """No text raises."""
    rules.review(PATH, text.encode("utf-8", "replace"), Names(shop.tree()))
