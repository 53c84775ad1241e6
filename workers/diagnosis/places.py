"""The places of the repository that output names: of findings, in tracebacks, and what red tests import."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from workers.domain import Finding, Suspect
from workers.ports import SourceTree
from workers.suspects import Place, holding, imported, is_test, named, raised, ranked
from workers.syntax import parsed

_FRAMES = (
    re.compile(r'^[ \t]*File "(?P<path>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>[^\n]+))?', re.MULTILINE),
    re.compile(r"^(?P<path>[^\s:][^:\n]*\.py):(?P<line>\d+): (?:in (?P<function>[^\n]+))?", re.MULTILINE),
)


@dataclass(frozen=True)
class Frame:
    """A line of a traceback that lies in the repository."""

    path: str
    line: int
    function: str = ""

    @property
    def place(self) -> Place:
        """Where it stands, without the function."""
        return self.path, self.line


def placed(finding: Finding, paths: Set[str]) -> Finding:
    """The finding with its path as the repository's own, or without one when it is none of its files."""
    if finding.path is None:
        return finding
    located = _located(finding.path, paths)
    return replace(finding, path=located, line=finding.line if located else None)


def frames(text: str, paths: Set[str]) -> tuple[Frame, ...]:
    """The repository's traceback lines in printed order, so the place where it went wrong is the last."""
    found: list[tuple[int, Frame]] = []
    for pattern in _FRAMES:
        for match in pattern.finditer(text):
            path = _located(match["path"], paths)
            if path is not None:
                frame = Frame(path, int(match["line"][:9]), (match["function"] or "").strip())
                found.append((match.start(), frame))
    return tuple(frame for _, frame in sorted(found, key=lambda pair: pair[0]))


def suspects(
    found: Sequence[Finding], tool: str, traces: Sequence[Sequence[Place]], tree: SourceTree, paths: Set[str]
) -> tuple[Suspect, ...]:
    """What the tracebacks of the failures, the findings of the tool and the imports of red tests say."""
    pointed = [*raised(traces), *named(found, tool)]
    tests = dict.fromkeys(path for path in [*(one.path for one in pointed), *_test_files(found)] if is_test(path))
    imports = [path for test in tests for path in _imports(tree, test, paths)]
    return ranked([*pointed, *imported(imports), *holding(test for test in tests if test in paths)])


def _located(path: str, paths: Set[str]) -> str | None:
    """A printed path as the repository's own: the longest ending that is a file of the tree."""
    parts = path.replace("\\", "/").removeprefix("./").split("/")
    if "site-packages" in parts or "dist-packages" in parts:
        return None
    return next((tail for at in range(len(parts)) if (tail := "/".join(parts[at:])) in paths), None)


def _test_files(found: Sequence[Finding]) -> list[str]:
    return [finding.test.split("::")[0] for finding in found if finding.test and "::" in finding.test]


def _imports(tree: SourceTree, path: str, paths: Set[str]) -> list[str]:
    """The repository's files that a test imports, as far as its text says."""
    module = parsed(tree.read(path) or b"")
    if module is None:
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
    return [file for file in files if file in paths and not is_test(file)]
