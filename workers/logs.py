"""The log of a GitHub Actions job: cleaned of what only terminals need, and cut into the steps the runner printed.

The runner writes every `run:` script after `${{ }}` was resolved, with its shell and environment, so a log says
exactly what ran. Any text is accepted: a log is written by untrusted code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MASK = "***"
_STAMP = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?")
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_SCRIPT = re.compile(r"^\x1b\[36;1m(.*)\x1b\[0m\r?$")
_USES = re.compile(r"^(?:\./|\.\./|docker://)\S+$|^[\w.-]+/[\w./-]+@[\w./-]+$")
_EXIT = re.compile(r"^##\[error\]Process completed with exit code (\d+)\.?$")
_PAIR = re.compile(r"^ {2}([^\s:][^:]*):(?: (.*))?$")
_KEPT_CONTROLS = frozenset("\n\t")
_ERROR_WORD = re.compile(
    r"^##\[error\]|^E  |\b\w*(?:Error|Exception)\b|\berror\b|\bFAILED\b|\bfatal\b|\bFAIL\b"
    r"|would reformat|incorrectly sorted",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class LogStep:
    """One step as the runner printed it. `uses` or `script` is set, never both; `exit_code` only when it failed."""

    title: str
    uses: str | None = None
    script: str | None = None
    shell: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    errors: tuple[str, ...] = ()
    exit_code: int | None = None

    @property
    def masked(self) -> bool:
        """The runner hid a secret in what this step was told to do."""
        return any(MASK in text for text in (self.script or "", *self.env.values(), *self.inputs.values()))


@dataclass(frozen=True)
class JobLog:
    """A whole job: what came before the first step, and the steps in order."""

    preamble: str
    steps: tuple[LogStep, ...]

    @property
    def failed(self) -> LogStep | None:
        """The step that turned the job red: the first with an exit code, else the first with an error line."""
        with_code = (step for step in self.steps if step.exit_code not in (None, 0))
        with_error = (step for step in self.steps if step.errors)
        return next(with_code, None) or next(with_error, None)


def clean(text: str) -> str:
    """The text without byte order mark, time stamps, colours, control, zero-width and direction characters."""
    return "\n".join(_clean_line(_unstamped(line)) for line in text.split("\n"))


def excerpt(text: str, limit: int) -> str:
    """At most `limit` characters: the start and, with three quarters of the room, the end; the rest is counted."""
    if len(text) <= limit:
        return text
    room = max(0, limit - 48)
    head, tail = room // 4, room - room // 4
    note = f"\n[... {len(text) - head - tail} characters left out ...]\n"
    return (text[:head] + note + (text[-tail:] if tail else ""))[: max(0, limit)]


def normalise(line: str) -> str:
    """The line with everything masked that differs between two days or two machines, for comparing failures."""
    for pattern, mask in _MASKS:
        line = pattern.sub(mask, line)
    return " ".join(line.split())


def signature_lines(text: str, limit: int = 40) -> tuple[str, ...]:
    """The last lines that speak of an error, normalised, in order, without repeats."""
    found: dict[str, None] = {}
    for line in reversed(text.split("\n")):
        if len(found) >= limit:
            break
        if line.strip() and _ERROR_WORD.search(line) and not _EXIT.match(line):
            found.setdefault(normalise(line.removeprefix("##[error]")))
    return tuple(reversed(found))


def parse(log: str) -> JobLog:
    """Cut a job's log into its steps. Text without the runner's marks is all preamble."""
    return parse_lines(log.split("\n"))


def parse_lines(lines: Iterable[str]) -> JobLog:
    """As `parse`, from any source of lines, looking at each line once."""
    reader = _Reader()
    for line in lines:
        reader.feed(_unstamped(line))
    return reader.finish()


@dataclass
class _Draft:
    """A step while its lines come in. `section` is where the header stands: script, with, env."""

    title: str
    section: str = "script"
    in_header: bool = True
    script: list[str] = field(default_factory=list)
    shell: str | None = None
    pairs: dict[str, dict[str, str]] = field(default_factory=lambda: {"with": {}, "env": {}})
    last_key: str = ""
    output: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    exit_code: int | None = None

    def header(self, raw: str) -> None:
        line = _clean_line(raw)
        if match := _SCRIPT.match(raw):
            self.script.append(_visible(match[1]))
        elif line.startswith("shell: ") and self.section == "script":
            self.shell = line.removeprefix("shell: ").strip()
        elif line in ("with:", "env:"):
            self.section = line[:-1]
        elif self.section != "script":
            self.pair(line)

    def pair(self, line: str) -> None:
        target = self.pairs[self.section]
        if match := _PAIR.match(line):
            self.last_key = match[1]
            target[self.last_key] = match[2] or ""
        elif self.last_key in target:  # a value of more than one line is printed raw
            target[self.last_key] += "\n" + line

    def body(self, line: str) -> None:
        if self.exit_code is not None:
            return  # the step is over: what follows is the runner cleaning up
        self.output.append(line)
        if match := _EXIT.match(line):
            self.exit_code = int(match[1][:9])
        elif line.startswith("##[error]"):
            self.errors.append(line.removeprefix("##[error]"))

    def done(self) -> LogStep:
        return LogStep(
            title=self.title,
            uses=None if self.script else self.title,
            script="\n".join(self.script) if self.script else None,
            shell=self.shell,
            inputs=self.pairs["with"],
            env=self.pairs["env"],
            output="\n".join(self.output).strip("\n"),
            errors=tuple(self.errors),
            exit_code=self.exit_code,
        )


class _Reader:
    """A program may print a group called "Run ..." itself: a header counts only when it looks like the runner's."""

    def __init__(self) -> None:
        self.preamble: list[str] = []
        self.steps: list[LogStep] = []
        self.open: _Draft | None = None
        self.candidate: str | None = None

    def feed(self, raw: str) -> None:
        line = _clean_line(raw)
        if self.candidate is not None:
            title, self.candidate = self.candidate, None
            if _SCRIPT.match(raw) or _USES.match(title):
                self.close()
                self.open = _Draft(title)
            else:
                self.text(f"##[group]Run {title}")
        if line.startswith("##[group]Run "):
            self.candidate = line.removeprefix("##[group]Run ").strip()
        elif self.open is not None and self.open.in_header:
            if line == "##[endgroup]":
                self.open.in_header = False
            else:
                self.open.header(raw)
        elif line == "Post job cleanup.":
            self.close()
        else:
            self.text(line)

    def text(self, line: str) -> None:
        if self.open is None:
            self.preamble.append(line)
        elif self.open.in_header:
            self.open.header(line)
        else:
            self.open.body(line)

    def close(self) -> None:
        if self.open is not None:
            self.steps.append(self.open.done())
            self.open = None

    def finish(self) -> JobLog:
        if self.candidate is not None:
            self.text(f"##[group]Run {self.candidate}")
        self.close()
        return JobLog("\n".join(self.preamble).strip("\n"), tuple(self.steps))


_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"), "<time>"),
    (re.compile(r"""(['"`])(?:(?!\1).){0,200}\1"""), "<value>"),
    (re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-f]{7,64}\b"), "<hex>"),
    (re.compile(r"(?<![\w/])(?:/[\w.+@-]+){2,}/([\w.+@-]+)"), r"<root>/\1"),
    (re.compile(r"\d+(?:\.\d+)*"), "<n>"),
)


def _unstamped(line: str) -> str:
    return _STAMP.sub("", line, count=1)


def _visible(text: str) -> str:
    text = _ANSI.sub("", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(char for char in text if char in _KEPT_CONTROLS or unicodedata.category(char)[0] != "C")


def _clean_line(line: str) -> str:
    """One line as a terminal would show it: what a carriage return overwrote is gone."""
    parts: Iterator[str] = reversed(line.split("\r"))
    return _visible(next((part for part in parts if part), ""))
