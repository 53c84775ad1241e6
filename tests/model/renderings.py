"""One edit, said in every format and every bad way that models have been seen to say it: what it means stays the same.

An answer is a rendering (diff, search and replace, V4A, whole file) after a wrapping (fence, JSON, thoughts, ...).
"""

from __future__ import annotations

import difflib
import html
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Change:
    """A file before and after, without line ends, and the groups of lines that differ."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    path: str

    def hunks(self, around: int = 3) -> list[tuple[int, Rows]]:
        """The number of the first old line and the rows of each group, with as many kept lines as make it unique."""
        matcher = difflib.SequenceMatcher(None, self.before, self.after, autojunk=False)
        found: list[tuple[int, Rows]] = []
        for group in matcher.get_grouped_opcodes(around):
            rows: Rows = []
            for tag, a, b, c, d in group:
                if tag == "equal":
                    rows += [(" ", line) for line in self.before[a:b]]
                else:
                    rows += [("-", line) for line in self.before[a:b]] + [("+", line) for line in self.after[c:d]]
            found.append((group[0][1] + 1, rows))
        unclear = any(_times(self.before, [text for kind, text in rows if kind != "+"]) != 1 for _, rows in found)
        return self.hunks(around + 3) if unclear and around < len(self.before) else found


def change(path: str, before: str, after: str) -> Change:
    """The change of a text file."""
    old, new = (tuple(text.removesuffix("\n").split("\n")) for text in (before, after))
    return Change(old, new, path)


def _times(lines: Sequence[str], old: Sequence[str]) -> int:
    """How often the old lines stand in a file; blank ones at their ends make no place certain."""
    plain, want = [line.strip() for line in lines], "\n".join(line.strip() for line in old).strip("\n").split("\n")
    return sum(plain[i : i + len(want)] == want for i in range(len(plain) - len(want) + 1))


def header(start: int, rows: Rows) -> str:
    old, new = (sum(kind != other for kind, _ in rows) for other in "+-")
    return f"@@ -{start},{old} +{start},{new} @@\n"


def names(old: str, new: str) -> str:
    """The two lines that say which file a diff is about."""
    return f"--- {old}\n+++ {new}\n"


def diff(
    change: Change,
    head: Callable[[int, Rows], str] = header,
    line: Callable[[str, str], str] = lambda kind, text: kind + text,
    top: str | None = None,
) -> str:
    """A unified diff; the parts that may be written badly are functions."""
    body = "".join(
        head(start, rows) + "".join(f"{line(kind, text)}\n" for kind, text in rows) for start, rows in change.hunks()
    )
    return (names(f"a/{change.path}", f"b/{change.path}") if top is None else top) + body


def blocks(change: Change, path: str = "{}", mark: int = 7) -> str:
    """Search and replace blocks."""
    found = []
    for _, rows in change.hunks():
        old, new = ("".join(f"{text}\n" for kind, text in rows if kind != other) for other in "+-")
        where = path.format(change.path)
        found.append(f"{where}\n{'<' * mark} SEARCH\n{old}{'=' * mark}\n{new}{'>' * mark} REPLACE\n")
    return "\n".join(found)


def envelope(change: Change) -> str:
    """The envelope that some models were trained on."""
    body = "".join("@@\n" + "".join(f"{kind}{text}\n" for kind, text in rows) for _, rows in change.hunks())
    return f"*** Begin Patch\n*** Update File: {change.path}\n{body}*** End Patch\n"


def whole(change: Change) -> str:
    return f"{change.path}\n```python\n" + "\n".join(change.after) + "\n```\n"


def elsewise(change: Change, rewrite: Callable[[Rows], Rows]) -> str:
    """A diff whose rows are told otherwise; nothing but the rows says where they belong."""
    body = "".join("@@\n" + "".join(f"{a}{b}\n" for a, b in rewrite(rows)) for _, rows in change.hunks())
    return names(f"a/{change.path}", f"b/{change.path}") + body


def without(rows: Rows, which: int) -> Rows:
    """Without one of the kept lines, counted from the first or, when negative, from the last."""
    kept = [i for i, (kind, _) in enumerate(rows) if kind == " "]
    gone = kept[which] if -len(kept) <= which < len(kept) else None
    return [row for i, row in enumerate(rows) if i != gone]


def misquoted(rows: Rows, which: int) -> Rows:
    """With one kept line that is not in the file."""
    kept = [i for i, (kind, _) in enumerate(rows) if kind == " "]
    wrong = kept[which] if -len(kept) <= which < len(kept) else None
    return [(kind, f"{text}  # as it was") if i == wrong else (kind, text) for i, (kind, text) in enumerate(rows)]


def mistyped(rows: Rows) -> Rows:
    """With removed lines that are written a little otherwise than in the file, and like no other line of it."""
    return [(kind, text.replace("e", "a") + "~" if kind == "-" else text) for kind, text in rows]


def outdented(rows: Rows) -> Rows:
    """As if the part stood at the margin."""
    spare = min((len(text) - len(text.lstrip(" ")) for _, text in rows if text.strip()), default=0)
    return [(kind, text[spare:] if text.strip() else text) for kind, text in rows]


def uncommented(rows: Rows) -> Rows:
    """Without the kept lines that are comments only."""
    return [(kind, text) for kind, text in rows if kind != " " or not text.lstrip().startswith("#")]


def _retyped(text: str) -> str:
    return text.replace("'", "\u2019").replace('"', "\u201d")


def _tabbed(text: str) -> str:
    bare = text.lstrip(" ")
    return (text[: len(text) - len(bare)]).replace("    ", "\t") + bare


def _jumping(change: Change) -> str:
    """All parts behind the first one's header."""
    first, *_ = change.hunks()
    return diff(change, lambda start, rows: header(start, rows) if start == first[0] else "")


