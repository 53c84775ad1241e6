"""The labelled logs: one file per red job with its class, as somebody who read it would say it. Reads and scores them.

A case is a head (`class`, `tool`, `first`, and `run` and `exit` where the body is a step's output; `trap` says which
other class's words are in it), a line `--- output`, and the body: a job's log as the runner writes it, or the output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from workers import logs
from workers.diagnosis import said, table
from workers.domain import FailureClass

CASES = Path(__file__).parent / "cases"
_ESCAPE = "\N{SYMBOL FOR ESCAPE}"


@dataclass(frozen=True)
class Case:
    """One labelled log. `first` is part of the first finding, or of the evidence, by which people would know it."""

    name: str
    cls: FailureClass
    tool: str
    first: str
    trap: str
    script: str
    exit_code: int | None
    body: str

    @property
    def held_out(self) -> bool:
        """A third of the cases, fixed by their names, that nobody looks at while the table is worked on."""
        return int(hashlib.sha256(self.name.encode()).hexdigest(), 16) % 3 == 0

    @property
    def said(self) -> said.Said:
        """CI's side."""
        if "##[" in self.body.partition("\n")[0] or "Current runner version" in self.body:
            return said.in_ci(logs.parse(self.body))
        return said.Said(self.script, logs.clean(self.body), exit_code=self.exit_code)


@dataclass(frozen=True)
class Answer:
    """What the table said of a case."""

    case: Case
    ruling: table.Ruling

    @property
    def right(self) -> bool:
        """The class is the label's."""
        return self.ruling.cls is self.case.cls

    @property
    def named(self) -> bool:
        """The tool is the label's, and what it says first, or what decided, holds the label's words."""
        tool = self.ruling.tool
        said = " ".join((*self.ruling.evidence, *(table.shown(finding) for finding in self.ruling.findings[:1])))
        return tool is not None and self.case.tool == tool.NAME and self.case.first in said


def read(folder: Path = CASES) -> tuple[Case, ...]:
    """Every case, by name."""
    return tuple(_case(path.stem, path.read_text()) for path in sorted(folder.glob("*.txt")))


def answers(cases: Iterable[Case]) -> tuple[Answer, ...]:
    """The table's word on each."""
    return tuple(Answer(case, table.classify(case.said)) for case in cases)


def part(found: Iterable[Answer], wanted: Callable[[Case], bool]) -> tuple[Answer, ...]:
    """The answers to some of the cases."""
    return tuple(answer for answer in found if wanted(answer.case))


def _case(name: str, text: str) -> Case:
    head, _, body = text.partition("--- output\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines() if line)
    return Case(
        name,
        FailureClass(fields["class"]),
        fields.get("tool", ""),
        fields.get("first", ""),
        fields.get("trap", ""),
        fields.get("run", ""),
        int(fields["exit"]) if "exit" in fields else None,
        body.replace(_ESCAPE, "\x1b"),
    )
