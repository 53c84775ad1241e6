"""The ordered table that says what kind of failure it is: the first rule that applies decides, and quotes what decided.

No model has a word in it. How the step ended goes first, then what the runner itself said, then what the repository's
own tools found in the code; lines about machines, networks and credentials count only after these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from sandbox.spec import Ending
from workers.diagnosis import faults, outages, refusals
from workers.diagnosis.said import Said
from workers.diagnosis.voices import Voice, speaker, voices
from workers.domain import FailureClass, Finding
from workers.tools import Tool

QUOTE = 300
"""Characters of a line or a finding that stand as evidence."""

NOT_THE_CODE = frozenset({FailureClass.INFRASTRUCTURE, FailureClass.NETWORK})
"""What no patch can mend, because nothing of the repository is at fault."""

_IN_THE_CODE = frozenset(
    {
        FailureClass.FORMAT,
        FailureClass.LINT,
        FailureClass.TYPE,
        FailureClass.SYNTAX,
        FailureClass.IMPORT,
        FailureClass.TEST,
        FailureClass.ERROR,
        FailureClass.SNAPSHOT,
        FailureClass.TIMEOUT,
    }
)
_MISSING = re.compile(r"No module named ['\"]?([\w.]{1,200})['\"]?")
_COMPARISON = re.compile(r"(?:[\w.]{0,200}Assertion(?:Failed)?Error\b|assert |assertion |expect\()")
_MODULE = re.compile(
    r"(?:Cannot find (?:module|package)|Failed to resolve import|Can't resolve|Could not resolve|Failed to load url)"
    r" ['\"](?P<name>[^'\"\s]{1,300})['\"]|unresolved import `(?P<rust>(?:crate|self|super)::)?"
)
_FOR_NOW = "Temporary failure in name resolution"

_ASKS_GIT = re.compile(
    r"(?:\+ |\$ )?.{0,200}git (?:diff|diff-index|status)\b[^\n]{0,200}(?:--exit-code|--quiet|--porcelain|--short|-s\b)"
)
_CHANGED = re.compile(r"diff --git a/|(?:[ MADRCU?!]{2}) \S|[MADRCU]\t\S|\S{1,300} \| {1,8}\d{1,7} [+-]")


@dataclass(frozen=True)
class Ruling:
    """What the table says: the class, the words that decided, and the tool and findings they are from."""

    cls: FailureClass
    evidence: tuple[str, ...]
    tool: Tool | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Scene:
    """What the rules look at. `paths` are the repository's files, as far as they are known."""

    said: Said
    heard: tuple[Voice, ...]
    paths: Set[str]

    @cached_property
    def voice(self) -> Voice | None:
        """The tool that speaks."""
        return speaker(self.heard)

    @cached_property
    def told(self) -> FailureClass:
        """The class by the tool alone."""
        voice = self.voice
        return voice.tool.classify(self.said.output, voice.findings) if voice else FailureClass.UNKNOWN

    @property
    def first(self) -> Finding | None:
        """The tool's first finding."""
        return self.voice.findings[0] if self.voice and self.voice.findings else None


When = Callable[[Scene], str | None]
"""The words that decided, or None when the rule does not apply."""


@dataclass(frozen=True)
class Rule:
    """One row. Without a class it is the tool's own word that counts."""

    cls: FailureClass | None
    when: When


def classify(said: Said, paths: Set[str] = frozenset(), heard: tuple[Voice, ...] | None = None) -> Ruling:
    """What kind of failure this is, from CI's log or from the sandbox's run. Works on any output."""
    scene = Scene(said, voices(said) if heard is None else heard, paths)
    tool, findings = (scene.voice.tool, scene.voice.findings) if scene.voice else (None, ())
    for rule in TABLE:
        words = rule.when(scene)
        if words is not None:
            return Ruling(rule.cls or scene.told, (words.strip()[:QUOTE],) if words else (), tool, findings)
    last = said.lines[-1:]
    return Ruling(FailureClass.UNKNOWN, tuple(line.strip()[:QUOTE] for line in last), tool, findings)


