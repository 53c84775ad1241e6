"""What people read where a fix meets them, word for word, in each form; and what they copy from it works.

The expected texts lie in `bodies`, one file per form: read a change of them as a reader of the pull request would.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.workers.made import PATCH, candidate, case, report, result
from workers import messages
from workers.domain import Attempt, Case, How, Published, Report, Usage, Verdict
from workers.messages.markup import LIMIT
from workers.ports import CI, Checks

BODIES = Path(__file__).parent / "bodies"
RUN_URL = "https://heal.example/runs/r1"
REVIEW = "https://github.example/octo/shop/pull/5#pullrequestreview-9"


def healed(how: How, **changes: object) -> Report:
    """A fix that reached people in this form: asked for, by a model, after a candidate that was no good."""
    where = {
        How.PULL: Published(12, "https://github.example/octo/shop/pull/12", "heal/test-1", "b" * 40),
        How.PUSH: Published(5, "https://github.example/octo/shop/pull/5", "topic", "b" * 40, target="topic"),
        How.SUGGEST: Published(5, REVIEW, target="main"),
        How.COMMENT: Published(5, "https://github.example/octo/shop/pull/5", target="main"),
    }[how]
    usage = Usage(1200, 300, 0.04)
    by_model = candidate(fixer="llm", model="openai:gpt-x", usage=usage)
    attempts = (
        Attempt(by_model, Verdict(False, "regression", "t1 passed before and is failed now")),
        Attempt(by_model, Verdict(True, after=result(0, passed=4, output="4 passed"), reverse_red=True, reruns=2)),
    )
    about: Case = case(branch="topic", pull_request=None if how is How.PULL else 5, requested_by="octocat")
    return replace(report(case=about, attempts=attempts, published=replace(where, how=how)), **changes)  # type: ignore[arg-type]


TEXTS: dict[str, Callable[[], str | None]] = {
    "pull": lambda: messages.pull_request_body(healed(How.PULL), RUN_URL),
    "pull-for-an-issue": lambda: messages.pull_request_body(
        healed(How.PULL, case=case(issue=31, job=""), job=None), RUN_URL, Checks(CI.GREEN)
    ),
    "push": lambda: messages.ended(healed(How.PUSH), RUN_URL).comment,
    "suggest": lambda: messages.review_body(healed(How.SUGGEST), RUN_URL, "0123456789abcdef"),
    "comment": lambda: messages.ended(healed(How.COMMENT), RUN_URL).comment,
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_people_read(name: str) -> None:
    """Exactly this text: bot, asker, model, cost, proof, gaps, and how to go on."""
    text = TEXTS[name]()
    assert text == (BODIES / f"{name}.md").read_text()


@pytest.mark.parametrize("how", list(How))
def test_the_check_run_names_the_form(how: How) -> None:
    """While CI is waited for and at the end, where the fix is; only what CI sees is waited for."""
    told = healed(how)
    first, last = messages.proposed(told, RUN_URL), messages.ended(told, RUN_URL)
    named = {How.PULL: "in #12", How.PUSH: f"commit {'b' * 40} on `topic`", How.SUGGEST: f"[a review]({REVIEW})",
             How.COMMENT: "in the comment on #5"}[how]  # fmt: skip
    assert named in first.summary
    assert named in last.summary
    assert ("Waiting" in first.summary) is (how in (How.PULL, How.PUSH))
    assert first.comment
    assert last.comment


def test_why_a_fix_has_another_form_is_told() -> None:
    """In the pull request and in what people are told of it."""
    told = healed(How.PULL)
    assert told.published is not None
    told = replace(told, published=replace(told.published, note="shop.py is *not* in the diff."))
    for text in (messages.pull_request_body(told, ""), messages.ended(told, "").summary):
        assert "shop.py is \\*not\\* in the diff." in text


def copied(text: str) -> str:
    """The first script of a comment, as GitHub's copy button gives it."""
    found = re.search(r"^(`{3,})sh\n(.*?)\n\1$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[2] + "\n"


OLD = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "ticks.md": "````\n$HOME `id` \\n\n````\n\nEOF\n",
    "dos.py": "a = 1\r\nb = 2\r\n",
    "bidi.py": "x = '\u200b\u202e'\ny = 1\n",
}


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("calc.py", "def add(a, b):\n    return a + b\n"),
        ("calc.py", "def add(a, b):\n    return a - b\n\n\n"),
        ("ticks.md", "````\n$HOME `id` \\n\n````\n\nEOF2\n"),
        ("dos.py", "a = 1\r\nb = 3\r\n"),
        ("bidi.py", "x = '\u200b\u202e'\ny = 2\n"),
    ],
)
def test_the_command_of_a_comment_applies_the_patch(path: str, new: str, tmp_path: Path) -> None:
    """Copied into a shell it makes exactly the proven file: quotes, ticks, blank ends, line ends, hidden characters."""

    def git(*args: str) -> str:
        return subprocess.run(["git", *args], cwd=tmp_path, check=True, capture_output=True).stdout.decode()

    git("init", "-q")
    git("config", "core.autocrlf", "false")
    (tmp_path / path).write_bytes(OLD[path].encode())
    git("add", ".")
    (tmp_path / path).write_bytes(new.encode())
    patch = git("diff")
    git("checkout", "-q", ".")
    told = healed(How.COMMENT, attempts=(Attempt(candidate(patch=patch), Verdict(True)),))
    script = copied(messages.comment_body(told, RUN_URL))
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / path).read_bytes() == new.encode()


def test_a_patch_is_never_cut() -> None:
    """One that fits stands whole beside the evidence, whatever was printed; one that does not is linked to."""
    many = "".join(f"+line {n}\n" for n in range(2_000))
    patch = PATCH.replace("@@ -1,2 +1,2 @@", "@@ -1,2 +1,2002 @@") + many
    loud = result(1, failed=1, output="x" * 500_000)
    told = healed(
        How.COMMENT, attempts=(Attempt(candidate(patch=patch, reasoning="y" * 9_000), Verdict(True, after=loud)),)
    )
    text = messages.comment_body(told, RUN_URL)
    assert len(text) <= LIMIT
    assert copied(text).count("\n+line") == 2_000
    assert "| once more without the patch |" in text
    huge = healed(How.COMMENT, attempts=(Attempt(candidate(patch=patch + many * 9), Verdict(True)),))
    assert "too long for a comment" in messages.comment_body(huge, RUN_URL)


@pytest.mark.parametrize(
    ("lines", "block"),
    [
        (("a = 1",), "```suggestion\na = 1\n```"),
        ((), "```suggestion\n```"),
        (("",), "```suggestion\n\n```"),
        (("````", "x"), "`````suggestion\n````\nx\n`````"),
    ],
)
def test_a_suggestion_holds_its_lines_exactly(lines: tuple[str, ...], block: str) -> None:
    """Removed, empty and fenced lines."""
    assert messages.suggestion(lines) == block
