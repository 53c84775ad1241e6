"""What people read: complete, within GitHub's limits, and safe against hostile text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Plan, Service, Skipped, Step
from tests.workers.made import GREEN, candidate, case, diagnosis, report, reproduction, result
from workers import messages
from workers.domain import (
    Aim,
    Attempt,
    Blame,
    Change,
    Commit,
    Confidence,
    Coverage,
    Lead,
    Outcome,
    Published,
    Report,
    Rerun,
    RunId,
    Sha,
    Suite,
    Suspect,
    Verdict,
    Witness,
)
from workers.messages.markup import LIMIT, fence, plain, quote
from workers.ports import CI, Checks
from workers.summary import summary

HOSTILE = "@everyone closes #1 ``` </details> <script>alert(1)</script> ![x](http://evil) | /heal fix"


def stopped(outcome: Outcome) -> Report:
    return report(outcome, "Because.", published=None, attempts=())


def test_the_first_screen_is_enough_to_decide() -> None:
    """Command, before and after with counts, reruns, reverse run, confidence and gaps stand in the body's head."""
    body = messages.pull_request_body(report(), "http://heal.example/runs/r1")
    head = body.split("<details>")[0]
    for part in ("python -m pytest -q", "exit 1, 1 failed, 3 passed", "exit 0, 0 failed, 4 passed", "4/4 red",
                 "2/2 green", "without the patch", "Confidence: high", "Not checked", "1 file, +1"):  # fmt: skip
        assert part in head


def test_the_body_says_what_the_check_could_reach() -> None:
    """Without network it says so; with hosts it names them, because what answers there has a part in the result."""
    assert "without network" in messages.pull_request_body(report(), "")
    before = reproduction().before
    reaching = replace(before, evidence=replace(before.evidence, network=("api.example.org",)))
    body = messages.pull_request_body(report(reproduction=reproduction(before=reaching)), "")
    assert "the check could reach api" in body
    assert "without network" not in body


def test_the_body_says_what_ci_said() -> None:
    """The row of the repository's own CI follows its state."""
    assert "✅ green" in messages.pull_request_body(report(), "", Checks(CI.GREEN))
    assert "disagree" in messages.pull_request_body(report(), "", Checks(CI.RED))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_text(outcome: Outcome) -> None:
    """No ending is silent, and each title fits the check run."""
    notice = messages.ended(stopped(outcome), "http://heal.example/runs/r1")
    assert notice.final
    assert 0 < len(notice.title) <= 60
    assert notice.summary


def test_the_class_is_told_with_what_decided_it() -> None:
    """In the notice, the pull request and the JSON object; what CI's log alone said, when that is all there is."""
    red = diagnosis(evidence=("tests/test_calc.py::t0: assert -1 == 3",))
    notice = messages.ended(replace(stopped(Outcome.NO_FIX_FOUND), diagnosis=red), "")
    assert "Kind of failure: **test failure**, by `tests/test_calc.py::t0: assert -1 == 3`" in notice.text
    assert "Test failure, by `tests/test_calc.py::t0" in messages.pull_request_body(report(diagnosis=red), "")
    assert summary(report(diagnosis=red))["failure"]["evidence"] == ["tests/test_calc.py::t0: assert -1 == 3"]
    data = {"failure": "missing_secret", "line": "gh: set the GH_TOKEN @everyone"}
    early = messages.ended(replace(stopped(Outcome.UNSUPPORTED), diagnosis=None, data=data), "")
    assert "CI's log alone: **missing secret**, by `gh: set the GH_TOKEN @everyone`" in early.text


def test_another_failure_than_cis_is_shown_beside_it() -> None:
    """Both sides, each in a fence that nothing in it ends."""
    both = {"ci": "FAILED a.py::t - KeyError", "here": f"FAILED a.py::t - OSError {HOSTILE}"}
    notice = messages.ended(replace(stopped(Outcome.NOT_REPRODUCED), diagnosis=None, data=both), "")
    assert notice.comment is not None
    said, _, here = notice.comment.partition("**The sandbox said**")
    assert "**CI said**" in said
    assert "KeyError" in said
    assert "````text" in here
    assert "OSError" in here


