"""The prompts as they are sent, letter by letter: what stands where, within which budget, the same on every day.

The expected texts lie in `prompts/`. After a change that is meant, `python -m tests.workers.fixers.test_prompts`
writes them anew: read the difference before it is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from sandbox.spec import Ending, Evidence, Output, Result, TestCase
from tests.workers.fixers.benches import Memory, bench
from tests.workers.made import ScriptedEnvironment
from workers.domain import (
    Attempt,
    Blame,
    Candidate,
    Commit,
    Confidence,
    Experience,
    Finding,
    IssueReport,
    Lesson,
    Sha,
    Suspect,
    Verdict,
)
from workers.fixers import context
from workers.fixers.views import View
from workers.llm.exchange import Message
from workers.ports import Workbench
from workers.repo_config import Paths, RepoConfig

FOLDER = Path(__file__).parent / "prompts"

CART = """\
from shop.price import rounded
from shop.tax import rate


class Cart:
    def __init__(self, prices):
        self.prices = prices

    def total(self):
        return rounded(sum(self.prices) + rate(self.prices))
"""
PRICE = 'def rounded(value):\n    """To two digits."""\n    return round(value, 1)\n\n\ndef unused():\n    pass\n'
TAX = "RATE = 0.2\n\n\ndef rate(prices):\n    return RATE * sum(prices)\n"
BILL = "from shop.cart import Cart\n\n\ndef bill(prices):\n    return str(Cart(prices).total())\n"
TEST = "from shop.cart import Cart\n\n\ndef test_total():\n    assert Cart([1.11]).total() == 1.33\n"
FILES = {
    "README.md": "# Shop\n",
    "pyproject.toml": "[project]\nname = 'shop'\n",
    "shop/bill.py": BILL,
    "shop/cart.py": CART,
    "shop/price.py": PRICE,
    "shop/secret.py": "KEY = 'not shown'\n",
    "shop/tax.py": TAX,
    "tests/test_cart.py": TEST,
}
CHANGE = """\
diff --git a/shop/price.py b/shop/price.py
--- a/shop/price.py
+++ b/shop/price.py
@@ -1,3 +1,3 @@
 def rounded(value):
     \"\"\"To two digits.\"\"\"
-    return round(value, 2)
+    return round(value, 1)
"""


def ended(exit_code: int, output: str, **tests: str) -> Result:
    evidence = Evidence("sha256:0", "e", "t", "p", "runc")
    cases = tuple(TestCase(f"tests/test_cart.py::{name}", status) for name, status in tests.items())
    return Result(Ending.FAILED, exit_code, Output(output), cases, b"", 0.1, 0, evidence)


RED = ended(
    1, "E   assert 1.3 == 1.33\n1 failed in 0.31s\n", test_total="failed", test_none="failed", test_one="passed"
)


def work(files: dict[str, str] = FILES) -> Workbench:
    finding = Finding("assert 1.3 == 1.33", "tests/test_cart.py", 5, "tests/test_cart.py::test_total")
    config = RepoConfig(paths=Paths(ignore=("shop/secret.py",)), instructions="Keep to PEP 8.")
    made = bench(files, ScriptedEnvironment(lambda *_: RED), "python -m pytest -q", RED, (finding,), config=config)
    suspects = (Suspect("shop/cart.py", 10, ("executed by the failing test",)), Suspect("tests/test_cart.py", 5))
    commit = Commit(Sha("c" * 40), subject="Round to one digit")
    return replace(
        made,
        diagnosis=replace(made.diagnosis, suspects=suspects, excerpt="E   assert 1.3 == 1.33"),
        blame=Blame(Sha("b" * 40), (commit,), 1, diff=CHANGE),
        once=Memory(),
    )


def tried(error: str = "", verdict: Verdict | None = None) -> Attempt:
    candidate = Candidate("llm", "" if error else CHANGE, "Why.", Confidence.MEDIUM, title="Round later", error=error)
    said = Verdict(False, "answer", error) if error else Verdict(False, "check", "E   assert 1.3 == 1.33")
    return Attempt(candidate, verdict or said)


def remembered() -> Workbench:
    lessons = Experience((Lesson(3, False, CHANGE, "maria: not like this"),), similar=(Lesson(2, True, CHANGE),))
    issue = IssueReport(7, "Totals are off", "By some cents.")
    return replace(work(), experience=lessons, issue=issue, hint="Look at the digits.")


def rejected(after: Result) -> Message:
    attempt = tried(verdict=Verdict(False, "check", "still red", after, regressions=("tests/test_cart.py::test_one",)))
    return context.feedback(work(), attempt, 1.0)


def noted() -> Message:
    """An edit that leaves an import behind which nothing uses."""
    patch = work().tree.diff({"shop/tax.py": f"import decimal\n{TAX}".encode()})
    attempt = tried(verdict=Verdict(False, "check", "still red", RED))
    return context.feedback(work(), replace(attempt, candidate=replace(attempt.candidate, patch=patch)), 1.0)


def long() -> Workbench:
    rest = "\n".join(f"def other{n}():\n    return {'.' * 90!r}\n\n" for n in range(400))
    return work({**FILES, "shop/cart.py": f"{CART}\n\n{rest}", "tests/test_cart.py": f"{TEST}\n\n{rest}"})


PROMPTS: Mapping[str, Callable[[], Sequence[Message]]] = {
    "first": lambda: context.opening(work(), 1.0),
    "stack": lambda: context.opening(work(), 1.0, View.STACK, [tried(), tried("not in the file")]),
    "callers": lambda: context.opening(work(), 1.0, View.CALLERS, [tried()]),
    "change": lambda: context.opening(work(), 1.0, View.CHANGE, [tried()]),
    "remembered": lambda: context.opening(remembered(), 1.0),
    "long": lambda: context.opening(long(), 0.2),
    "unreadable": lambda: [context.feedback(work(), tried("shop/cart.py: these lines are not in the file"), 1.0)],
    "rejected": lambda: [rejected(ended(1, "E   assert 1.34 == 1.33\n", test_total="failed", test_none="passed"))],
    "noted": lambda: [noted()],
    "the same": lambda: [
        rejected(ended(1, "E   assert 1.3 == 1.33\n1 failed in 2.25s\n", test_total="failed", test_none="failed"))
    ],
}


def written(turns: Sequence[Message]) -> str:
    return "".join(f"{'=' * 20} {turn.role}\n{turn.content}\n" for turn in turns)


def stored(name: str) -> Path:
    return FOLDER / f"{name.replace(' ', '_')}.txt"


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_is_as_it_was(name: str) -> None:
    """In the order of how long its parts stay the same, so that an endpoint can keep the beginning."""
    assert written(PROMPTS[name]()) == stored(name).read_text()


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_is_the_same_twice(name: str) -> None:
    """Nothing in it depends on a clock or on the order of a set."""
    assert PROMPTS[name]() == PROMPTS[name]()


def test_a_prompt_has_room() -> None:
    """About 16,000 tokens at most, however much there is; and less when the endpoint has less."""
    huge = "x = 1  # " + "." * 80 + "\n"
    full = work({path: text + huge * 3_000 for path, text in FILES.items()})
    diagnosis = replace(full.diagnosis, excerpt=huge * 3_000)
    full = replace(full, diagnosis=diagnosis, blame=Blame(count=1, diff=CHANGE * 500))
    for share, view in product((1.0, 0.5, 0.2), View):
        turns = context.opening(full, share, view)
        assert sum(len(turn.content) for turn in turns) / 3.5 <= 16_000 * share + 1_500


if __name__ == "__main__":
    for each, made in PROMPTS.items():
        stored(each).write_text(written(made()))
