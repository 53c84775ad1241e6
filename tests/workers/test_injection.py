"""Text of others stays text: in what GitHub shows, in what a model is told, and in a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.cli_fix import harmless
from sandbox.spec import Plan, Skipped, Step
from tests.workers.fixers.benches import bench
from tests.workers.hostile import HOSTILE
from tests.workers.made import CHECK, candidate, case, diagnosis, report, reproduction, result
from workers import messages
from workers.domain import Aim, Attempt, Finding, JobReport, Outcome, Report, Suite, Verdict, Witness
from workers.fixers import context
from workers.fixers.views import View
from workers.messages.markup import LIMIT
from workers.repo_config import RepoConfig

pytestmark = pytest.mark.uncounted

RUN_URL = "http://heal.example/runs/r1"
OURS = re.compile(r"(</?details>|</?summary>|<!-- heal:run=r1 kind=pr v=1 -->|[^<>])*")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]")
KEEPS_CI_AWAY = re.compile(
    r"\[(skip ci|ci skip|no ci|skip actions|actions skip)\]|\*{3}NO_CI\*{3}|^skip-checks:", re.MULTILINE
)


def about(text: str) -> Report:
    """A report that carries the text in every place that others fill."""
    seen = replace(result(1, failed=1, output=text), evidence=replace(result(1).evidence, runtime=text))
    verdict = Verdict(
        True, after=result(0, passed=1, output=text), reverse_red=True, reruns=2, later_steps=((text, True),)
    )
    plan = Plan(
        "python", (Step(text, "true"),), replace(CHECK, name=text), skipped=(Skipped(text, text, True),), notes=(text,)
    )
    rejected = Attempt(candidate(reasoning=text), Verdict(False, text, text))
    return report(
        case=case(branch=text, job=text),
        witness=Witness(f"tests/{text}", text, "", plan, 3, Suite(replace(CHECK, name=text), seen), model=text),
        detail=text,
        job=JobReport(text),
        diagnosis=diagnosis(summary=text, findings=(Finding(text, text, 2, text), Finding(text, None, None, text))),
        reproduction=replace(reproduction(before=seen), plan=plan),
        attempts=(rejected, Attempt(candidate(reasoning=text, title=text, model=text), verdict)),
        data={"log": text, "line": text, "patch": text, "tests": text, "question": text, "test": text},
    )


def tokens(markdown: str) -> list[Token]:
    """The leaves of the document as GitHub's dialect reads it."""
    found: list[Token] = []
    for block in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        found += [block, *(block.children or ())]
    return found


def assert_inert(markdown: str) -> None:
    """Nothing but our own markup is in it."""
    assert len(markdown) <= LIMIT + 100
    assert CONTROLS.search(markdown) is None
    for token in tokens(markdown):
        assert token.type not in ("image", "s_open")
        if token.type.startswith("html"):
            assert OURS.fullmatch(token.content), token.content[:200]
        if token.type == "link_open":
            assert token.attrs["href"] == RUN_URL
        if token.type == "heading_open":
            assert token.tag == "h3"
        if token.type == "fence":
            assert token.info in ("text", "sh", "diff", "python")
        if token.type == "text":
            assert_names_nobody(token.content)


def assert_names_nobody(text: str) -> None:
    """No mention, no reference but to the pull requests we name, no address, no command."""
    assert not re.search(r"@\w", text), text
    assert not re.search(r"#(?!12\b)\w", text), text
    assert not re.search(r"\bGH-\d|\bwww\.|://|mailto:", text, re.IGNORECASE), text
    assert not re.match(r"/\w", text), text


@pytest.mark.fault(27, 43)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_pull_request_holds_no_markup_of_others(text: str) -> None:
    """The body is ours alone, whatever names, logs and models say."""
    told = about(text)
    assert_inert(messages.pull_request_body(told, RUN_URL))
    of_issue = replace(told, case=replace(told.case, aim=Aim.ISSUE, issue=12))
    assert_inert(messages.pull_request_body(of_issue, RUN_URL))


@pytest.mark.fault(27, 43)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_notice_holds_no_markup_of_others(text: str) -> None:
    """So are check runs and comments, at every end a run can have."""
    told = about(text)
    told = replace(told, case=replace(told.case, aim=Aim.ISSUE, issue=12) if len(text) % 2 else told.case)
    notices = [messages.started(told.case, RUN_URL), messages.proposed(told, RUN_URL)]
    for notice in [*notices, *(messages.ended(replace(told, outcome=outcome), RUN_URL) for outcome in Outcome)]:
        for words in (notice.summary, notice.text, notice.comment or ""):
            assert_inert(words)
        assert len(notice.title) <= 60
        assert not any(CONTROLS.search(finding.message) for finding in notice.annotations)


