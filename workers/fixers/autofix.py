"""Runs the failing tool's own repair command in the sandbox, on a copy of the tree.

Only files that the tool complained about are changed; a hook of pre-commit seldom names the files it changes, so there
all of its changes count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from workers import logs, tools
from workers.domain import Attempt, Candidate, Confidence, Diagnosis, FailureClass
from workers.fixers import companions, rewritten
from workers.ports import SourceTree, Workbench
from workers.syntax import same
from workers.tools import TOOLS, Tool, pre_commit
from workers.tools.reading import readable


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
        said = bench.reproduction.before.output.text
        helped = companions.commands(name, script, found, bench.tree, said)
        commands = (*(tool.fix_commands(script, found) if tool else ()), *helped, *hooks)
        if not commands:
            return None
        commands = tuple(dict.fromkeys(commands))
        diff = bench.once("autofix:diff", str, lambda: rewritten.diff(bench, "autofix", commands))
        named = _named(bench)
        edits = rewritten.edits(diff, bench, lambda path: bool(hooks) or path in named)
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


def _named(bench: Workbench) -> frozenset[str]:
    """The files that findings name, as they are called from the root or from where the check runs."""
    workdir = PurePosixPath(bench.reproduction.plan.check.workdir)
    named = [finding.path for finding in bench.diagnosis.findings if finding.path]
    return frozenset((*named, *(str(workdir / path) for path in named)))


def _same_meaning(tree: SourceTree, edits: Mapping[str, bytes]) -> bool:
    """All files are Python and their syntax trees did not change."""
    return all(path.endswith((".py", ".pyi")) and same(tree.read(path) or b"", data) for path, data in edits.items())
