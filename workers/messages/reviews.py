"""What is said to people who review a pull request of ours: in their threads, in the check run, and when it is over.

A remark gets one answer: what was changed for it, an answer in words, or why nothing was changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import Result
from workers.domain import Aim, Attempt, Case, Confidence, Outcome, Remark, Report, Said
from workers.messages.markup import cut, plain, quote
from workers.ports import Reply
from workers.redact import Redactor
from workers.remarks import Ask, asked, suggestion
from workers.reruns import command

LONGEST_ANSWER = 2_000

_ORIGIN = re.compile(r"\b(?:models?|ai|llm|costs?|who|bots?|generated|wrote|tools?|how did you (?:find|make))\b")
_PROOF = re.compile(
    r"\b(?:tests?|tested|testing|verif\w+|checks?|checked|prove[ns]?|proof|sure|works?|working|run|ran|runs|commands?"
    r"|reproduc\w+|pass(?:es|ed)?|green|red|breaks?|broken?|regress\w*|safe|know)\b"
)
_CAUSE = re.compile(r"\b(?:why|causes?|caused|reasons?|what|explain|purpose|needed|wrong)\b")

_TRUST = {
    Confidence.HIGH: "the evidence leaves no room for another fix that I know of",
    Confidence.MEDIUM: "the evidence leaves room for another fix",
    Confidence.LOW: "it is a guess",
}


def attempt_rejected(author: str) -> str:
    """To the one who said that the whole attempt is wrong."""
    by = f" by {quote(author)}" if author else ""
    return f"Thank you for the clear word. I close this attempt and remember that it was rejected{by}."


def hands_off() -> str:
    """Somebody pushed to our branch."""
    return "Somebody has pushed to this branch after me, so it is theirs now: I change nothing on it any more."


def cannot_go_on() -> str:
    """The run that made the change is gone, or of a kind that cannot be done again."""
    return "I cannot run again what this change was proven by, so I do not change it: a person has to go on from here."


def started(case: Case) -> tuple[str, str]:
    """Title and text of the check run when a revision begins."""
    number = case.ours.pull_request if case.ours else 0
    asked_by = f" by {quote(case.requested_by)}" if case.requested_by else ""
    return f"Revising #{number}", f"Reading the review{asked_by} of #{number}."


def ending(report: Report) -> tuple[str, str] | None:
    """Title and text of the check run when a revision is over; None where the outcome's own text is true as it is."""
    case = report.case
    if case.aim is not Aim.REVISE or case.ours is None:
        return None
    number = case.ours.pull_request
    if report.outcome is Outcome.FIXED and report.accepted is not None:
        done = len(report.accepted.candidate.meets)
        text = f"**#{number} is revised and verified again,** for {done} remark{'s' if done != 1 else ''} of a review."
        return "Revised after a review", text
    if report.outcome is not Outcome.NO_FIX_FOUND:
        return None
    if not wanted(case.remarks):
        return "Answered, nothing changed", f"**The review of #{number} asks, and is answered there.** Nothing changed."
    return (
        "Not revised",
        f"**I did not change #{number} as its review asks.** {plain(report.detail)} It stays as it is.",
    )


def wanted(remarks: Sequence[Remark]) -> tuple[int, ...]:
    """The places of the remarks that ask for another change, or may."""
    return tuple(n for n, one in enumerate(remarks) if asked(one.body) not in (Ask.QUESTION, Ask.NOTHING))


def review_replies(report: Report, said: Sequence[Said], run_url: str) -> tuple[Reply, ...]:
    """One reply to every remark of the run's case. None at all where somebody ended the run on purpose."""
    report, said = Redactor().publish(report), Redactor().publish(tuple(said))
    if report.outcome is Outcome.CANCELLED:
        return ()
    words = {one.remark: one for one in (*(s for a in report.attempts for s in a.candidate.said), *said)}
    return tuple(_reply(report, n, words.get(n), run_url) for n in range(len(report.case.remarks)))


def _reply(report: Report, n: int, said: Said | None, run_url: str) -> Reply:
    remark, accepted = report.case.remarks[n], report.accepted
    if report.published is not None and accepted is not None and n in accepted.candidate.meets:
        return Reply(remark, _done(report, accepted, remark, run_url), solved=bool(remark.path))
    if said is not None:
        return Reply(remark, answered(said))
    return Reply(remark, _why_not(report, n))


def answered(said: Said) -> str:
    """An answer in words, with who says so."""
    by = f"*Answered by the model {quote(said.model)}; nothing was run for it.*" if said.model else ""
    return "\n\n".join(part for part in (plain(said.text, LONGEST_ANSWER) if said.model else said.text, by) if part)


