"""Says what is wrong: class, findings, files to suspect and a fingerprint, from what the sandbox saw and CI printed.

An ordered table decides, never a model; the same failure on another day gets the same fingerprint.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sandbox.spec import Ending, Plan, Result, TestCase
from workers import annotated, logs, tools
from workers.domain import Diagnosis, FailureClass, Finding, JobReport
from workers.ports import SourceTree
from workers.tools import TOOLS, WRAPPERS, Tool, reported

EXCERPT = 4000
_OUTPUT = 400_000
_RED = ("failed", "error")
_FRAMES = (
    re.compile(r'^[ \t]*File "(?P<path>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>[^\n]+))?', re.MULTILINE),
    re.compile(r"^(?P<path>[^\s:][^:\n]*\.py):(?P<line>\d+): (?:in (?P<function>[^\n]+))?", re.MULTILINE),
)
_TEST_PATH = re.compile(
    r"(^|/)(tests?|testing|__tests__|spec)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$|\.(test|spec)\.[cm]?[jt]sx?$"
    r"|_test\.go$|Tests?\.(java|kt)$|_spec\.rb$"
)
_MISSING = re.compile(r"No module named ['\"]([\w.]+)['\"]")
_NOT_FOUND = re.compile(r"^.*(?:command not found|: not found|No module named [\w.]+)$", re.MULTILINE)
_MAKE = re.compile(r"make(\[\d+\])?: \*\*\* ")
"""What make says of a failed command, after what the command said itself."""
_INFRASTRUCTURE = re.compile(
    r"connection reset by peer|could not resolve host|temporary failure in name resolution|network is unreachable"
    r"|connection timed out|read timed out|\b50[234] (?:server error|bad gateway|service unavailable|gateway time-?out)"
    r"|HTTP(?:/\d(?:\.\d)?)? (?:error )?50[234]\b|HTTPError: 50[234]\b|too many requests|api rate limit exceeded"
    r"|no space left on device|toomanyrequests|lost communication with the server|runner has received a shutdown signal"
    r"|hosted runner encountered an error|failed to download action|TLS handshake timeout|RPC failed; ",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Frame:
    """A line of a traceback that lies in the repository."""

    path: str
    line: int
    function: str = ""


def read(plan: Plan, before: Result, job: JobReport, tree: SourceTree) -> Diagnosis:
    """The diagnosis of a red run. Works on any output; what nothing explains is UNKNOWN."""
    output = logs.clean(before.output.text[-_OUTPUT:])
    paths = frozenset(tree.paths())
    tool, found = _tool(plan.check.script, output, before)
    found = tuple(_placed(finding, paths) for finding in found)
    texts = [*(test.message for test in before.tests if test.status in _RED), output]
    frames = _frames(texts, paths)
    cls = _class(tool, found, output, before, paths)
    if not found:
        found = tuple(_placed(finding, paths) for finding in job.annotations[:20]) or _last_words(output, job)
    return Diagnosis(
        cls=cls,
        tool=tool.NAME if tool else "shell",
        fingerprint=_fingerprint(tool, found, frames),
        findings=found,
        summary=_summary(tool, found, before, plan),
        excerpt=logs.excerpt(output.strip(), EXCERPT),
        suspects=_suspects(found, frames, tree, paths),
    )


def infrastructure(log: logs.JobLog, annotations: Sequence[Finding] = ()) -> str | None:
    """The line of a job log that shows trouble of a machine or a network, not of the code; None without one.

    Only the failing step counts, or a log without steps: a warning about a retry elsewhere proves nothing.
    Annotations count where the log knows no failing step: a lost runner uploads none.
    """
    failed = log.failed
    said = (failed.output, *failed.errors) if failed else (log.text, *(found.message for found in annotations))
    text = "\n".join(said)[-_OUTPUT * 4 :]
    return next((line.strip()[:500] for line in text.split("\n") if _INFRASTRUCTURE.search(line)), None)


def same_failure(before: Result, log: logs.JobLog, annotations: Sequence[Finding] = ()) -> bool:
    """The sandbox shows what CI saw: the same tests, or findings, or error lines, or the same code and last line.

    Without a failing step in the log, what the check run points at is all there is to compare with.
    """
    failed = log.failed
    output = logs.clean(before.output.text[-_OUTPUT:])
    if failed is None:
        named = [finding for tool in TOOLS for finding in tool.findings(output, before.tests)] if annotations else []
        return annotated.alike(annotations, named, output) is not False
    said = failed.output[-_OUTPUT:]
    theirs, ours = _kinds(said, ()), _kinds(output, () if before.from_log else before.tests)
    if theirs and ours:
        return _same_tests(theirs, ours, complete=_told(said) <= sum(map(len, theirs.values())))
    if (alike := reported.alike(said, before)) is not None:
        return alike
    complaints, here = _complaints(said), _complaints(output)
    if complaints and here:
        return bool(complaints & here)
    their_lines, our_lines = set(logs.signature_lines(said)), set(logs.signature_lines(output))
    if their_lines and their_lines & our_lines:
        return True
    if (
        theirs or _kinds(output, ()) or complaints or here
    ):  # one side says what failed: a common last line is no evidence then
        return False
    return before.exit_code == failed.exit_code and _last(said) == _last(output)


def _tool(script: str, output: str, before: Result) -> tuple[Tool | None, tuple[Finding, ...]]:
    """Of the tools that may have spoken, the first with something to say; tools that run others come last."""
    called = tools.script(script, output)
    recognised = [tool for tool in TOOLS if tool.recognises(called, output)]
    tests = () if before.from_log else before.tests  # a tool reads its own log better
    runner = reported.of(before)
    speakers = [tool for tool in recognised if tool.NAME not in WRAPPERS]
    speakers += [runner] if runner else [tool for tool in recognised if tool.NAME in WRAPPERS]
    for tool in speakers:
        if found := tool.findings(output, before.tests if tool is runner else tests):
            return tool, found
    return (recognised[0] if recognised else None), ()


def _class(
    tool: Tool | None, found: Sequence[Finding], output: str, before: Result, paths: frozenset[str]
) -> FailureClass:
    if before.ending is Ending.TIMEOUT:
        return FailureClass.TIMEOUT
    if before.ending in (Ending.DISK_FULL, Ending.KILLED):
        return FailureClass.INFRASTRUCTURE
    cls = tool.classify(output, found) if tool else FailureClass.UNKNOWN
    missing = [match for finding in found for match in _MISSING.findall(finding.message)] or _MISSING.findall(output)
    if missing and cls in (FailureClass.UNKNOWN, FailureClass.DEPENDENCY, FailureClass.IMPORT):
        return FailureClass.IMPORT if any(_ours(name, paths) for name in missing) else FailureClass.DEPENDENCY
    if cls is not FailureClass.UNKNOWN:
        return cls
    if before.exit_code == 127 or _NOT_FOUND.search(output):  # the shell's answer for a command that is not there
        return FailureClass.WORKFLOW
    return FailureClass.INFRASTRUCTURE if _INFRASTRUCTURE.search(output) else cls


def _ours(module: str, paths: frozenset[str]) -> bool:
    """The module's first name is a file or a folder of this repository."""
    top = module.split(".")[0]
    return any(re.match(rf"(src/|lib/)?{re.escape(top)}(\.py$|/)", path) for path in paths)


