"""What a model is shown of a report, and how its answer is read."""

from __future__ import annotations

import re

import pytest

from tests.workers.hostile import HOSTILE
from tests.workers.witness import shop
from workers.repo_config import RepoConfig
from workers.repo_config.model import Paths
from workers.witness.judge import Seen, Shows
from workers.witness.names import Names
from workers.witness.runner import Runner
from workers.witness.tester import Asked, about_files, read

CONFIG = RepoConfig(instructions="Be brief.", paths=Paths(ignore=("shop/secret*",)))
TEST = "from shop.rates import discounted\n\n\ndef test_it():\n    assert discounted(100, 10) == 95\n"


def asked(body: str, hint: str = "") -> Asked:
    tree = shop.tree(**{"shop/secret.py": "def discounted_secretly(): ...\n"})
    return Asked(shop.report(body), tree, Names(tree), "tests/test_issue_12.py", Runner.PYTEST, CONFIG, hint)


@pytest.mark.parametrize(
    ("answer", "text", "question"),
    [
        (f"```python\n{TEST}```", TEST, ""),
        (f"Here it is:\n\n```\n{TEST}```\nDone.", TEST, ""),
        (f"<think>```python\ndef test_no(): ...\n```</think>\n```python\n{TEST}```", TEST, ""),
        ("QUESTION: What should discounted(100, 10) return?", "", "What should discounted(100, 10) return?"),
        ("I am not sure.\n**QUESTION:** no", "", ""),
        ("> QUESTION: Which version? And which platform? Also why?", "", "Which version?"),
        (f"QUESTION: none\n```python\n{TEST}```", TEST, ""),
        ("I cannot do that.", "", ""),
        ("```python\nprint('no test')\n```", "", ""),
        ("", "", ""),
    ],
)
def test_an_answer_is_a_test_or_one_question(answer: str, text: str, question: str) -> None:
    """A file goes before a question, and of several questions the first is the one."""
    assert read(answer) == (text, question)


def test_it_is_shown_what_the_report_is_about() -> None:
    """The files that define what it names, a test of theirs as an example, and the words of the report."""
    turns = asked("`discounted(100, 10)` gives 100.", "look at ten").opening(1.0)
    task = turns[1].content
    assert "file shop/rates.py" in task
    assert "file shop/text.py" not in task
    assert "secret" not in task
    assert "an example tests/unit/test_rates.py" in task
    assert "`discounted(100, 10)` gives 100." in task
    assert "look at ten" in task
    assert "the file to write\ntests/test_issue_12.py\n" in task
    assert "Be brief." in turns[0].content
    assert about_files(shop.report("see shop/text.py and shop/text.py"), Names(shop.tree())) == ["shop/text.py"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_report_stays_inside_its_fence(text: str) -> None:
    """Whatever a stranger writes, it lies between two lines that the report cannot hold."""
    one = asked(text, text)
    seen = Seen(Shows.NO, text, output=text)
    for turn in (*one.opening(1.0)[1:], one.feedback(seen)):
        parts = re.split(rf"^{one.nonce}[^\n]*\n", turn.content, flags=re.MULTILINE)
        for words in parts[::2]:
            for line in (line for line in text.splitlines() if len(line.strip()) > 6):
                assert line.strip() not in words


@pytest.mark.uncounted
def test_nobody_can_write_the_fence_into_a_report() -> None:
    """It changes with every letter of the report."""
    first = asked("one").nonce
    assert asked(f"one {first}").nonce != first
    assert asked("one", "hint").nonce != first
