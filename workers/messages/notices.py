"""What the check run and the sticky comment say: where a run stands, and how it ended, one text per outcome.

Every ending names cause, evidence, what was tried, and what a person can do next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from workers.domain import Aim, Attempt, Case, Change, Diagnosis, How, Lead, Outcome, Report, Rerun
from workers.messages import reported, reviews
from workers.messages.blame import brought
from workers.messages.buttons import buttons
from workers.messages.chance import steadiness
from workers.messages.commits import published
from workers.messages.markup import LIMIT, cut, details, fence, plain, quote, visible
from workers.messages.markup import line as flat
from workers.messages.pull_request import comment_body
from workers.messages.room import OUTPUT, Part, Worth, assemble, in_bytes, shorten
from workers.messages.suspects import suspected
from workers.ports import Notice
from workers.redact import Redactor
from workers.repo_config import Notify
from workers.reruns import command


def started(case: Case, run_url: str) -> Notice:
    """The run has begun. Only who asked for it reads about it in a comment."""
    case = Redactor().publish(case)
    if case.aim is Aim.REVISE:
        title, text = reviews.started(case)
        return Notice(title, f"{text}{_link(run_url)}")
    issue = reported.is_issue(case)
    doing = f"Writing a test that shows {reported.about(case)}" if issue else f"Reproducing {_job(case)}"
    text = f"{doing} on `{case.head_sha[:7]}`.{_link(run_url)}"
    asked = f"Looking into it for {quote(case.requested_by)}. {text}" if case.requested_by else None
    return Notice("Looking into it", text, comment=asked)


def told_elsewhere() -> Notice:
    """The second check run that a late request has made for one run: GitHub lets nobody delete it."""
    return Notice("See the newer check run", "This run is told in the newer check run of the same name.", final=True)


def reproduced(report: Report, run_url: str) -> Notice | None:
    """The failure is here again, and a fix is looked for: news for who asked, and for nobody else."""
    report = published(report)
    if not report.case.requested_by or report.diagnosis is None or report.case.aim is Aim.REVISE:
        return None
    cause = plain(report.diagnosis.summary)
    text = f"Reproduced {_job(report.case)} on `{report.case.head_sha[:7]}`: {cause} Looking for a fix.{_link(run_url)}"
    return Notice("Reproduced, looking for a fix", text, comment=text)


def proposed(report: Report, run_url: str) -> Notice:
    """The fix is with the people and the repository's CI, where it sees it, has not spoken yet."""
    report = published(report)
    waits = " Waiting for the repository's CI on it." if _how(report) in (How.PULL, How.PUSH) else ""
    text = f"{_fix(report)}{waits}{_link(run_url)}"
    number = report.published.pull_request if report.published else None
    title = f"Fix proposed in #{number}" if number and _how(report) is How.PULL else _TITLES[_how(report)]
    # A review is answered in its threads.
    comment = None if report.case.aim is Aim.REVISE else _whole(report, run_url) or text
    return Notice(cut(title, 60), text, comment=comment)


def fitting(notice: Notice, notify: Notify) -> Notice:
    """The notice as loud as a repository wants it (`notify` of heal.yml)."""
    comments = {"never": None, "on-result": notice.comment, "always": notice.comment or notice.summary}
    return replace(notice, comment=comments[notify.comment], check=notify.check)


def nothing_held(attempts: Sequence[Attempt]) -> str:
    """Why no candidate was good enough, in one sentence."""
    away = next((attempt.candidate.error for attempt in attempts if attempt.candidate.unasked), "")
    told = [attempt for attempt in attempts if not attempt.candidate.unasked and not attempt.candidate.dispute]
    said = _nothing_held(told)
    if dispute := next((attempt.candidate.dispute for attempt in attempts if attempt.candidate.dispute), ""):
        said = f"{said} {_disputed(dispute)}"
    return f"{said} {without_model(away)}" if away else said


def _disputed(why: str) -> str:
    """The model's opinion of the failing test, as one: what it says is a stranger's text, escaped where it is shown."""
    return f'The model holds that the test itself is wrong, which nothing was run to prove: "{cut(flat(why), 500)}"'


def without_model(why: str) -> str:
    """The model was out of reach, and what needs none was tried all the same."""
    return f"The model could not be asked, so Heal went on without it: {plain(why).rstrip('.')}."


