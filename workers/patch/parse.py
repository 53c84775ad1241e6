"""Reads one answer into edits, whatever format it is in: search/replace, V4A envelope, unified diff, whole file.

Nothing is trusted: line numbers, counts, prefixes and headers may all be wrong, only the lines' text counts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from workers.patch import envelope, unified
from workers.patch.edits import Edit, Hunk, PatchError, leaves_out

_HEAD = re.compile(r"^(\s*)(<{5,9}) ?(?:SEARCH|ORIGINAL|HEAD)?\b[ :]*(.*)$", re.IGNORECASE)
_WORDED = re.compile(r"^\s*<{5,9} ?(?:SEARCH|ORIGINAL|HEAD)\b", re.IGNORECASE)
_MID = re.compile(r"^\s*={5,9}\s*$")
_TAIL = re.compile(r"^\s*>{5,9} ?(?:REPLACE|UPDATED|REPLACED)?\b.*$", re.IGNORECASE)
_PATH = re.compile(r"^[\w@+.\-/\\ ]*[\w\-]+\.\w{1,10}$|^[\w@+.\-/\\]+/[\w.\-]+$|^(?:Makefile|Dockerfile)$")
_LABEL = re.compile(r"^(?:file(?:name)?|path|in|update|edit|###?#?)\s*:?\s+", re.IGNORECASE)
_BEGINS = re.compile(
    r"^[ \t]*(?:diff --git \S|--- [^\s-]|\*\*\* (?:Begin Patch|Update File|Add File|Delete File))", re.MULTILINE
)
_DIFFED = 800
"""Lines of a block whose two sides are compared; finding what they share takes time with their third power."""


def parse(text: str) -> list[Edit]:
    """The edits of one reading of an answer; empty when it holds none."""
    if re.search(r"^[ \t]*<{5,9} ?(?:SEARCH|ORIGINAL|HEAD)", text, re.MULTILINE | re.IGNORECASE):
        return _search_replace(text)
    if re.search(r"^[ \t]*\*\*\* (?:Begin Patch|Update File|Add File|Delete File)", text, re.MULTILINE):
        return _v4a(_body(text))
    body = _body(text)
    if re.search(r"^(?:@@|--- |diff --git )", body, re.MULTILINE):
        found = unified.parse(body)
        if found:
            return found
    return _whole_files(text)


def _body(text: str) -> str:
    """The fenced blocks that look like edits, or everything (dedented when uniformly indented). Where a diff has begun
    already, a fence is a line of its files."""
    begun = _BEGINS.search(envelope.before_fences(text)) is not None
    editish = [] if begun else [block.text for block in envelope.blocks(text) if block.editish]
    chosen = "\n".join(editish) if editish else text
    indents = [
        len(m.group(1)) for m in re.finditer(r"^([ \t]*)(?:--- |\+\+\+ |@@|\*\*\* |diff --git )", chosen, re.MULTILINE)
    ]
    width = min(indents, default=0)
    if not width:
        return chosen
    return "\n".join(line[width:] if line[:width].isspace() else line for line in chosen.split("\n"))


def path_in(line: str) -> str:
    """The file name a line consists of, or an empty string."""
    line = line.strip()
    if len(line) > 300:
        return ""
    line = re.sub(r"^(?:[-*+]|\d+[.)]|#+|//|--)\s+", "", line).strip("*_ \t:")
    line = _LABEL.sub("", line).strip("*`'\"_: \t")
    return line if _PATH.match(line) and not line.endswith(" ") else ""


# -- search and replace ---------------------------------------------------------------------------------------------


def _search_replace(text: str) -> list[Edit]:
    lines = text.split("\n")
    edits: list[Edit] = []
    path, at = "", 0
    while at < len(lines):
        head = _HEAD.match(lines[at])
        if not head:
            at += 1
            continue
        named = path_in(head.group(3)) or _path_above(lines, at)
        path = named or path
        search, replace, at = _sides(lines, at + 1, len(head.group(1)), len(head.group(2)))
        edits.append(_replacement(path, search, replace))
    return edits


def _path_above(lines: Sequence[str], at: int) -> str:
    for line in reversed(lines[max(0, at - 4) : at]):
        if _TAIL.match(line):
            return ""
        fence = re.match(r"^\s*`{3,}(.*)$", line)
        found = path_in(fence.group(1).split(" ")[-1] if fence else line)
        if found:
            return found
    return ""


def _sides(lines: Sequence[str], at: int, indent: int, width: int) -> tuple[list[str], list[str], int]:
    """Both sides of a block and where it ends. `width` is how many `<` opened it."""
    end = next((i for i in range(at, len(lines)) if _TAIL.match(lines[i])), len(lines))
    following = next((i for i in range(at, end) if _WORDED.match(lines[i])), end)
    middles = [i for i in range(at, following) if _MID.match(lines[i])]
    if not middles:
        raise PatchError("a SEARCH block has no ======= line between the old and the new text")
    if following < end or end == len(lines):
        raise PatchError("a SEARCH/REPLACE block has no >>>>>>> REPLACE line at its end (was the answer cut off?)")
    exact = [i for i in middles if len(lines[i].strip()) == width]
    if len(middles) > 1 and len(exact) != 1:
        raise PatchError(
            "a SEARCH/REPLACE block has several ======= lines: use markers of another length, such as nine characters"
        )
    middle = exact[0] if len(middles) > 1 else middles[0]

    def outdent(part: Sequence[str]) -> list[str]:
        return [line[indent:] if line[:indent].isspace() else line for line in part]

    return outdent(lines[at:middle]), outdent(lines[middle + 1 : end]), end + 1


def _replacement(path: str, search: list[str], replace: list[str]) -> Edit:
    if not any(line.strip() for line in search):
        return Edit(path, content="".join(f"{line}\n" for line in replace), create=True)
    if len(search) + len(replace) > _DIFFED:
        return Edit(path, hunks=(Hunk((*(("-", line) for line in search), *(("+", line) for line in replace))),))
    rows: list[tuple[str, str]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, search, replace, autojunk=False).get_opcodes():
        if tag == "equal":
            rows += [(" ", line) for line in search[a:b]]
        else:
            rows += [("-", line) for line in search[a:b]] + [("+", line) for line in replace[c:d]]
    return Edit(path, hunks=(Hunk(tuple(rows)),))


# -- V4A ----------------------------------------------------------------------------------------------------------


def _v4a(text: str) -> list[Edit]:
    edits: list[Edit] = []
    for part in re.split(r"^\*\*\* (?=(?:Update|Add|Delete) File)", text, flags=re.MULTILINE)[1:]:
        first, _, rest = part.partition("\n")
        verb, _, path = first.partition(" File:")
        rest = re.split(r"^\*\*\* End Patch", rest, flags=re.MULTILINE)[0]
        if re.search(r"^\*\*\* Move to:", rest, re.MULTILINE):
            raise PatchError("renaming a file is not accepted: change the file where it is")
        if verb == "Delete":
            edits.append(Edit(path.strip(), delete=True))
        elif verb == "Add":
            added = [line.removeprefix("+") for line in rest.rstrip("\n").split("\n")] if rest.strip() else []
            edits.append(Edit(path.strip(), content="".join(f"{line}\n" for line in added), create=True))
        else:
            body = "\n".join(line for line in rest.split("\n") if not line.startswith("*** "))
            edits.append(Edit(path.strip(), hunks=unified.hunks(body.split("\n"))))
    return edits


# -- whole files ----------------------------------------------------------------------------------------------------


def _whole_files(text: str, nested: bool = False) -> list[Edit]:
    edits = []
    for block in envelope.blocks(text):
        lines = block.text.split("\n")
        inside = path_in(re.sub(r"^(?:#|//|--|;)\s*", "", lines[0])) if re.match(r"^(?:#|//|--|;)", lines[0]) else ""
        path = (
            path_in(block.info.split(" ")[-1].split(":")[-1])
            or path_in(block.above)
            or _quoted_path(block.above)
            or inside
        )
        if not path and not nested:
            edits += _whole_files(block.text, nested=True)
        if not path:
            continue
        if not block.whole:
            raise PatchError(
                f"where the text of {path} ends is not clear: close it with a longer fence than any inside"
            )
        if leaves_out(lines):
            raise PatchError(f"the new text of {path} leaves parts out: give the whole file or SEARCH/REPLACE blocks")
        edits.append(Edit(path, content=block.text.rstrip("\n") + "\n"))
    return edits


def _quoted_path(line: str) -> str:
    quoted = [path_in(name) for name in re.findall(r"`([^`]+)`", line)]
    found = [name for name in quoted if name]
    return found[0] if len(found) == 1 else ""
