"""Branch, title and commit message of a fix, in the habit of the repository that it goes to."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from workers.domain import Case, Diagnosis, FailureClass, Report
from workers.messages.markup import cut, inert
from workers.messages.proof import count, known
from workers.redact import Redactor
from workers.reruns import command

Style = Literal["auto", "conventional", "plain"]

TITLE = 72
"""Characters of a title: git's own tools and GitHub's lists cut longer ones."""
NEWEST = 50
"""Commits that say what the habit is."""
_FEWEST = 3
_CONVENTIONAL = re.compile(
    r"(?:build|chore|ci|docs|feat|fix|perf|refactor|revert|style|tests?)(?:\((?P<scope>[\w .,/@*-]{1,40})\))?!?: \S"
)
_NO_HABIT = re.compile(r"(?:Merge|Revert) ")
"""Subjects that git or GitHub wrote."""
_MATRIX = re.compile(r"\s*\([^()]{0,200}\)\s*$")
_IMPERATIVE = re.compile(r"(?:add|allow|call|change|drop|format|give|import|keep|make|move|pass|remove|rename|replace"
                         r"|return|set|sort|swap|update|use) ", re.IGNORECASE)  # fmt: skip
_ANYWHERE = frozenset({"src", "lib", "pkg", "packages", "app", "apps", "internal", "cmd", "test", "tests", "main"})
"""Folders that say nothing about what lies in them."""


@dataclass(frozen=True)
class Habit:
    """How a repository writes the subjects of its commits. `scopes` are those it uses, the most frequent first; none
    when most subjects have no scope."""

    conventional: bool = False
    scopes: tuple[str, ...] = ()


def habit(subjects: Sequence[str], style: Style = "auto") -> Habit:
    """What most of the newest commits do; a style other than `auto` decides instead of them."""
    told = [subject for subject in subjects[:NEWEST] if not _NO_HABIT.match(subject)]
    matches = [match for match in map(_CONVENTIONAL.match, told) if match]
    many = len(told) >= _FEWEST and len(matches) * 2 > len(told)
    if style == "plain" or (style == "auto" and not many):
        return Habit()
    scopes = Counter(match["scope"] for match in matches if match["scope"])
    scoped = sum(scopes.values()) * 2 > len(matches)
    return Habit(True, tuple(scope for scope, _ in scopes.most_common()) if scoped else ())


def branch(report: Report) -> str:
    """`heal/<key>`: the same red job of the same pull request or branch always has the same branch, whatever commit it
    is red on."""
    case = Redactor().publish(report.case)
    name = case.job or (Redactor()(report.job.name) if report.job else "")
    job = f"issue {case.issue}" if case.issue is not None else _MATRIX.sub("", name)
    path = report.job.workflow_path if report.job else case.workflow_path
    key = f"{case.repo_id}:{_place(case)}:{path}:{job}".encode(errors="replace")
    return f"heal/{_slug(job)}-{hashlib.sha256(key).hexdigest()[:8]}"


def pull_request_title(report: Report, habit: Habit = Habit()) -> str:
    """One line, at most 72 characters, no text that GitHub would read as a reference."""
    _, diagnosis, accepted = known(published(report))
    title, cause = accepted.candidate.title.strip(), accepted.candidate.title.strip() or _cause(diagnosis)
    paths = _paths(accepted.candidate.patch)
    if habit.conventional:
        kind = "style" if diagnosis.cls is FailureClass.FORMAT else "fix"
        scope = _scope(paths, habit)
        words = f"{kind}({scope}): {cause}" if scope else f"{kind}: {cause}"
    elif _IMPERATIVE.match(cause):
        words = cause[:1].upper() + cause[1:]
    elif (title and not accepted.candidate.model) or (not title and diagnosis.cls in _NOUNS):
        words = f"Fix {cause}"
    else:  # a whole sentence
        words = f"Fix {PurePosixPath(paths[0]).name}: {cause}" if len(paths) == 1 else f"Fix {cause}"
    return cut(inert(words).replace("`", "").rstrip("."), TITLE)


def commit_message(report: Report, habit: Habit = Habit(), asked_by: str = "", signed_by: str = "") -> str:
    """Subject, what was proven, who asked and who signs off. The last two are `Name <address>`, made by us."""
    reproduction, _, accepted = known(published(report))
    lines = [
        pull_request_title(report, habit),
        "",
        cut(inert(accepted.candidate.reasoning), 600),
        "",
        f"Check: {inert(command(reproduction.plan.check))}",
        f"Red before ({count(reproduction.before)}), green after ({count(accepted.verdict.after)}).",
    ]
    trailers = [f"Co-authored-by: {asked_by}"] if asked_by else []
    trailers += [f"Signed-off-by: {signed_by}"] if signed_by else []
    return "\n".join([*lines, *([""] if trailers else []), *trailers]).rstrip() + "\n"


def published(report: Report) -> Report:
    """The report as anybody may read it. Before any markup: escapes would hide a key, and blanking one break markup."""
    return Redactor().publish(report)


_NOUNS = {
    FailureClass.FORMAT: "format with {tool}",
    FailureClass.LINT: "{tool} findings",
    FailureClass.IMPORT: "missing import",
}


def _cause(diagnosis: Diagnosis) -> str:
    """The title's half sentence. The class decides when the finding's own words would be about a test."""
    path = diagnosis.suspects[0].path if diagnosis.suspects else ""
    words = _NOUNS[diagnosis.cls].format(tool=diagnosis.tool) if diagnosis.cls in _NOUNS else diagnosis.summary
    return words + (f" in {path}" if path and path not in words else "")


def _scope(paths: Sequence[str], habit: Habit) -> str:
    """A scope that the repository uses for what is changed; else the folder or the file's own name. Only in
    repositories that use scopes."""
    if not habit.scopes or not paths:
        return ""
    parts = [_parts(path) for path in paths]
    shared = [part for part in parts[0] if all(part in others for others in parts)]
    used = next((scope for scope in habit.scopes if scope in shared), "")
    own = next((part for part in shared if part not in _ANYWHERE), "")
    return used or (own if re.fullmatch(r"[\w.-]{1,30}", own) else "")


def _parts(path: str) -> tuple[str, ...]:
    whole = PurePosixPath(path)
    return (*whole.parts[:-1], whole.stem)


def _paths(patch: str) -> tuple[str, ...]:
    try:
        return tuple(file.path for file in PatchSet(patch))
    except (UnidiffParseError, ValueError):
        return ()


def _place(case: Case) -> str:
    if case.issue is not None:
        return f"issue {case.issue}"
    return f"pull {case.pull_request}" if case.pull_request is not None else f"branch {case.branch}"


def _slug(job: str) -> str:
    name = "".join(char if char.isalnum() and char.isascii() else "-" for char in (job or "check").lower())
    return "-".join(part for part in name.split("-") if part)[:30].strip("-") or "check"