def _nothing_held(attempts: Sequence[Attempt]) -> str:
    if not attempts:
        return "No fixer has an idea for it."
    tried = f"{len(attempts)} candidate{'s' if len(attempts) > 1 else ''} tried"
    green = next((attempt for attempt in attempts if attempt.verdict.accepted), None)
    if green is not None:
        return f"{tried}; one makes the check green, but {_doubt(green)}."
    gates = ", ".join(sorted({attempt.verdict.rejected_by for attempt in attempts}))
    return f"{tried}, none held (rejected by: {gates})."


def _doubt(green: Attempt) -> str:
    """Why a green patch is not proposed."""
    if green.candidate.change is Change.GENERATED:
        return "what it writes anew is what the tests expect, so a person has to look at it"
    if not green.verdict.sidelined:
        return "too little is known about it to propose it"
    path, line = green.verdict.sidelined[0]
    return f"no test executes {quote(f'{path}:{line}', 120)} with it, so deleting that would prove as much"


def ended(report: Report, run_url: str) -> Notice:
    """How the run ended. Exactly one text per outcome."""
    report = published(report)
    title, say = _ENDINGS[report.outcome]
    if report.outcome is Outcome.FIXED:
        title = _TITLES[_how(report)]
    title, words = reviews.ending(report) or (title, say(report))
    text = f"{words}{_lead(report.lead, run_url, report.outcome is Outcome.UNCONFIRMED)}{_link(run_url)}"
    evidence = _evidence(report)
    comment = _whole(report, run_url) or assemble([Part(Worth.PROOF, (text,)), *evidence], LIMIT)
    findings = report.diagnosis.findings if report.diagnosis else ()
    return Notice(
        title=cut(title, 60),
        summary=shorten(text, OUTPUT, in_bytes),
        text=assemble(evidence, OUTPUT, in_bytes),
        comment=comment if _is_news(report) else None,
        annotations=tuple(
            replace(finding, message=visible(finding.message)) for finding in findings if finding.path and finding.line
        )[:10],
        final=True,
        buttons=buttons(report),
    )


def _fixed(report: Report) -> str:
    return _fix(report)


def _unconfirmed(report: Report) -> str:
    then = "Look at the failing check there: it saw something the sandbox did not." if report.lead is None else ""
    return (
        f"**Proven in the sandbox, but the repository's CI is red on the fix.** {_fix(report)} {plain(report.detail)} "
        f"{'It stays a draft. ' if _how(report) is How.PULL else ''}{then}"
    ).rstrip()


def _no_fix(report: Report) -> str:
    if report.witness is not None:
        return (
            f"**I wrote a test that shows {reported.about(report.case)}, but found no fix I can stand behind.** "
            f"{plain(report.detail)} {reported.told(report)} It is below, and a start for whoever mends it."
        )
    cause = f" What is known: {plain(report.diagnosis.summary)}" if report.diagnosis else ""
    return (
        f"**I reproduced the failure but found no fix I can stand behind.** {plain(report.detail)}{cause} "
        "The next step is a person's: start at the findings below."
    )


def _question(report: Report) -> str:
    return reported.question(report)


def _not_reproduced(report: Report) -> str:
    if report.case.aim is Aim.REBASE and "runs" in report.data:
        return f"**The failure is gone on {quote(report.case.branch)} without the fix.** {_detail(report)}"
    return (
        f"**I could not reproduce {_job(report.case)} and changed nothing.** {_detail(report)} "
        "Most likely the environment differs: set `environment.setup` or `environment.image` in `.github/heal.yml`."
    )


def _flaky(report: Report) -> str:
    tests = report.data.get("tests", "")
    named = f" Unsteady: {quote(tests)}." if tests and tests != "()" else ""
    past = f" {report.data['past']}." if report.data.get("past") else ""
    then = _RERUN.get(report.data.get("rerun", ""), _RERUN[""])
    return (
        f"**{_job(report.case, capital=True)} is flaky: this commit did not break it.** {_detail(report)}{named}{past} "
        f"I opened no pull request: a retry or a skip in the code would only hide it; {then}"
    )


def _infrastructure(report: Report) -> str:
    kind = f" ({_words(report.data['failure'])})" if report.data.get("failure") else ""
    line = f" CI's log says: {quote(report.data['line'])}{kind}." if report.data.get("line") else ""
    then = _RERUN.get(report.data.get("rerun", ""), _RERUN[""])
    return f"**Not a code problem.** {_detail(report)}{line} Nothing to merge; {then}"


_RERUN = {
    "": "re-running the job may be enough.",
    Rerun.ASKED: "I asked GitHub to run the failed jobs once more.",
    Rerun.AGAIN: "the failed jobs were run again before, so I did not ask for another run.",
    Rerun.REFUSED: "GitHub did not let me run the failed jobs again; re-running them may be enough.",
}