def _done(report: Report, accepted: Attempt, remark: Remark, run_url: str) -> str:
    commit = report.published.commit[:7] if report.published else ""
    how = "Applied as you suggested" if suggestion(remark.body) is not None else "Changed"
    link = f" [Evidence]({run_url})" if run_url else ""
    check = quote(command(report.reproduction.plan.check)) if report.reproduction else "the check"
    after = f" ({_ran(accepted.verdict.after)})" if accepted.verdict.after else ""
    return (
        f"{how} in {commit}, and all of it verified again: {check} is red without the change and green with it"
        f"{after}.{link}"
    )


def _why_not(report: Report, n: int) -> str:
    remark = report.case.remarks[n]
    if asked(remark.body) is Ask.QUESTION:
        return "I cannot answer this from what I ran, so a person has to."
    if report.outcome not in (Outcome.FIXED, Outcome.UNCONFIRMED, Outcome.NO_FIX_FOUND):
        return f"Nothing was changed for this. {plain(report.detail)}".rstrip()
    if suggestion(remark.body) is not None:
        return _not_applied(report, n)
    if not any(attempt.candidate.model for attempt in report.attempts):
        return "I have no model, so I can only apply suggestion blocks, as they are: a person has to make this change."
    if report.published is not None:
        commit = report.published.commit[:7]
        return f"{commit} changes other lines and leaves these as they are, so I leave this open."
    tried = sum(1 for attempt in report.attempts if attempt.candidate.model)
    last = next((a.verdict for a in reversed(report.attempts) if a.candidate.model), None)
    why = f" The last one: {plain(cut(last.why, 300))}." if last and last.why else ""
    return f"I tried {tried} time{'s' if tried != 1 else ''} and nothing held, so nothing was changed.{why}"


def _not_applied(report: Report, n: int) -> str:
    remark = report.case.remarks[n]
    if not remark.line:
        return "I did not apply this: its lines are not part of the change any more."
    alone = [a for a in report.attempts if a.candidate.meets == (n,)]
    among = [a for a in report.attempts if n in a.candidate.meets]
    tried = next((a.verdict for a in (*alone, *among) if not a.verdict.accepted), None)
    if tried is None:
        return "I did not apply this: the lines it stands for could not be replaced."
    gate = plain(tried.rejected_by)
    return f"I did not apply this: with it the change does not pass ({gate}: {plain(cut(tried.why, 500))})."


def from_evidence(question: str, report: Report | None) -> str:
    """An answer read off what was run, chosen by the question's words; "" where they fit nothing that is known."""
    accepted = report.accepted if report else None
    if report is None or report.reproduction is None or report.diagnosis is None or accepted is None:
        return ""
    report = Redactor().publish(report)
    words = question[:4_000].lower()
    if _ORIGIN.search(words):
        return _origin(accepted)
    if _PROOF.search(words):
        return _proof(report, accepted)
    return _cause(report, accepted) if _CAUSE.search(words) else ""


def _origin(accepted: Attempt) -> str:
    made = accepted.candidate
    cost = "" if made.usage.cost_usd is None or not made.model else f", for ${made.usage.cost_usd:.2f}"
    by = f"the model {quote(made.model)}{cost}" if made.model else f"{quote(made.fixer)}, without a model"
    return f"This change was made by {by}. The checks that it passed are the same, whoever made it."


def _proof(report: Report, accepted: Attempt) -> str:
    found, verdict = report.reproduction, accepted.verdict
    if found is None:
        return ""
    again = f", and in {verdict.reruns} more run{'s' if verdict.reruns != 1 else ''}" if verdict.reruns else ""
    after = f" ({_ran(verdict.after)})" if verdict.after else ""
    return (
        f"I ran {quote(command(found.plan.check))}: red before ({_ran(found.before)}), green with the change{after}"
        f"{again}, and red once more without it. No test that passed before fails now. "
        f"Confidence {accepted.confidence}: {_TRUST[accepted.confidence]}."
    )


def _cause(report: Report, accepted: Attempt) -> str:
    told = report.diagnosis
    summary = plain(told.summary) if told else ""
    places = [f for f in told.findings if f.path][:3] if told else []
    at = ", ".join(quote(f"{one.path}:{one.line}" if one.line else one.path or "") for one in places)
    where = f" (seen at {at})" if at else ""
    return (
        f"The failure that this mends: {summary}{where}. What was done about it: {plain(accepted.candidate.reasoning)}"
    )


def _ran(result: Result | None) -> str:
    if result is None or not result.tests:
        return f"exit {result.exit_code}" if result is not None and result.exit_code is not None else "not run"
    return f"{result.count('failed', 'error')} failed, {result.passed} passed"