@pytest.mark.fault(27)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_titles_and_commits_do_nothing(text: str) -> None:
    """A title or a commit message names nobody, closes nothing, adds no trailer, and never keeps CI from running."""
    title, message = messages.pull_request_title(about(text)), messages.commit_message(about(text))
    first = messages.first_message(about(text), conventional=True)
    assert len(title) <= 72
    assert "\n" not in title
    for words in (title, message, first):
        assert CONTROLS.search(words) is None
        assert KEEPS_CI_AWAY.search(words) is None
        assert "`" not in title
        assert_names_nobody(words)
    assert not re.search(r"^(Co-authored-by|Signed-off-by|skip-checks)", message, re.MULTILINE | re.IGNORECASE)
    assert re.fullmatch(r"heal/[a-z0-9-]{1,60}", messages.branch(about(text)))


@pytest.mark.fault(27)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_prompt_keeps_the_text_inside_its_fence(text: str) -> None:
    """Everything of others lies between two lines with the nonce; names stay on the line they are named in."""
    content = text.encode("utf-8", "replace").decode()
    name = content.replace("/", "_").replace("\0", "")[:200]  # as git can hold it
    hostile = bench(
        {f"{name}.py": content, "calc.py": content, "tests/test_calc.py": content},
        None,  # type: ignore[arg-type]  # nothing is run
        text,
        result(1, failed=1, output=text),
        (Finding(text, f"{name}.py", 3, f"tests/test_calc.py::{text}"),),
        tool=text,
        excerpt=text,
        config=RepoConfig(instructions=content[:2000]),
    )
    attempt = Attempt(
        candidate(), Verdict(False, "regression", text, regressions=(text,), after=result(1, failed=1, output=text))
    )
    unread = replace(attempt.candidate, title=text, error=text)
    fence = context.nonce(hostile)
    openings = [context.opening(hostile, 1.0, view, [attempt, replace(attempt, candidate=unread)]) for view in View]
    turns = [*(turn for opening in openings for turn in opening[1:]), context.feedback(hostile, attempt, 1.0)]
    for turn in turns:
        assert CONTROLS.search(turn.content) is None
        outside = [
            part
            for n, part in enumerate(re.split(rf"^{fence}[^\n]*\n", turn.content, flags=re.MULTILINE))
            if n % 2 == 0
        ]
        for words in outside:
            for line in (one for one in text.splitlines() if len(one.strip()) > 6):
                assert line.strip() not in words


def test_a_fence_cannot_be_put_together_from_pieces() -> None:
    """Taking the nonce out of a text leaves no nonce behind, however it is nested."""
    fence = "DATA-0123456789abcdef"
    nested = "DATA-0123" + fence[:4] + fence + fence[4:] + "456789abcdef\u200b"
    assert fence not in context.cleaned(nested, fence, 1000)
    assert fence not in context.cleaned(fence[:5] + "\u200b" + fence[5:], fence, 1000)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_terminal_gets_no_orders(text: str) -> None:
    """What `heal fix` prints of others cannot move the cursor, set a title, link, or reverse the reading."""
    shown = harmless(text)
    assert CONTROLS.search(shown) is None
    shown.encode()


def test_heal_fix_prints_harmlessly_on_a_terminal() -> None:
    """On a terminal the patch is cleaned; into a pipe it goes byte for byte, undecodable bytes included."""
    script = (
        "from bot.cli_fix import present; from tests.workers.made import report, candidate; "
        "from workers.domain import Attempt, Verdict; "
        "patch = '+\\x1b]0;owned\\x07 \\udce9\\n'; "
        "present(report(detail='\\x1b[2Jx', attempts=(Attempt(candidate(patch=patch), Verdict(True)),)), False)"
    )
    piped = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert piped.stdout == b"+\x1b]0;owned\x07 \xe9\n"
    assert b"\x1b" not in piped.stderr
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", script], stdout=theirs, stderr=subprocess.DEVNULL, check=True)
    os.close(theirs)
    seen = os.read(ours, 4096)
    os.close(ours)
    assert b"+" in seen
    assert b"\x1b" not in seen