def _base_red(report: Report) -> str:
    if report.data.get("mended"):
        return f"**The base branch had this failure too, and it is mended there.** {_detail(report)} I changed nothing."
    first = "" if report.lead else " Heal it there first."
    return f"**The base branch is red as well.** {_detail(report)}{first} I changed nothing here."


def _unsupported(report: Report) -> str:
    return f"**I cannot run this job.** {_detail(report)} Nothing was spent on it."


def _refused(report: Report) -> str:
    return f"**I did not act.** {_detail(report)} A maintainer can change this in `.github/heal.yml` (default branch)."


def _over_budget(report: Report) -> str:
    tried = f" {nothing_held(report.attempts)}" if report.attempts else ""
    cause = f" What is known: {plain(report.diagnosis.summary)}" if report.diagnosis else ""
    theirs = report.data.get("setting", "").startswith("HEAL_")
    then = "The operator of Heal" if theirs else "A maintainer"
    where = quote(report.data["setting"]) if theirs else "`limits` in `.github/heal.yml`"
    return f"**The budget is spent.** {_detail(report)}{tried}{cause} {then} can raise {where}."


def _plainly(report: Report) -> str:
    return _detail(report)


def _crashed(report: Report) -> str:
    return f"Heal itself failed on this run and changed nothing further. The operator finds it as `{report.case.run}`."


_ENDINGS: dict[Outcome, tuple[str, Callable[[Report], str]]] = {
    Outcome.FIXED: ("Fix proposed", _fixed),
    Outcome.UNCONFIRMED: ("Fix proposed, CI disagrees", _unconfirmed),
    Outcome.NO_FIX_FOUND: ("Reproduced, no fix found", _no_fix),
    Outcome.NOT_REPRODUCED: ("Not reproduced", _not_reproduced),
    Outcome.QUESTION: ("One question", _question),
    Outcome.FLAKY: ("Flaky, not broken by this commit", _flaky),
    Outcome.INFRASTRUCTURE: ("Infrastructure, not the code", _infrastructure),
    Outcome.BASE_ALREADY_RED: ("The base branch is already red", _base_red),
    Outcome.UNSUPPORTED: ("This job cannot be run here", _unsupported),
    Outcome.REFUSED_BY_POLICY: ("Not allowed by policy", _refused),
    Outcome.OVER_BUDGET: ("Budget spent", _over_budget),
    Outcome.HEAD_MOVED: ("Superseded by a newer commit", _plainly),
    Outcome.DUPLICATE: ("Already being handled", _plainly),
    Outcome.DISABLED: ("Switched off for this repository", _plainly),
    Outcome.CANCELLED: ("Cancelled", _plainly),
    Outcome.CRASHED: ("Internal error", _crashed),
}

_PLACES = 5
"""Suspects that a person who goes on from here is shown."""

_PATCH = (20_000, 4_000)
"""Characters of a patch that is only shown."""

_QUIET = frozenset({Outcome.HEAD_MOVED, Outcome.DUPLICATE, Outcome.DISABLED, Outcome.CANCELLED, Outcome.CRASHED})
"""Endings that are nobody's news: the check run says them, no comment does."""


def _is_news(report: Report) -> bool:
    """To who asked every ending is; and a comment that says a fix is proposed must not outlive it. A review is answered
    in its threads."""
    if report.case.aim is Aim.REVISE:
        return False
    return report.outcome not in _QUIET or bool(report.case.requested_by or report.published)


_TITLES = {
    How.PULL: "Fix proposed",
    How.PUSH: "Fix pushed",
    How.SUGGEST: "Fix suggested in a review",
    How.COMMENT: "Fix found, to be applied",
}


def _how(report: Report) -> How:
    return report.published.how if report.published else How.PULL


def _whole(report: Report, run_url: str) -> str:
    """The comment that holds the fix itself, where no pull request or review does; else nothing."""
    if report.accepted is None or _how(report) not in (How.PUSH, How.COMMENT):
        return ""
    if report.outcome is Outcome.UNCONFIRMED:
        return shorten(f"{_unconfirmed(report)}\n\n{comment_body(report, run_url)}", LIMIT)
    return comment_body(report, run_url) if report.outcome is Outcome.FIXED else ""


