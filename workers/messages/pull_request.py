"""Where people meet a fix: the body of a pull request, the review that holds suggestions, or a comment with the patch.

The first screen of each is enough to decide on; long parts are folded, and cut before the evidence is.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

from workers.domain import Case, How, Report
from workers.messages import reported
from workers.messages.ci import Red, row
from workers.messages.commits import branch, published
from workers.messages.markup import LIMIT, backticks, details, fence, plain, quote, visible
from workers.messages.proof import evidence, folded, headline, known, trust
from workers.messages.room import Part, Worth, assemble
from workers.ports import CI, Checks

Rows = Sequence[tuple[Worth, str]]
"""The sections of a body, with what each is worth when there is no room for all."""

_SIZES = ((6_000, 3_000), (2_000, 3_000), (500, 1_000), (200, 200))
"""Characters of each output and of the reasoning, the first that fit."""
_NOT_YET = Checks(CI.PENDING)
_PUSHES = "I never force a push, and after your next push to this branch I stop pushing to it."
_PATCH = 40_000
"""Characters of a patch that a comment can show and still hold the evidence."""
_COMMANDS = 'Commands: `/heal retry hint="..."`, `/heal explain`, `/heal undo`, `/heal stop`.'


def pull_request_body(report: Report, run_url: str, checks: Checks = _NOT_YET, red: Red = Red.NONE) -> str:
    """The whole body, within GitHub's limit: logs are cut first, then the reasoning, the evidence never. `checks` is
    what the real CI says of the fix, and `red` how that is to be read."""
    ci = row(checks, red, report.published.target if report.published else "")
    report = published(report)

    def body(log: int, words: int) -> Rows:
        cause, *long = folded(report, log, run_url)
        return [
            (Worth.PROOF, headline(report, words) + _note(report) + _closes(report.case)),
            (Worth.PROOF, evidence(report, ci)),
            (Worth.PROOF, trust(report)),
            (Worth.FACTS, cause),
            (Worth.ASIDE, details("Reproduce locally", _locally(report))),
            *((Worth.ASIDE, one) for one in long),
            (
                Worth.PROOF,
                "---\nI push only to this branch; after your first push to it I stop pushing. I never merge and never "
                f"approve.\n\n{_COMMANDS} <!-- heal:run={report.case.run} kind=pr v=1 -->",
            ),
        ]

    return _fitting(body)


def review_body(report: Report, run_url: str, key: str) -> str:
    """What stands above the suggestions. `key` marks the fix, so that the same review is never written twice."""
    report = published(report)

    def body(log: int, words: int) -> Rows:
        return [
            (Worth.PROOF, headline(report, words)),
            (
                Worth.PROOF,
                "Take all of the suggestions below, or none: they were proven together."
                " *Add suggestion to batch* makes one commit of them.",
            ),
            (Worth.PROOF, evidence(report)),
            (Worth.PROOF, trust(report)),
            *((Worth.ASIDE, one) for one in folded(report, log, run_url)),
            (Worth.PROOF, f"---\nI push nothing here. {_COMMANDS} <!-- heal:fix={key} kind=review v=1 -->"),
        ]

    return _fitting(body)


def suggestion(lines: Sequence[str]) -> str:
    """A suggestion block, longer fenced than anything inside; the lines stand in it exactly as they were proven."""
    ticks = "`" * max(3, 1 + backticks("\n".join(lines)))
    return "\n".join([f"{ticks}suggestion", *lines, ticks])


def comment_body(report: Report, run_url: str) -> str:
    """The one comment of a fix that was pushed to a branch of theirs, or that they are to apply themselves."""
    report = published(report)
    pushed = report.published is not None and report.published.how is How.PUSH

    def body(log: int, words: int) -> Rows:
        return [
            (Worth.PROOF, headline(report, words)),
            (Worth.PROOF, _pushed(report) if pushed else _apply(report, run_url)),
            (Worth.PROOF, evidence(report)),
            (Worth.PROOF, trust(report)),
            *((Worth.ASIDE, one) for one in folded(report, log, run_url)),
            (Worth.PROOF, f"---\n{_PUSHES if pushed else 'I push nothing here.'} {_COMMANDS}"),
        ]

    return _fitting(body)


def _fitting(body: Callable[[int, int], Rows]) -> str:
    rows: Rows = ()
    for log, words in _SIZES:
        rows = body(log, words)
        whole = "\n\n".join(text for _, text in rows) + "\n"
        if len(whole) <= LIMIT:
            return whole
    parts = [Part(worth, (text,) if worth is Worth.PROOF else (text, "")) for worth, text in rows]
    return assemble(parts, LIMIT - 1) + "\n"


def _note(report: Report) -> str:
    note = report.published.note if report.published else ""
    return f"\n\n{plain(note)}" if note else ""


def _closes(case: Case) -> str:
    """The word that closes the bug report which an earlier round was for; that round's own headline has it."""
    return f"\n\nFixes #{case.issue}." if case.issue is not None and not reported.is_issue(case) else ""


def _pushed(report: Report) -> str:
    where = report.published
    if where is None:
        raise ValueError("nothing was pushed")
    return f"The fix is commit {where.commit} on {quote(where.target)}; `git revert` takes it away again."


def _apply(report: Report, run_url: str) -> str:
    """One command that works when it is copied: the patch stands in it, so nothing is fetched from anywhere."""
    _, _, accepted = known(report)
    patch = accepted.candidate.patch
    if len(patch) > _PATCH:
        return f"The patch is too long for a comment; it is on the [run's page]({run_url})." if run_url else ""
    words = f"To take it, run this in a clone that stands on `{report.case.head_sha[:7]}`:"
    if visible(patch) == patch:
        return f"{words}\n\n{_script('git apply <<{end}', patch)}"
    packed = base64.b64encode(patch.encode("utf-8", "surrogateescape")).decode()  # one line, which no bot mistakes
    script = _script("base64 -d <<{end} | git apply", packed)
    shown = details("The same for reading", fence(patch, "diff", _PATCH))
    return f"{words} It is packed, because it holds characters that a comment does not show.\n\n{script}\n\n{shown}"


def _script(command: str, text: str) -> str:
    """The command with the text as its input, which ends at a word that no line of a diff can be: each begins with a
    sign or with a word of git's."""
    whole = text if text.endswith("\n") else f"{text}\n"
    return fence(f"{command.format(end=repr('PATCH'))}\n{whole}PATCH", "sh", LIMIT)


def _locally(report: Report) -> str:
    reproduction, _, _ = known(report)
    setup = [line for step in reproduction.plan.setup for line in step.script.strip().splitlines()]
    name = report.published.branch if report.published and report.published.branch else branch(report)
    commands = [f"git fetch origin {name} && git checkout {name}", *setup, reproduction.plan.check.script.strip()]
    return fence("\n".join(commands), "sh", 3_000)