@pytest.mark.parametrize("rerun", ["", *Rerun])
def test_what_became_of_the_rerun_is_told(rerun: str) -> None:
    """Asked for, refused or done before: one half sentence each, at the end of the first one."""
    data = {"line": "The runner has received a shutdown signal.", **({"rerun": rerun} if rerun else {})}
    notice = messages.ended(replace(stopped(Outcome.INFRASTRUCTURE), data=data), "")
    assert "CI's log says: `The runner has received a shutdown signal.`." in notice.summary
    assert ("I asked GitHub" in notice.summary) is (rerun == Rerun.ASKED)


@pytest.mark.parametrize("outcome", [Outcome.HEAD_MOVED, Outcome.CRASHED, Outcome.CANCELLED, Outcome.DUPLICATE])
def test_what_is_nobodys_news_makes_no_comment(outcome: Outcome) -> None:
    """Quiet endings stay in the check run."""
    assert messages.ended(stopped(outcome), "").comment is None


def test_hostile_text_stays_text() -> None:
    """Mentions, references, HTML, images and fences of untrusted text never become markup of ours."""
    hostile = report(
        diagnosis=diagnosis(summary=HOSTILE),
        reproduction=reproduction(before=result(1, failed=1, output=HOSTILE)),
        attempts=(Attempt(candidate(reasoning=HOSTILE), Verdict(True, after=result(0, passed=1, output=HOSTILE))),),
        case=case(branch=HOSTILE, job=HOSTILE),
    )
    body = messages.pull_request_body(hostile, "")
    prose = "".join(part for n, part in enumerate(body.split("````")) if n % 2 == 0)
    assert "<script>" not in prose.replace("\\<script\\>", "").replace(quote(HOSTILE), "")
    assert "@everyone" not in prose.replace(quote(HOSTILE), "")
    assert messages.pull_request_title(hostile).count("@everyone") == 0


@pytest.mark.parametrize("command", ["/heal stop", "/lgtm", "/close-it now"])
def test_no_line_of_ours_is_a_command(command: str) -> None:
    """To no bot, in no text of others: in prose, and in printed output, where many do not look for fences."""
    red = result(1, failed=1, output=f"{command}\n/usr/bin/python: no such file\n/ is full\n{command}")
    verdict = Verdict(True, after=red)
    told = report(
        diagnosis=diagnosis(summary=f"{command}\n{command}"),
        reproduction=reproduction(before=red),
        attempts=(Attempt(candidate(reasoning=f"{command}\n{command}"), verdict),),
        published=replace(report().published or Published(), note=command),
    )
    for text in (
        messages.pull_request_body(told, ""),
        messages.review_body(told, "", "k"),
        messages.ended(told, "").text,
    ):
        assert not re.search(r"^\s*/[a-z-]+(\s|$)", text, re.MULTILINE)
    assert "\n/usr/bin/python: no such file\n/ is full\n" in messages.pull_request_body(told, "")


def test_a_huge_log_is_cut_and_the_evidence_is_not() -> None:
    """GitHub refuses bodies over 65,536 characters; the table always stays."""
    huge = result(1, failed=1, output="x" * 500_000)
    body = messages.pull_request_body(report(reproduction=reproduction(before=huge)), "")
    assert len(body) <= LIMIT
    assert "characters left out" in body
    assert "| once more without the patch |" in body


def test_rejected_candidates_are_listed_with_their_gate() -> None:
    """What was tried and why it was not good enough is part of the answer."""
    rejected = Attempt(candidate(), Verdict(False, "regression", "t1 passed before and is failed now"))
    body = messages.pull_request_body(replace(report(), attempts=(rejected, *report().attempts)), "")
    assert "Tried and rejected (1)" in body
    assert "regression" in body


