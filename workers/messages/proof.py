"""What shows that a fix is one: the same command before and after, how sure it is, why it failed, and how it was made.

The sections are the same in a pull request, a review and a comment.
"""

from __future__ import annotations

from sandbox.spec import Result
from workers.domain import Attempt, Confidence, Diagnosis, Report, Reproduction, Verdict
from workers.messages import plan, reported
from workers.messages.blame import brought
from workers.messages.chance import steadiness
from workers.messages.markup import cut, details, fence, plain, quote
from workers.messages.suspects import suspected
from workers.patch import check as measure
from workers.reruns import command

_WHY = {
    Confidence.HIGH: "reproduced, the same command is green, nothing that passed broke, red again without the patch",
    Confidence.MEDIUM: "green and nothing broken, but the evidence leaves room for another fix: read it closely",
    Confidence.LOW: "a guess that happens to be green",
}

_LIKELIEST = 3
"""Suspects that a reader of the fix is shown."""

_LATER_STEPS = 20
"""Rows of the table for the steps that CI had not reached."""
_GAPS = 12
"""Things not checked that are named."""
_LINES = 8
"""Lines or files that are named of those no test executed."""


def headline(report: Report, words: int) -> str:
    """What fails where and what the fix does, in `words` characters of reasoning at most, and how large it is."""
    _, diagnosis, accepted = known(report)
    case, name = report.case, report.job.name if report.job else ""
    where = quote(case.branch) + (f" (#{case.pull_request})" if case.pull_request else "")
    files, added, removed = measure(accepted.candidate.patch)
    fails = f"**{quote(name) if name else 'The check'} on {where} fails: {plain(diagnosis.summary)}**"
    return (
        f"{reported.headline(report) if reported.is_issue(case) else fails}\n\n"
        f"{plain(accepted.candidate.reasoning, words)} {files} file{'s' if files != 1 else ''}, "
        f"+{added} \u2212{removed}."
    )


def evidence(report: Report, ci: str = "") -> str:
    """The table of runs before and after; `ci` is the cell of what the real CI says of the fix, if any."""
    reproduction, _, accepted = known(report)
    before, verdict = reproduction.before, accepted.verdict
    name = quote(command(reproduction.plan.check))
    rows = [
        f"| | before (`{report.case.head_sha[:7]}`) | after (with the fix) |",
        "|---|---|---|",
        f"| {name} | \u274c {count(before)} | \u2705 {count(verdict.after)} |",
        f"| the same, repeated | {reproduction.red_reruns}/{reproduction.reruns} red | "
        f"{verdict.reruns}/{verdict.reruns} green |",
        "| once more without the patch | \u274c red | |",
        *reported.suite_row(report),
        f"| tests that passed before | {before.passed} | {_kept(before, accepted)} |",
        *_read(verdict),
    ]
    later = [f"| then {quote(step, 120)} | not reached | \u2705 green |" for step, _ in verdict.later_steps]
    rows += later[:_LATER_STEPS]
    if len(later) > _LATER_STEPS:
        rows.append(f"| then {len(later) - _LATER_STEPS} more steps | not reached | \u2705 green |")
    if ci:
        before_ci = "not run" if reported.is_issue(report.case) else "\u274c red"
        rows.append(f"| the repository's CI | {before_ci} | {ci} |")
    return "\n".join(rows)


def trust(report: Report) -> str:
    """The class of the fix, what was not checked, and who made it for whom at what cost."""
    reproduction, _, accepted = known(report)
    confidence = accepted.confidence
    verdict = accepted.verdict
    return (
        f"**Confidence: {confidence}** \u2013 {_WHY[confidence]}.\n\n"
        f"**Not checked:** {_not_checked(reproduction, verdict)}\n\n"
        f"**Made by Heal, a bot.** {_asked(report)} Model: {_model(accepted)}. Cost: {_cost(report)}."
    )


def folded(report: Report, log: int, run_url: str) -> list[str]:
    """The long parts: root cause, output of at most `log` characters, the recipe, other candidates, the making."""
    reproduction, diagnosis, accepted = known(report)
    after = accepted.verdict.after.output.text if accepted.verdict.after else ""
    cause = "\n\n".join(
        part for part in ("### Root cause", _root_cause(diagnosis, reproduction), brought(report.blame)) if part
    )
    rejected = [attempt for attempt in report.attempts if not attempt.verdict.accepted]
    return [
        cause,
        details("Failing output before", fence(reproduction.before.output.text, limit=log)),
        details("Output of the same command after", fence(after, limit=log)),
        plan.folded(reproduction.plan),
        *([details(f"Tried and rejected ({len(rejected)})", _rejected(rejected))] if rejected else []),
        details("How this was made", _made(report, accepted, run_url)),
    ]


def count(result: Result | None) -> str:
    """A run in a few words, by the harness's own numbers."""
    if result is None:
        return "not run"
    ran = f"exit {result.exit_code}" if result.exit_code is not None else result.ending.value
    if not result.tests:
        return f"{ran}, {result.wall_s:.1f} s"
    return f"{ran}, {result.count('failed', 'error')} failed, {result.passed} passed, {result.wall_s:.1f} s"


def known(report: Report) -> tuple[Reproduction, Diagnosis, Attempt]:
    """What every fix has: without them there is nothing to show."""
    if report.reproduction is None or report.diagnosis is None or report.accepted is None:
        raise ValueError("a fix needs a reproduction, a diagnosis and an accepted candidate")
    return report.reproduction, report.diagnosis, report.accepted


