"""Runs the failing tool's own repair command in the sandbox, on a copy of the tree; its diff is untrusted text.

Our own diff is made from it anew, and only for files that the tool complained about; a hook of pre-commit seldom names
the files it changes, so there all of its changes count.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from sandbox.spec import Limits, Step
from workers import logs, tools
from workers.domain import Attempt, Candidate, Confidence, Diagnosis, FailureClass
from workers.fixers import companions
from workers.patch import PatchError, check
from workers.policy import ast_equal
from workers.ports import SourceTree, Workbench
from workers.tools import TOOLS, Tool, pre_commit
from workers.tools.reading import readable

_GIT = "git -c user.name=heal -c user.email=heal@localhost -c core.hooksPath=/dev/null -c core.autocrlf=false"
_WALL_S = 300.0


class Autofix:
    """The fixer. It has one candidate per failure."""

    name = "autofix"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """A tool that has a repair command complained about files, or a hook changed some."""
        complained = any(finding.path or finding.message == pre_commit.MODIFIED for finding in diagnosis.findings)
        return _tool(diagnosis) is not None and complained

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The tool's changes, or None when it changes nothing or was tried."""
        if any(attempt.candidate.fixer == self.name for attempt in tried):
            return None
        tool = _tool(bench.diagnosis)
        script, hooks = _called(bench)
        found, name = bench.diagnosis.findings, bench.diagnosis.tool
        helped = companions.commands(name, script, found, bench.tree)
        commands = (*(tool.fix_commands(script, found) if tool else ()), *helped, *hooks)
        if not commands:
            return None
        commands = tuple(dict.fromkeys(commands))
        diff = bench.once("autofix:diff", str, lambda: _diff(bench, commands))
        edits = _edits(diff, bench, everywhere=bool(hooks))
        if not edits:
            return None
        kept = _same_meaning(bench.tree, edits)
        formats = bench.diagnosis.cls is FailureClass.FORMAT or bool(hooks)
        told = ", ".join(f"`{command}`" for command in commands)
        proof = " The files' syntax trees are equal before and after." if kept else ""
        what = f"{len(edits)} of the files that {bench.diagnosis.tool} complained about"
        if hooks:
            what = f"{len(edits)} file{'s' if len(edits) > 1 else ''}"
        where = next(iter(edits)) if len(edits) == 1 else f"{len(edits)} files"
        return Candidate(
            fixer=self.name,
            patch=bench.tree.diff(edits),
            reasoning=f"{told} changed {what}.{proof}",
            confidence=Confidence.MEDIUM if (formats and not kept) or helped else Confidence.HIGH,
            title=f"{bench.diagnosis.tool} findings in {where}",
        )


def _tool(diagnosis: Diagnosis) -> Tool | None:
    return next((tool for tool in TOOLS if diagnosis.tool == tool.NAME), None)


def _called(bench: Workbench) -> tuple[str, tuple[str, ...]]:
    """The check's script with what it was seen to call, and the hooks that changed files, whoever else failed."""
    output = logs.clean(bench.reproduction.before.output.text)
    script = tools.script(bench.reproduction.plan.check.script, output)
    return script, pre_commit.fix_commands(script, pre_commit.findings(readable(output), ()))


def _diff(bench: Workbench, commands: Sequence[str]) -> str:
    """Run the commands on a committed copy and bring the difference back. A red exit code is no reason to stop:
    linters exit red when something is left that they cannot repair."""
    step = bench.reproduction.plan.check
    lines = [
        f"{_GIT} init -q . && {_GIT} add -A -f && {_GIT} commit -q --no-verify -m before >/dev/null",
        f"cd {shlex.quote(step.workdir)}",
        *(f"{command} || true" for command in commands),
        f'cd "$OLDPWD"\n{_GIT} diff --no-ext-diff --no-textconv --no-color --no-renames HEAD > "$HEAL_REPORT"',
    ]
    ours = Step("autofix", "\n".join([*lines, ""]), "bash {0}", step.env, ".")
    report = bench.environment.run(ours, bench.tree.tar(), None, Limits(wall_s=_WALL_S)).report
    return report.decode("utf-8", "replace")


def _edits(diff: str, bench: Workbench, *, everywhere: bool) -> Mapping[str, bytes | None]:
    """The changed files that findings name, or all, when the diff is well-formed and applies exactly."""
    if not diff.strip():
        return {}
    try:
        check(diff)
        edits = bench.tree.apply(diff)
    except PatchError:
        return {}
    workdir = PurePosixPath(bench.reproduction.plan.check.workdir)
    named = {str(workdir / finding.path) for finding in bench.diagnosis.findings if finding.path}
    named |= {finding.path for finding in bench.diagnosis.findings if finding.path}
    return {path: data for path, data in edits.items() if (everywhere or path in named) and data is not None}


def _same_meaning(tree: SourceTree, edits: Mapping[str, bytes | None]) -> bool:
    """All files are Python and their syntax trees did not change."""
    return all(
        path.endswith((".py", ".pyi")) and ast_equal(tree.read(path) or b"", data or b"")
        for path, data in edits.items()
    )
