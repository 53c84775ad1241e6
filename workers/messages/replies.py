"""What Heal answers to a command, as pure functions: short, with the rule, the place and the next step in each refusal.

Words of people enter through `quote`, `fence` and `plain` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from workers.commands.binding import Unbound
from workers.commands.grammar import TAKES, Key, Mistake, Verb, Wrong
from workers.commands.rights import NEEDS, Role
from workers.domain import Outcome
from workers.messages.markup import LIMIT, details, fence, plain, quote
from workers.messages.room import shorten
from workers.messages.wishes import lasting

_DOES = {
    Verb.FIX: "heal the failing checks of this pull request, or the bug of this issue (a bare `/heal` means this)",
    Verb.RETRY: "try once more; add what you know: `/heal retry the API returns 204 now`",
    Verb.EXPLAIN: "post what was found out about the failure",
    Verb.STATUS: "say what is at work here, and what came of it",
    Verb.STOP: "end what is at work here",
    Verb.PAUSE: "leave this repository alone: `/heal pause for=7d`",
    Verb.RESUME: "end a pause",
    Verb.IGNORE: "leave a failure alone: `/heal ignore test=tests/test_x.py::test_y for=30d`",
    Verb.UNIGNORE: "take that back",
    Verb.UNDO: "close the open fix and delete its branch, or revert the pushed commit",
    Verb.CONFIG: "show the configuration in effect",
    Verb.HELP: "show this",
}


def mistake(found: Mistake) -> str:
    """What could not be read, and what would have been."""
    given = quote(f"{found.word}={found.value}", 100)
    match found.wrong:
        case Wrong.VERB:
            meant = f" Did you mean `/heal {found.nearest}`?" if found.nearest else ""
            return f"I do not know {quote(f'/heal {found.word}', 80)}.{meant} Commands: {_listed(Verb)} (`/heal help`)."
        case Wrong.KEY:
            meant = f" Did you mean `{found.nearest}=`?" if found.nearest else ""
            return (
                f"I do not know {quote(f'{found.word}=', 80)}.{meant} {_takes(found.verb)} Quote words that hold a `=`."
            )
        case Wrong.MISPLACED:
            return f"{quote(f'{found.word}=', 40)} does not go with `/heal {found.verb}`. {_takes(found.verb)}"
        case Wrong.WORD:
            return f"I do not know what {quote(found.word, 80)} means for `/heal {found.verb}`. {_takes(found.verb)}"
        case Wrong.EMPTY:
            return f"{quote(f'{found.word}=', 40)}: expected a value."
        case Wrong.DURATION:
            return f"{given}: expected a duration such as `12h`, `7d` (max `90d`)."
        case Wrong.BUDGET:
            return f"{given}: expected US dollars such as `2` or `0.50` (max `50`)."
        case Wrong.MODEL:
            return f"{given}: expected a model as `provider:name`, such as `openai:gpt-5`."
        case Wrong.IMAGE:
            return f"{given}: expected an image such as `python` or `ghcr.io/owner/image:tag`."
        case _:
            assert_never(found.wrong)


def lacks_role(verb: Verb, need: Role, has: Role, repo: str) -> str:
    """For people who may do something here, but not this."""
    asked = f"`/heal {verb}`" if need <= NEEDS[verb] else f"`/heal {verb}` with `model=` or `budget=`"
    return (
        f"{asked} needs the *{need.name.lower()}* role on {quote(repo)}; you have *{has.name.lower()}*. "
        "Ask somebody who maintains it."
    )


def not_bound(why: Unbound, head: str, named: str, number: int) -> str:
    """Why a command means no commit."""
    match why:
        case Unbound.CLOSED:
            return f"#{number} is closed; nothing to heal."
        case Unbound.FORK:
            return (
                "This pull request comes from a fork: its code is run only for a commit that somebody with write "
                f"access has looked at and names. Its head is now `{head[:7]}`: `/heal {head[:12]}`."
            )
        case Unbound.OTHER:
            return f"{quote(named, 64)} is not the head of #{number}, which is `{head[:7]}` now. Nothing was run."
        case Unbound.LATER:
            return (
                f"`{head[:7]}` may have come after your comment, so nothing was run. Look at it, then comment again, "
                f"or name it in full: `/heal {head}`."
            )
        case _:
            assert_never(why)


def nothing_red(sha: str, running: int) -> str:
    """No check failed."""
    if running:
        checks = "check is" if running == 1 else "checks are"
        return f"No check on `{sha[:7]}` has failed so far; {running} {checks} still running."
    return f"All checks on `{sha[:7]}` are green; nothing to fix. `/heal fix job=<name>` forces one."


def no_such_job(job: str, sha: str, names: Sequence[str]) -> str:
    """A job that is not there, or is not over."""
    known = ", ".join(quote(name, 80) for name in names[:20])
    there = f" There are: {known}." if known else " There is none."
    return f"No finished check named {quote(job, 200)} on `{sha[:7]}`.{there}"


def at_work(run: str, sha: str, stage: str, seconds: float, run_url: str) -> str:
    """Never two runs at once on the same."""
    doing = f"after stage *{stage}*" if stage else "at its beginning"
    return (
        f"{_run(run, run_url)} is already working on `{sha[:7]}` ({doing}, {_age(seconds)}). `/heal stop` cancels it."
    )


def no_model(asked: str, ours: str | None) -> str:
    """Another provider's model has no key here."""
    provider = (ours or "").partition(":")[0]
    have = f"only models of `{provider}` can be asked here" if ours else "no model is set up here"
    return f"{quote(f'model={asked}', 160)}: {have}. Whoever operates Heal sets `HEAL_MODEL`."