def shown(finding: Finding) -> str:
    """A finding as one line of evidence."""
    place = f"{finding.path}:{finding.line}" if finding.path and finding.line else finding.path
    rule = None if finding.rule and finding.message.startswith(finding.rule) else finding.rule
    return ": ".join(part for part in (finding.test or place, rule, finding.message) if part)


def _ended(*endings: Ending) -> When:
    def when(scene: Scene) -> str | None:
        ending = scene.said.ending
        return f"ended with {ending.value.replace('_', ' ')}" if ending in endings else None

    return when


def _runner(pattern: re.Pattern[str]) -> When:
    """The runner's own line. A step that the runner cut off has no exit code of its own."""

    def when(scene: Scene) -> str | None:
        if scene.said.exit_code is not None:
            return None
        return next((line for line in scene.said.marked if pattern.match(line)), None)

    return when


def _line(pattern: re.Pattern[str]) -> When:
    def when(scene: Scene) -> str | None:
        return next((line for line in scene.said.lines if pattern.match(line)), None)

    return when


def _exits(*codes: int, also: str = "") -> When:
    """By the exit code; `also` must be in the script."""
    wanted = re.compile(also) if also else None

    def when(scene: Scene) -> str | None:
        fits = scene.said.exit_code in codes and (wanted is None or bool(wanted.search(scene.said.script)))
        return f"exit code {scene.said.exit_code}" if fits else None

    return when


def _in_the_code(scene: Scene) -> str | None:
    """The repository's own tests and checkers name what is wrong, or a compiler names its place in a file."""
    if scene.first is None or scene.voice is None:
        return None
    named = scene.first.test is not None and scene.told is not FailureClass.UNKNOWN
    if named or scene.told in _IN_THE_CODE:
        return shown(scene.first)
    if scene.told is not FailureClass.BUILD:
        return None
    return next((shown(finding) for finding in scene.voice.findings if finding.path and finding.line), None)


def _compares(scene: Scene) -> str | None:
    """Tests that compare, and nothing else: the values may hold the words of any other class."""
    if (
        scene.voice is None
        or not scene.voice.tool.RUNS_TESTS
        or scene.told in (FailureClass.SNAPSHOT, FailureClass.UNKNOWN)
    ):
        return None
    findings = scene.voice.findings
    only = all(finding.test and _COMPARISON.match(finding.message) for finding in findings)
    return shown(findings[0]) if findings and only else None


def _cut_off(scene: Scene) -> str | None:
    """Every test that is red could not have a name resolved for the time being: the resolver's words, not the code's.
    A name that nobody knows is another matter: it may be misspelt."""
    findings = scene.voice.findings if scene.voice else ()
    only = all(finding.test and _FOR_NOW in finding.message for finding in findings)
    return shown(findings[0]) if findings and only else None


def _without_secret(scene: Scene) -> str | None:
    """Everything that failed names a variable that CI had left empty."""
    findings = scene.voice.findings if scene.voice else ()
    if not findings or not scene.said.unset:
        return None
    unset = re.compile(rf"\b(?:{'|'.join(map(re.escape, scene.said.unset))})\b")
    return shown(findings[0]) if all(unset.search(finding.message) for finding in findings) else None


def _by_tool(scene: Scene) -> str | None:
    if scene.told is FailureClass.UNKNOWN:
        return None
    return shown(scene.first) if scene.first else (scene.said.lines or ("",))[-1]


def _of_python(*, ours: bool) -> When:
    """A module of Python that a tool misses: whether it is the repository's own, only the tree says."""

    def when(scene: Scene) -> str | None:
        if scene.told not in (FailureClass.DEPENDENCY, FailureClass.IMPORT) or scene.voice is None:
            return None
        texts = [finding.message for finding in scene.voice.findings] or scene.said.lines
        return _absent(texts, scene.paths, _MISSING, ours=ours)

    return when


