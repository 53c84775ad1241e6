"""Formatters that differ in names only: each says which files it would write otherwise, and has an option that writes.

A row holds what is its own; reading and repairing are the same for all. yapf, autopep8, autoflake, docformatter,
clang-format, shfmt, terraform fmt, buf format, and the checkers of licence headers that also write them: addlicense,
license-eye, license-check-and-add.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence, Set
from dataclasses import dataclass

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import Invocation, invocations
from workers.tools import printed
from workers.tools.options import files_of, kept

_PATH = r"(?P<path>[^\s:][^:\n]{0,400}?)"
_UNFORMATTED, _UNPARSABLE = "unformatted", "unparsable"


@dataclass  # not frozen: the protocol is one of modules, whose names can be assigned
class Formatter:
    """One formatter. `would` are the lines that name a file it would write otherwise (group `path`), `cannot` those for
    a file that it cannot parse (`path`, `line`, `text`).

    `speaks` are words that are nobody else's. `values` are options that take the next word; `only` are those that look
    or print, which the repair goes without. `verb` is the subcommand, `writes` another one that repairs; a tool of
    whole folders (`takes_files` False) is not told the files. `bare` allows the repair by the tool's name alone where
    its call cannot be seen.
    """

    NAME: str
    would: tuple[re.Pattern[str], ...]
    write: tuple[str, ...]
    only: Set[str]
    values: Set[str] = frozenset()
    cannot: re.Pattern[str] | None = None
    speaks: re.Pattern[str] | None = None
    verb: str = ""
    takes_files: bool = True
    bare: bool = False
    writes: str = ""
    rule: str = _UNFORMATTED
    RUNS_TESTS: bool = False

    def recognises(self, command: str, output: str) -> bool:
        """As `workers.tools.Tool`."""
        return bool(self._calls(command)) or bool(self.speaks and self.speaks.search(output))

    def findings(self, output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG002 - they report none
        """A file each, and the places that cannot be parsed."""
        found: list[Finding] = []
        for line in printed.lines(output):
            if self.cannot and (match := self.cannot.match(line)):
                text = match["text"][: printed.MESSAGE]
                found.append(Finding(text, match["path"], int(match["line"]), None, _UNPARSABLE))
            elif match := next(filter(None, (one.match(line) for one in self.would)), None):
                found.append(Finding("would be written otherwise", match["path"], None, None, self.rule))
        return tuple(dict.fromkeys(found))

    def classify(self, output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG002 - the findings say all
        """As `workers.tools.Tool`."""
        rules = {finding.rule for finding in findings}
        if _UNPARSABLE in rules:
            return FailureClass.SYNTAX
        if not rules:
            return FailureClass.UNKNOWN
        return FailureClass.FORMAT if self.rule == _UNFORMATTED else FailureClass.LINT

    def fix_commands(self, command: str, findings: Sequence[Finding]) -> tuple[str, ...]:
        """Write mode on the named files, with the options of the failing command."""
        files = files_of(finding for finding in findings if finding.rule == self.rule)
        if not files:
            return ()
        named = ["--", *files] if self.takes_files else []
        seen = tuple(self._written(call, named) for call in self._calls(command))
        if not seen and self.bare:
            return (shlex.join([self.NAME, *filter(None, [self.verb]), *self.write, *named]),)
        return seen

    def _calls(self, command: str) -> list[Invocation]:
        return [call for call in invocations(command, self.NAME) if not self.verb or self.verb in call.args]

    def _written(self, call: Invocation, named: Sequence[str]) -> str:
        at = call.args.index(self.verb) if self.verb else 0
        before = [*call.args[:at], self.writes or self.verb] if self.verb else []
        options = kept(call.args[at:], self.values, self.only)
        return call.command(*before, *self.write, *options, *named)


_QUIET = frozenset({"-q", "--quiet", "-v", "--verbose", "-vv"})
FORMATTERS = (
    Formatter(
        "yapf",
        (re.compile(r"^--- (?P<path>[^\t\n]{1,400}?)\t\(original\)$"),),
        ("--in-place",),
        _QUIET | {"-d", "--diff", "-i", "--in-place", "-p", "--parallel", "-r", "--recursive"},
        frozenset({"--style", "-e", "--exclude", "-l", "--lines"}),
        re.compile(rf"^yapf: {_PATH}:(?P<line>\d{{1,7}}):\d{{1,7}}: (?P<text>.+)$"),
        re.compile(r"^--- [^\t\n]{1,400}\t\(original\)$", re.MULTILINE),
    ),
    Formatter(
        "autopep8",
        (re.compile(r"^--- original/(?P<path>[^\t\n]{1,400})$"),),
        ("--in-place",),
        _QUIET | {"-d", "--diff", "-i", "--in-place", "-r", "--recursive", "--exit-code", "-j", "--jobs"},
        frozenset(
            {"--max-line-length", "--ignore", "--select", "--exclude", "--global-config", "--indent-size",
             "--hang-closing", "-p", "--pep8-passes", "--line-range", "-j", "--jobs"}
        ),
    ),
    Formatter(
        "autoflake",
        (
            re.compile(rf"^{_PATH}: Unused imports/variables detected$"),
            re.compile(r"^--- original/(?P<path>[^\t\n]{1,400})$"),
        ),
        ("--in-place",),
        _QUIET | {"-c", "--check", "-cd", "--check-diff", "-i", "--in-place", "-r", "--recursive", "-s", "--stdout",
                  "-j", "--jobs"},
        frozenset({"--exclude", "--imports", "--config", "--stdin-display-name", "-j", "--jobs"}),
        speaks=re.compile(r": Unused imports/variables detected$", re.MULTILINE),
        rule="unused",
    ),
    Formatter(
        "docformatter",
        (re.compile(r"^(?P<path>(?![-+@ ])[^:\n]{1,400}\.pyi?)$"),),
        ("--in-place",),
        _QUIET | {"-c", "--check", "-d", "--diff", "-i", "--in-place", "-r", "--recursive"},
        frozenset(
            {"--wrap-summaries", "--wrap-descriptions", "--config", "--style", "-s", "--exclude", "-e",
             "--rest-section-adorns", "--tab-width", "--range", "--docstring-length", "-n", "--non-cap"}
        ),
    ),
    Formatter(
        "clang-format",
        (re.compile(rf"^{_PATH}:\d{{1,7}}:\d{{1,7}}: (?:error|warning): code should be clang-formatted "),),
        ("-i",),
        _QUIET | {"-n", "--dry-run", "-Werror", "--Werror", "-i", "--ferror-limit", "--output-replacements-xml"},
        frozenset({"-style", "--style", "--fallback-style", "--assume-filename"}),
        speaks=re.compile(r": code should be clang-formatted \[-Wclang-format-violations\]$", re.MULTILINE),
        bare=True,
    ),
    Formatter(
        "shfmt",
        (
            re.compile(r"^--- (?P<path>[^\t\n]{1,400}?)\.orig(?:\t.{0,100})?$"),
            re.compile(r"^(?P<path>[^\s:+-][^\s:]{0,400}\.(?:sh|bash|bats|ksh|mksh|zsh)|(?:[\w.-]{1,100}/){1,30}[\w.-]{1,100})$"),
        ),
        ("-w",),
        frozenset({"-l", "--list", "-d", "--diff", "-w", "--write"}),
        frozenset({"-ln", "--language-dialect", "-p", "-i", "--indent", "-filename", "--filename"}),
        re.compile(rf"^{_PATH}:(?P<line>\d{{1,7}}):\d{{1,7}}: (?P<text>.+)$"),
    ),
    *(
        Formatter(
            name,
            (re.compile(r"^(?P<path>(?![-+@])[^\s:][^:\n]{0,400}\.(?:tf|tfvars|tofu|hcl))$"),),
            (),
            frozenset({"-check", "--check", "-diff", "--diff", "-write", "--write", "-list", "--list"}),
            frozenset(),
            verb="fmt",
        )
        for name in ("terraform", "tofu")
    ),
    Formatter(
        "buf",
        (re.compile(r"^--- (?P<path>[^\t\n]{1,400}\.proto)\.orig(?:\t.{0,100})?$"),),
        ("-w",),
        frozenset({"-d", "--diff", "--exit-code", "-w", "--write"}),
        frozenset({"--config", "--path", "--exclude-path", "--error-format", "--timeout"}),
        verb="format",
        takes_files=False,
    ),
    Formatter(
        "addlicense",
        (re.compile(r"^(?P<path>(?![-+@]|\S{0,400}\.{3})[^\s:=]{0,400}(?:\.[A-Za-z]\w{0,11}|Dockerfile|Makefile|BUILD))$"),),
        (),
        frozenset({"-check", "--check", "-v", "--v"}),
        frozenset({f"{dash}{name}" for dash in ("-", "--") for name in ("c", "f", "l", "y", "skip", "ignore")}),
        rule="header",
    ),
    Formatter(
        "license-eye",
        (re.compile(r"^(?P<path>(?![-+@]|\S{0,400}\.{3})[^\s:=]{0,400}(?:\.[A-Za-z]\w{0,11}|Dockerfile|Makefile|BUILD))$"),),
        ("fix",),
        frozenset(),
        frozenset({"-c", "--config", "-v", "--verbosity"}),
        speaks=re.compile(r"the following files don't have a valid license header"),
        verb="header",
        takes_files=False,
        rule="header",
    ),
    Formatter(
        "license-check-and-add",
        (re.compile(r"^. License not found in (?P<path>\S.{0,400})$"),),
        (),
        frozenset(),
        frozenset({"-f", "--config-file", "-r", "--regex-replacements"}),
        speaks=re.compile(r"^. License not found in \S", re.MULTILINE),
        verb="check",
        writes="add",
        takes_files=False,
        rule="header",
    ),
)  # fmt: skip
