"""Turns what somebody answered into changed files, and checks diffs. Answers are untrusted: only their meaning is used.

The diff that is kept is always our own, made by git from the changed files (`SourceTree.diff`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from workers.patch import paths
from workers.patch.edits import Edit, Executable, Hunk, PatchError
from workers.patch.envelope import reasoning, variants
from workers.patch.essence import essence, undoes
from workers.patch.parse import parse
from workers.patch.rewrite import fits, plainer, rewritten
from workers.patch.syntax import gate
from workers.ports import Files

__all__ = ["Edit", "Executable", "Hunk", "PatchError", "check", "essence", "read_answer", "reasoning", "undoes"]

_TEXT_LIMIT = 1 << 20
_SAME, _SHORT = 0.5, 8
"""A text that keeps this part of a file's lines is that file; below this many lines nothing can be said."""
_PROBLEMS = 5


def read_answer(text: str, tree: Files) -> Mapping[str, bytes | None]:
    """The changed files (None: deleted) that an answer means, all or nothing.

    Search/replace blocks, V4A, unified diffs with wrong numbers, whole files and JSON around any of them are
    accepted. Raises `PatchError` when nothing, or not exactly one thing, can be meant.
    """
    if len(text) > _TEXT_LIMIT:
        raise PatchError("the answer is too long")
    said: list[tuple[Edit, ...]] = []
    first: PatchError | None = None
    for reading in variants(text):
        try:
            edits = parse(reading)
        except PatchError as error:
            first = first or error
            continue
        said += [tuple(edits)] if edits else []
    for meant in _likeliest(said, tree):
        try:
            return _applied(meant, tree)
        except PatchError as error:
            first = first or error
    raise first or PatchError("there is no edit in the answer: give SEARCH/REPLACE blocks, each with the path above it")


def _likeliest(said: Sequence[tuple[Edit, ...]], tree: Files) -> Sequence[tuple[Edit, ...]]:
    """Of several readings those that quote most lines of the files. Another one may not land what these leave in doubt:
    in it, lines of the file would look as if they were only misquoted."""
    if len(said) < 2:
        return said
    names = tree.paths()
    known = [sum(_known(edit, tree, names) for edit in edits) for edits in said]
    return [edits for edits, count in zip(said, known, strict=True) if count == max(known)]


def _known(edit: Edit, tree: Files, names: Sequence[str]) -> int:
    """How many of the lines that an edit quotes its file has, whatever their white space."""
    try:
        before = tree.read(_target(edit, tree, names)) or b""
    except PatchError:
        return 0
    lines = {line.strip() for line in before.decode("utf-8", "replace").split("\n")} - {""}
    told = [line for hunk in edit.hunks for line in hunk.old] if edit.content is None else edit.content.split("\n")
    return sum(line.strip() in lines for line in told)


def _applied(edits: Sequence[Edit], tree: Files) -> dict[str, bytes | None]:
    names = tree.paths()
    changed: dict[str, bytes | None] = {}
    wrong: list[str] = []
    for edit in dict.fromkeys(edits):  # an answer that is given twice means one change
        path = edit.path
        try:
            path = _target(edit, tree, names)
            before = changed[path] if path in changed else tree.read(path)
            changed[path] = _after(edit, before)
        except PatchError as error:
            told = str(error)
            wrong.append(told if not path or told.startswith(path) else f"{path}: {told}")
    if wrong:
        raise PatchError("\n".join(wrong[:_PROBLEMS]))
    real = {path: data for path, data in changed.items() if data != tree.read(path)}
    if not real:
        raise PatchError("the answer changes nothing: the files already are like this")
    return {path: None if data is None else _parsed(path, tree.read(path), data) for path, data in real.items()}


def _parsed(path: str, before: bytes | None, after: bytes) -> bytes:
    """A new text that passes the gate; where typographic marks are all that is wrong with it, with plain ones."""
    try:
        gate(path, before, after)
    except PatchError:
        for plain in plainer(before or b"", after):
            with suppress(PatchError):
                gate(path, before, plain)
                return type(after)(plain)
        raise
    return after


