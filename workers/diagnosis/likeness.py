"""Whether the sandbox shows the failure that CI saw, and what both said, when it does not.

Compared are the parts of a fingerprint, in this order, with the first that both sides have: failing tests by id and
error type, findings by tool, rule and file, lines that name a place, lines that speak of an error, the last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.results import log as runners
from sandbox.spec import Ending
from workers import logs
from workers.diagnosis import table
from workers.diagnosis.fingerprint import bare, masked
from workers.diagnosis.said import Said
from workers.diagnosis.voices import Voice, guessed, voices
from workers.domain import FailureClass, Finding
from workers.tools import WRAPPERS

EXCERPT = 2_000
"""Characters of each side that are shown."""
_SHOWN = 5
_TRIED = 200
"""Tests whose errors are compared: the names have been matched before, for all of them."""
_ALIKE = 1 / 3
"""The share of words two messages of one exception must have in common, of the shorter one."""

_NOISE = re.compile(
    r"make(?:\[<n>\])?: \*\*\* \[|npm (?:ERR!|error)\b|Found <n> (?:error|problem)|<n> (?:failed|errors?|passed)\b"
    r"|=+ .{0,200} =+$|FAILED \(|FAIL$|Tests?:? |Test Suites:|BUILD FAIL|error: (?:could not compile|test failed)"
    r"|error Command failed|Error: Process completed|\W{0,3}<n> problems?|.{0,40}ELIFECYCLE|exit (?:status|code) <n>$"
    r"|FAILURE: Build failed|Process finished|\d{0,9}error Command"
)
"""Lines that every failure of a kind ends with: they are no evidence that two are the same. Looked at when masked."""
_SHELL = re.compile(r"^\S{1,300}: line <n>: ")
"""How a shell names its script, which the runner writes into a file of its own."""
_PLACE = re.compile(r"^(?P<path>[\w./@+\\-]{1,300}\.\w{1,10}):(?P<line>\d{1,7})(?::\d{1,7})?:? (?P<text>\S.{0,500})$")
_FOR_WANT = re.compile(
    r"^(?:import-not-found|import-untyped|import-error|E0401|TS2307|TS7016|import/no-unresolved|reportMissing\w{1,30}"
    r"|ModuleNotFoundError)$"
)
"""Rules by which a checker says that a package is not there: it may be the sandbox that lacks it."""
_ONE_OF_MANY = re.compile(r"[\d/-]")
"""`F401`, `TS2322`, `arg-type`, `no-unused-vars`; not `compile` or `usage`."""
_SAME_KINDS = {"ModuleNotFoundError": "ImportError", "IOError": "OSError", "Failed": "AssertionError"}


@dataclass(frozen=True)
class Likeness:
    """The answer: `why` in a few words; what CI said and what the sandbox said, names first, then an excerpt."""

    same: bool
    why: str
    ci: str = ""
    here: str = ""


def compare(ci: Said, here: Said) -> Likeness:
    """Whether both say the same failure. Works on any output, in time linear in it."""
    theirs, ours = _Side(ci), _Side(here)
    same, why = _compared(theirs, ours)
    return Likeness(same, why) if same else Likeness(same, why, theirs.shown(), ours.shown())


class _Side:
    """One side with what it names."""

    def __init__(self, said: Said) -> None:
        self.said = said
        heard = tuple(voice for voice in voices(said) if _has_a_say(voice, said))
        self.heard = heard if any(voice.findings for voice in heard) else guessed(said) or heard
        checkers = [voice for voice in self.heard if voice.findings and not _names_tests(voice)]
        self.complaints = {voice.tool.NAME: _complaints(voice) for voice in checkers}
        self.tests = _tests(self.heard, said, alone=not checkers)

    def shown(self) -> str:
        findings = [finding for voice in self.heard for finding in voice.findings]
        named = [table.shown(finding) for finding in findings[:_SHOWN]]
        more = [f"and {len(findings) - _SHOWN} more"] if len(findings) > _SHOWN else []
        ended = [] if self.said.exit_code is None else [f"exit code {self.said.exit_code}"]
        output = self.said.output.strip()
        return logs.excerpt("\n".join([*named, *more, *ended, "", logs.ending(output, EXCERPT)]).strip(), EXCERPT)


def _compared(theirs: _Side, ours: _Side) -> tuple[bool, str]:
    if theirs.tests and ours.tests:
        return _same_tests(theirs, ours)
    if theirs.complaints and ours.complaints:
        return _same_findings(theirs.complaints, ours.complaints)
    if _both_out_of_time(theirs.said, ours.said):
        return True, "both ran out of time"
    if not (theirs.tests or ours.tests or theirs.complaints or ours.complaints):
        places, here = _places(theirs.said), _places(ours.said)
        if places and here:
            known = _Index(places)
            common = any(known.holds(one) for one in here)
            return common, "the same line is named" if common else "other lines are named"
    lines, here_lines = _error_lines(theirs.said), _error_lines(ours.said)
    if lines & here_lines:
        return True, "the same error line"
    if theirs.tests or ours.tests or theirs.complaints or ours.complaints:
        return False, "one side names what failed, the other does not"
    same = ours.said.exit_code == theirs.said.exit_code and _last(theirs.said) == _last(ours.said)
    return same, "the same exit code and last line" if same else "another exit code or last line"


def _names_tests(voice: Voice) -> bool:
    """A runner that stopped before any test speaks like a checker."""
    return voice.tool.RUNS_TESTS and any(finding.test for finding in voice.findings)


def _has_a_say(voice: Voice, said: Said) -> bool:
    """Make and its like only tell that a command failed, in words that are the same for every failure."""
    wraps = voice.tool.NAME in WRAPPERS
    return not wraps or voice.tool.classify(said.output, voice.findings) is not FailureClass.UNKNOWN


def _tests(heard: Sequence[Voice], said: Said, *, alone: bool) -> dict[str, list[Finding]]:
    """The failing tests by bare id, one finding per parameter set, by the first runner that names any; where no tool
    speaks at all, by whatever looks like a runner's report."""
    for voice in heard:
        if _names_tests(voice):
            return _by_test(finding for finding in voice.findings if finding.test)
    if not alone:
        return {}
    printed = (test for found in runners.parse(said.output) for test in found.tests)
    return _by_test(Finding("", test=test.id) for test in printed if test.status in ("failed", "error"))