def _cut_off(change: Change) -> str:
    """Without the kept lines after the last changed one."""
    rows = diff(change).split("\n")
    last = max(i for i, row in enumerate(rows) if row[:1] in ("+", "-"))
    return "\n".join(rows[: last + 1]) + "\n"


def _elsewhere(change: Change) -> str:
    file = f"src/{PurePosixPath(change.path).name}"
    return diff(change, top=names(f"a/{file}", f"b/{file}"))


SHIFT = 5000
"""Further than any file is long: a wrong number that names another equal place would be a right one."""
STAMP = "2026-01-02 10:11:12 +0000"
RENDERINGS: Mapping[str, Callable[[Change], str]] = {
    "clean": diff,
    "wrong numbers": lambda c: diff(c, lambda start, rows: header(start + SHIFT, rows)),
    "wrong counts": lambda c: diff(c, lambda start, rows: f"@@ -{start},99 +{start},1 @@\n"),
    "dots": lambda c: diff(c, lambda start, rows: "@@ ... @@\n"),
    "bare": lambda c: diff(c, lambda start, rows: "@@\n"),
    "bogus scope": lambda c: diff(c, lambda start, rows: "@@ def nothing_like_it(): @@\n"),
    "jump": _jumping,
    "no folders": lambda c: diff(c, top=names(c.path, c.path)),
    "git": lambda c: f"diff --git a/{c.path} b/{c.path}\nindex 12ab..34cd 100644\n" + diff(c),
    "index header": lambda c: f"Index: {c.path}\n{'=' * 67}\n" + diff(c),
    "other folder": _elsewhere,
    "absolute": lambda c: diff(c, top=names(f"/work/{c.path}", f"/work/{c.path}")),
    "no names": lambda c: diff(c, top="") if len(c.hunks()) == 1 else diff(c),
    "stamps": lambda c: diff(c, top=names(f"a/{c.path}\t{STAMP}", f"b/{c.path}\t{STAMP}")),
    "bogus end": lambda c: diff(c) + "\\ No newline at end of file\n",
    "cut off": _cut_off,
    "kept lines without space": lambda c: diff(c, line=lambda kind, text: text if kind == " " else kind + text),
    "blank kept lines empty": lambda c: diff(c, line=lambda kind, text: (kind + text).rstrip()),
    "typography": lambda c: diff(c, line=lambda kind, text: kind + _retyped(text)),
    "no-break spaces": lambda c: diff(c, line=lambda kind, text: kind + text.replace(" ", "\u00a0")),
    "tabs": lambda c: diff(c, line=lambda kind, text: kind + _tabbed(text)),
    "indented": lambda c: diff(c, line=lambda kind, text: f"{kind}    {text}" if text else kind),
    "outdented": lambda c: elsewise(c, outdented),
    "comments left out": lambda c: elsewise(c, uncommented),
    "search": blocks,
    "short marks": lambda c: blocks(c, mark=5),
    "path with label": lambda c: blocks(c, path="### File: `{}`"),
    "V4A": envelope,
    "whole": whole,
}  # fmt: skip

PLACES = (0, 1, 2, -3, -2, -1)
REWRITINGS: Mapping[str, Callable[[Rows], Rows]] = {
    **{f"without kept line {n}": partial(without, which=n) for n in PLACES},
    **{f"kept line {n} misquoted": partial(misquoted, which=n) for n in PLACES},
    "removed lines mistyped": mistyped,
    "only changed lines": lambda rows: [("@@", "") if row[0] == " " else row for row in rows],
}  # fmt: skip
DOUBTFUL: Mapping[str, Callable[[Change], str]] = {
    name: partial(elsewise, rewrite=rewrite) for name, rewrite in REWRITINGS.items()
}
"""What may be refused, because the place is not certain any more."""

WRAPPINGS: Mapping[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "fence": lambda text: f"The bug is a wrong value.\n\n````diff\n{text}````\n\nThat mends it.\n",
    "list": lambda text: "1. Do this:\n\n" + textwrap.indent(f"````\n{text}````\n", "   "),
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "JSON": lambda text: json.dumps({"reasoning": "a wrong value", "diff": text}),
    "thoughts": lambda text: f"<think>\n{text.replace('check(', 'decoy(')}</think>\n{text}",
    "twice": lambda text: text + "\n" + text,
    "no end": lambda text: text.removesuffix("\n"),
    "entities": html.escape,
}  # fmt: skip

FILES: Mapping[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "BOM": lambda text: "\ufeff" + text,
    "no end": lambda text: text.removesuffix("\n"),
    "trailing spaces": lambda text: text.replace("return result\n", "return result  \n"),
}


def answer(changes: Sequence[Change], rendering: str, wrapping: str = "none") -> str:
    """All changes of a patch in one answer."""
    said = RENDERINGS.get(rendering) or DOUBTFUL[rendering]
    return WRAPPINGS[wrapping]("".join(said(one) for one in changes))
