"""Which files a model is shown, where little is known of the failure, and how room is shared among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.workers.fixers.benches import Memory, bench
from tests.workers.made import RED, ScriptedEnvironment
from workers.domain import Finding, Suspect
from workers.fixers import views
from workers.fixers.views import View
from workers.ports import Workbench


def work(files: Mapping[str, str], test: str, line: int | None = None, *suspects: Suspect) -> Workbench:
    made = bench(files, ScriptedEnvironment(lambda *_: RED), "make test", RED, (Finding("it fails", test, line),))
    return replace(made, once=Memory(), diagnosis=replace(made.diagnosis, suspects=suspects))


@pytest.mark.parametrize(
    ("test", "source"),
    [
        ("src/cart.test.ts", "src/cart.ts"),
        ("src/cart.spec.js", "lib/cart.js"),
        ("shop/cart_test.go", "shop/cart.go"),
        ("tests/test_cart.py", "shop/cart.py"),
        ("src/test/java/CartTest.java", "src/main/java/Cart.java"),
        ("src/test/java/CartTests.java", "src/main/java/Cart.java"),
    ],
)
def test_a_test_leads_to_the_source_of_its_name(test: str, source: str) -> None:
    """When an assertion is all that is known: no frame, no import that could be read."""
    files = {test: "\n", source: "\n", "src/contest.ts": "\n"}
    choice = views.choose(work(files, test), View.WHOLE)
    assert (list(choice.sources), list(choice.tests)) == ([source], [test])


def test_a_test_leads_to_what_it_uses() -> None:
    """Under whatever name that lies; found out once in a run, and not at all where sources are suspected."""
    files = {
        "src/money.js": "export function total(prices) { return 1; }\n",
        "src/other.js": "export function other() {}\n",
        "test/cart.test.js": "import { total } from '../src/money';\nexpect(total([1])).toBe(1);\n",
    }
    bench_ = work(files, "test/cart.test.js", 2)
    assert views.choose(bench_, View.STACK).sources == ["src/money.js"]
    views.choose(bench_, View.WHOLE)
    once = bench_.once
    assert isinstance(once, Memory)
    assert len(once.computed) == 1
    suspected = work(files, "test/cart.test.js", 2, Suspect("src/other.js", 1))
    assert views.choose(suspected, View.WHOLE).sources == ["src/other.js"]


def test_room_is_shared() -> None:
    """A long file leaves half of the room to those behind it, and shows what the test speaks of."""
    filler = "".join(f"function other{n}() {{\n  return {n};\n}}\n" for n in range(300))
    files = {
        "a.js": f"{filler}function total(prices) {{\n  return 1;\n}}\n",
        "b.js": "const rest = 1;\n",
        "a.test.js": "expect(total([1])).toBe(1);\n",
    }
    bench_ = work(files, "a.test.js", 1)
    tests = views.parts(bench_, ["a.test.js"], 2_000)
    shown = views.parts(bench_, ["a.js", "missing.js", "b.js"], 2_000, tests)
    assert [one.path for one in shown] == ["a.js", "b.js"]
    assert "function total(prices) {\n  return 1;\n}" in shown[0].text
    assert len(shown[0].text) <= 1_000 + 100
    assert shown[1].text == files["b.js"]
