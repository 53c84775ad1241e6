"""What is said of a bug report: the test that shows it, how it and the whole suite fared, and the one question where no
test could be made."""

from __future__ import annotations

from workers.domain import Aim, Case, Report
from workers.messages.markup import cut, details, fence, inert, plain, quote
from workers.reruns import command
from workers.witness.missing import Missing

_QUESTIONS = {
    Missing.STEPS: "**How can I make it happen?** Best are a few lines of code that call the function, with the values "
    "you used.",
    Missing.EXPECTED: "**What should have happened instead?** I can test for an exact value, or for an exception.",
    Missing.ACTUAL: "**What happens now?** The exact value, or the last line of the traceback.",
    Missing.VERSION: "**On which version or commit did you see it?**",
    Missing.EXAMPLE: "**Can you give an example that I can run?** A few lines that end with the call, and below them "
    "`Expected:` and `Actual:` with the exact values.",
}


def is_issue(case: Case) -> bool:
    """The run is for a bug report."""
    return case.aim is Aim.ISSUE


def about(case: Case) -> str:
    """The bug report in a word."""
    return f"#{case.issue}" if case.issue is not None else "the bug report"


def asked(report: Report) -> str:
    """The one thing to ask: in a model's words where it asked, else in ours."""
    own, model = Missing(report.data.get("missing") or Missing.EXAMPLE), report.data.get("question", "")
    return f"**{plain(model, 300)}**" if model else _QUESTIONS[own]


def question(report: Report) -> str:
    """The end of a run that asks, and how to go on."""
    data, case = report.data, report.case
    seen = ""
    if data.get("test"):
        seen = f" On `{case.head_sha[:7]}` the example in it does what it should."
    then = " Answer here, then comment `/heal` again." if case.issue is not None else ""
    return f"{plain(report.detail)}{seen} One question: {asked(report)}{then}"


def shown(report: Report) -> str:
    """The test itself, folded, with the command that runs it; of a report whose example is green, that example."""
    if report.witness is None:
        text = report.data.get("test", "")
        return details("The test that was made of it, and is green", fence(text, "python")) if text else ""
    test, run = fence(report.witness.text, "python", 20_000), fence(report.witness.plan.check.script, "sh", 1_000)
    return details("The test that shows it", f"{quote(report.witness.path)}\n\n{test}\n\n{run}")


def told(report: Report) -> str:
    """That there is a test, by whom, and how it fails."""
    witness = report.witness
    if witness is None:
        return ""
    by = "was made of the report's own example"
    if witness.model is not None:
        cost = witness.usage.cost_usd
        by = f"was written by {quote(witness.model)} ({'unknown cost' if cost is None else f'${cost:.2f}'})"
    return (
        f"The test {quote(witness.path)} {by}. It fails on `{report.case.head_sha[:7]}` in {witness.runs} of "
        f"{witness.runs} runs."
    )


def headline(report: Report) -> str:
    """The first line of the pull request, with the word that closes the report when it is merged."""
    case = report.case
    closes = f"\n\nFixes #{case.issue}." if case.issue is not None else ""
    first = " The first commit is the test alone: check it out to see it fail." if case.issue is not None else ""
    careful = ""
    if report.witness is not None and report.witness.model is not None:
        careful = " A model wrote it from the report: read it before the fix, because the fix is as right as the test."
    return f"**Shows {about(case)} with a failing test, and fixes it.** {told(report)}{careful}{first}{closes}"


def suite_row(report: Report) -> list[str]:
    """The row of the evidence about the whole suite, where it could be compared."""
    beside = report.accepted.verdict.beside if report.accepted else None
    after = report.accepted.verdict.suite if report.accepted else None
    if beside is None or after is None:
        return []
    return [
        f"| the whole suite, {quote(command(beside.step))} | {beside.before.count('failed', 'error')} failed, "
        f"{beside.before.passed} passed | {after.count('failed', 'error')} failed, {after.passed} passed |"
    ]


def first_message(report: Report, conventional: bool) -> str:
    """The message of the commit that holds the test alone."""
    case = report.case
    what = f"#{case.issue}" if case.issue is not None else "the reported bug"
    subject = f"test: show {what}" if conventional else f"Add a test that shows {what}"
    return f"{subject}\n\n{inert(cut(told(report).replace('`', ''), 600))}\n"
