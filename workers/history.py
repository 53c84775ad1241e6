"""Whether the steps of a recipe ask git about the checkout they run in, so that it has to be a repository.

Told by what they call, by what the files they usually run by call, and by the tools that take a package's version from
git. To make one costs seconds in a large tree, and a test that makes its own in a temporary folder needs none: so it is
not made for everybody. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.spec import Step
from workers.ports import SourceTree

_COMMANDS = (
    "add|apply|archive|blame|branch|cat-file|check-attr|check-ignore|checkout|cherry-pick|clean|commit|describe|diff"
    "|diff-files|diff-index|diff-tree|fetch|for-each-ref|grep|hash-object|log|ls-files|ls-tree|merge|merge-base|mv"
    "|name-rev|notes|reset|restore|rev-list|rev-parse|rm|shortlog|show|show-ref|stash|status|submodule|switch|tag"
    "|update-index|worktree|write-tree"
)
_CALL = re.compile(rf"\bgit(?:[\"',\s]+-[cC][\"',\s]+\S+)?[\"',\s]+(?:{_COMMANDS})\b|\bpre-commit[\"',\s]+run\b")
_VERSIONING = re.compile(
    r"setuptools[-_]scm|setuptools-git|hatch-vcs|versioningit|versioneer|dunamai|poetry-dynamic-versioning"
    r"|uv-dynamic-versioning|vcs[-_]versioning|\bpbr\b|pdm\.version.{0,40}scm|source\s*=\s*[\"']scm[\"']",
    re.DOTALL,
)
_RUN_BY = re.compile(r"(GNU)?[Mm]akefile|justfile|tox\.ini|noxfile\.py|package\.json|pyproject\.toml|setup\.(py|cfg)")


def note(steps: Iterable[Step], tree: SourceTree) -> str:
    """What to tell people about the repository these steps need; empty when they need none."""
    because = _because(steps, tree)
    return because and f"the checkout is a repository of one commit, without history and tags, for {because}"


def _because(steps: Iterable[Step], tree: SourceTree) -> str:
    for step in steps:
        lines = (line for line in step.script.split("\n") if not line.lstrip().startswith("#"))
        if _CALL.search("\n".join(lines)):
            return f"'{step.name}', which asks git"
    for path in (path for path in tree.paths() if _RUN_BY.fullmatch(path)):
        text = (tree.read(path) or b"").decode(errors="replace")
        if found := _VERSIONING.search(text) or _CALL.search(text):
            return f"{path}, which names {found.group().split(chr(10))[0]}"
    return ""
