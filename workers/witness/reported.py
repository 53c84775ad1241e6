"""What people wrote in a bug report, as it is kept: bounded, without what readers do not see and machines would.

GitHub hides HTML comments outside of code: templates put their help there, and others what only a model would read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from workers.domain import IssueReport
from workers.messages.markup import line, visible

BODY, COMMENT, COMMENTS, TITLE = 20_000, 4_000, 20, 250
"""The most characters of the body, of a comment and of the title, and the most comments."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^`]{0,200})$")
_COMMAND = re.compile(r"^[ \t]*/heal\b.*$", re.MULTILINE)
_OPEN, _CLOSE = "<!--", "-->"


def kept(report: IssueReport, redact: Callable[[str], str]) -> IssueReport:
    """The report as Heal works with it. The newest comments are kept, and empty ones are not."""
    comments = (replace(one, body=_said(one.body, COMMENT, redact)) for one in report.comments[-COMMENTS:])
    return replace(
        report,
        title=line(redact(report.title))[:TITLE],
        body=_said(report.body, BODY, redact),
        comments=tuple(comment for comment in comments if comment.body),
    )


def from_text(text: str, redact: Callable[[str], str]) -> IssueReport:
    """A report out of a file: its first line that says something is the title, Markdown's `#` taken off."""
    lines = text.lstrip("\ufeff").strip().split("\n")
    return kept(IssueReport(0, lines[0].lstrip("# "), "\n".join(lines[1:])), redact)


def without_hidden(text: str) -> str:
    """Markdown without its HTML comments; in fenced code they are text that people see."""
    return "\n".join(_shown(text.split("\n")))


def _said(text: str, limit: int, redact: Callable[[str], str]) -> str:
    return redact(_COMMAND.sub("", without_hidden(visible(text[: 4 * limit])))).strip()[:limit]


def _shown(lines: Sequence[str]) -> Iterator[str]:
    fence, hidden = "", False
    for text in lines:
        if fence:
            yield text
            fence = "" if _ends(text, fence) else fence
            continue
        shown, hidden = _outside(text, hidden)
        opened = None if hidden else _FENCE.match(shown)
        fence = opened[1] if opened else ""
        if shown or not text:
            yield shown


def _outside(text: str, hidden: bool) -> tuple[str, bool]:
    """What of a line stands outside of comments, and whether its end is inside one."""
    parts: list[str] = []
    while True:
        if hidden:
            _, closed, text = text.partition(_CLOSE)
            if not closed:
                return "".join(parts), True
        before, opened, text = text.partition(_OPEN)
        parts.append(before)
        if not opened:
            return "".join(parts), False
        hidden = True


def _ends(text: str, fence: str) -> bool:
    mark = text.strip()
    return len(mark) >= len(fence) and not mark.strip(fence[0])
