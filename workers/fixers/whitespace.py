"""Ends of lines and of files, where a checker only complains: its rule says what to change, and nothing else is.

The table holds checkers whose rule leaves one way to obey it. What has a repair command of its own is autofix's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workers.domain import Attempt, Candidate, Confidence, Diagnosis, FailureClass, Finding
from workers.ports import Workbench
from workers.syntax import same

Edit = Callable[[list[bytes], int], None]
"""Changes one of the lines (with their ends) in place; the number counts from 0."""


@dataclass(frozen=True)
class Rule:
    """What a checker's findings of a rule ask for."""

    tool: str
    rule: re.Pattern[str]
    edit: Edit


def _bare(lines: list[bytes], at: int) -> None:
    """No blanks before the end of the line."""
    text = lines[at].rstrip(b"\r\n")
    lines[at] = text.rstrip(b" \t") + lines[at][len(text) :]


def _ended(lines: list[bytes], at: int) -> None:  # noqa: ARG001 - the end of the file, wherever the finding is
    """One line end at the end of the file."""
    if lines and not lines[-1].endswith((b"\n", b"\r")):
        lines[-1] += b"\r\n" if lines[0].endswith(b"\r\n") else b"\n"


def _shortened(lines: list[bytes], at: int) -> None:  # noqa: ARG001 - the end of the file, wherever the finding is
    """No empty lines at the end of the file."""
    while len(lines) > 1 and not lines[-1].strip():
        del lines[-1]


def _unix(lines: list[bytes], at: int) -> None:  # noqa: ARG001 - the checker names one line and means them all
    """Line feeds alone."""
    lines[:] = [line.replace(b"\r\n", b"\n") for line in lines]


RULES = (
    Rule("flake8", re.compile(r"W29[13]$"), _bare),
    Rule("flake8", re.compile(r"W292$"), _ended),
    Rule("flake8", re.compile(r"W391$"), _shortened),
    Rule("pylint", re.compile(r"(?:C0303|trailing-whitespace)$"), _bare),
    Rule("pylint", re.compile(r"(?:C0304|missing-final-newline)$"), _ended),
    Rule("pylint", re.compile(r"(?:C0305|trailing-newlines)$"), _shortened),
    Rule("yamllint", re.compile(r"trailing-spaces$"), _bare),
    Rule("yamllint", re.compile(r"new-line-at-end-of-file$"), _ended),
    Rule("yamllint", re.compile(r"new-lines$"), _unix),
)


class Whitespace:
    """The fixer. It has one candidate per failure."""

    name = "whitespace"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """Every finding is about the end of a line or of a file: with another left the check would stay red."""
        lint = diagnosis.cls in (FailureClass.LINT, FailureClass.FORMAT)
        return lint and bool(diagnosis.findings) and all(_rule(diagnosis.tool, one) for one in diagnosis.findings)

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The files with just that changed."""
        if any(attempt.candidate.fixer == self.name for attempt in tried):
            return None
        found = bench.diagnosis.findings
        paths = dict.fromkeys(finding.path for finding in found if finding.path)
        edits = {path: data for path in paths if (data := _edited(bench, path)) is not None}
        if not edits:
            return None
        kept = _same_meaning(bench, edits)
        rules = ", ".join(dict.fromkeys(finding.rule or "" for finding in found))
        proof = " The files' syntax trees are equal before and after." if kept else ""
        where = next(iter(edits)) if len(edits) == 1 else f"{len(edits)} files"
        return Candidate(
            fixer=self.name,
            patch=bench.tree.diff(edits),
            reasoning=f"{bench.diagnosis.tool}'s {rules}: only ends of lines or files changed.{proof}",
            confidence=Confidence.HIGH if kept else Confidence.MEDIUM,
            title=f"{bench.diagnosis.tool} findings in {where}",
        )


def _rule(tool: str, finding: Finding) -> Rule | None:
    return next((one for one in RULES if one.tool == tool and one.rule.match(finding.rule or "")), None)


def _edited(bench: Workbench, path: str) -> bytes | None:
    """The file as its findings ask; None when there is no such file, or nothing changes."""
    before = bench.tree.read(path)
    lines = (before or b"").splitlines(keepends=True)
    asked = [finding for finding in bench.diagnosis.findings if finding.path == path]
    for finding in sorted(asked, key=lambda one: -(one.line or 0)):
        rule = _rule(bench.diagnosis.tool, finding)
        at = (finding.line or 1) - 1
        if rule is not None and at < len(lines):
            rule.edit(lines, at)
    after = b"".join(lines)
    return after if before is not None and after != before else None


def _same_meaning(bench: Workbench, edits: Mapping[str, bytes]) -> bool:
    return all(
        path.endswith((".py", ".pyi")) and same(bench.tree.read(path) or b"", data) for path, data in edits.items()
    )