def _module(*, ours: bool) -> When:
    """A module that is not there, where no tool says it."""

    def when(scene: Scene) -> str | None:
        if scene.told is not FailureClass.UNKNOWN:
            return None
        return _absent(scene.said.lines, scene.paths, _MISSING, _MODULE, ours=ours)

    return when


def _absent(texts: Sequence[str], paths: Set[str], *patterns: re.Pattern[str], ours: bool) -> str | None:
    """The first text that names a missing module, when that is the repository's own or a package, as asked."""
    for text in texts:
        match = next((found for pattern in patterns if (found := pattern.search(text))), None)
        if match is not None:
            return text if _is_ours(match, paths) is ours else None
    return None


def _is_ours(match: re.Match[str], paths: Set[str]) -> bool:
    if match.re is _MODULE:
        return bool(match["rust"]) or (match["name"] or "").startswith((".", "/", "@/", "~"))
    top = re.escape(match[1].split(".")[0])
    return any(re.match(rf"(src/|lib/)?{top}(\.py$|/)", path) for path in paths)


def _drift(scene: Scene) -> str | None:
    """Something was generated, and git found a difference to what is committed."""
    asked = _ASKS_GIT.search(scene.said.script) or any(map(_ASKS_GIT.match, scene.said.lines))
    if scene.first is not None or not asked:
        return None
    return next((line for line in scene.said.lines if _CHANGED.match(line)), None)


TABLE: tuple[Rule, ...] = (
    Rule(FailureClass.TIMEOUT, _ended(Ending.TIMEOUT)),
    Rule(FailureClass.OOM, _ended(Ending.OOM)),
    Rule(FailureClass.INFRASTRUCTURE, _ended(Ending.DISK_FULL, Ending.KILLED)),
    Rule(FailureClass.TIMEOUT, _runner(outages.RUNNER_TIMEOUT)),
    Rule(FailureClass.INFRASTRUCTURE, _runner(outages.RUNNER_LOST)),
    Rule(FailureClass.INFRASTRUCTURE, _runner(outages.RUNNER_CANCELED)),
    Rule(FailureClass.TEST, _compares),
    Rule(FailureClass.NETWORK, _cut_off),
    Rule(FailureClass.PERMISSION, _without_secret),
    Rule(FailureClass.IMPORT, _of_python(ours=True)),
    Rule(FailureClass.DEPENDENCY, _of_python(ours=False)),
    Rule(None, _in_the_code),
    Rule(FailureClass.RESOLUTION, _line(faults.CONFLICT)),
    Rule(FailureClass.OOM, _line(outages.MEMORY)),
    Rule(FailureClass.OOM, _exits(137)),
    Rule(FailureClass.PERMISSION, _line(refusals.PERMISSION)),
    Rule(FailureClass.INFRASTRUCTURE, _line(outages.OUTAGE)),
    Rule(FailureClass.NETWORK, _line(outages.NETWORK)),
    Rule(FailureClass.IMPORT, _module(ours=True)),
    Rule(FailureClass.DEPENDENCY, _module(ours=False)),
    Rule(None, _by_tool),
    Rule(FailureClass.RESOLUTION, _line(faults.NOT_RESOLVED)),
    Rule(FailureClass.SYNTAX, _line(faults.SYNTAX)),
    Rule(FailureClass.IMPORT, _line(faults.UNBOUND)),
    Rule(FailureClass.DEPENDENCY, _line(faults.HEADER)),
    Rule(FailureClass.SNAPSHOT, _drift),
    Rule(FailureClass.WORKFLOW, _line(faults.CALL)),
    Rule(FailureClass.BUILD, _line(faults.BUILD)),
    Rule(FailureClass.TEST, _line(faults.ASSERTED)),
    Rule(FailureClass.TIMEOUT, _exits(124, also=r"\btimeout ")),
    Rule(FailureClass.WORKFLOW, _exits(126, 127)),
)
