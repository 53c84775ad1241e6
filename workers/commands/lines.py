"""Which lines of a comment are its author's own words: outside fenced code and HTML comments. One pass over the text.

Quotes and indented code never begin a line with a command, so they need no care here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_OPEN, _CLOSE = "<!--", "-->"


def own_lines(body: str) -> Iterator[str]:
    """The lines that people see as plain text, without the HTML comments in them.

    Only what GitHub takes for the end of a line is one: Python knows ten more, and a line that looks like one line to
    its readers must not hide a second.
    """
    fence, hidden = "", False
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if fence:
            fence = "" if _closes(line, fence) else fence
            continue
        opened = None if hidden else _FENCE.match(line)
        if opened and not (opened[1][0] == "`" and "`" in opened[2]):  # "```x```" is inline code
            fence = opened[1]
            continue
        began_hidden = hidden
        seen, hidden = _without_comments(line, hidden)
        if not began_hidden:
            yield seen


def _closes(line: str, fence: str) -> bool:
    found = _FENCE.match(line)
    return found is not None and found[1].startswith(fence) and not found[2].strip()


def _without_comments(line: str, hidden: bool) -> tuple[str, bool]:
    """What of a line is seen, and whether a comment is still open at its end."""
    seen, at = [], 0
    while at < len(line):
        end = line.find(_CLOSE if hidden else _OPEN, at)
        if end < 0:
            seen.append("" if hidden else line[at:])
            break
        seen.append("" if hidden else line[at:end])
        at = end + len(_CLOSE if hidden else _OPEN)
        hidden = not hidden
    return "".join(seen), hidden