def _fix(report: Report) -> str:
    where = report.published
    if where is None or where.pull_request is None:
        return "A verified fix was found."
    job = reported.about(report.case) if reported.is_issue(report.case) else _job(report.case)
    note = f" {plain(where.note)}" if where.note else ""
    said = {
        How.PULL: f"A verified fix for {job} is in #{where.pull_request}.",
        How.PUSH: f"A verified fix for {job} is commit {where.commit} on {quote(where.target)}.",
        How.SUGGEST: f"A verified fix for {job} stands as suggestions in [a review]({where.url}).",
        How.COMMENT: f"A verified fix for {job} stands as a patch in the comment on #{where.pull_request}.",
    }
    return said[where.how] + note


def _detail(report: Report) -> str:
    # Mostly our own sentence, but GitHub, a model's endpoint or a name of somebody's may have put words into it.
    return plain(report.detail)


def _job(case: Case, capital: bool = False) -> str:
    return quote(case.job) if case.job else ("The check" if capital else "the check")


def _lead(lead: Lead | None, run_url: str, on_with: bool) -> str:
    """The run that heals the base, and what it knows: the same one for every pull request that has this failure. Or
    the run that goes on with our own pull request."""
    if lead is None:
        return ""
    if on_with:
        return f" It goes on in {_run(lead, run_url)}."
    run = _run(lead, run_url)
    doing = f"ended as {lead.outcome}" if lead.outcome else "is at work on it"
    fix = f" and proposes #{lead.pull_request}" if lead.pull_request else ""
    return f" On the base {run} {doing}{fix}, for all pull requests alike. {brought(lead.blame)}".rstrip()


def _run(lead: Lead, run_url: str) -> str:
    return f"[one run]({run_url.rpartition('/')[0]}/{lead.run})" if run_url else "one run"


def evidence_of(report: Report) -> str:
    """All that was found out: cause, command, class, places, and what CI and the sandbox said."""
    return assemble(_evidence(report), LIMIT)


def _evidence(report: Report) -> list[Part]:
    data = report.data
    parts = [Part(Worth.FACTS, (brought(report.blame), "")), Part(Worth.PROOF, (reported.shown(report),))]
    if report.reproduction:
        before = report.reproduction.before
        again = f"{report.reproduction.red_reruns} of {report.reproduction.reruns} reruns red"
        seen = f"{quote(command(report.reproduction.plan.check))}: exit {before.exit_code}, {again}"
        parts.append(Part(Worth.PROOF, (seen,)))
        parts += [Part(Worth.PROOF, (f"- {line}",)) for line in steadiness(report.reproduction)]
    if report.diagnosis:
        parts += _found_out(report.diagnosis)
    elif data.get("failure") and data.get("line") and report.outcome is not Outcome.INFRASTRUCTURE:
        said = f"CI's log alone: **{_words(data['failure'])}**, by {quote(data['line'], 300)}"
        parts.append(Part(Worth.FACTS, (said,)))
    if data.get("ci") or data.get("here"):
        parts.append(Part(Worth.PROOF, (_both(data.get("ci", ""), data.get("here", "")),)))
    if data.get("log"):
        parts.append(Part(Worth.ASIDE, (details("Log", fence(data["log"])), "")))
    if data.get("patch"):
        forms = (details("The patch that was not proposed", fence(data["patch"], "diff", most)) for most in _PATCH)
        parts.append(Part(Worth.REASONING, (*forms, "")))
    return parts


def _found_out(diagnosis: Diagnosis) -> list[Part]:
    places = [
        f"- {quote(f'{finding.path}:{finding.line}' if finding.line else finding.path or finding.test or '')}: "
        f"{plain(cut(finding.message, 200))}"
        for finding in diagnosis.findings[:10]
    ]
    suspects = "\n".join(suspected(diagnosis, _PLACES)).strip()
    return [
        Part(Worth.FACTS, (_classed(diagnosis),)),
        Part(Worth.FACTS, ("\n".join(places), "\n".join(places[:3]))),
        Part(Worth.REASONING, (suspects, "")),
    ]


def _classed(diagnosis: Diagnosis) -> str:
    """The class, and what decided it."""
    by = f", by {', '.join(quote(words, 300) for words in diagnosis.evidence)}" if diagnosis.evidence else ""
    return f"Kind of failure: **{_words(diagnosis.cls.value)}**{by}"


def _words(cls: str) -> str:
    return plain(cls.replace("_", " "))


def _both(ci: str, here: str) -> str:
    """What CI said and what the sandbox said, under each other's heads: a table would not hold the lines."""
    return f"**CI said**\n\n{fence(ci, limit=2_500)}\n\n**The sandbox said**\n\n{fence(here, limit=2_500)}"


def _link(run_url: str) -> str:
    return f" [Evidence]({run_url})" if run_url else ""
