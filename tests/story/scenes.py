"""Small red repositories as file maps: little or nothing to install, so that a story takes seconds."""

from __future__ import annotations

WORKFLOW = """\
name: CI
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Test
        run: python -m unittest
"""
PYTEST = WORKFLOW.replace(
    "      - name: Test\n        run: python -m unittest\n",
    "      - name: Install\n        run: python -m pip install pytest==8.3.5\n"
    "      - name: Test\n        run: python -m pytest -q\n",
)
STEPS = ["Run actions/checkout@v4", "Install", "Test"]
PATH = ".github/workflows/ci.yml"
CONFIG = ".github/heal.yml"

WRONG = """\
def discounted(price, quantity):
    if quantity > 10:
        return price - 5
    return price
"""
RIGHT = WRONG.replace("quantity > 10", "quantity >= 10")
TEST = """\
import unittest

from shop import discounted


class DiscountTest(unittest.TestCase):
    def test_few_pay_the_full_price(self):
        self.assertEqual(discounted(100, 9), 100)

    def test_ten_are_cheaper(self):
        self.assertEqual(discounted(100, 10), 95)

    def test_ten_are_cheaper_at_any_price(self):
        self.assertEqual(discounted(200, 10), 195)

    def test_many_are_cheaper(self):
        self.assertEqual(discounted(100, 11), 95)
"""
RED = {PATH: PYTEST, "shop.py": WRONG, "test_shop.py": TEST}
"""Search mends it: `>` should be `>=`. Two red tests make it sure."""
GREEN = {**RED, PATH: WORKFLOW, "shop.py": RIGHT}

PUZZLE = {
    PATH: WORKFLOW,
    "names.py": 'def badge(name):\n    """The name as a badge shows it."""\n    return name\n',
    "test_names.py": (
        "import unittest\n\nfrom names import badge\n\n\nclass BadgeTest(unittest.TestCase):\n"
        '    def test_badge(self):\n        self.assertEqual(badge("ada lovelace"), "A. LOVELACE")\n\n'
        '    def test_another(self):\n        self.assertEqual(badge("alan turing"), "A. TURING")\n'
    ),
}
"""No template mends it: somebody has to understand it."""


def running(command: str, *, runs_on: str = "ubuntu-latest") -> str:
    """The workflow with another command or runner."""
    return WORKFLOW.replace("python -m unittest", command).replace("ubuntu-latest", runs_on)
