"""One step of a log while its lines come in: the header as the runner writes it, then the output, kept raw."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.logs.blocks import CUT_NOTE
from workers.logs.kept import Kept
from workers.logs.model import LogStep, Versions
from workers.logs.text import clean_line, excerpt, visible
from workers.redact import Redactor

LONGEST_HEADER = 128 << 10
"""Characters; GitHub takes no script that comes near it."""
LONGEST_TITLE = LONGEST_ERROR = 500

_SCRIPT = re.compile(r"^\x1b\[36;1m(.*?)(\x1b\[0m)?\r?$")
_PAIR = re.compile(r"^ {2}([^\s:][^:]*):(?: (.*))?$")
_NOTE = CUT_NOTE.decode()


@dataclass
class Draft:
    """`section` is where the header stands: script, with, env."""

    title: str
    output: Kept
    room: int = LONGEST_HEADER
    """Characters that the header may take; `taken` are those it took."""
    taken: int = 0
    in_header: bool = True
    section: str = "script"
    script: list[str] = field(default_factory=list)
    shell: str | None = None
    pairs: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {"with": {}, "env": {}})
    last_key: str = ""
    cut: bool = False
    errors: list[str] = field(default_factory=list)
    exit_code: int | None = None
    installed: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def red(self) -> bool:
        return self.exit_code is not None or bool(self.errors)

    def header(self, raw: str) -> bool:
        """Take one more line, without its time stamp; False when it is no part of the header, which then is over."""
        line = clean_line(raw)
        if line == "##[endgroup]":
            self.in_header = False
            return True
        self.taken += len(raw)
        if self.taken > self.room:
            self.in_header, self.cut = False, True
            return False
        self.cut = self.cut or line.endswith(_NOTE)
        if match := _SCRIPT.match(raw):
            self.script.append(visible(match[1]))
        elif line.startswith("shell: ") and self.section == "script":
            self.shell = line.removeprefix("shell: ").strip()
        elif line in ("with:", "env:"):
            self.section = line[:-1]
        elif self.section != "script":
            self._pair(line)
        return True

    def _pair(self, line: str) -> None:
        target = self.pairs[self.section]
        if match := _PAIR.match(line):
            self.last_key = match[1]
            target[self.last_key] = [match[2] or ""]
        elif self.last_key in target:  # a value of more than one line is printed raw
            target[self.last_key].append(line)

    def done(self, output: Kept, redactor: Redactor) -> LogStep:
        """The step, with as much of its output as `output` keeps. Nothing in it holds a known secret: nothing is cut
        before it was redacted, because half a secret has no shape."""
        text, left_out = output.shown(redactor)
        title = excerpt(redactor.stored(self.title), LONGEST_TITLE)
        return LogStep(
            title=title,
            uses=None if self.script else title,
            script=redactor.stored("\n".join(self.script)) if self.script else None,
            shell=redactor.stored(self.shell) if self.shell is not None else None,
            inputs=_stored(self.pairs["with"], redactor),
            env=_stored(self.pairs["env"], redactor),
            output=text,
            errors=tuple(excerpt(redactor(error), LONGEST_ERROR) for error in self.errors),
            exit_code=self.exit_code,
            left_out=left_out,
            cut=self.cut,
            installed=_harmless(self.installed, redactor),
        )


def _stored(pairs: Mapping[str, list[str]], redactor: Redactor) -> dict[str, str]:
    return {redactor.stored(name): redactor.stored("\n".join(lines)) for name, lines in pairs.items()}


def _harmless(installed: Versions, redactor: Redactor) -> Versions:
    """Without what a program printed as a package and that is a secret."""
    text = " ".join(word for names in installed.values() for pair in names.items() for word in pair)
    if redactor(text) == text:
        return installed
    return {
        ecosystem: {
            name: version for name, version in names.items() if redactor(f"{name} {version}") == f"{name} {version}"
        }
        for ecosystem, names in installed.items()
    }
