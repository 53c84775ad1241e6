"""What a model is shown of a failure: the suspect files whole, the failing tests, the output, a list of paths.

Everything from the repository or a program is data: cleaned of control and invisible characters, cut to a budget,
and fenced by a nonce that nobody could have written into it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from workers import clue, prompts, remarks
from workers.domain import Attempt, Commit, Lesson, Remark, Suspect
from workers.globs import matches
from workers.llm.client import Message
from workers.messages.markup import visible
from workers.ports import Files, Revision, Workbench
from workers.suspects import is_test

_FILES, _TESTS, _OUTPUT, _CHANGE, _REPORT, _PATHS = 24_000, 6_000, 8_000, 8_000, 6_000, 120
_WORDS = 2_000
_REMARK = 3_000
_FEW = 3


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
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def one_line(text: str, fence: str, limit: int) -> str:
    """As `cleaned`, for a name: git allows line breaks in paths, and what follows one would stand alone in its line."""
    return cleaned(" ".join(text.splitlines()), fence, limit)


def opening(bench: Workbench, level: float) -> list[Message]:
    """The first two turns: what does not change between jobs of a repository comes first."""
    fence, diagnosis = nonce(bench), bench.diagnosis
    paths = [path for path in bench.tree.paths() if not matches(path, bench.config.paths.ignore)]
    named = _named(bench, paths)
    sources = [path for path in named if not is_test(path)]
    tests = [path for path in named if is_test(path)]
    task = prompts.render(
        "task",
        nonce=fence,
        shown_paths=[one_line(path, fence, 200) for path in paths[:_PATHS]],
        path_count=len(paths),
        files=shown(bench.tree, sources or _beside(tests, paths), fence, int(_FILES * level)),
        tests=shown(bench.tree, tests, fence, int(_TESTS * level)),
        command=cleaned(bench.reproduction.plan.check.script.strip(), fence, 500),
        kind=diagnosis.cls.value,
        tool=one_line(diagnosis.tool, fence, 40),
        findings=[_finding(bench, i, fence) for i in range(min(10, len(diagnosis.findings)))],
        excerpt=cleaned(diagnosis.excerpt, fence, int(_OUTPUT * level)),
        places=[_place(suspect, fence) for suspect in diagnosis.suspects],
        commits=[_commit(commit, fence) for commit in bench.blame.suspects],
        report=_report(bench, fence, int(_REPORT * level)),
        change=cleaned(_change(bench), fence, int(_CHANGE * level)).rstrip("\n"),
        refused=[_lesson(lesson, fence, level) for lesson in bench.experience.rejected[:_FEW]],
        merged=[_lesson(lesson, fence, level) for lesson in bench.experience.similar],
        hint=cleaned(bench.hint, fence, 1000).strip(),
    )
    system = prompts.render("system", nonce=fence, instructions=cleaned(bench.config.instructions, fence, 2000))
    return [Message("system", system), Message("user", task)]


def revising(bench: Workbench, revision: Revision, files: Files, level: float) -> list[Message]:
    """The first two turns about a change of ours that people reviewed. `files` are those of the change as it stands."""
    fence, places = nonce(bench), [revision.remarks[n].path for n in revision.wanted]
    named = [*places, *_changed(revision.ours.patch), *_named(bench, files.paths())]
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
    output = verdict.after.output.text if verdict.after is not None and not verdict.after.green else ""
    text = prompts.render(
        "rejected",
        nonce=fence,
        gate=one_line(verdict.rejected_by, fence, 80),
        why=cleaned(verdict.why, fence, 500),
        output=cleaned(output, fence, int(_OUTPUT * level / 2)),
        regressions=[one_line(name, fence, 200) for name in verdict.regressions[:10]],
    )
    return Message("user", text)


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


def _change(bench: Workbench) -> str:
    """What one of a few commits changed; what many did together would only distract."""
    diff = bench.blame.diff if bench.blame.count <= _FEW else ""
    files = re.split(r"(?m)^(?=diff --git )", diff)
    ignored = bench.config.paths.ignore
    return "".join(part for part in files if not any(matches(path, ignored) for path in clue.paths(part)))


def _place(suspect: Suspect, fence: str) -> str:
    return one_line(f"{suspect.place}: {', '.join(suspect.reasons)}", fence, 400)


def _lesson(lesson: Lesson, fence: str, level: float) -> dict[str, str]:
    """What people said of an earlier fix, and the fix itself."""
    patch = cleaned(lesson.patch, fence, int(_CHANGE * level / 2)).rstrip("\n")
    return {"words": cleaned(lesson.words, fence, _WORDS).strip(), "patch": patch}


def _commit(commit: Commit, fence: str) -> str:
    """A commit without its author: whose it is mends nothing."""
    return one_line(f"{commit.sha[:12]} {commit.subject}", fence, 200)


def _named(bench: Workbench, paths: Sequence[str]) -> list[str]:
    """Files that the diagnosis names, likeliest first, what the culprit changed, then what the tests in it import."""
    known = set(paths)
    wanted = [suspect.path for suspect in bench.diagnosis.suspects]
    wanted += [finding.path for finding in bench.diagnosis.findings if finding.path]
    wanted += [finding.test.split("::")[0] for finding in bench.diagnosis.findings if finding.test]
    wanted += clue.paths(_change(bench))
    named = [path for path in dict.fromkeys(wanted) if path in known]
    return list(
        dict.fromkeys([*named, *(found for path in named if is_test(path) for found in _imports(bench, path, known))])
    )


def _imports(bench: Workbench, path: str, known: set[str]) -> Iterable[str]:
    text = (bench.tree.read(path) or b"").decode("utf-8", "replace")
    for module in re.findall(r"^[ \t]*(?:from|import)[ \t]+([\w.]+)", text, re.MULTILINE):
        stem = module.replace(".", "/")
        for name in (f"{stem}.py", f"src/{stem}.py", f"{stem}/__init__.py", f"src/{stem}/__init__.py"):
            if name in known:
                yield name


def _beside(tests: Sequence[str], paths: Sequence[str]) -> list[str]:
    """When nothing is suspected: the sources named like the tests."""
    stems = {PurePosixPath(path).stem.removeprefix("test_").removesuffix("_test") for path in tests}
    return [path for path in paths if PurePosixPath(path).stem in stems and not is_test(path)]


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