def _target(edit: Edit, tree: Files, names: Sequence[str]) -> str:
    if not edit.path:
        return _by_content(edit, tree, names)
    named = paths.exact(edit.path, names)
    if named:
        return named
    if edit.delete:
        raise PatchError(f"{edit.path}: there is no such file to delete")
    if edit.content is not None:
        return _new(edit, edit.content, tree, names)
    return paths.existing(edit.path, names)


def _new(edit: Edit, content: str, tree: Files, names: Sequence[str]) -> str:
    """Where a whole text goes that names no file there is, unless a file of nearly this name already is like it."""
    path = paths.created(edit.path, names)
    try:
        near = paths.existing(edit.path, names)
    except PatchError:
        return path
    old = (tree.read(near) or b"").decode("utf-8", "replace")
    if not edit.create and _kept(old, content) >= _SAME:
        raise PatchError(f"{edit.path}: there is no such file, but {near} is much like it: say which one is meant")
    return path


def _kept(old: str, new: str) -> float:
    """How many of the old lines that are not blank a new text still has, from 0 to 1."""
    before, after = (Counter(line.strip() for line in text.split("\n") if line.strip()) for text in (old, new))
    return (before & after).total() / max(1, before.total())


def _by_content(edit: Edit, tree: Files, names: Sequence[str]) -> str:
    """The only file that holds the hunk's lines: for diffs without a header."""
    if not edit.hunks:
        raise PatchError("an edit does not say which file it changes: put the path in front of it")
    found = [name for name in names if fits(tree.read(name) or b"", edit.hunks)]
    if len(found) != 1:
        many = f"; its lines are in {', '.join(found[:5])}" if found else ""
        raise PatchError(f"an edit does not say which file it changes{many}: put the path in front of it")
    return found[0]


def _after(edit: Edit, before: bytes | None) -> bytes | None:
    if edit.delete:
        if before is not None and edit.hunks:
            rewritten(before, edit.hunks)  # refuses when the author believed other lines to be in it
        return None
    _check_text(edit, before)
    if edit.content is None:
        if before is None:
            raise PatchError("there is no such regular file")
        return rewritten(before, edit.hunks)
    if edit.create and before is not None and before.strip():
        if before.decode("utf-8", "replace").split() == edit.content.split():
            return before
        raise PatchError("the file exists already: quote the lines that are to change in the SEARCH part")
    old = (before or b"").decode("utf-8", "replace")
    if old.count("\n") >= _SHORT and _kept(old, edit.content) < _SAME:
        raise PatchError("the new text leaves most of the file out: give SEARCH/REPLACE blocks to change a part of it")
    return _whole(edit.content, before)


def _check_text(edit: Edit, before: bytes | None) -> None:
    """A lone surrogate or a replacement character is a letter that was lost on the way."""
    new = edit.content or "\n".join(line for hunk in edit.hunks for line in hunk.new)
    if "\ufffd" in new and "\ufffd".encode() not in (before or b""):
        raise PatchError("the new text holds characters that were lost on the way (U+FFFD): write them again")


def _whole(content: str, before: bytes | None) -> bytes:
    """A whole new text in the old file's encoding mark, line ends and end of file."""
    if before is None:
        return content.encode("utf-8", "strict")
    old = before.decode("utf-8", "replace")
    if old and not old.endswith("\n"):
        content = content.rstrip("\n")
    if old.count("\r\n") * 2 > old.count("\n"):
        content = content.replace("\n", "\r\n")
    return (("\ufeff" if old.startswith("\ufeff") else "") + content).encode("utf-8", "strict")


def check(patch: str) -> tuple[int, int, int]:
    """Files, added and removed lines of a well-formed text diff; raises `PatchError` for anything else."""
    if "GIT binary patch" in patch or "\nBinary files " in f"\n{patch}":
        raise PatchError("the diff changes binary files")
    try:
        files = PatchSet(patch)
    except (UnidiffParseError, ValueError) as error:
        raise PatchError(f"not a well-formed diff: {error}") from None
    if not files:
        raise PatchError("the diff is empty")
    return len(files), sum(file.added for file in files), sum(file.removed for file in files)
