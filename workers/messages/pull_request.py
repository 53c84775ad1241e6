"""The pull request: title, branch, commit message, and a body whose first screen is enough to decide on."""

from __future__ import annotations

import hashlib

from sandbox.spec import Result
from workers.domain import Attempt, Case, Confidence, Diagnosis, FailureClass, Report, Reproduction
from workers.messages import plan
from workers.messages.blame import brought
from workers.messages.chance import steadiness
from workers.messages.markup import LIMIT, cut, details, fence, inert, plain, quote
from workers.messages.room import Part, Worth, assemble
from workers.messages.suspects import suspected
from workers.patch import check as measure
from workers.redact import Redactor
from workers.reruns import command

_WHY = {
    Confidence.HIGH: "reproduced, the same command is green, nothing that passed broke, red again without the patch",
    Confidence.MEDIUM: "green and nothing broken, but the evidence leaves room for another fix: read it closely",
    Confidence.LOW: "a guess that happens to be green",
}

_LIKELIEST = 3
"""Suspects that a reader of the fix is shown."""

_LATER_STEPS = 20
"""Rows of the evidence table for the steps that CI had not reached."""

_CI = {
    "pending": "running",
    "green": "\u2705 green",
    "red": "\u274c red: the sandbox and CI disagree, see the checks below",
    "none": "no run seen on this branch",
}


def published(report: Report) -> Report:
    """The report as anybody may read it. Before any markup: escapes would hide a key, and blanking one break markup."""
    return Redactor().publish(report)


def branch(report: Report) -> str:
    """`heal/<key>`: the same red job of the same commit always has the same branch."""
    case = Redactor().publish(report.case)
    key = f"{case.repo_id}:{case.head_sha}:{case.job or case.actions_run_id}".encode(errors="replace")
    return f"heal/{_slug(case)}-{hashlib.sha256(key).hexdigest()[:8]}"


def pull_request_title(report: Report) -> str:
    """One line, at most 72 characters, no text that GitHub would read as a reference."""
    _, diagnosis, accepted = _known(published(report))
    cause = accepted.candidate.title or _cause(diagnosis)
    return cut(f"fix: {inert(cause)}".replace("`", "").rstrip("."), 72)


def commit_message(report: Report) -> str:
    """Subject, what was proven, and who asked."""
    reproduction, _, accepted = _known(published(report))
    lines = [
        pull_request_title(report),
        "",
        cut(inert(accepted.candidate.reasoning), 600),
        "",
        f"Check: {inert(command(reproduction.plan.check))}",
        f"Red before ({_count(reproduction.before)}), green after ({_count(accepted.verdict.after)}).",
    ]
    return "\n".join(lines).rstrip() + "\n"


def pull_request_body(report: Report, run_url: str, ci: str = "pending") -> str:
    """The whole body, within GitHub's limit: logs give way first, then reasoning and causes, the evidence never."""
    report = published(report)
    reproduction, diagnosis, accepted = _known(report)
    after = accepted.verdict.after.output.text if accepted.verdict.after else ""
    causes = "\n\n".join(part for part in (_root_cause(diagnosis, reproduction), brought(report.blame)) if part)
    rejected = [attempt for attempt in report.attempts if not attempt.verdict.accepted]
    tried = details(f"Tried and rejected ({len(rejected)})", _rejected(rejected)) if rejected else ""
    confidence = accepted.candidate.confidence
    parts = (
        Part(Worth.REASONING, tuple(_first(report, diagnosis, accepted, limit) for limit in (3_000, 600, 0))),
        Part(Worth.PROOF, (_evidence(report, reproduction, accepted, ci),)),
        Part(Worth.PROOF, (f"**Confidence: {confidence}** \u2013 {_WHY[confidence]}.",)),
        Part(Worth.FACTS, (f"**Not checked:** {_not_checked(reproduction)}", "")),
        Part(Worth.FACTS, (f"### Root cause\n\n{causes}", "")),
        _logged("Failing output before", reproduction.before.output.text),
        _logged("Output of the same command after", after),
        Part(Worth.ASIDE, (details("Reproduce locally", _locally(report, reproduction)), "")),
        Part(Worth.ASIDE, (plan.folded(reproduction.plan), "")),
        Part(Worth.ASIDE, (tried, "")),
        Part(Worth.FACTS, (details("How this was made", _made(report, accepted, run_url)),)),
        Part(Worth.PROOF, (_footer(report.case),)),
    )
    return assemble(parts, LIMIT - 1) + "\n"


def _first(report: Report, diagnosis: Diagnosis, accepted: Attempt, limit: int) -> str:
    """What fails, why the change mends it, and how large it is."""
    case, candidate = report.case, accepted.candidate
    files, added, removed = measure(candidate.patch)
    where = quote(case.branch) + (f" (#{case.pull_request})" if case.pull_request else "")
    name = quote(report.job.name) if report.job and report.job.name else "The check"
    why = f"{plain(candidate.reasoning, limit)} " if limit else ""
    return (
        f"**{name} on {where} fails: {plain(diagnosis.summary)}**\n\n"
        f"{why}{files} file{'s' if files != 1 else ''}, +{added} \u2212{removed}."
    )


def _logged(title: str, text: str) -> Part:
    return Part(Worth.ASIDE, (*(details(title, fence(text, limit=most)) for most in (6_000, 2_000, 500)), ""))