def not_ours_any_more(number: int) -> str:
    """A pull request on a branch of ours that is not known."""
    return f"I know no run that made #{number}, so there is nothing I can go on with."


def stopped_by(who: str) -> str:
    """Why a run ended."""
    return f"Stopped by {quote(who, 60)}."


def nothing_at_work() -> str:
    """There is nothing to stop."""
    return "Nothing is at work here."


def paused(until: float | None, ended: int) -> str:
    """The repository is left alone from now on."""
    runs = f" {ended} run{'s' if ended > 1 else ''} ended." if ended else ""
    return f"Paused for this repository {lasting(until)}.{runs} `/heal resume` ends it."


def not_paused() -> str:
    """There is nothing to resume."""
    return "This repository is not paused."


def still_off(off: str) -> str:
    """A wider switch holds on."""
    return f"{off} Only whoever operates Heal can change that."


def off_here(off: str) -> str:
    """A command while Heal is paused."""
    return f"{off} `/heal resume` ends a pause of this repository."


def ignoring(kind: str, value: str, until: float | None) -> str:
    """A failure is left alone from now on."""
    what = "This failure" if kind == "fingerprint" else f"The {kind} {quote(value, 300)}"
    return f"{what} is ignored {lasting(until)}. `/heal unignore` takes it back."


def nothing_known() -> str:
    """No failure was diagnosed here."""
    return "I have diagnosed no failure here yet. Name it: `/heal ignore test=...` or `/heal ignore job=...`."


def not_ignored() -> str:
    """There is nothing to take back."""
    return "That is not ignored."


def undone(number: int, branch: str, deleted: bool) -> str:
    """Our pull request is closed."""
    if deleted:
        return f"Closed #{number} and deleted {quote(branch)}."
    return f"Closed #{number}. {quote(branch)} holds commits that are not mine, so it stays."


def reverted(commit: str, by: str) -> str:
    """A pushed commit was taken back by a new one."""
    return f"Reverted `{commit[:7]}` with `{by[:7]}`."


def cannot_revert(commit: str, branch: str) -> str:
    """Others built on the pushed commit."""
    return (
        f"{quote(branch)} has moved on from `{commit[:7]}`, so I cannot take it back without touching what came after. "
        f"By hand: `git revert {commit[:12]}`."
    )


