"""What commands make of the repository's files, seen as a diff: they run in the sandbox, on a committed copy.

The diff is untrusted text: it is applied to our own files, and only well-formed changes of the asked files come back.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence

from sandbox.spec import Limits, Step
from workers.patch import PatchError, check
from workers.ports import Workbench

_GIT = "git -c user.name=heal -c user.email=heal@localhost -c core.hooksPath=/dev/null -c core.autocrlf=false"
_WALL_S = 300.0


def diff(bench: Workbench, name: str, commands: Sequence[str]) -> str:
    """Run the commands and bring the difference back. A red exit code is no reason to stop: linters exit red when
    something is left that they cannot repair."""
    step = bench.reproduction.plan.check
    lines = [
        f"{_GIT} init -q . && {_GIT} add -A -f && {_GIT} commit -q --no-verify -m before >/dev/null",
        f"cd {shlex.quote(step.workdir)}",
        *(f"{command} || true" for command in commands),
        f'cd "$OLDPWD"\n{_GIT} diff --no-ext-diff --no-textconv --no-color --no-renames HEAD > "$HEAL_REPORT"',
    ]
    ours = Step(name, "\n".join([*lines, ""]), "bash {0}", step.env, ".")
    report = bench.environment.run(ours, bench.tree.tar(), None, Limits(wall_s=_WALL_S)).report
    return report.decode("utf-8", "replace")


def edits(text: str, bench: Workbench, wanted: Callable[[str], bool]) -> Mapping[str, bytes]:
    """The changed files that are wanted, when the diff is well-formed and applies exactly. Files that went are left."""
    if not text.strip():
        return {}
    try:
        check(text)
        found = bench.tree.apply(text)
    except PatchError:
        return {}
    return {path: data for path, data in found.items() if data is not None and wanted(path)}
