"""How `heal fix` shows a report: the contract's JSON object, or the patch on standard output and the story beside."""

from __future__ import annotations

import json

import typer

from workers.domain import Report
from workers.messages.markup import cut
from workers.reruns import command
from workers.summary import summary


def present(report: Report, as_json: bool) -> None:
    """Print the report: data to standard output, the rest to standard error."""
    if as_json:
        typer.echo(json.dumps(summary(report), ensure_ascii=False))
        return
    for line in _story(report):
        typer.echo(line, err=True)
    if report.accepted:
        typer.echo(report.accepted.candidate.patch, nl=False)


def _story(report: Report) -> list[str]:
    lines = [f"{report.outcome}{': ' + report.detail if report.detail else ''}"]
    if report.reproduction:
        lines.append(f"check      {command(report.reproduction.plan.check)}")
    if report.diagnosis:
        lines.append(f"failure    {cut(report.diagnosis.summary, 160)}")
    if accepted := report.accepted:
        lines.append(
            f"fix        {accepted.candidate.fixer} ({accepted.candidate.confidence} confidence): "
            f"{cut(' '.join(accepted.candidate.reasoning.split()), 300)}"
        )
    lines += [
        f"rejected   {attempt.candidate.fixer}: {attempt.verdict.rejected_by}"
        for attempt in report.attempts
        if not attempt.verdict.accepted
    ]
    if log := report.data.get("log"):
        lines.append(cut(log.strip(), 1500))
    if report.published and report.published.branch:
        lines.append(f"branch     {report.published.branch}")
    return lines