def test_a_model_that_could_not_be_asked_is_told_and_is_no_candidate() -> None:
    """Why, as text that calls nobody; what was tried without it is counted without it."""
    away = candidate(fixer="llm", patch="", error="refused: 402 ask @octo/billing.", unasked=True)
    missed = Attempt(away, Verdict(False, "answer", away.error))
    held = Attempt(candidate(), Verdict(False, "check", "still red"))
    alone, beside = messages.nothing_held([missed]), messages.nothing_held([held, missed])
    assert alone.startswith("No fixer has an idea for it. The model could not be asked, so Heal went on without it: ")
    assert beside.startswith("1 candidate tried, none held (rejected by: check). The model could not be asked")
    assert alone.endswith("billing.")
    assert "@octo" not in alone
    assert "could not be asked" not in messages.nothing_held([held])


def test_a_snapshot_made_anew_is_a_person_s_to_approve() -> None:
    """It is what the tests expect: that they are green with it proves nothing."""
    made = candidate(fixer="generated", change=Change.GENERATED, confidence=Confidence.LOW)
    said = messages.nothing_held([Attempt(made, Verdict(True, after=result(0, passed=1)))])
    assert said.endswith("what it writes anew is what the tests expect, so a person has to look at it.")


def test_where_to_look_is_told_with_reasons() -> None:
    """The likeliest places, a few in the pull request and some more where a person goes on; names stay code."""
    suspects = tuple(Suspect(f"m{n}@all.py", 3, ("raised here",), 1.0) for n in range(9))
    known = diagnosis(suspects=suspects)
    body = messages.pull_request_body(report(diagnosis=known), "")
    assert "Where to look:\n\n- `m0@all.py:3`: raised here\n" in body
    assert ("`m2@all.py:3`" in body, "`m3@all.py:3`" in body) == (True, False)
    text = messages.ended(replace(stopped(Outcome.NO_FIX_FOUND), diagnosis=known), "").text
    assert ("`m4@all.py:3`" in text, "`m5@all.py:3`" in text) == (True, False)


def culprit(**changes: Any) -> Blame:
    commit = Commit(Sha("c" * 40), author="Ada @all <x>", at="2026-11-21T05:00:00+01:00", subject="Drop `>=` for #3")
    return replace(Blame(Sha("b" * 40), (commit,), 1, 12, "diff", 64, 11), **changes)


def test_the_commit_that_broke_it_is_named_and_nobody_is_called() -> None:
    """Commit, subject, author, date and pull request, with how sure that is; names stay code."""
    text = messages.pull_request_body(report(blame=culprit()), "")
    assert "It came with `ccccccc` (``Drop `>=` for #3``, by `Ada @all <x>`, 2026-11-21), in #12**" in text
    assert "`bbbbbbb` before it is green (64 commits since the last green one, 11 runs on other commits)" in text
    assert "It came with" in messages.ended(report(blame=culprit()), "").text


def test_a_range_of_commits_is_told_as_one() -> None:
    """Where several commits may have broken it, they are listed, and why there are several."""
    first = culprit().suspects[0]
    blame = culprit(suspects=(first, replace(first, sha=Sha("d" * 40))), count=9, note="Too *slow*.")
    text = messages.ended(report(blame=blame), "").text
    assert "It came after `bbbbbbb`, with one of 9 commits" in text
    assert "and 7 more. Too" in text
    assert "Too \\*slow\\*." in text
    assert "It came" not in messages.ended(report(blame=Blame(note="No green commit is known.")), "").text


def test_a_pull_request_learns_who_heals_its_base() -> None:
    """The one run, its fix and the commit that broke the base; or that the base is mended already."""
    lead = Lead(RunId("r9"), pull_request=14, blame=culprit())
    there = messages.ended(report(Outcome.BASE_ALREADY_RED, "Red there.", lead=lead), "http://heal.example/runs/r1")
    assert there.comment is not None
    assert "[one run](http://heal.example/runs/r9) is at work on it and proposes #14" in there.comment
    assert "It came with `ccccccc`" in there.comment
    mended = messages.ended(report(Outcome.BASE_ALREADY_RED, "Red there.", data={"mended": "yes"}), "")
    assert "mended there" in mended.summary


