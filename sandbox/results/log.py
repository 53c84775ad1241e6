"""The last resort: what runners print for people. Such lines can be printed by anything, so real reports go first."""

from __future__ import annotations

from sandbox.policy import WORKSPACE
from sandbox.results import go, jest, libtest, outline, patterns, pytest_text, pyunit, tap, vitest
from sandbox.results.cases import Found

_LINE_LIMIT = 1_000
_PARSERS = (
    pytest_text.parse,
    pyunit.parse,
    go.parse,
    libtest.parse,
    jest.parse,
    vitest.parse,
    outline.parse,
    tap.parse,
)


def parse(text: str) -> tuple[Found, ...]:
    """One answer for each runner whose closing lines are in the text, which is the output of one command."""
    text = text.replace(f"{WORKSPACE}/", "")
    short = "\n".join(line[:_LINE_LIMIT] for line in text.split("\n"))  # bounds what a regular expression can cost
    found = [one for parser in _PARSERS if (one := parser(text if parser is go.parse else short)) is not None]
    return (*found, *patterns.parse(short))
