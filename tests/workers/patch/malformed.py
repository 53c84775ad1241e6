"""Random files, random edits of them, and every way in which an answer can say such an edit badly.

An answer is a rendering (diff, search and replace, V4A, whole file) after malformations; what it means is the edit.
"""

from __future__ import annotations

import difflib
import html
import json
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hypothesis import strategies as st

PATH, TEXT, OTHER = "shop/stock.py", "shop/stock.txt", "README.md"
NAMES = ("total", "count", "price", "items", "rate", "stock", "order", "name")
Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class Change:
    """A file before and after, without line ends, and the groups of lines that differ."""

    before: tuple[str, ...]
    after: tuple[str, ...]

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


def _times(lines: Sequence[str], old: Sequence[str]) -> int:
    """How often the old lines stand in a file; blank ones at their ends make no place certain."""
    plain, want = [line.strip() for line in lines], "\n".join(line.strip() for line in old).strip("\n").split("\n")
    return sum(plain[i : i + len(want)] == want for i in range(len(plain) - len(want) + 1))


# -- files and edits ------------------------------------------------------------------------------------------------


@st.composite
def functions(draw: st.DrawFn) -> list[str]:
    """A small Python function, with lines that other functions have as well."""
    name, other = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    number = draw(st.integers(0, 99))
    bodies = (
        [f"    result = {number}", f"    for item in {other}:", "        result += item", "    return result"],
        [f"    if {other} < {number} and {other}:", '        raise ValueError("too small")', f"    return {other}"],
        [f'    """The {name} of an {other}."""', "",
         f"    text = 'it is ' + str({other})", "    # for people", "    return text"],
        [*(f"    row_{n} = {n}" for n in range(number, number + 5)), "    return row"],
        [f"    first, last = {other}[{number}], {other}[-1]", "    return first - last"],
    )  # fmt: skip
    return [f"def {name}_{number}({other}):", *draw(st.sampled_from(bodies)), "", ""]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """A file of some functions, and one to three lines of it replaced, removed or put in."""
    before = ["import math", "", ""]
    for function in draw(st.lists(functions(), min_size=2, max_size=7)):
        before += function
    before = before[:-2]
    after: list[str | None] = list(before)
    spots = [i for i, line in enumerate(before) if line.startswith("    ") and not line.endswith(":")]
    for at in draw(st.lists(st.sampled_from(spots), min_size=1, max_size=3, unique=True)):
        line = before[at]
        lead = line[: len(line) - len(line.lstrip())]
        number = draw(st.integers(100, 999))
        kind = draw(st.sampled_from(["replace", "insert", "both"]))
        new = f"{lead}check({number})"
        after[at] = {"replace": new, "insert": f"{new}\n{line}", "both": f"{new}\n{lead}log('{number}')"}[kind]
    return Change(tuple(before), tuple("\n".join(line for line in after if line is not None).split("\n")))


# -- renderings -----------------------------------------------------------------------------------------------------


def header(start: int, rows: Rows) -> str:
    old, new = (sum(kind != other for kind, _ in rows) for other in "+-")
    return f"@@ -{start},{old} +{start},{new} @@\n"


def diff(
    change: Change,
    head: Callable[[int, Rows], str] = header,
    line: Callable[[str, str], str] = lambda kind, text: kind + text,
    names: str = f"--- a/{PATH}\n+++ b/{PATH}\n",
) -> str:
    """A unified diff; the parts that may be written badly are functions."""
    body = "".join(
        head(start, rows) + "".join(f"{line(kind, text)}\n" for kind, text in rows) for start, rows in change.hunks()
    )
    return names + body


def blocks(change: Change, path: str = PATH, mark: int = 7) -> str:
    """Search and replace blocks."""
    found = []
    for _, rows in change.hunks():
        old, new = ("".join(f"{text}\n" for kind, text in rows if kind != other) for other in "+-")
        found.append(f"{path}\n{'<' * mark} SEARCH\n{old}{'=' * mark}\n{new}{'>' * mark} REPLACE\n")
    return "\n".join(found)


def envelope(change: Change) -> str:
    """The envelope that some models were trained on."""
    body = "".join("@@\n" + "".join(f"{kind}{text}\n" for kind, text in rows) for _, rows in change.hunks())
    return f"*** Begin Patch\n*** Update File: {PATH}\n{body}*** End Patch\n"


def whole(change: Change) -> str:
    return f"{PATH}\n```python\n" + "\n".join(change.after) + "\n```\n"


def _retyped(text: str) -> str:
    return text.replace("'", "\u2019").replace('"', "\u201d")


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
    "no folders": lambda c: diff(c, names=f"--- {PATH}\n+++ {PATH}\n"),
    "git": lambda c: f"diff --git a/{PATH} b/{PATH}\nindex 12ab..34cd 100644\n" + diff(c),
    "other folder": lambda c: diff(c, names="--- a/src/stock.py\n+++ b/src/stock.py\n"),
    "absolute": lambda c: diff(c, names=f"--- /work/{PATH}\n+++ /work/{PATH}\n"),
    "no names": lambda c: diff(c, names="") if len(c.hunks()) == 1 else diff(c),
    "stamps": lambda c: diff(c, names=f"--- a/{PATH}\t{STAMP}\n+++ b/{PATH}\t{STAMP}\n"),
    "kept lines without space": lambda c: diff(c, line=lambda kind, text: text if kind == " " else kind + text),
    "blank kept lines empty": lambda c: diff(c, line=lambda kind, text: (kind + text).rstrip()),
    "typography": lambda c: diff(c, line=lambda kind, text: kind + _retyped(text)),
    "no-break spaces": lambda c: diff(c, line=lambda kind, text: kind + text.replace(" ", "\u00a0")),
    "tabs": lambda c: diff(c, line=lambda kind, text: kind + text.replace("    ", "\t")),
    "indented": lambda c: diff(c, line=lambda kind, text: f"{kind}    {text}" if text else kind),
    "search": blocks,
    "short marks": lambda c: blocks(c, mark=5),
    "path with label": lambda c: blocks(c, path=f"### File: `{PATH}`"),
    "V4A": envelope,
    "whole": whole,
}  # fmt: skip


def elsewise(change: Change, rewrite: Callable[[Rows], Rows]) -> str:
    """A diff whose rows are told otherwise; nothing but the rows says where they belong."""
    body = "".join("@@\n" + "".join(f"{a}{b}\n" for a, b in rewrite(rows)) for _, rows in change.hunks())
    return f"--- a/{PATH}\n+++ b/{PATH}\n{body}"


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


PLACES = (0, 1, 2, -3, -2, -1)
DOUBTFUL: Mapping[str, Callable[[Change], str]] = {
    **{f"without kept line {n}": partial(elsewise, rewrite=partial(without, which=n)) for n in PLACES},
    **{f"kept line {n} misquoted": partial(elsewise, rewrite=partial(misquoted, which=n)) for n in PLACES},
    "removed lines mistyped": lambda c: elsewise(c, mistyped),
    "only changed lines": lambda c: elsewise(c, lambda rows: [("@@", "") if row[0] == " " else row for row in rows]),
}  # fmt: skip
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
