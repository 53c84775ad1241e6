"""A run as the JSON object that `heal fix --json` promises. Its keys are a contract: add, never rename."""

from __future__ import annotations

from typing import Any

from sandbox.spec import Result
from workers.domain import Attempt, Blame, Commit, Coverage, Diagnosis, Report, Witness


def summary(report: Report) -> dict[str, Any]:
    """The object of the contract in ARCHITECTURE.md. Unknown parts are null, never left out."""
    accepted = report.accepted
    reproduction = report.reproduction
    chosen = accepted or (report.attempts[-1] if report.attempts else None)
    usage = [attempt.usage for attempt in report.attempts]
    usage += [report.witness.usage] if report.witness else []
    costs = [use.cost_usd for use in usage]
    return {
        "outcome": report.outcome.value,
        "detail": report.detail,
        "run": report.case.run,
        "check": reproduction.plan.check.script.strip() if reproduction else report.case.check,
        "failure": _failure(report.diagnosis, report.blame),
        "patch": whole_patch(report) or None,
        "test": _test(report.witness),
        "question": _question(report),
        "reasoning": accepted.candidate.reasoning if accepted else None,
        "confidence": accepted.confidence.value if accepted else None,
        "fixer": accepted.candidate.fixer if accepted else None,
        "model": chosen.candidate.model if chosen else None,
        "evidence": _evidence(report, accepted),
        "attempts": len(report.attempts),
        "tokens": {"input": sum(use.input_tokens for use in usage), "output": sum(use.output_tokens for use in usage)},
        "cost_usd": None if None in costs else round(sum(cost or 0.0 for cost in costs), 6),
        "seconds": {name: round(seconds, 2) for name, seconds in report.seconds.items()},
        "published": {
            "pull_request": report.published.pull_request,
            "url": report.published.url,
            "branch": report.published.branch,
            "commit": report.published.commit,
        }
        if report.published
        else None,
    }


def whole_patch(report: Report) -> str:
    """The proposed change against the commit: of a bug report the new test with the fix; empty when there is none."""
    if report.accepted is None:
        return ""
    return (report.witness.patch if report.witness else "") + report.accepted.candidate.patch


def _test(witness: Witness | None) -> dict[str, Any] | None:
    if witness is None:
        return None
    return {"path": witness.path, "text": witness.text, "runs": witness.runs, "model": witness.model}


def _question(report: Report) -> dict[str, Any] | None:
    """What a bug report lacks, and the question in a model's words where one asked."""
    missing = report.data.get("missing")
    return {"missing": missing, "text": report.data.get("question") or None} if missing else None


def _failure(diagnosis: Diagnosis | None, blame: Blame | None) -> dict[str, Any] | None:
    if diagnosis is None:
        return None
    findings = [
        {"path": one.path, "line": one.line, "test": one.test, "rule": one.rule, "message": one.message}
        for one in diagnosis.findings
    ]
    return {
        "class": diagnosis.cls.value,
        "tool": diagnosis.tool,
        "fingerprint": diagnosis.fingerprint,
        "summary": diagnosis.summary,
        "evidence": list(diagnosis.evidence),
        "findings": findings,
        "culprit": _commit(blame.culprit, blame.pull_request) if blame and blame.culprit else None,
        "suspects": _suspects(blame) if blame else None,
        "places": [{"path": one.path, "line": one.line, "reasons": list(one.reasons)} for one in diagnosis.suspects],
    }


def _commit(commit: Commit, pull_request: int | None) -> dict[str, Any]:
    return {
        "commit": commit.sha,
        "author": commit.author,
        "login": commit.login or None,
        "date": commit.at,
        "subject": commit.subject,
        "pull_request": pull_request,
    }


def _suspects(blame: Blame) -> dict[str, Any]:
    """What came between the last green commit and the first red one, as far as it is known."""
    return {
        "good": blame.good or None,
        "commits": [commit.sha for commit in blame.suspects],
        "count": blame.count,
        "searched": blame.span,
        "runs": blame.runs,
        "note": blame.note,
    }


def _evidence(report: Report, accepted: Attempt | None) -> dict[str, Any] | None:
    if report.reproduction is None:
        return None
    plan, verdict = report.reproduction.plan, accepted.verdict if accepted else None
    return {
        "image": report.reproduction.before.evidence.image,
        "environment": report.reproduction.before.evidence.environment,
        "network": list(report.reproduction.before.evidence.network),
        "before": _counts(report.reproduction.before),
        "after": _counts(verdict.after) if verdict and verdict.after else None,
        "regressions": list(verdict.regressions) if verdict else [],
        "reruns": verdict.reruns if verdict else 0,
        "red_without_patch": verdict.reverse_red if verdict else None,
        "checkers": list(verdict.checkers) if verdict else [],
        "changed_lines": _lines(verdict.covered) if verdict and verdict.covered else None,
        "fidelity": plan.fidelity.value,
        "skipped_steps": [{"step": skip.step, "reason": skip.reason} for skip in plan.skipped],
    }


def _lines(seen: Coverage) -> dict[str, Any]:
    """How many changed lines tests executed, and those that none did."""
    missed = [{"path": path, "line": line} for path, line in seen.missed]
    return {"count": seen.lines, "executed": seen.lines - len(seen.missed), "missed": missed}


def _counts(result: Result) -> dict[str, Any]:
    return {
        "exit_code": result.exit_code,
        "passed": result.passed,
        "failed": result.count("failed", "error"),
        "seconds": round(result.wall_s, 2),
    }