def _located(path: str, paths: frozenset[str]) -> str | None:
    """A printed path as the repository's own: the longest ending that is a file of the tree."""
    parts = path.replace("\\", "/").removeprefix("./").split("/")
    if "site-packages" in parts or "dist-packages" in parts:
        return None
    return next((tail for at in range(len(parts)) if (tail := "/".join(parts[at:])) in paths), None)


def _placed(finding: Finding, paths: frozenset[str]) -> Finding:
    if finding.path is None:
        return finding
    located = _located(finding.path, paths)
    return replace(finding, path=located, line=finding.line if located else None)


def _frames(texts: Iterable[str], paths: frozenset[str]) -> tuple[Frame, ...]:
    """The repository's traceback lines in printed order, so the place where it went wrong is the last."""
    found: list[tuple[int, Frame]] = []
    for number, text in enumerate(texts):
        for pattern in _FRAMES:
            for match in pattern.finditer(text):
                path = _located(match["path"], paths)
                if path is not None:
                    frame = Frame(path, int(match["line"][:9]), (match["function"] or "").strip())
                    found.append((number * (_OUTPUT * 4) + match.start(), frame))
    return tuple(frame for _, frame in sorted(found, key=lambda pair: pair[0]))


def _suspects(
    found: Sequence[Finding], frames: Sequence[Frame], tree: SourceTree, paths: frozenset[str]
) -> tuple[str, ...]:
    """Files of the traces, deepest first; then what the findings name; then what red tests import; tests last."""
    traced = [frame.path for frame in reversed(frames)]
    named = [finding.path for finding in found if finding.path]
    tests = [path for path in dict.fromkeys([*traced, *named, *_test_files(found)]) if _TEST_PATH.search(path)]
    imported = [path for test in tests for path in _imports(tree, test, paths)]
    everything = dict.fromkeys([*traced, *named, *imported, *tests])
    source = [path for path in everything if not _TEST_PATH.search(path)]
    return tuple([*source, *(path for path in everything if path in tests)][:20])


