"""A small shop as a tree of files, and reports about it."""

from __future__ import annotations

from tests.workers.recipe.trees import MemoryTree
from workers.domain import IssueReport, Remark

RATES = """\
def discounted(price, quantity):
    return price


def label(name):
    return name


class Cart:
    def __init__(self):
        self.items = []

    def add(self, item):
        return self
"""
FILES = {
    "shop/__init__.py": "",
    "shop/rates.py": RATES,
    "shop/text.py": "def shorten(text, width):\n    return text\n\n\ndef label(name):\n    return name\n",
    "tests/unit/test_rates.py": "from shop.rates import discounted\n\n\ndef test_1():\n    assert discounted(1, 1)\n",
    "tests/test_text.py": "from shop.text import shorten\n\n\ndef test_short():\n    assert shorten('a', 3) == 'a'\n",
    "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef cart():\n    ...\n",
    "docs/conf.py": "def discounted():\n    ...\n",
}


def tree(**more: str) -> MemoryTree:
    """The shop."""
    return MemoryTree({**FILES, **more})


def report(body: str, title: str = "No discount for ten", *comments: str, number: int = 12) -> IssueReport:
    """A bug report about it."""
    said = tuple(Remark("ada", text, at + 1) for at, text in enumerate(comments))
    return IssueReport(number, title, body, "ada", comments=said)
