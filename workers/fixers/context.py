"""The turns of a conversation about a failure: a prompt whose stable parts come first, and what is said to an answer.

Everything from the repository or a program is data: cleaned of control and invisible characters, cut to a budget,
and fenced by a nonce that nobody could have written into it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workers import logs, prompts, remarks
from workers.domain import Attempt, Commit, Lesson, Remark, Suspect
from workers.fixers import views
from workers.fixers.card import card
from workers.fixers.excerpts import shortened
from workers.fixers.views import FEW, View
from workers.llm.client import Message
from workers.messages.markup import line, visible
from workers.patch import PatchError, lint
from workers.ports import Files, Revision, Workbench
from workers.suspects import is_test

_OUTLINE, _LESSONS, _FILES, _CALLERS, _TESTS, _CHANGE, _REPORT, _OUTPUT = (
    3_500, 3_500, 21_000, 4_000, 5_250, 7_000, 6_000, 7_000
)  # fmt: skip
"""Characters of each part of the prompt, in its order; a token has about three and a half."""
_WORDS = 2_000
_REMARK = 3_000
_TRIED, _EDIT = 500, 300
_RED = ("failed", "error")
_CHANCE = re.compile(r"\b\d{1,9}(?:\.\d{1,9})? ?m?s(?:ec|econds)?\b|\b0x[0-9a-f]{1,16}\b")


@dataclass(frozen=True)
class Shown:
    """A file in the prompt."""

    path: str
    text: str


def nonce(bench: Workbench) -> str:
    """The fence of this failure: it depends on the content of the commit and of the report, so neither can hold it."""
    seed = f"{bench.tree.sha}:{bench.diagnosis.fingerprint}"
    seed += repr((bench.issue.title, bench.issue.texts)) if bench.issue else ""
    return "DATA-" + hashlib.sha256(seed.encode(errors="replace")).hexdigest()[:16]


def cleaned(text: str, fence: str, limit: int) -> str:
    """Text as harmless data; the middle goes when it is too long."""
    text = visible(text)
    while fence in text:  # taking one out can put another one together
        text = text.replace(fence, "")
    return shortened(text, limit)


def one_line(text: str, fence: str, limit: int) -> str:
    """As `cleaned`, for a name: git allows line breaks in paths, and what follows one would stand alone in its line."""
    return cleaned(" ".join(text.splitlines()), fence, limit)


def opening(bench: Workbench, level: float, view: View = View.WHOLE, tried: Sequence[Attempt] = ()) -> list[Message]:
    """The first two turns with a share of the budgets: what does not change between jobs of a repository comes first.

    `tried` are the answers of earlier conversations, of which this one is only told how they ended.
    """
    fence, diagnosis = nonce(bench), bench.diagnosis
    choice, room = views.choose(bench, view), 2 if view is View.CHANGE else 1
    mapped = view is not View.STACK
    tests = views.parts(bench, choice.tests, int(_TESTS * level))
    sources = views.parts(bench, choice.sources, int(_FILES * level), tests)
    outline = views.outline(bench, choice, sources, int(_OUTLINE * level)) if mapped else ""
    task = prompts.render(
        "task",
        nonce=fence,
        card=[one_line(text, fence, 400) for text in card(choice.paths)],
        outline=cleaned(outline, fence, _OUTLINE),
        refused=[_lesson(lesson, fence, level) for lesson in bench.experience.rejected[:FEW]],
        merged=[_lesson(lesson, fence, level) for lesson in bench.experience.similar],
        files=_parts(sources, fence),
        callers=_parts(views.callers(bench, choice, int(_CALLERS * level)), fence) if view is View.CALLERS else [],
        tests=_parts(tests, fence),
        report=_report(bench, fence, int(_REPORT * level)),
        change=cleaned(views.change(bench, view), fence, int(_CHANGE * level * room)).rstrip("\n"),
        commits=[_commit(commit, fence) for commit in bench.blame.suspects],
        command=cleaned(bench.reproduction.plan.check.script.strip(), fence, 500),
        kind=diagnosis.cls.value,
        tool=one_line(diagnosis.tool, fence, 40),
        findings=[_finding(bench, i, fence) for i in range(min(10, len(diagnosis.findings)))],
        places=[_place(suspect, fence) for suspect in diagnosis.suspects],
        excerpt=cleaned(diagnosis.excerpt, fence, int(_OUTPUT * level)),
        tried=[_outcome(attempt, fence) for attempt in tried],
        hint=cleaned(bench.hint, fence, 1000).strip(),
    )
    system = prompts.render("system", nonce=fence, instructions=cleaned(bench.config.instructions, fence, 2000))
    return [Message("system", system), Message("user", task)]


def revising(bench: Workbench, revision: Revision, files: Files, level: float) -> list[Message]:
    """The first two turns about a change of ours that people reviewed. `files` are those of the change as it stands."""
    fence, places = nonce(bench), [revision.remarks[n].path for n in revision.wanted]
    named = [*places, *_changed(revision.ours.patch), *views.named(bench, files.paths())]
    known = set(files.paths())
    wanted = [path for path in dict.fromkeys(named) if path in known]
    task = prompts.render(
        "review",
        nonce=fence,
        files=shown(files, [path for path in wanted if not is_test(path)], fence, int(_FILES * level)),
        tests=shown(files, [path for path in wanted if is_test(path)], fence, int(_TESTS * level)),
        command=cleaned(bench.reproduction.plan.check.script.strip(), fence, 500),
        findings=[_finding(bench, i, fence) for i in range(min(10, len(bench.diagnosis.findings)))],
        patch=cleaned(revision.ours.patch, fence, int(_CHANGE * level)),
        remarks=[
            (n, stands(revision.remarks[n], fence), words(revision.remarks[n], fence, int(_REMARK * level)))
            for n in revision.wanted
        ],
    )
    system = prompts.render("review_system", nonce=fence, instructions=cleaned(bench.config.instructions, fence, 2000))
    return [Message("system", system), Message("user", task)]


def feedback(bench: Workbench, attempt: Attempt, level: float) -> Message:
    """The turn after a rejected answer: only what is new."""
    fence, verdict = nonce(bench), attempt.verdict
    if attempt.candidate.error:
        return Message(
            "user", prompts.render("unreadable", nonce=fence, why=cleaned(attempt.candidate.error, fence, 3000))
        )
    before, after = bench.reproduction.before, verdict.after
    output = after.output.text if after is not None and not after.green else ""
    failing = {test.id for test in before.tests if test.status in _RED}
    passed = {test.id for test in after.tests if test.status == "passed"} if after is not None else set()
    text = prompts.render(
        "rejected",
        nonce=fence,
        gate=one_line(verdict.rejected_by, fence, 80),
        why=cleaned(verdict.why, fence, 500),
        failing=len(failing) if after is not None and after.tests else 0,
        mended=len(failing & passed),
        same=bool(output) and _alike(output) == _alike(before.output.text),
        output=cleaned(output, fence, int(_OUTPUT * level / 2)),
        notes=noted(bench, attempt, fence),
        regressions=[one_line(name, fence, 200) for name in verdict.regressions[:10]],
        broken=len(verdict.regressions),
    )
    return Message("user", text)


def noted(bench: Workbench, attempt: Attempt, fence: str) -> list[str]:
    """What a linter says of an edit and did not say before it: no reason to reject, often a trace of the cause."""
    try:
        edits = bench.tree.apply(attempt.candidate.patch)
    except PatchError:
        return []
    return [one_line(note, fence, 300) for note in lint.notes(edits, bench.tree)]


def _alike(output: str) -> str:
    """An output without what differs between two runs of the same code: how long they took, and addresses."""
    return _CHANCE.sub("", logs.clean(output)).strip()


def _outcome(attempt: Attempt, fence: str) -> str:
    """How an earlier answer ended, in one line: its beginning, the lines it changed, and what said no."""
    candidate, verdict = attempt.candidate, attempt.verdict
    changed = [text for text in candidate.patch.split("\n") if text[:1] in ("+", "-") and text[1:3] not in ("++", "--")]
    wanted = f"{line(' '.join((candidate.title, *changed)))[:_EDIT]} " if candidate.title or changed else ""
    if candidate.error:
        return one_line(f"{wanted}(could not be applied: {line(candidate.error)})", fence, _TRIED)
    if verdict.sidelined:
        path, number = verdict.sidelined[0]
        return one_line(f"{wanted}(green, but no test executes {path}:{number} with it any more)", fence, _TRIED)
    if verdict.accepted:
        return one_line(f"{wanted}(green, but its author was not sure of it)", fence, _TRIED)
    broken = f", tests broken: {len(verdict.regressions)}" if verdict.regressions else ""
    why = line(verdict.why.strip().rpartition("\n")[2])
    return one_line(f"{wanted}(rejected by {verdict.rejected_by}{broken}: {why})", fence, _TRIED)


def _parts(found: Iterable[views.Part], fence: str) -> list[Shown]:
    return [
        Shown(one_line(one.path, fence, 200), cleaned(one.text, fence, len(one.text)).rstrip("\n")) for one in found
    ]


def stands(remark: Remark, fence: str) -> str:
    """Where a remark stands."""
    if not remark.path:
        return "the whole change"
    start = f"{remark.start_line}-" if remark.start_line else ""
    return one_line(f"{remark.path}:{start}{remark.line}" if remark.line else remark.path, fence, 200)


def words(remark: Remark, fence: str, limit: int) -> str:
    """A stranger's words as data, without what nobody sees of them on GitHub."""
    return cleaned(remarks.shown(remark.body), fence, limit)


