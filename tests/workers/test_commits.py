"""Titles and commit messages in the habit of the repository, with the people who are named in them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.workers.made import candidate, case, diagnosis, report
from workers import messages
from workers.domain import Attempt, Candidate, FailureClass, JobReport, Verdict
from workers.messages import Habit
from workers.messages.commits import Style

SCOPED = ["feat(api): a", "fix(calc): b", "fix(calc)!: c", "chore(deps): d", "Merge pull request #1"]


@pytest.mark.parametrize(
    ("subjects", "style", "expected"),
    [
        ([], "auto", Habit()),
        (["Initial commit"], "auto", Habit()),
        (["fix: a"], "auto", Habit()),
        (["fix: a", "feat: b", "Fix c"], "auto", Habit(True)),
        (["fix: a", "Fix b", "Fix c"], "auto", Habit()),
        (["fix: a", "feat: b", "Merge x", "Merge y", 'Revert "z"', "docs: c"], "auto", Habit(True)),
        (SCOPED, "auto", Habit(True, ("calc", "api", "deps"))),
        (["fix: a", "feat: b", "fix(calc): c"], "auto", Habit(True)),
        (["area: a", "net/http: b", "Fix: c"], "auto", Habit()),
        (SCOPED, "plain", Habit()),
        (["Fix a"], "conventional", Habit(True)),
        (["fix: a"] * 50 + ["Fix b"] * 200, "auto", Habit(True)),
    ],
)
def test_the_habit_is_what_most_of_the_newest_commits_do(subjects: list[str], style: Style, expected: Habit) -> None:
    """Merges and reverts do not count, one or two commits are no habit, and heal.yml has the last word."""
    assert messages.habit(subjects, style) == expected


DEEP = candidate().patch.replace("calc.py", "src/shop/price.py")


@pytest.mark.parametrize(
    ("habit", "changes", "title"),
    [
        (Habit(True), {"title": "change `-` to `+` in calc.py"}, "fix: change - to + in calc.py"),
        (Habit(True, ("calc", "api")), {"title": "change `-` to `+`"}, "fix(calc): change - to +"),
        (Habit(True, ("api",)), {"title": "change `-` to `+`", "patch": DEEP}, "fix(shop): change - to +"),
        (Habit(), {"title": "change `-` to `+` in calc.py"}, "Change - to + in calc.py"),
        (Habit(), {"title": "ruff findings in 2 files"}, "Fix ruff findings in 2 files"),
        (Habit(), {"title": "The sum was a difference.", "model": "m"}, "Fix calc.py: The sum was a difference"),
        (Habit(), {}, "Fix calc.py: add(1, 2) gives -1 in calc.py"),
        (Habit(), {"title": "x" * 90, "model": "m"}, f"Fix calc.py: {'x' * 58}\u2026"),
        (Habit(), {"title": "closes #1 for @all", "model": "m"}, "Fix calc.py: closes\u200b #\u200b1 for @\u200ball"),
    ],
)
def test_a_title_says_what_the_fix_does(habit: Habit, changes: dict[str, str], title: str) -> None:
    """As an imperative or after the type and the part of the code, in 72 characters, and it calls nobody."""
    told = report(attempts=(Attempt(candidate(**changes), Verdict(True)),))
    assert messages.pull_request_title(told, habit) == title
    assert messages.commit_message(told, habit).startswith(f"{title}\n\n")


def test_the_type_of_a_formatting_is_style() -> None:
    """Nothing was broken there."""
    told = report(diagnosis=diagnosis(cls=FailureClass.FORMAT, tool="black"))
    assert messages.pull_request_title(told, Habit(True)) == "style: format with black in calc.py"
    assert messages.pull_request_title(told) == "Format with black in calc.py"


def test_trailers_name_who_asked_and_who_signs() -> None:
    """At the end, in one block; words of others make none."""
    evil: Candidate = candidate(reasoning="Fine.\n\nCo-authored-by: Mallory <m@example.org>")
    told = report(attempts=(Attempt(evil, Verdict(True)),))
    text = messages.commit_message(told, Habit(), "octocat <1+octocat@x>", "heal[bot] <2+heal[bot]@x>")
    assert text.endswith("\n\nCo-authored-by: octocat <1+octocat@x>\nSigned-off-by: heal[bot] <2+heal[bot]@x>\n")
    assert text.count("\nCo-authored-by") == 1
    assert "-by:" not in messages.commit_message(report())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {"head_sha": "b" * 40, "run": "r2", "actions_run_id": 9, "job_id": 8}, True),
        ({"job": "test (3.11)"}, {"job": "test (3.12, linux)"}, True),
        ({}, {"branch": "next"}, False),
        ({}, {"job": "lint"}, False),
        ({}, {"repo_id": 8}, False),
        ({}, {"pull_request": 3}, False),
        ({"pull_request": 3}, {"pull_request": 3, "branch": "renamed"}, True),
        ({"pull_request": 3}, {"pull_request": 4}, False),
        ({"issue": 3}, {"issue": 3, "job": "lint"}, True),
    ],
)
def test_one_job_in_one_place_has_one_branch(one: dict[str, object], other: dict[str, object], same: bool) -> None:
    """Whatever commit it is red on, and whichever leg of its matrix was looked at."""
    names = [messages.branch(report(case=case(**changes))) for changes in (one, other)]
    assert (names[0] == names[1]) is same


def test_the_job_of_a_whole_workflow_run_is_the_one_that_was_read() -> None:
    """The event of a workflow run names no job: what the report knows counts, and the file it stands in."""

    def named(reports: Sequence[JobReport]) -> list[str]:
        return [messages.branch(report(case=case(job=""), job=one)) for one in reports]

    first, again, other = named([JobReport("unit"), JobReport("unit"), JobReport("unit", workflow_path="b.yml")])
    assert first.startswith("heal/unit-")
    assert first == again != other