def test_the_whole_recipe_is_folded_into_the_body() -> None:
    """Image, fidelity, steps, services, what was left out and notes; of variables only their names."""
    plan = Plan(
        "python",
        (Step("Install", "pip install -e ."),),
        Step("Unit", "pytest -q"),
        (Step("Types", "mypy ."),),
        env={"TOKEN_FOR": "word-of-somebody"},
        services=(Service("db", "postgres:16"),),
        skipped=(Skipped("Upload", "it only reports", weakens_proof=False),),
        notes=(HOSTILE,),
        network=("api.example.org",),
    )
    body = messages.pull_request_body(report(reproduction=reproduction(plan=plan)), "")
    section = body.split("<summary>Plan</summary>")[1].split("</details>")[0]
    facts = (
        "`python`",
        "*approximate*",
        "`db: postgres:16`",
        "`TOKEN_FOR`",
        "Upload: it only reports",
        "api.example.org",
    )
    for words in (*facts, "# set-up: Install\npip install -e .", "# check: Unit\npytest -q", "# then: Types"):
        assert words in section
    assert "word-of-somebody" not in section
    assert "<script>" not in section
    assert "@everyone" not in section


def test_the_branch_is_the_same_for_the_same_red_job() -> None:
    """One red job, one branch: also on the second run."""
    assert messages.branch(report()) == messages.branch(report(case=case(run="other")))
    assert messages.branch(report()) != messages.branch(report(case=case(job="lint")))


@given(st.text(max_size=200))
def test_quote_and_fence_hold_anything(text: str) -> None:
    """No run of backticks inside is as long as the one around it."""
    inline = quote(text)
    ticks = len(inline) - len(inline.lstrip("`"))
    assert "`" * ticks not in inline[ticks:-ticks].replace("`" * (ticks - 1) + " ", "") or ticks == 1
    block = fence(text)
    outer = block.split("text\n")[0]
    assert outer not in block[len(outer) : -len(outer)]


@given(st.text(max_size=200))
def test_plain_makes_no_mention_and_no_tag(text: str) -> None:
    """Prose from outside has no bare @name, #1 or tag left in it."""
    shown = plain(text)
    assert "\n" not in shown
    assert not any(shown[n] in "@#" and shown[n + 1].isalnum() for n in range(len(shown) - 1))


WITNESS = Witness(
    "tests/test_issue_12.py",
    "def test_issue_12():\n    assert add(1, 2) == 3\n",
    "",
    reproduction().plan,
    3,
    Suite(reproduction().plan.check, result(1, passed=5, failed=1)),
)
ISSUE = case(aim=Aim.ISSUE, issue=12, job="")


def of_issue(witness: Witness | None = WITNESS, **changes: object) -> Report:
    """The report of a run for a bug report that ended well."""
    beside = witness.suite if witness else None
    verdict = Verdict(True, after=GREEN, reverse_red=True, reruns=2, suite=result(0, passed=6), beside=beside)
    made = report(case=ISSUE, witness=witness, attempts=(Attempt(candidate(), verdict),))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_pull_request_of_a_bug_report_shows_and_closes_it() -> None:
    """Its test first, then the fix; the whole suite before and after; and CI was not run before."""
    body = messages.pull_request_body(of_issue(), "")
    head = body.split("<details>")[0]
    for part in ("Shows #12 with a failing test", "was made of the report's own example", "in 3 of 3 runs",
                 "The first commit is the test alone", "Fixes #12.", "1 failed, 5 passed | 0 failed, 6 passed",
                 "| the repository's CI | not run |"):  # fmt: skip
        assert part in head
    assert "A model wrote it" not in head
    assert messages.branch(of_issue()).startswith("heal/issue-12-")
    moved = replace(ISSUE, head_sha=Sha("b" * 40))
    assert messages.branch(of_issue(case=moved)) == messages.branch(of_issue())
    assert messages.branch(of_issue(case=replace(ISSUE, issue=13))) != messages.branch(of_issue())