def _test_files(found: Sequence[Finding]) -> list[str]:
    return [finding.test.split("::")[0] for finding in found if finding.test and "::" in finding.test]


def _imports(tree: SourceTree, path: str, paths: frozenset[str]) -> list[str]:
    """The repository's files that a test imports, as far as its text says."""
    try:
        module = ast.parse(tree.read(path) or b"")
    except (SyntaxError, ValueError, RecursionError):
        return []
    names: list[str] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [*(f"{node.module}.{alias.name}" for alias in node.names), node.module]
    files = (
        f"{root}{name.replace('.', '/')}{end}"
        for name in names
        for root in ("", "src/")
        for end in (".py", "/__init__.py")
    )
    return [file for file in files if file in paths and not _TEST_PATH.search(file)]


def _fingerprint(tool: Tool | None, found: Sequence[Finding], frames: Sequence[Frame]) -> str:
    top = frames[-1] if frames else None
    parts = [tool.NAME if tool else "shell", f"{top.path}:{top.function}" if top else ""]
    parts += sorted(
        "|".join((finding.rule or "", logs.normalise(finding.message), finding.path or "", _bare(finding.test or "")))
        for finding in found
    )
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()


def _bare(test: str) -> str:
    """A test's id without its parameters."""
    return test.split("[")[0]


def _kinds(output: str, cases: Sequence[TestCase]) -> dict[str, list[str]]:
    """The exceptions of each failing test by its bare id, one entry per parameter set; empty where none is named."""
    found: dict[str, list[str]] = {}
    for tool in (tool for tool in TOOLS if tool.RUNS_TESTS):
        for finding in tool.findings(output, cases):
            if finding.test:
                found.setdefault(_bare(finding.test), []).append(finding.rule or "")
        if found:
            break
    return found


def _same_tests(theirs: Mapping[str, Sequence[str]], ours: Mapping[str, Sequence[str]], *, complete: bool) -> bool:
    """A test fails in both places, with the same exception where both name one, and none fails only here.

    A test that fails only here fails for want of something CI has, and no patch of the code may mend that.
    """
    common = theirs.keys() & ours.keys()
    if not common or (complete and ours.keys() - theirs.keys()):
        return False
    named = [test for test in common if any(theirs[test]) and any(ours[test])]
    return not named or any(set(filter(None, theirs[test])) & set(ours[test]) for test in named)


def _told(output: str) -> int:
    """How many tests the runner's last line says failed: CI's log may name fewer of them."""
    counts = re.findall(r"\b(\d+) (?:failed|errors?)\b", output)
    return sum(int(count[:9]) for count in counts[-2:])


def _complaints(output: str) -> set[tuple[str | None, str]]:
    """What linters and type checkers found, without the place."""
    return {
        (finding.rule, logs.normalise(finding.message))
        for tool in TOOLS
        if not tool.RUNS_TESTS
        for finding in tool.findings(output, ())
        if finding.path
    }


def _last(output: str) -> str:
    lines = [line for line in output.split("\n") if line.strip() and not line.startswith("##[error]Process completed")]
    return logs.normalise(lines[-1]) if lines else ""


def _last_words(output: str, job: JobReport) -> tuple[Finding, ...]:
    """Without a tool that speaks: the last error line, of the sandbox or else of CI."""
    lines = [line for line in output.split("\n") if line.strip() and not _MAKE.match(line)]
    speaking = [line for line in lines if re.search(r"error|not found|failed|fatal", line, re.IGNORECASE)] or lines
    if not speaking:
        failed = job.log.failed
        speaking = list(failed.errors) if failed else []
    return (Finding(speaking[-1].strip()[:500]),) if speaking else ()


def _summary(tool: Tool | None, found: Sequence[Finding], before: Result, plan: Plan) -> str:
    who = tool.NAME if tool else f"'{plan.check.name}'"
    if before.ending is not Ending.FAILED:
        return f"{who} ended with {before.ending.value.replace('_', ' ')} after {before.wall_s:.0f} s."
    if not found:
        return f"{who} failed with exit code {before.exit_code} and said nothing about why."
    first, count = found[0], len(found)
    message = logs.excerpt(first.message, 200)
    place = (
        f" at `{first.path}:{first.line}`" if first.path and first.line else f" in `{first.path}`" if first.path else ""
    )
    if first.test:
        name = first.test.split("::")[-1]
        return (f"`{name}` fails" if count == 1 else f"{count} tests fail, first `{name}`") + f"{place}: `{message}`"
    finds = f"{who} finds {count} problem{'s' if count > 1 else ''}"
    return f"{finds}{', first' if count > 1 else ''}{place}: {message}"
