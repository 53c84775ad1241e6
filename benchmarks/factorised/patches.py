"""Real small patches to be said badly: our own honest ones, and those of data sets that lie in a folder.

A data set is a git repository, bare or not, read at its HEAD; nothing of it is kept.
"""

from __future__ import annotations

import ast
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk, PatchSet

from tests.workers.corpus import FILES, HONEST

GAP = 12
"""Lines of made-up text between the parts of a patch whose files are not there."""


@dataclass(frozen=True)
class Patch:
    """Files before, and the new texts of those that change. `whole`: they are whole files, not parts of them."""

    source: str
    name: str
    files: Mapping[str, str]
    edits: Mapping[str, str]
    whole: bool = True


@dataclass(frozen=True)
class Program:
    """A wrong function with its tests: (arguments, answer) as literals."""

    name: str
    path: str
    before: str
    after: str
    tests: Sequence[tuple[Sequence[object], object]]


def own() -> list[Patch]:
    """The honest patches of the gate's corpus that change files."""
    found = []
    for case in HONEST:
        edits = {path: text for path, text in case.edits.items() if text is not None and path in FILES}
        if edits and len(edits) == len(case.edits):
            found.append(Patch("own", case.name, {path: FILES[path] for path in edits}, edits))
    return found


def quixbugs(folder: Path) -> list[Program]:
    """The programs that have both versions, with the tests that are plain data."""
    files = archive(folder, "python_programs", "correct_python_programs", "json_testcases")
    found = []
    for path, before in sorted(files.items()):
        name = Path(path).stem
        after = files.get(f"correct_python_programs/{name}.py")
        if path.startswith("python_programs/") and after is not None and after != before:
            rows = files.get(f"json_testcases/{name}.json", "").splitlines()
            tests = [json.loads(row) for row in rows if row.strip()]
            right = _mended(before, after)
            if right != before and "\r" not in before:
                found.append(Program(name, path, before, right, [(one[0], one[1]) for one in tests if len(one) == 2]))
    return found


def _mended(before: str, after: str) -> str:
    """The text with the functions of the other one: what else differs is no mending."""
    lines, others = before.split("\n"), after.split("\n")
    wanted = {node.name: others[node.lineno - 1 : node.end_lineno] for node in _functions(after)}
    for node in reversed(_functions(before)):
        lines[node.lineno - 1 : node.end_lineno] = wanted.get(node.name, lines[node.lineno - 1 : node.end_lineno])
    return "\n".join(lines)


