"""What of a working copy's difference can be a fix. The difference is a text that somebody wrote: our own diff is made
anew from the files that it means."""

from __future__ import annotations

import re
from collections.abc import Mapping

from workers.fixers.agent.loop import Change
from workers.globs import matches
from workers.patch import PatchError, check, lint
from workers.policy import is_test
from workers.ports import Workbench

_SECTION = re.compile(r"(?m)^(?=diff --git )")
_NAMED = re.compile(r"(?m)^(?:\+\+\+ b/|--- a/|rename to |copy to )(.+?)\t?$")
_HEADER = "diff --git "


def changed(diff: bytes, bench: Workbench) -> Change:
    """The patch of our own. Tests, files that are left alone, binary files and what set-up made are dropped. What
    lets it fail for certain is its flaw.

    Raises `workers.patch.PatchError` when what is left does not apply to the commit.
    """
    known = frozenset(bench.tree.paths())
    kept: list[tuple[str, str]] = []
    dropped: list[tuple[str, str]] = []
    for section in _SECTION.split(diff.decode("utf-8", "replace")):
        if not section.startswith(_HEADER):
            continue
        path = _path(section)
        may = path is not None and _may(path, section, bench, known)
        (kept if may else dropped).append((path or section.split("\n", 1)[0], section))
    edits = bench.tree.apply("".join(section for _, section in kept)) if kept else {}
    patch = bench.tree.diff(edits) if edits else ""
    if patch:
        check(patch)
    return Change(patch, tuple(name for name, _ in dropped), _flaw(edits, bench))


def _flaw(edits: Mapping[str, bytes | None], bench: Workbench) -> str:
    try:
        lint.gate(edits, bench.tree)
    except PatchError as error:
        return str(error)
    return ""


def _path(section: str) -> str | None:
    """The file that a section of a diff is about; None for a name that git has to quote."""
    head = section.split("\n@@ ", 1)[0]
    named = _NAMED.search(head)
    path = named[1] if named else _twice(head.split("\n", 1)[0].removeprefix(_HEADER))
    return path if path and '"' not in path else None


def _twice(names: str) -> str:
    """The name in `a/NAME b/NAME`, which is all that git says of an empty file; "" where it is not twice the same."""
    first, second = names[: len(names) // 2], names[len(names) // 2 + 1 :]
    same = first.startswith("a/") and second.startswith("b/") and first[2:] == second[2:]
    return first[2:] if same else ""


def _may(path: str, section: str, bench: Workbench, known: frozenset[str]) -> bool:
    head = section.split("\n@@ ", 1)[0]
    if "\nGIT binary patch" in head or " 160000" in head:
        return False
    if path not in known and "\nnew file mode " not in head:
        return False
    if is_test(path) and not bench.config.policy.allow_test_edits:
        return False
    own = bench.witness is not None and path == bench.witness.path
    return not own and not matches(path, bench.config.paths.ignore)