def nothing_to_undo() -> str:
    """No open fix."""
    return "There is no open fix of mine here. What was merged is taken back with `git revert`."


def status(runs: Sequence[tuple[str, str, str, Outcome | None, str, float, int | None]], off: str, run_url: str) -> str:
    """What is at work here and what came of it, newest first.

    Each run: id, head, stage, outcome, its detail, seconds since it was opened, the pull request with its fix.
    """
    lines = []
    for run, sha, stage, outcome, detail, seconds, fix in runs:
        name = _run(run, run_url)
        if outcome is None:
            doing = f"after stage *{stage}*" if stage else "waiting for its turn"
            lines.append(f"- {name} on `{sha[:7]}`: {doing}, opened {_age(seconds)} ago{_fix(fix)}")
        else:
            why = f" {plain(detail, 300)}" if detail else ""
            lines.append(f"- {name} on `{sha[:7]}`: **{outcome}**, opened {_age(seconds)} ago{_fix(fix)}.{why}")
    return "\n".join([*([off] if off else []), *(lines or ["No run so far."])])


def explained(
    title: str, summary: str, evidence: str, tried: Sequence[tuple[str, str, str]], run: str, url: str
) -> str:
    """The newest run: how it stands, what is known, and each candidate with what became of it."""
    rows = [f"| {n} | {plain(fixer, 40)} | {plain(gate or 'accepted', 60)} | {plain(why, 200)} |"
            for n, (fixer, gate, why) in enumerate(tried, 1)]  # fmt: skip
    table = "\n".join(["| # | by | ended at | why |", "| --- | --- | --- | --- |", *rows])
    parts = [f"**{title}** ({_run(run, url)})", summary, evidence]
    parts += [details(f"Candidates tried ({len(rows)})", table)] if rows else []
    return shorten("\n\n".join(part for part in parts if part), LIMIT)


def nothing_to_explain() -> str:
    """No run here."""
    return "There was no run here yet, so there is nothing to explain. `/heal` starts one."


def configuration(repo: str, lines: Sequence[str], changed: Sequence[str]) -> str:
    """The values in effect, those that differ from the defaults first."""
    own = fence("\n".join(changed), "yaml", 6_000) if changed else "Every value is the default."
    everything = details("All values", fence("\n".join(lines), "yaml", 12_000))
    return f"`.github/heal.yml` in effect for {quote(repo)}, from its default branch:\n\n{own}\n\n{everything}"


def no_configuration(why: str) -> str:
    """The file cannot be used."""
    return f"The configuration cannot be used. {plain(why, 2_000)}"


def usage() -> str:
    """Every command with what it does and who may give it."""
    rows = [f"| `/heal {verb}` | {_DOES[verb]} | {NEEDS[verb].name.lower()} |" for verb in Verb]
    keys = f"`/heal fix` and `/heal retry` take {_listed(f'{key}=' for key in _ordered(TAKES[Verb.FIX]))}."
    return "\n".join([
        "| command | what it does | least role |", "| --- | --- | --- |", *rows, "",
        f"{keys} `model=` and `budget=` need *maintain*.",
        "The author of a pull request may `fix`, `retry` and `stop` in it.",
        "Code of a fork is run only after `/heal <sha>` by somebody with write access.",
    ])  # fmt: skip


def _takes(verb: Verb | None) -> str:
    keys = _ordered(TAKES[verb]) if verb else []
    return f"It takes {_listed(f'{key}=' for key in keys)}." if keys else "It takes nothing."


def _ordered(keys: frozenset[Key]) -> list[Key]:
    return [key for key in Key if key in keys]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _run(run: str, run_url: str) -> str:
    return f"Run [`{run[-6:]}`]({run_url}/{run})" if run_url else f"Run `{run[-6:]}`"


def _fix(number: int | None) -> str:
    return f", fix in #{number}" if number else ""


def _age(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{round(seconds / 3600)} h"