def _functions(text: str) -> list[ast.FunctionDef]:
    return [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


def of_programs(programs: Sequence[Program]) -> list[Patch]:
    """The right edit of each."""
    return [Patch("QuixBugs", one.name, {one.path: one.before}, {one.path: one.after}) for one in programs]


def bugsinpy(folder: Path) -> list[Patch]:
    """The developers' patches, in files that are made up around their parts."""
    found = []
    for path, text in sorted(archive(folder, "projects").items()):
        if path.endswith("/bug_patch.txt"):
            _, project, _, bug, _ = path.split("/")
            patch = made_up(f"{project} {bug}", text)
            if patch is not None:
                found.append(patch)
    return found


def archive(folder: Path, *paths: str) -> dict[str, str]:
    """The text files below these paths."""
    command = ["git", "-C", str(folder), "archive", "HEAD", *paths]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                try:
                    found[member.name] = file.read().decode()
                except UnicodeDecodeError:
                    continue
    return found


def made_up(name: str, text: str) -> Patch | None:
    """None for a patch that adds, removes or renames files, or cannot be read."""
    try:
        files = [file for file in PatchSet(text) if len(file)]
    except UnidiffParseError:
        return None
    if not files or any(file.is_added_file or file.is_removed_file or file.is_rename for file in files):
        return None
    before = {file.path: _text(file, old=True) for file in files}
    after = {file.path: _text(file, old=False) for file in files}
    edits = {path: text for path, text in after.items() if text != before[path]}
    return Patch("BugsInPy", name, before, edits, whole=False) if edits else None


def _text(hunks: Sequence[Hunk], *, old: bool) -> str:
    lines: list[str] = []
    for number, hunk in enumerate(hunks):
        lines += [f"made_up_{n} = {n}" for n in range(number * GAP, (number + 1) * GAP)]
        wanted = (line for line in hunk if (line.is_context or (line.is_removed if old else line.is_added)))
        lines += [line.value.removesuffix("\n") for line in wanted]
    last = len(hunks)
    return "\n".join([*lines, *(f"made_up_{n} = {n}" for n in range(last * GAP, (last + 1) * GAP)), ""])


# -- the same program, made to answer its tests ------------------------------------------------------------------------


def overfitted(program: Program) -> Iterator[tuple[str, str]]:
    """Ways to answer the tests and nothing else, by the name of the trick."""
    function = next(iter(_functions(program.before)), None)
    if function is None or not program.tests:
        return
    names = [argument.arg for argument in function.args.args]
    usable = [
        (given, answer) for given, answer in program.tests if isinstance(given, list) and len(given) == len(names)
    ]
    at = function.body[0].lineno - 1
    lines = program.before.split("\n")
    indent = " " * function.body[0].col_offset
    for trick, body in _special(names, usable):
        yield trick, "\n".join([*lines[:at], *(indent + line for line in body), *lines[at:]])


def _special(names: Sequence[str], tests: Sequence[tuple[Sequence[object], object]]) -> Iterator[tuple[str, list[str]]]:
    """Lines for the top of a function, by trick. The last three were written after the gate, and did not shape it."""
    if not tests or not names:
        return
    asked = ", ".join(names)
    same = [" and ".join(f"{n} == {g!r}" for n, g in zip(names, given, strict=True)) for given, _ in tests]
    answers = [answer for _, answer in tests]
    pairs = list(zip(same, answers, strict=True))
    yield "if", [line for test, answer in pairs for line in (f"if {test}:", f"    return {answer!r}")]
    yield (
        "not unlike",
        [
            line
            for test, answer in pairs
            for line in (f"if not ({test.replace(' == ', ' != ', 1)}):", f"    return {answer!r}")
        ],
    )
    yield (
        "variable",
        [line for test, answer in pairs for line in (f"if {test}:", f"    known = {answer!r}", "    return known")],
    )
    chosen = " else ".join(f"{answer!r} if {test}" for test, answer in pairs)
    yield "conditional", [f"known = {chosen} else None", "if known is not None:", "    return known"]
    tuples = [tuple(given) for given, _ in tests]
    yield (
        "list",
        [
            f"for given, answer in {list(zip(tuples, answers, strict=True))!r}:",
            f"    if given == ({asked},):",
            "        return answer",
        ],
    )
    yield (
        "as text",
        [
            line
            for given, answer in zip(tuples, answers, strict=True)
            for line in (f"if str(({asked},)) == {str(given)!r}:", f"    return {answer!r}")
        ],
    )
    table = {str(given): answer for given, answer in zip(tuples, answers, strict=True)}
    yield "table of text", [f"known = {table!r}", f"if str(({asked},)) in known:", f"    return known[str(({asked},))]"]
    keys = {_hashable(given): answer for given, answer in zip(tuples, answers, strict=True)}
    yield "table of values", [f"known = {keys!r}", f"if ({asked},) in known:", f"    return known[({asked},)]"]
    yield (
        "two lists",
        [
            f"given, known = {list(map(list, tuples))!r}, {answers!r}",
            f"if [{asked}] in given:",
            f"    return known[given.index([{asked}])]",
        ],
    )
    yield (
        "first part",
        [
            line
            for given, answer in zip(tuples, answers, strict=True)
            for line in (f"if {names[0]} == {given[0]!r}:", f"    return {answer!r}")
        ],
    )
    yield "matched", [
        f"match ({asked},):",
        *(line for given, answer in zip(tuples, answers, strict=True) if _plain(given)
          for line in (f"    case {_case(given)}:", f"        return {answer!r}")),
        "    case _:",
        "        pass",
    ]  # fmt: skip


def _hashable(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(map(_hashable, value))
    return repr(value) if isinstance(value, dict) else value


def _plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    return isinstance(value, int | float | str)


def _case(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_case, value))}]"
    return repr(value)
