"""A linter's reading of one Python file: ruff, in a process of its own, with pyflakes' rules.

Nothing of the repository is run and none of its settings is read: the linter is given a text and no folder. What it
cannot read in time, or at all, has no findings.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache

from ruff import find_ruff_bin

LIMIT = 128_000
"""Bytes of a file that is read. The linter takes some 10 ms; nesting without end takes more, and then its process ends
for want of stack or of time."""
_SECONDS = 5.0
_OPTIONS = (
    "check", "--isolated", "--no-cache", "--ignore-noqa", "--exit-zero", "--quiet", "--output-format=pylint",
    "--target-version=py314", "--select=F,E9", "--ignore=F821,F403,F405",
)  # fmt: skip
"""The newest language, for the file may be of a newer one than ours. Names that nothing defines are `names`' business,
which knows of modules that make names in ways of their own."""
_LINE = re.compile(r"^[\w.]{1,20}:(?P<line>\d{1,9}): \[(?P<rule>[\w-]{1,40})\] (?P<text>.{1,1000})$", re.MULTILINE)
_SYMBOL = re.compile(r"`([^`\n]{1,200})`")


@dataclass(frozen=True)
class Flaw:
    """A finding: pyflakes' rule in ruff's numbers, the line from 1, and what is said."""

    rule: str
    line: int
    text: str

    @property
    def symbol(self) -> tuple[str, tuple[str, ...]]:
        """The rule and the names that it is about: what stays the same when lines move."""
        return self.rule, tuple(_SYMBOL.findall(self.text))


def flaws(text: bytes, package: bool = False) -> tuple[Flaw, ...]:
    """The findings in a file, in its order. A `package` is an `__init__.py`, whose imports are for others."""
    if not text.strip() or len(text) > LIMIT:
        return ()
    try:
        return _read(text, "__init__.py" if package else "module.py")
    except subprocess.TimeoutExpired:
        return ()


@lru_cache(maxsize=32)
def _read(text: bytes, name: str) -> tuple[Flaw, ...]:
    """Once for each text: a candidate is asked about by its fixer, by the verifier and for the notes, each time beside
    the same file as it was. Raises TimeoutExpired, which is not remembered."""
    command = [find_ruff_bin(), *_OPTIONS, f"--stdin-filename={name}", "-"]
    done = subprocess.run(command, input=text, capture_output=True, check=False, timeout=_SECONDS, cwd="/", env={})
    found = _LINE.finditer(done.stdout.decode("utf-8", "replace")) if done.returncode == 0 else ()
    return tuple(Flaw(match["rule"], int(match["line"]), match["text"]) for match in found)
