"""Files that a generator writes and that are not what it would write now: the step that found it out runs it again.

The same step is the proof, for the verifier lets it generate once more and compare. A snapshot of what code renders is
written anew only where a commit changed such code, and is told, never proposed: a person has to look at it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workers import lockfiles, logs, scripts
from workers.domain import Attempt, Candidate, Change, Confidence, Diagnosis, FailureClass
from workers.fixers import rewritten
from workers.granted import SNAPSHOT
from workers.policy import is_test
from workers.ports import Workbench

_GIT = re.compile(r"\bgit\b")
_NAMED = (
    re.compile(r"^diff --git a/(?P<path>.{1,400}?) b/"),
    re.compile(r"^(?:[ MARC]M|M[ MARC]) (?P<path>\S.{0,400})$"),
    re.compile(r"^M\t(?P<path>\S.{0,400})$"),
    re.compile(r"^ (?P<path>\S.{0,400}?) {1,200}\| {1,8}\d{1,7} [+-]{1,200}$"),
)
_CHANGED = re.compile(r"^\+\+\+ b/(?P<path>[^\n\t]{1,400})", re.MULTILINE)


@dataclass(frozen=True)
class Snapshots:
    """A runner of tests with snapshots: its call, and what makes it write them anew."""

    tool: str
    option: tuple[str, ...]
    before: str = ""
    says: str = ""
    """A word of the failing output, where the tool itself has no snapshots and a plug-in does."""


_RUNNERS = (
    Snapshots("pytest", ("--snapshot-update",), says="snapshot"),
    Snapshots("jest", ("--ci=false", "-u")),
    Snapshots("vitest", ("-u",)),
    Snapshots("cargo", (), before="INSTA_UPDATE=always INSTA_FORCE_PASS=1 ", says="insta"),
)


class Generated:
    """The fixer. It has one candidate per failure."""

    name = "generated"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """What is committed is not what is generated, or rendered, now."""
        return diagnosis.cls is FailureClass.SNAPSHOT

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The generator's own output, or None when it changes nothing that was named, or was tried."""
        if any(attempt.candidate.fixer == self.name for attempt in tried):
            return None
        return _by_the_step(bench) or _by_the_runner(bench)


def _by_the_step(bench: Workbench) -> Candidate | None:
    """The check generates and asks git: what stands before git in it is the generator."""
    check = bench.reproduction.plan.check
    commands = [one for one in scripts.commands(check.script) if not _GIT.search(one)]
    asked = _named(logs.clean(bench.reproduction.before.output.text))
    if not asked or scripts.resolves(check.script) or not scripts.simple(check.script):
        return None
    generators = [one for one in commands if not scripts.only_prepares(one)]
    if not generators:
        return None
    text = bench.once("generated:diff", str, lambda: rewritten.diff(bench, "generate", commands))
    edits = rewritten.edits(text, bench, lambda path: path in asked and not lockfiles.of(path, b""))
    return _candidate(bench, edits, generators, Confidence.MEDIUM, "which the check generates, too")


def _by_the_runner(bench: Workbench) -> Candidate | None:
    """Tests compare with snapshots, and a commit that may have brought the failure changed the code below."""
    touched = [match["path"] for match in _CHANGED.finditer(bench.blame.diff)]
    places = {suspect.path for suspect in bench.diagnosis.suspects}
    if not any(path in places and not is_test(path) and not SNAPSHOT.search(path) for path in touched):
        return None
    said = bench.reproduction.before.output.text
    commands = [
        runner.before + call.command(*call.args, *runner.option)
        for runner in _RUNNERS
        if runner.says in said
        for call in scripts.invocations(bench.reproduction.plan.check.script, runner.tool)
    ]
    if not commands:
        return None
    text = bench.once("generated:diff", str, lambda: rewritten.diff(bench, "snapshots", commands))
    edits = rewritten.edits(text, bench, lambda path: bool(SNAPSHOT.search(path)))
    return _candidate(bench, edits, commands, Confidence.LOW, "whose new content a person has to look at")


def _candidate(
    bench: Workbench, edits: Mapping[str, bytes], commands: Sequence[str], confidence: Confidence, what: str
) -> Candidate | None:
    made = {path: data for path, data in edits.items() if bench.tree.read(path) is not None}
    if not made:
        return None
    told = ", ".join(f"`{command}`" for command in commands[:3])
    first = next(iter(made))
    where = first if len(made) == 1 else f"{len(made)} generated files"
    return Candidate(
        fixer=Generated.name,
        patch=bench.tree.diff(made),
        reasoning=f"{told} wrote {where} anew, {what}.",
        confidence=confidence,
        title=f"Generate {where} anew",
        change=Change.GENERATED,
    )


def _named(output: str) -> frozenset[str]:
    """The files that git said are changed."""
    found = (pattern.match(line[:1000]) for line in output.split("\n") for pattern in _NAMED)
    return frozenset(match["path"].strip() for match in found if match)