def _footer(case: Case) -> str:
    return (
        f"---\nOpened by Heal. It pushes only to this branch, never merges, and stops when you push here. "
        f"<!-- heal:run={case.run} kind=pr v=1 -->"
    )


def _evidence(report: Report, reproduction: Reproduction, accepted: Attempt, ci: str) -> str:
    before, verdict = reproduction.before, accepted.verdict
    name = quote(command(reproduction.plan.check))
    rows = [
        f"| | before (`{report.case.head_sha[:7]}`) | after (this branch) |",
        "|---|---|---|",
        f"| {name} | \u274c {_count(before)} | \u2705 {_count(verdict.after)} |",
        f"| the same, repeated | {reproduction.red_reruns}/{reproduction.reruns} red | "
        f"{verdict.reruns}/{verdict.reruns} green |",
        "| once more without the patch | \u274c red | |",
        f"| tests that passed before | {before.passed} | {_kept(before, accepted)} |",
    ]
    later = [f"| then {quote(step, 120)} | not reached | \u2705 green |" for step, _ in verdict.later_steps]
    rows += later[:_LATER_STEPS]
    if len(later) > _LATER_STEPS:
        rows.append(f"| then {len(later) - _LATER_STEPS} more steps | not reached | \u2705 green |")
    rows.append(f"| the repository's CI | \u274c red | {_CI[ci]} |")
    return "\n".join(rows)


def _kept(before: Result, accepted: Attempt) -> str:
    kept = before.passed - len(accepted.verdict.regressions)
    if not before.tests and not before.told:
        return "the command reports no single tests"
    return f"{kept} still pass" if before.names_all else f"{kept}, by the runner's own count"


def _not_checked(reproduction: Reproduction) -> str:
    recipe = reproduction.plan
    gaps = [f"{plain(skip.step)} ({plain(skip.reason)})" for skip in recipe.skipped if skip.weakens_proof]
    gaps += [plain(note) for note in recipe.notes]
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


def _locally(report: Report, reproduction: Reproduction) -> str:
    setup = [line for step in reproduction.plan.setup for line in step.script.strip().splitlines()]
    name = branch(report)
    commands = [f"git fetch origin {name} && git checkout {name}", *setup, reproduction.plan.check.script.strip()]
    return fence("\n".join(commands), "sh", 3_000)


def _rejected(attempts: list[Attempt]) -> str:
    rows = ["| # | fixer | rejected by | why |", "|---|---|---|---|"]
    for n, attempt in enumerate(attempts, 1):
        why = plain(cut(attempt.verdict.why, 200))
        rows.append(f"| {n} | {attempt.candidate.fixer} | {plain(attempt.verdict.rejected_by)} | {why} |")
    return "\n".join(rows)


def _made(report: Report, accepted: Attempt, run_url: str) -> str:
    candidate, evidence = accepted.candidate, report.reproduction.before.evidence if report.reproduction else None
    cost = "unknown" if candidate.usage.cost_usd is None else f"${candidate.usage.cost_usd:.2f}"
    lines = [
        f"- run: {f'[{report.case.run}]({run_url})' if run_url else quote(report.case.run)}",
        f"- fixer: {candidate.fixer}, candidates tried: {len(report.attempts)}, "
        f"other plausible patches seen: {candidate.alternatives}",
        f"- model: {quote(candidate.model) if candidate.model else 'none'}, tokens: {candidate.usage.input_tokens} in, "
        f"{candidate.usage.output_tokens} out, cost: {cost}",
    ]
    if report.reproduction and report.reproduction.before.source:
        lines.append(f"- tests from: {plain(report.reproduction.before.source)}")
    if evidence:
        lines.append(
            f"- image {quote(evidence.image)}, environment {quote(evidence.environment)}, "
            f"tree {quote(evidence.tree)}, runtime {quote(evidence.runtime)}"
        )
    spent = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in report.seconds.items())
    return "\n".join([*lines, f"- seconds: {spent}"])


def _count(result: Result | None) -> str:
    if result is None:
        return "not run"
    ran = f"exit {result.exit_code}" if result.exit_code is not None else result.ending.value
    if not result.tests:
        return f"{ran}, {result.wall_s:.1f} s"
    return f"{ran}, {result.count('failed', 'error')} failed, {result.passed} passed, {result.wall_s:.1f} s"


def _cause(diagnosis: Diagnosis) -> str:
    """The title's half sentence. The class decides when the finding's own words would be about a test."""
    path = diagnosis.suspects[0].path if diagnosis.suspects else ""
    words = {
        FailureClass.FORMAT: f"format with {diagnosis.tool}",
        FailureClass.LINT: f"{diagnosis.tool} findings",
        FailureClass.IMPORT: "missing import",
    }.get(diagnosis.cls, diagnosis.summary)
    return words + (f" in {path}" if path and path not in words else "")


def _slug(case: Case) -> str:
    name = "".join(char if char.isalnum() and char.isascii() else "-" for char in (case.job or "check").lower())
    return "-".join(part for part in name.split("-") if part)[:30] or "check"


def _known(report: Report) -> tuple[Reproduction, Diagnosis, Attempt]:
    if report.reproduction is None or report.diagnosis is None or report.accepted is None:
        raise ValueError("a pull request needs a reproduction, a diagnosis and an accepted candidate")
    return report.reproduction, report.diagnosis, report.accepted
