"""The repository's own linters and type checkers, on the changed files before and after a patch: what is new is named.

Only what the repository configures and its environment has is run, in the sandbox; nothing is installed. Formatters
are left out: layout breaks nothing, and a formatter can put it right.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from threading import Event

from sandbox.errors import Cancelled
from sandbox.spec import Limits, Step
from workers.domain import Finding
from workers.ports import Files, Workbench
from workers.tools import TOOLS

_TOOL_S, _WALL_S = 60, 240.0
"""Seconds that one tool may take, and all together."""
_OUTPUT = 1 << 20
_MOST_FILES = 50
_MARK = "\x1e"
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Checker:
    """A tool: what configures it (a file, or a section of one), how it is started, and which exit codes say that it
    could look. A tool that looks at the whole project takes no files."""

    name: str
    suffixes: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    calls: tuple[str, ...]
    options: str
    ran: frozenset[int] = frozenset({0, 1})
    takes_files: bool = True


_PYTHON, _SCRIPT = (".py", ".pyi"), (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
_CHECKERS = (
    Checker(
        "ruff",
        _PYTHON,
        (("ruff.toml", ""), (".ruff.toml", ""), ("pyproject.toml", "[tool.ruff")),
        ("python -m ruff", "ruff"),
        "check --force-exclude --no-fix --no-cache --output-format concise --",
    ),
    Checker(
        "flake8",
        _PYTHON,
        ((".flake8", ""), ("setup.cfg", "[flake8]"), ("tox.ini", "[flake8]")),
        ("python -m flake8", "flake8"),
        "--",
    ),
    Checker(
        "pylint",
        _PYTHON,
        ((".pylintrc", ""), ("pylintrc", ""), ("pyproject.toml", "[tool.pylint"), ("setup.cfg", "[pylint")),
        ("python -m pylint", "pylint"),
        "--output-format=text --",
        frozenset(range(32)),  # a sum of bits; 32 is wrong use
    ),
    Checker(
        "mypy",
        _PYTHON,
        (("mypy.ini", ""), (".mypy.ini", ""), ("pyproject.toml", "[tool.mypy"), ("setup.cfg", "[mypy")),
        ("python -m mypy", "mypy"),
        "--no-pretty --cache-dir=/dev/null --",
    ),
    Checker(
        "pyright",
        _PYTHON,
        (("pyrightconfig.json", ""), ("pyproject.toml", "[tool.pyright")),
        ("python -m pyright", "pyright"),
        "",
    ),
    Checker(
        "eslint",
        _SCRIPT,
        tuple((f"eslint.config.{end}", "") for end in ("js", "mjs", "cjs", "ts"))
        + tuple((f".eslintrc{end}", "") for end in ("", ".json", ".js", ".cjs", ".yml", ".yaml"))
        + (("package.json", '"eslintConfig"'),),
        ("./node_modules/.bin/eslint",),
        "--no-color --",
    ),
    Checker(
        "tsc",
        (".ts", ".tsx", ".mts", ".cts"),
        (("tsconfig.json", ""),),
        ("./node_modules/.bin/tsc",),
        "--noEmit --pretty false",
        frozenset({0, 1, 2}),
        takes_files=False,
    ),
)


@dataclass(frozen=True)
class Checked:
    """`compared` are the tools that looked before and after, `absent` those that are configured and could not look,
    `new` what they find now and did not find before, as sentences."""

    compared: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


def checked(edits: Mapping[str, bytes | None], patch: bytes, bench: Workbench, cancel: Event) -> Checked:
    """What the repository's checkers say of the changed files with the patch that they did not say without it.

    The failing check's own tool is left out: the check itself says what it thinks of the patch. What it finds without
    the patch is paid for once per run and set of files.
    """
    folder = bench.reproduction.plan.check.workdir
    here = [path for path, data in edits.items() if data is not None][:_MOST_FILES]
    chosen = [
        (checker, place)
        for checker in _CHECKERS
        if checker.name != bench.diagnosis.tool
        and (place := _configured(checker, bench.tree, folder, here)) is not None
    ]
    if not chosen:
        return Checked()
    there = [path for path in here if bench.tree.read(path) is not None]
    before = _parts(_known(_script(chosen, there), bench, cancel)) if there else None
    if before == {}:  # none of them is installed
        return Checked(absent=tuple(checker.name for checker, _ in chosen))
    after = _parts(_look(_script(chosen, here), patch, bench, cancel))
    compared, new = [], []
    for checker, _ in chosen:
        was = _found(checker, before) if before is not None else ()
        now = _found(checker, after)
        if was is None or now is None:
            continue
        compared.append(checker.name)
        new += [f"{checker.name}: {sentence}" for sentence in _new(was, now)]
    absent = tuple(checker.name for checker, _ in chosen if checker.name not in compared)
    return Checked(tuple(compared), absent, tuple(new))


def _configured(checker: Checker, tree: Files, folder: str, paths: Sequence[str]) -> str | None:
    """The folder with the tool's settings, the check's own first; None where there are none, or no file for it."""
    for place in dict.fromkeys((str(PurePosixPath(folder)), ".")):
        inside = [path for path in _relative(paths, place) if path.endswith(checker.suffixes)]
        if inside and any(_says(tree, str(PurePosixPath(place) / name), text) for name, text in checker.settings):
            return place
    return None


def _says(tree: Files, path: str, text: str) -> bool:
    data = tree.read(path)
    return data is not None and text.encode() in data


def _relative(paths: Sequence[str], place: str) -> list[str]:
    prefix = "" if place == "." else f"{place}/"
    return [path.removeprefix(prefix) for path in paths if path.startswith(prefix)]


def _script(chosen: Sequence[tuple[Checker, str]], paths: Sequence[str]) -> str:
    """Each tool that is there, one after the other: a mark with its name, what it prints, a mark with its exit code."""
    lines = ['out="$HEAL_REPORT" home="$PWD"']
    for checker, place in chosen:
        files = [path for path in _relative(paths, place) if path.endswith(checker.suffixes)]
        if not files:
            continue
        named = shlex.join(f"./{path}" if path.startswith("-") else path for path in files)
        arguments = f"{checker.options} {named}" if checker.takes_files else checker.options
        tries = "; el".join(f"if {call} --version >/dev/null 2>&1; then set -- {call}" for call in checker.calls)
        lines += [
            f'cd "$home" && cd {shlex.quote(place)} || exit 1',
            f"{tries}; else set --; fi",
            f'if [ $# -gt 0 ]; then printf "\\036{checker.name}\\n" >>"$out"',
            f'  timeout -k 5 {_TOOL_S} "$@" {arguments} 2>&1 </dev/null | tr -d "\\036" | head -c {_OUTPUT} >>"$out"',
            '  printf "\\n\\036%s\\n" "${PIPESTATUS[0]}" >>"$out"; fi',
        ]
    return "\n".join([*lines, ""])


def _known(script: str, bench: Workbench, cancel: Event) -> str:
    digest = hashlib.sha256(script.encode()).hexdigest()[:16]
    return bench.once(f"checkers:{digest}", str, lambda: _look(script, None, bench, cancel))


def _look(script: str, patch: bytes | None, bench: Workbench, cancel: Event) -> str:
    step = Step("checkers", script, "bash {0}", bench.reproduction.plan.check.env, ".")
    result = bench.environment.run(step, bench.tree.tar(), patch, Limits(wall_s=_WALL_S), cancel=cancel)
    if cancel.is_set():
        raise Cancelled("the run of the checkers was cancelled")
    return result.report.decode("utf-8", "replace")


def _parts(report: str) -> dict[str, tuple[int, str]]:
    """Exit code and output by tool, for those that came to their end."""
    marked = report.split(_MARK)[1:]
    found: dict[str, tuple[int, str]] = {}
    for opened, closed in pairwise(marked):
        name, _, output = opened.partition("\n")
        code = closed.partition("\n")[0]
        if code.isascii() and code.isdigit() and len(code) <= 3:
            found[name] = (int(code), output)
    return found


def _found(checker: Checker, parts: Mapping[str, tuple[int, str]]) -> tuple[Finding, ...] | None:
    """What the tool complained about; None when it is not there or could not look."""
    code, output = parts.get(checker.name, (-1, ""))
    tool = next(tool for tool in TOOLS if checker.name == tool.NAME)
    return tool.findings(output, ()) if code in checker.ran else None


def _new(before: Sequence[Finding], after: Sequence[Finding]) -> list[str]:
    """What a rule finds more often in a file than before. Lines move and messages quote what was changed, so neither
    tells an old finding from a new one; among equals, one whose words are new is named."""
    had, words = Counter(map(_kind, before)), {(_kind(one), one.message) for one in before}
    new = set[int]()
    for at, finding in sorted(enumerate(after), key=lambda one: (_kind(one[1]), one[1].message) not in words):
        if had[_kind(finding)]:
            had[_kind(finding)] -= 1
        else:
            new.add(at)
    return [_sentence(finding) for at, finding in enumerate(after) if at in new]


def _sentence(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path or "?"
    return f"{place}: {finding.rule or ''} {finding.message}"


def _kind(finding: Finding) -> tuple[str, str]:
    return finding.path or "", finding.rule or _DIGITS.sub("0", finding.message)