def _changed(patch: str) -> list[str]:
    """The files that a patch of ours changes, as git writes them."""
    return [line[6:] for line in patch.splitlines() if line.startswith("+++ b/")]


def _finding(bench: Workbench, index: int, fence: str) -> str:
    finding = bench.diagnosis.findings[index]
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path or ""
    return one_line(" ".join(part for part in (place, finding.test or "", finding.message) if part), fence, 400)


def _place(suspect: Suspect, fence: str) -> str:
    return one_line(f"{suspect.place}: {', '.join(suspect.reasons)}", fence, 400)


def _lesson(lesson: Lesson, fence: str, level: float) -> dict[str, str]:
    """What people said of an earlier fix, and the fix itself."""
    patch = cleaned(lesson.patch, fence, int(_LESSONS * level / 2)).rstrip("\n")
    return {"words": cleaned(lesson.words, fence, _WORDS).strip(), "patch": patch}


def _commit(commit: Commit, fence: str) -> str:
    """A commit without its author: whose it is mends nothing."""
    return one_line(f"{commit.sha[:12]} {commit.subject}", fence, 200)


def shown(tree: Files, paths: Iterable[str], fence: str, budget: int) -> list[Shown]:
    """The files in their order, as long as the budget of characters lasts."""
    found = []
    for path in paths:
        data = tree.read(path)
        if data is None or b"\0" in data or budget < 200:
            continue
        text = cleaned(data.decode("utf-8", "replace"), fence, budget)
        budget -= len(text)
        found.append(Shown(one_line(path, fence, 200), text.rstrip("\n")))
    return found


def _report(bench: Workbench, fence: str, limit: int) -> str:
    """The bug report that the failing test was made of."""
    issue = bench.issue
    return cleaned("\n\n".join((issue.title, *issue.texts)), fence, limit).rstrip("\n") if issue else ""
