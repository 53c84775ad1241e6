"""The same tricks in languages that are not read as trees: JavaScript, Go, Rust, those of the JVM, shell and XML.

Each pattern is counted before and after, so what was there already and moved or was laid out anew is no trick.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from workers.policy import Violation, is_test

_JS, _GO, _RUST, _JVM, _SHELL, _XML, _PYTHON = "js", "go", "rust", "jvm", "shell", "xml", "python"
_KINDS = {
    **dict.fromkeys((".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte"), _JS),
    **dict.fromkeys((".java", ".kt", ".kts", ".scala", ".groovy", ".gradle"), _JVM),
    **dict.fromkeys((".sh", ".bash", ".zsh", ".mk", ""), _SHELL),
    **dict.fromkeys((".py", ".pyi"), _PYTHON),
    ".go": _GO,
    ".rs": _RUST,
    ".xml": _XML,
}
_EVERYWHERE, _TESTS, _PROGRAM = "", "tests", "program"
_ENV = (
    r"(?:CI|NODE_ENV|CONTINUOUS_INTEGRATION|GITHUB_\w{1,40}|RUNNER_\w{1,40}|JEST\w{0,40}|VITEST\w{0,40}|HEAL\w{0,40})"
)
_NOTHING = r"\s*(?:(?://[^\n]{0,200}\n|/\*[^*]{0,200}\*/)\s*){0,3}\}"
_COMPARED = r"[\w\"'.]{1,80}"

_RULES: tuple[tuple[str, str, str, str], ...] = (
    # rule, kind (empty: any file), where, pattern
    ("skips a test", "", _EVERYWHERE, r"\bdoctest:\s*\+SKIP\b|<!--\s*(?:pytest|skip)[\w.:-]{0,40}"),
    ("skips a test", _JS, _TESTS, r"(?<![.\w])(?:xit|xtest|xdescribe|xcontext|fit|fdescribe|ftest)\s*\("),
    ("skips a test", _JS, _TESTS,
     r"(?<![.\w])(?:it|test|describe|context|suite)\s*(?:\.\s*(?:skip|only|todo|failing|fails|fixme|skipIf|runIf)\b"
     r"|\[\s*[\"'`](?:skip|only|todo|failing|fails|fixme)[\"'`]\s*\])|\bthis\s*\.\s*skip\s*\("),
    ("skips a test", _GO, _TESTS, r"\b[tb]\s*\.\s*Skip\w{0,10}\s*\(|^//\s*(?:go:build|\+build)\b"),
    ("skips a test", _RUST, _EVERYWHERE, r"#\s*\[\s*(?:ignore|should_panic)\b|cfg\s*\(\s*(?:FALSE|any\s*\(\s*\))\s*\)"),
    ("skips a test", _JVM, _TESTS,
     r"@\s*(?:\w{1,20}\.){0,5}(?:Ignore|Disabled\w{0,40})\b|\bassum(?:e|ing)\w{0,20}\s*\("),
    ("skips a test", _XML, _EVERYWHERE, r"<\s*(?:skipTests|skipITs|maven\.test\.skip)\s*>\s*true|<\s*skip\s*>\s*true"),
    ("ignores an exit code", _SHELL, _EVERYWHERE, r"\|\|\s*(?:/(?:usr/)?bin/)?(?:true|:|exit\s+0)(?=\s|$|[;\"')])"),
    ("ignores an exit code", _SHELL, _EVERYWHERE, r"--exit-zero\b|--passWithNoTests\b|;\s*(?:true|exit\s+0)\s*$"),
    ("ignores an exit code", _SHELL, _EVERYWHERE, r"^[ \t]*set\s+\+\w{0,5}e|^\s*trap\s[^\n]{0,80}\bexit\s+0"),
    ("ignores an exit code", _XML, _EVERYWHERE,
     r"(?:test\.?[fF]ailure\.?[iI]gnore)\s*>\s*true|failOn\w{1,20}>\s*false"),
    ("ignores an exit code", _JVM, _EVERYWHERE, r"\bignoreFailures\s*=\s*true|\bsetIgnoreFailures\s*\(\s*true"),
    ("silences a checker", _JS, _EVERYWHERE,
     r"\b(?:istanbul|c8|v8)\s+ignore\b|\b(?:biome-ignore|deno-lint-ignore|tslint:disable|oxlint-disable"
     r"|prettier-ignore|eslint-disable)|@ts-(?:ignore|nocheck|expect-error)"),
    ("silences a checker", _GO, _EVERYWHERE, r"//\s*(?:nolint|#nosec|lint:ignore|revive:disable)"),
    ("silences a checker", _RUST, _EVERYWHERE, r"#\s*!?\s*\[\s*(?:cfg_attr\s*\([^\n\]]{0,80})?(?:allow|expect)\s*\("),
    ("silences a checker", _JVM, _EVERYWHERE, r"@\s*(?:\w{1,20}:)?Suppress(?:Warnings|FBWarnings|Lint)?\b|\bNOSONAR\b"),
    ("silences a checker", _SHELL, _EVERYWHERE, r"#\s*shellcheck\s+disable"),
    ("looks whether it is being tested", _JS, _PROGRAM,
     rf"\benv\s*(?:\?\.|\.|\[\s*[\"'`])\s*{_ENV}\b|\btypeof\s+(?:jest|vi|mocha|describe|it|test|expect)\b"
     r"|\bimport\.meta\.(?:vitest|jest)\b|\bjest\s*\.\s*\w"),
    ("looks whether it is being tested", _GO, _PROGRAM,
     rf"\btesting\s*\.\s*\w|\b(?:Getenv|LookupEnv)\s*\(\s*\"{_ENV}\"|\"[^\"\n]{{0,20}}\.test\"|\"test\.\w{{1,20}}\""),
    ("looks whether it is being tested", _RUST, _PROGRAM,
     rf"\bcfg!\s*\(\s*(?:not\s*\(\s*)?test\b|\bcfg\s*\(\s*not\s*\(\s*test\b|\bvar(?:_os)?\s*\(\s*\"{_ENV}\""),
    ("looks whether it is being tested", _JVM, _PROGRAM,
     rf"\bgetenv\s*\(\s*\"{_ENV}\"|currentThread\s*\(\s*\)\s*\.\s*getStackTrace|\borg\.junit\b|\bStackWalker\b"),
    ("ends the process", _JS, _EVERYWHERE,
     r"\bprocess\s*\.\s*(?:exit\s*\(\s*(?![1-9])|kill\s*\(|abort\s*\(|exitCode\s*=)"),
    ("ends the process", _GO, _EVERYWHERE, r"\b(?:os|syscall)\s*\.\s*Exit\s*\(\s*(?![1-9])|\bruntime\s*\.\s*Goexit\b"),
    ("ends the process", _RUST, _EVERYWHERE, r"\bprocess\s*::\s*(?:exit\s*\(\s*(?![1-9])|abort\s*\()"),
    ("ends the process", _JVM, _EVERYWHERE,
     r"\bSystem\s*\.\s*exit\s*\(\s*(?![1-9])|\bhalt\s*\(|\bexitProcess\s*\(\s*(?![1-9])"),
    ("compares equal to anything", _RUST, _EVERYWHERE,
     r"\bfn\s+(?:eq|ne)\s*\([^)]{0,200}\)\s*->\s*bool\s*\{\s*(?:return\s+)?true\b"),
    ("compares equal to anything", _JVM, _EVERYWHERE, r"\bboolean\s+equals\s*\([^)]{0,200}\)\s*\{\s*return\s+true\b"),
    ("compares equal to anything", _JVM, _EVERYWHERE,
     r"\bfun\s+equals\s*\([^)]{0,200}\)\s*(?::\s*Boolean\s*)?=\s*true\b"),
    ("compares equal to anything", _JS, _TESTS,
     rf"\bexpect\s*\(\s*(?:true|1|!0)\s*\)\s*\.\s*to|\bassert(?:\s*\.\s*ok)?\s*\(\s*(?:true|1)\s*[,)]"
     rf"|\bexpect\s*\(\s*({_COMPARED})\s*\)\s*\.\s*to(?:Be|Equal|StrictEqual)\s*\(\s*\1\s*\)"),
    ("compares equal to anything", _RUST, _EVERYWHERE,
     rf"\bassert!\s*\(\s*true\b|\bassert_eq!\s*\(\s*({_COMPARED})\s*,\s*\1\s*[,)]"),
    ("compares equal to anything", _JVM, _TESTS,
     rf"\bassertTrue\s*\(\s*true\b|\bassertEquals\s*\(\s*({_COMPARED})\s*,\s*\1\s*\)"),
    ("replaces parts of another module", _JS, _EVERYWHERE,
     r"(?<![.\w])(?:Date|Math|Promise|JSON|Object|Array|Number|String|console|performance|Reflect)"
     r"(?:\s*\.\s*prototype)?\s*\.\s*\w{1,60}\s*=(?![=>])"
     r"|\b(?:globalThis|global|window)\s*\.\s*(?:set\w{1,20}|Date|Math|fetch|expect|test|it|describe)\s*=(?![=>])"
     r"|\bdefineProperty\s*\(\s*(?:Date|Math|global\w{0,4}|window)\b"),
    ("replaces parts of the test's tools", _JS, _EVERYWHERE,
     r"\bexpect\s*\.\s*(?:extend|addEqualityTesters?)\s*\(|\bexpect\s*=(?![=>])"),
    ("waits instead of mending", _JS, _TESTS,
     r"\bjest\s*\.\s*(?:setTimeout|retryTimes)\s*\(|\bthis\s*\.\s*(?:timeout|retries)\s*\("),
    ("waits instead of mending", _JS, _EVERYWHERE,
     r"\bnew\s+Promise\s*(?:<[^>\n]{0,80}>\s*)?\([^;]{0,60}\bsetTimeout\s*\(|\btimers/promises\b"),
    ("waits instead of mending", _GO, _EVERYWHERE, r"\btime\s*\.\s*Sleep\s*\("),
    ("waits instead of mending", _RUST, _EVERYWHERE, r"\b(?:thread|time)\s*::\s*sleep\s*\(|(?<![.:\w])sleep\s*\("),
    ("waits instead of mending", _JVM, _EVERYWHERE,
     r"\bThread\s*\.\s*sleep\s*\(|\bTimeUnit\s*\.\s*\w{1,20}\s*\.\s*sleep\s*\("),
    ("waits instead of mending", _SHELL, _EVERYWHERE, r"(?:^|[;&|])[ \t]*sleep\s+\S"),
    ("reaches out to the network", _JS, _PROGRAM,
     r"(?<![.\w])fetch\s*\(|\baxios\s*[.(]|\bXMLHttpRequest\b|\bnew\s+WebSocket\b|\bhttps?\s*\.\s*(?:get|request)\s*\("
     r"|\bsendBeacon\s*\(|\bnet\s*\.\s*(?:connect|createConnection)\s*\("),
    ("reaches out to the network", _GO, _PROGRAM,
     r"\bhttp\s*\.\s*(?:Get|Post|Head|PostForm|NewRequest\w{0,20})\s*\(|\bnet\s*\.\s*Dial"),
    ("reaches out to the network", _RUST, _PROGRAM, r"\b(?:reqwest|ureq)\s*::|\b(?:Tcp|Udp)(?:Stream|Socket)\s*::"),
    ("reaches out to the network", _JVM, _PROGRAM,
     r"\bHttpClient\b|\bopen(?:Connection|Stream)\s*\(|\bnew\s+Socket\s*\("),
    ("reaches out to the network", _SHELL, _EVERYWHERE, r"(?:^|[\s;&|(`])(?:curl|wget|nc|ncat)\s"),
    ("swallows errors", _JS, _EVERYWHERE, rf"\bcatch\s*(?:\([^)]{{0,100}}\)\s*)?\{{{_NOTHING}"),
    ("swallows errors", _JS, _EVERYWHERE,
     r"\.\s*catch\s*\(\s*(?:\(\s*\w{0,20}\s*\)|\w{1,20})\s*=>\s*(?:\{\s*\}|null|undefined|\d+)\s*\)"),
    ("swallows errors", _JVM, _EVERYWHERE, rf"\bcatch\s*\([^)]{{0,100}}\)\s*\{{{_NOTHING}"),
    ("swallows errors", _JVM, _EVERYWHERE,
     r"\bcatch\s*\(\s*(?:final\s+)?(?:java\.lang\.)?(?:Throwable|Exception|RuntimeException|Error)\s+\w{1,40}\s*\)\s*\{"
     r"(?![^}]{0,400}\bthrow\b)"),
    ("swallows errors", _GO, _EVERYWHERE, r"\brecover\s*\(\s*\)|(?<![\w,])_\s*=\s*err\b"),
    ("swallows errors", _RUST, _EVERYWHERE, r"\bcatch_unwind\b"),
)  # fmt: skip
_COMPILED = tuple((rule, kind, where, re.compile(pattern, re.MULTILINE)) for rule, kind, where, pattern in _RULES)
_BLOB = re.compile(r"[A-Za-z0-9+/]{400,}={0,2}")
_PATIENCE = re.compile(
    r"\b(\w{0,40}(timeout|deadline|retries|retry|attempts|tries|delay)\w{0,40})[\"']?\s*(?::\s*\w{1,20}\s*=|:=|[:=])\s*"
    r"(\d[\d_]{0,12})",
    re.IGNORECASE,
)
_MORE = 4
"""How many times as patient as before is still a correction; a test that fails by a little needs no more."""
_MOST = {"timeout": 600, "deadline": 600, "delay": 600}
_MOST_TRIES = 20
_MILLISECONDS = frozenset({_JS, _JVM})


def review(path: str, before: str, after: str) -> Iterator[Violation]:
    """Every trick that the file holds more often than before."""
    kind = kind_of(path)
    test = is_test(path)
    for rule, language, where, pattern in _COMPILED:
        if language not in (kind, "") or (where == _TESTS and not test) or (where == _PROGRAM and test):
            continue
        had = Counter(_squeezed(match[0]) for match in pattern.finditer(before))
        for match in pattern.finditer(after):
            if had[_squeezed(match[0])]:
                had[_squeezed(match[0])] -= 1
            else:
                yield Violation(rule, path, _line(after, match.start()), " ".join(match[0].split())[:200])
    yield from _blobs(path, before, after)
    if kind:
        yield from _patience(path, before, after, kind)


def kind_of(path: str) -> str:
    """The family of languages that the file's name tells; empty for documents, data and everything else."""
    return _KINDS.get(PurePosixPath(path).suffix.lower(), "")


def _blobs(path: str, before: str, after: str) -> Iterator[Violation]:
    known = set(_BLOB.findall(before))
    for match in _BLOB.finditer(after):
        if match[0] not in known:
            yield Violation("holds binary data", path, _line(after, match.start()), match[0][:80])
            return


def _patience(path: str, before: str, after: str, kind: str) -> Iterator[Violation]:
    """Timeouts, delays and numbers of attempts that grow out of all proportion."""
    had: dict[str, int] = {}
    for match in _PATIENCE.finditer(before):
        had[match[1].lower()] = max(had.get(match[1].lower(), 0), _number(match[3]))
    for match in _PATIENCE.finditer(after):
        limit = _MOST.get(match[2].lower(), _MOST_TRIES)
        if kind in _MILLISECONDS and limit != _MOST_TRIES:
            limit *= 100
        name, value = match[1].lower(), _number(match[3])
        if value > (had[name] * _MORE if had.get(name) else limit):
            yield Violation("waits instead of mending", path, _line(after, match.start()), match[0][:200])


def _number(text: str) -> int:
    return int(text.replace("_", "") or 0)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _squeezed(text: str) -> str:
    return "".join(text.split())
