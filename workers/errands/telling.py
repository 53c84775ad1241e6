"""`status`, `explain`, `config`, `help`: what people are told when they ask. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from workers import messages
from workers.commands.grammar import Command
from workers.domain import Diagnosis, Outcome, Report, StageName
from workers.errands.request import Answer, Request, no
from workers.errors import Stop
from workers.github.forge import GitHubForge
from workers.messages import replies
from workers.messages.notices import evidence_of
from workers.messages.wishes import switched_off
from workers.repo_config import RepoConfig
from workers.store.codec import from_json
from workers.store.pages import Pages, RunPage


def status(request: Request, command: Command) -> Answer:  # noqa: ARG001 - an `Act`
    """What is at work here, and what came of it."""
    off = request.off
    said = switched_off(off.scope, off.who, off.why, off.until) if off else ""
    runs = [
        (run.id, run.head_sha, run.stage, run.outcome, run.detail, run.seconds, run.fix)
        for run in request.runs.about(request.number)
    ]
    return Answer(True, replies.status(runs, said, request.run_url))


def explain(request: Request, command: Command) -> Answer:  # noqa: ARG001 - an `Act`
    """The newest run: what is known of the failure, and what was tried."""
    newest = request.runs.about(request.number, limit=1)
    page = Pages(request.desk.engine, request.desk.redactor).run(newest[0].id) if newest else None
    if page is None:
        return no(replies.nothing_to_explain())
    return Answer(True, explained(page, request.run_url))


def explained(page: RunPage, run_url: str) -> str:
    """One run for people. Of one that is at work, what its stages have found so far."""
    report = page.report or Report(page.case, Outcome.FIXED, "", diagnosis=_diagnosis(page))
    tried = [(one.fixer, one.rejected_by, one.why) for one in page.attempts]
    if page.report is not None:
        told = messages.ended(page.report, "")
        title, summary = told.title, told.summary
    else:
        title, summary = f"At work, after stage {page.line.stage or 'none'}", ""
    return replies.explained(title, summary, evidence_of(report), tried, page.line.id, run_url)


def config(request: Request, command: Command) -> Answer:
    """The configuration in effect, as a run on the default branch would see it."""
    desk, repo = request.desk, request.session.repository
    case = request.case(repo.default_branch, "", Command(command.verb))
    mirrors = desk.settings.state_dir.expanduser() / "mirrors"
    with GitHubForge(desk.app, mirrors, case, desk.redactor, desk.guard) as forge:
        try:
            found = forge.admission(case).config
        except Stop as refused:
            return no(replies.no_configuration(refused.detail))
    plain = RepoConfig()
    values = dict(_flat(found.model_dump(mode="json", by_alias=True)))
    defaults = dict(_flat(plain.model_dump(mode="json", by_alias=True)))
    lines = [f"{key}: {value}" for key, value in values.items()]
    changed = [f"{key}: {value}" for key, value in values.items() if defaults.get(key) != value]
    return Answer(True, replies.configuration(repo.full_name, lines, changed))


def usage(request: Request, command: Command) -> Answer:  # noqa: ARG001 - an `Act`
    """Every command."""
    return Answer(True, replies.usage())


def _flat(values: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", json.dumps(value, ensure_ascii=False)


def _diagnosis(page: RunPage) -> Diagnosis | None:
    found = [stage.data for stage in page.stages if stage.stage == StageName.DIAGNOSE]
    return from_json(found[-1], Diagnosis) if found else None
