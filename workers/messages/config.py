"""What people are told about a `heal.yml`: what is wrong and how it is right, and what a change of it would do.

Values of the file are a stranger's text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import yaml

from workers.messages.markup import cut, fence, plain, quote
from workers.repo_config.layers import Effective, Source, Value, changes
from workers.repo_config.problems import Problem
from workers.repo_config.reading import PATH

ISSUE_TITLE = "Heal only observes: heal.yml cannot be used"
MENDED = "none"
"""The digest that the marker of an issue holds once nothing is wrong any more."""
_MARKER = "<!-- heal:config problems={} -->"
_MARKED = re.compile(r"<!-- heal:config problems=([0-9a-f]{16}|none) -->")
_SHOWN = 200
_LISTED = 40_000
"""Characters of listed problems: with all that is around them they fit into a comment."""
_DECIDED = {
    Source.DEFAULT: "default",
    Source.ORGANISATION: "the organisation",
    Source.REPOSITORY: "this file",
    Source.OPERATOR: "the operator",
    Source.INVALID: "an invalid file",
}


def digest(problems: Sequence[Problem]) -> str:
    """Equal for the same problems."""
    return hashlib.sha256("\n".join(map(str, problems)).encode(errors="replace")).hexdigest()[:16]


def digest_of(body: str | None) -> str:
    """The digest in the marker of an issue's text; empty where there is no marker."""
    found = _MARKED.search(body or "")
    return found[1] if found else ""


def issue_body(problems: Sequence[Problem], branch: str) -> str:
    """The one issue about a file on the default branch that cannot be used."""
    count, path = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", problems[0].path
    return _whole(
        f"`{path}` on {quote(branch)} has {count}, so **Heal only observes this repository**: it reproduces and tells "
        "failures, and proposes no fix.",
        _listed(problems),
        f"`heal config check {path}` says the same on your machine. This issue is edited when the problems change and "
        "closed when the file can be used.",
        _MARKER.format(digest(problems)),
    )


def mended(body: str) -> str:
    """The issue's text once the file can be used: the same problems would be news again."""
    return _MARKED.sub(_MARKER.format(MENDED), body)


def refused(problems: Sequence[Problem]) -> tuple[str, str]:
    """Title and summary of the check on a proposed file that cannot be used."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    wrong = f"{count} in {PATH}"
    return wrong, _whole(
        f"**On the default branch this file could not be used**, and Heal would only observe. {count}:",
        _listed(problems),
    )


def accepted(now: Effective, then: Effective, *, removed: bool, elsewhere: str = "") -> tuple[str, str]:
    """Title and summary of the check on a proposed file that is right: what it would change. `elsewhere` names the
    branch it goes to, when that is not the default branch."""
    found = changes(now, then)
    count = f"{len(found)} setting{'s' if len(found) != 1 else ''} would change"
    title = count if found else "Nothing would change"
    first = f"`{PATH}` would be removed." if removed else f"`{PATH}` can be used."
    where = f" It counts once it is on the default branch; this goes to {quote(elsewhere)}." if elsewhere else ""
    was = f"Now: {plain(now.note)}" if now.note else ""
    note = f"Then: {plain(then.note)}" if then.note else ""
    return title, _whole(f"{first} {count if found else 'No setting would change'}.{where}", was, note,
                         _table(found), _overruled(then))  # fmt: skip


def shown(value: object) -> str:
    """A value as YAML on one line, as it would stand in the file."""
    if value is None:
        return "auto"
    listed = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(listed, default_flow_style=True, width=10_000, allow_unicode=True).strip()
    return cut(text.removesuffix("...").strip(), _SHOWN)


def decided(value: Value) -> str:
    """Who decided it, in words."""
    return _DECIDED[value.source]


def _table(found: Sequence[tuple[Value, Value]]) -> str:
    if not found:
        return ""
    rows = [
        f"| `{new.key}` | {quote(shown(old.value))} | {quote(shown(new.value))} | {decided(new)} |"
        for old, new in found
    ]
    return "\n".join(["| key | now | then | decided by |", "| --- | --- | --- | --- |", *rows])


def _overruled(then: Effective) -> str:
    lines = [
        f"- `{value.key}`: {quote(shown(value.wanted))} is asked for, {quote(shown(value.value))} counts "
        f"({decided(value)})"
        for value in then.overruled
    ]
    return "\n".join(["Overruled:", "", *lines]) if lines else ""


def _listed(problems: Sequence[Problem]) -> str:
    parts: list[str] = []
    for problem in problems:
        if sum(map(len, parts)) > _LISTED:
            return "\n".join([*parts, f"- and {len(problems) - len(parts)} more"])
        place = f"line {problem.line}, column {problem.column}"
        name = f" {quote(problem.key)}" if problem.key else ""
        fix = f"\n\n{_indented(fence(problem.snippet, 'yaml', 1_000))}" if problem.snippet else ""
        parts.append(f"- {place}:{name} {plain(problem.reason, 600)}{fix}")
    return "\n".join(parts)


def _indented(block: str) -> str:
    return "\n".join(f"  {line}" for line in block.split("\n"))


def _whole(*parts: str) -> str:
    """The parts that there are, as paragraphs."""
    return "\n\n".join(part for part in parts if part)
