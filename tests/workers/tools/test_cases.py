"""Every file in `cases/` is a test: the failing command, what it printed, and what the tool's module must read in it.

Form: the command, `--- output`, the output, `--- expected`, a JSON object. The file's name starts with the tool's.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from sandbox.spec import TestCase
from workers.domain import Finding
from workers.tools import TOOLS, Tool

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def _tool(name: str) -> Tool:
    return next(tool for tool in TOOLS if name == tool.NAME)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_recorded_output_gives_the_expected_findings(case: Path) -> None:
    """A tool's real output is read into class, findings and repair commands."""
    command, rest = case.read_bytes().decode().split("\n--- output\n", 1)  # line ends as they are
    output, expected = rest.split("\n--- expected\n", 1)
    tool = _tool(case.stem.split("_")[0])
    found = tool.findings(output, ())
    assert tool.recognises(command, output)
    seen = {
        "class": tool.classify(output, found),
        "findings": [[f.path, f.line, f.test, f.rule, f.message] for f in found],
        "fix": list(tool.fix_commands(command, found)),
    }
    assert seen == json.loads(expected)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.NAME)
def test_every_tool_has_cases(tool: Tool) -> None:
    """A tool without a recorded output is not known to work."""
    assert [case for case in CASES if case.stem.split("_")[0] == tool.NAME]


def test_the_report_beats_the_printed_summary() -> None:
    """With a per-test report pytest's findings come from it, with the place of the crash."""
    test = TestCase(
        "tests/test_a.py::test_b", "failed", 0.1, "def test_b():\n>   f()\nE   ValueError: no\n\nshop.py:4: ValueError"
    )
    found = _tool("pytest").findings("FAILED tests/other.py::test_c - x", [test])
    assert found == (Finding("ValueError: no", "shop.py", 4, "tests/test_a.py::test_b", "ValueError"),)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("ruff check .", "ruff check --fix -- 'a b.py'"),
        (
            "uv run ruff check --select F,I --output-format=github src",
            "uv run ruff check --fix --select F,I -- 'a b.py'",
        ),
        (
            "python -m ruff check --config x.toml --no-fix src | tee log",
            "python -m ruff check --fix --config x.toml -- 'a b.py'",
        ),
        ("cd sub && ruff --version; ruff check --unsafe-fixes", "ruff check --fix -- 'a b.py'"),
    ],
)
def test_a_fix_keeps_the_options_and_quotes_the_files(command: str, expected: str) -> None:
    """The repair runs with the failing command's options, safe fixes only, on the named files only."""
    found = [Finding("unused", "a b.py", 1, None, "F401")]
    assert _tool("ruff").fix_commands(command, found)[-1] == expected


@pytest.mark.parametrize("path", ["$(touch x)", "`id`", "a;b", "-rf", "'"])
def test_a_file_name_never_becomes_a_command(path: str) -> None:
    """File names come from a log, so the shell sees each as one word after `--`."""
    for name in ("ruff", "black", "isort", "codespell", "markdownlint"):
        rule = "F401" if name == "ruff" else "unformatted"
        command = "ruff check ." if name == "ruff" else name
        fix = _tool(name).fix_commands(command, [Finding("x", path, 1, None, rule)])[0]
        assert shlex.split(fix)[-2:] == ["--", path]