def test_what_no_checker_and_no_test_saw_of_a_change_is_said() -> None:
    """Tools that found nothing new and the share of executed lines beside the runs; the others under what was not
    checked."""
    seen = Coverage(4, (("calc.py", 7),), ("data.json",))
    verdict = replace(report().attempts[0].verdict, checkers=("ruff", "mypy"), unchecked=("pylint",), covered=seen)
    body = messages.pull_request_body(report(attempts=(Attempt(candidate(), verdict),)), "")
    assert "| ruff, mypy on the changed files | as they are | \u2705 nothing new |" in body
    assert "| changed lines that tests executed | | 3 of 4 |" in body
    said = body.split("**Not checked:**")[1].split("\n")[0]
    for part in ("pylint: configured, but not", "executes `calc.py:7`", "what changed in `data.json`"):
        assert part in said
    plain = messages.pull_request_body(report(), "")
    assert "whether tests execute the changed lines" in plain
    assert "changed files | as they are" not in plain


def test_a_models_test_is_said_to_be_one() -> None:
    """The fix is as right as the test, so a person has to read that first."""
    body = messages.pull_request_body(of_issue(replace(WITNESS, model="gpt-5")), "")
    assert "was written by `gpt-5`" in body
    assert "read it before the fix" in body


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        ({"missing": "steps"}, "How can I make it happen?"),
        ({"missing": "expected"}, "What should have happened instead?"),
        ({"missing": "actual"}, "What happens now?"),
        ({"missing": "version", "test": "def test_it(): ..."}, "On which version or commit did you see it?"),
        ({"missing": "example"}, "Can you give an example that I can run?"),
        ({"missing": "steps", "question": "What is add(1, 2)?"}, "What is add(1, 2)?"),
    ],
)
def test_one_question_is_asked(data: dict[str, str], asked: str) -> None:
    """The one that is missing, in a model's words where it asked, and how to go on."""
    comment = messages.ended(replace(stopped(Outcome.QUESTION), case=ISSUE, data=data), "").comment or ""
    assert asked in comment
    assert comment.count("?") == 1
    assert "comment `/heal` again" in comment
    assert ("def test_it" in comment) is ("test" in data)


def test_the_first_commit_says_what_it_shows() -> None:
    """In the repository's habit."""
    assert messages.first_message(of_issue(), conventional=True).startswith("test: show #12\n\n")
    assert messages.first_message(of_issue(), conventional=False).startswith("Add a test that shows #12\n\n")
    local = of_issue(case=case(aim=Aim.ISSUE))
    assert messages.first_message(local, conventional=False).startswith("Add a test that shows the reported bug\n")


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("known", [True, False])
def test_buttons_fit_the_ending(outcome: Outcome, known: bool) -> None:
    """At most three within GitHub's lengths; our own fault can be cleared, and nothing is offered that has no use."""
    ending = replace(stopped(outcome), diagnosis=diagnosis() if known else None, case=case(pull_request=3))
    buttons = {button.identifier: button for button in messages.ended(ending, "").buttons}
    assert len(buttons) <= 3
    for one in buttons.values():
        assert (len(one.label) <= 20, len(one.description) <= 40, len(one.identifier) <= 20) == (True, True, True)
    spent = outcome in {Outcome.HEAD_MOVED, Outcome.DUPLICATE}
    assert ("retry" in buttons) == (not spent and outcome is not Outcome.FIXED)
    assert ("explain" in buttons) == (known and not spent)
    nowhere = replace(ending, case=case())
    assert "explain" not in {button.identifier for button in messages.ended(nowhere, "").buttons}


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("limits.usd_per_day", "A maintainer can raise `limits` in `.github/heal.yml`."),
        ("", "A maintainer can raise `limits` in `.github/heal.yml`."),
        ("HEAL_USD_PER_MONTH", "The operator of Heal can raise `HEAL_USD_PER_MONTH`."),
    ],
)
def test_a_spent_budget_is_told_with_what_was_found_without_it(setting: str, words: str) -> None:
    """What was tried, what is known, and who can raise it; a patch that was not proposed is shown."""
    tried = Attempt(candidate(), Verdict(False, "check"))
    ended = report(
        Outcome.OVER_BUDGET, "No room.", published=None, attempts=(tried,), data={"setting": setting, "patch": "+x"}
    )
    told = messages.ended(ended, "")
    assert told.summary.startswith("**The budget is spent.** No room. 1 candidate tried, none held")
    assert "What is known:" in told.summary
    assert words in told.summary
    assert "The patch that was not proposed" in told.text
