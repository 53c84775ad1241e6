"""Reads unified diffs as people and models write them: headers, numbers, counts and prefixes may be missing or wrong.

Only the text of the lines is believed; where they belong is decided by `match` from the file itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from workers.patch.edits import Edit, Hunk, PatchError

_AT = re.compile(r"^@@+ *(?:-(\d+)(?:,\d+)? +\+\d+(?:,\d+)?)? *(?:(?:\.\.\.|…) *)?(?:@@+)? ?(.*)$")
_NOISE = re.compile(
    r"^(?:index [0-9a-f]+\.\.|old mode |new mode |new file mode |deleted file mode |similarity |dissimilarity |={20,}$)"
)
_REFUSED = re.compile(
    r"^(?:GIT binary patch$|Binary files .{1,600} differ$|(?:rename|copy) (?:from|to) "
    r"|(?:old|new|new file|deleted file) mode 1[26]0000$|new mode [0-7]{6}$)",
    re.MULTILINE,
)
_FILE_NAME = re.compile(r"^\S{0,400}[./]\S{1,100}$")
_STAMP = re.compile(r"(?:\t.*|\s+\d{4}-\d\d-\d\d[ T].*|\s+\([^)]*\))$")


@dataclass
class _File:
    path: str = ""
    create: bool = False
    delete: bool = False
    body: list[str] = field(default_factory=list)
    named: bool = False

    def edit(self) -> Edit | None:
        parts = hunks(self.body)
        if self.delete:
            return Edit(self.path, hunks=parts, delete=True)
        if self.create:
            text = "\n".join(line for hunk in parts for line in hunk.new)
            return Edit(self.path, content=text + "\n" if text else "", create=True)
        return Edit(self.path, hunks=parts) if any(hunk.changes for hunk in parts) else None


def parse(text: str) -> list[Edit]:
    """The edits of a diff, one per file header; a diff without headers gives one edit with an empty path."""
    if _REFUSED.search(text):
        raise PatchError(
            "binary changes, renames, copies, links and changes of a file's mode are not accepted: "
            "change the text of files in place"
        )
    lines = text.split("\n")
    files = [_File()]
    for at, line in enumerate(lines):
        _take(files, line, lines[at + 1 : at + 3], lines[at - 1] if at else "")
    return [edit for edit in (file.edit() for file in files) if edit is not None]


def _take(files: list[_File], line: str, following: Sequence[str], above: str) -> None:
    """Put one line where it belongs: a header opens a file, everything after it is its body."""
    if line.startswith("diff --git "):
        files.append(_File(path=_name(line.rpartition(" b/")[2] or line.split(" ")[-1])))
    elif line.startswith("Index: "):
        files.append(_File(path=_name(line[7:])))
    elif _is_header(files[-1], line, following):
        old, new = _name(line[4:]), _name(following[0][4:])
        if files[-1].named or files[-1].body or not files[-1].path:
            files.append(_File())
        files[-1].named = True
        files[-1].create, files[-1].delete = old == "/dev/null", new == "/dev/null"
        files[-1].path = old if files[-1].delete else new
    elif line.startswith("+++ ") and above.startswith("--- ") and not (files[-1].body and files[-1].body[-1] == above):
        return
    elif _NOISE.match(line):
        if not files[-1].body:  # an empty file has no other sign of coming or going
            files[-1].create |= line.startswith("new file mode ")
            files[-1].delete |= line.startswith("deleted file mode ")
    elif files[-1].path or files[-1].body or line.startswith("@@"):
        files[-1].body.append(line)


def _is_header(file: _File, line: str, following: Sequence[str]) -> bool:
    """`--- old` above `+++ new`. Inside of a hunk it may as well be a removed `-- old` and an added `++ new`."""
    if not line.startswith("--- ") or not following or not following[0].startswith("+++ "):
        return False
    hunk_follows = len(following) > 1 and following[1].startswith("@@")
    return hunk_follows or not file.body or _FILE_NAME.match(_name(following[0][4:])) is not None


def _name(text: str) -> str:
    return _STAMP.sub("", text[:500].rstrip("\n")).strip().strip('"`')


def hunks(body: Sequence[str]) -> tuple[Hunk, ...]:
    """The hunks of one file's part of a diff. A missing `@@` line is allowed."""
    found: list[Hunk] = []
    rows: list[tuple[str, str]] = []
    hint, scope = None, ""

    def close() -> None:
        skipped, trimmed = _trim(rows)
        if trimmed:
            found.append(Hunk(tuple(trimmed), None if hint is None else hint + skipped, scope, marked=True))
        rows.clear()

    for line in body:
        if line.startswith("@@"):
            close()
            at = _AT.match(line)
            hint = int(at.group(1)) if at and at.group(1) else None
            scope = at.group(2).strip() if at else ""
        elif line.startswith(("\\ No newline", "*** ")):
            continue
        elif line[:1] in {"+", "-", " "}:
            rows.append((line[0], line[1:]))
        else:
            rows.append((" ", line))
    close()
    return tuple(found)


def _trim(rows: Sequence[tuple[str, str]]) -> tuple[int, list[tuple[str, str]]]:
    """Without the blank kept lines at the ends, which come from the text around the diff; and how many led."""
    told = [i for i, (kind, text) in enumerate(rows) if kind != " " or text.strip()]
    return (told[0], list(rows[told[0] : told[-1] + 1])) if told else (0, [])