def _by_test(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(_dotted(finding.test or ""), []).append(finding)
    return found


def _same_tests(theirs: _Side, ours: _Side) -> tuple[bool, str]:
    """A test fails in both places, with the same error where both name one, and none fails only here.

    A test that fails only here fails for want of something CI has, and no patch of the code may mend that.
    """
    pairs = _pairs(theirs.tests, ours.tests)
    if not pairs:
        return False, "other tests fail"
    only_here = ours.tests.keys() - {ours_name for _, ours_name in pairs}
    told = _told(theirs.said.output)
    if only_here and told <= sum(map(len, theirs.tests.values())):
        return False, f"{min(only_here)} fails only here"
    for name, ours_name in pairs[:_TRIED]:
        if any(_same_error(one, other) for one in theirs.tests[name][:5] for other in ours.tests[ours_name][:5]):
            return True, "the same tests fail"
    return False, "the same tests fail with other errors"


def _pairs(theirs: Mapping[str, object], ours: Mapping[str, object]) -> list[tuple[str, str]]:
    """Names that are the same test: equal, or one is the end of the other, since a source may leave out the folder, the
    file or the package. Names are looked up by their last word, so that thousands of them take no long time."""
    ends: dict[str, list[str]] = {}
    for name in theirs:
        ends.setdefault(name.rpartition(".")[2], []).append(name)
    found = []
    for name in ours:
        alike = ends.get(name.rpartition(".")[2], ())[:200]
        match = name if name in theirs else next((one for one in alike if _ends(one, name) or _ends(name, one)), None)
        if match is not None:
            found.append((match, name))
    return found


def _same_error(one: Finding, other: Finding) -> bool:
    """The same exception, where both name one. Values of assertions differ by the day; the words of others do not."""
    kinds = [_SAME_KINDS.get(kind, kind) for kind in (one.rule, other.rule) if kind]
    if len(kinds) == 2 and kinds[0] != kinds[1]:
        return False
    if len(kinds) < 2 or kinds[0] == "AssertionError":
        return True
    words, others = (set(re.findall(r"[^\W\d_]{2,}", masked(text))) for text in (one.message, other.message))
    fewer = min(len(words), len(others))
    return fewer <= 2 or len(words & others) >= fewer * _ALIKE


def _complaints(voice: Voice) -> list[Finding]:
    """What a checker found in files, or of its own set-up."""
    return [finding for finding in voice.findings if finding.path] or list(voice.findings)


def _same_findings(theirs: Mapping[str, list[Finding]], ours: Mapping[str, list[Finding]]) -> tuple[bool, str]:
    """A tool finds the same in both places. More findings here are another version's; more that want a package which
    CI had are the sandbox's own trouble."""
    common = theirs.keys() & ours.keys()
    if not common:
        return False, f"{', '.join(ours)} speaks here, {', '.join(theirs)} in CI"
    alike = False
    for tool in common:
        known = _Index(theirs[tool])
        for finding in ours[tool]:
            if known.holds(finding):
                alike = True
            elif _FOR_WANT.match(finding.rule or "") and not known.wants:
                return False, f"{tool} lacks a package here that CI had: {finding.message[:100]}"
    return alike, "the same findings" if alike else "other findings"


class _Index:
    """Findings of one tool, found again by rule, or by message where there is no rule."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._files: dict[str, list[str]] = {}
        for finding in findings:
            self._files.setdefault(_about(finding), []).append(finding.path or "")
        self.wants = any(_FOR_WANT.match(finding.rule or "") for finding in findings)

    def holds(self, finding: Finding) -> bool:
        return any(_same_file(path, finding.path or "") for path in self._files.get(_about(finding), ())[:500])


def _about(finding: Finding) -> str:
    """The rule, where it is one of many; a word for a whole kind of complaint says too little without the message."""
    if finding.rule and _ONE_OF_MANY.search(finding.rule):
        return finding.rule
    return f"{finding.rule or ''} {masked(finding.message)}"


def _same_file(one: str, other: str) -> bool:
    """The paths are equal, or one is the other below another root; the folders of the two machines are not compared."""
    first, second = (path.replace("\\", "/").removeprefix("./").split("/") for path in (one, other))
    if not one or not other:
        return True
    if one.startswith("/") and other.startswith("/"):
        return first[-2:] == second[-2:] if min(len(first), len(second)) > 3 else first[-1] == second[-1]
    size = min(len(first), len(second))
    return first[-size:] == second[-size:]


def _both_out_of_time(theirs: Said, ours: Said) -> bool:
    return ours.ending is Ending.TIMEOUT and table.classify(theirs).cls is FailureClass.TIMEOUT


def _places(said: Said) -> list[Finding]:
    """What lines that begin with a place say, for outputs that no tool knows."""
    found = (_PLACE.match(line) for line in said.lines)
    return [Finding(match["text"], match["path"], int(match["line"])) for match in found if match][:1000]


def _error_lines(said: Said) -> set[str]:
    return {line for line in logs.signature_lines(said.output) if not _NOISE.match(line)}


def _told(output: str) -> int:
    """How many tests the runner's last line says failed: CI's log may name fewer of them."""
    counts = re.findall(r"\b(\d{1,9}) (?:failed|errors?)\b", output)
    return sum(map(int, counts[-2:]))


def _last(said: Said) -> str:
    lines = (_SHELL.sub("", logs.normalise(line)) for line in reversed(said.lines[-50:]))
    return next((line for line in lines if not _NOISE.match(line)), "")


def _dotted(test: str) -> str:
    return re.sub(r"::| > |/", ".", bare(test).replace("\\", "/"))


def _ends(longer: str, end: str) -> bool:
    return longer.endswith(f".{end}")