def _asked(report: Report) -> str:
    login = report.case.requested_by
    return f"Asked for by {quote(login, 60)}." if login else "Nobody asked for it: the red check did."


def _model(accepted: Attempt) -> str:
    return quote(accepted.candidate.model) if accepted.candidate.model else "none"


def _cost(report: Report) -> str:
    """Of all candidates together: the rejected ones were paid for as well."""
    prices = [attempt.usage.cost_usd for attempt in report.attempts]
    prices += [report.witness.usage.cost_usd] if report.witness else []
    paid = [price for price in prices if price is not None]
    return f"${sum(paid):.2f}" if len(paid) == len(prices) else "unknown"


def _kept(before: Result, accepted: Attempt) -> str:
    kept = before.passed - len(accepted.verdict.regressions)
    if not before.tests and not before.told:
        return "the command reports no single tests"
    return f"{kept} still pass" if before.names_all else f"{kept}, by the runner's own count"


def _read(verdict: Verdict) -> list[str]:
    """What the repository's own checkers say of the changed files, and which changed lines tests executed."""
    rows = []
    if verdict.checkers:
        rows.append(f"| {', '.join(verdict.checkers)} on the changed files | as they are | \u2705 nothing new |")
    seen = verdict.covered
    if seen is not None and seen.lines:
        executed = seen.lines - len(seen.missed)
        rows.append(f"| changed lines that tests executed | | {executed} of {seen.lines} |")
    return rows


def _unread(verdict: Verdict) -> list[str]:
    """What of the change no checker and no test has seen."""
    gaps = []
    if verdict.unchecked:
        gaps.append(f"{', '.join(verdict.unchecked)}: configured, but not to be run in the sandbox")
    seen = verdict.covered
    if seen is None:
        return [*gaps, "whether tests execute the changed lines, which is seen for Python's tests only"]
    if seen.missed:
        places = ", ".join(quote(f"{path}:{line}", 120) for path, line in seen.missed[:_LINES])
        more = f" and {len(seen.missed) - _LINES} more" if len(seen.missed) > _LINES else ""
        gaps.append(f"no test of the failing command executes {places}{more}")
    if seen.elsewhere:
        names = ", ".join(quote(path, 120) for path in seen.elsewhere[:_LINES])
        gaps.append(f"whether tests execute what changed in {names}")
    return gaps


def _not_checked(reproduction: Reproduction, verdict: Verdict) -> str:
    recipe = reproduction.plan
    gaps = [f"{plain(skip.step, 80)} ({plain(skip.reason, 200)})" for skip in recipe.skipped if skip.weakens_proof]
    gaps += [plain(note, 300) for note in recipe.notes]
    gaps += _unread(verdict)
    if len(gaps) > _GAPS:
        gaps[_GAPS:] = [f"{len(gaps) - _GAPS} more things, which the plan below names"]
    hosts = reproduction.before.evidence.network
    if hosts:
        gaps.append(f"the check could reach {plain(', '.join(hosts))}: what answers there has a part in its result")
    gaps.append(f"other jobs of the workflow; only Linux x86-64{'' if hosts else ', without network'}")
    return f"fidelity *{recipe.fidelity}*. " + "; ".join(gaps) + "."


def _root_cause(diagnosis: Diagnosis, reproduction: Reproduction) -> str:
    lines = []
    if diagnosis.evidence:
        by = ", ".join(quote(words, 300) for words in diagnosis.evidence)
        lines.append(f"{diagnosis.cls.value.replace('_', ' ').capitalize()}, by {by}.\n")
    for finding in diagnosis.findings[:8]:
        place = quote(f"{finding.path}:{finding.line}" if finding.line else finding.path or finding.test or "")
        lines.append(f"- {place}: {plain(cut(finding.message, 300))}")
    if not diagnosis.findings:
        lines.append(plain(diagnosis.summary))
    lines += [f"- {line}" for line in steadiness(reproduction)]
    lines += suspected(diagnosis, _LIKELIEST)
    return "\n".join(lines)


def _rejected(attempts: list[Attempt]) -> str:
    rows = ["| # | fixer | rejected by | why |", "|---|---|---|---|"]
    for n, attempt in enumerate(attempts, 1):
        why = plain(cut(attempt.verdict.why, 200))
        rows.append(f"| {n} | {attempt.candidate.fixer} | {plain(attempt.verdict.rejected_by)} | {why} |")
    return "\n".join(rows)


def _made(report: Report, accepted: Attempt, run_url: str) -> str:
    candidate, seen = accepted.candidate, report.reproduction.before.evidence if report.reproduction else None
    tokens_in = sum(attempt.usage.input_tokens for attempt in report.attempts)
    tokens_out = sum(attempt.usage.output_tokens for attempt in report.attempts)
    lines = [
        f"- run: {f'[{report.case.run}]({run_url})' if run_url else quote(report.case.run)}",
        f"- fixer: {candidate.fixer}, candidates tried: {len(report.attempts)}, "
        f"other plausible patches seen: {candidate.alternatives}",
        f"- model: {_model(accepted)}, tokens: {tokens_in} in, {tokens_out} out, cost: {_cost(report)}",
    ]
    if report.reproduction and report.reproduction.before.source:
        lines.append(f"- tests from: {plain(report.reproduction.before.source)}")
    if seen:
        lines.append(
            f"- image {quote(seen.image)}, environment {quote(seen.environment)}, "
            f"tree {quote(seen.tree)}, runtime {quote(seen.runtime)}"
        )
    spent = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in report.seconds.items())
    return "\n".join([*lines, f"- seconds: {spent}"])
