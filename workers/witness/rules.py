"""What a test that is to show a bug may not do: be red or green whatever the code does, or hang on anything else.

The mirror of `workers.cheats`: a patch may not make a test say less, and a test may not say more than the code does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from workers.cheats import code
from workers.policy import Violation
from workers.syntax import constant, dotted, imported, parsed
from workers.witness.names import Names

LONGEST_LINES, LONGEST_BYTES = 200, 20_000
_NETWORK = re.compile(
    r"^(socket|socketserver|ssl|http\.(client|server)|urllib\.request|urllib3|requests|httpx|aiohttp|websockets?|ftplib"
    r"|smtplib|imaplib|poplib|telnetlib|xmlrpc|paramiko|boto3|grpc|asyncio\.(open_connection|start_server))(\.|$)"
)
_PROCESS = re.compile(r"^(subprocess|multiprocessing|os\.(system|popen|spawn\w*|posix_spawn\w*|fork\w*)|pty)(\.|$)")
_SURROUNDINGS = re.compile(
    r"^(os\.(environ\w*|getenv\w*|getlogin|uname)|sys\.(argv|platform)|platform\.\w+|getpass\.\w+)"
)
_CLOCK = re.compile(r"^(time\.(time|monotonic|perf_counter)\w*|datetime\.(\w+\.)?(now|utcnow|today)|date\.today)$")
_GIVES_UP = re.compile(r"^(pytest\.fail|\?\.fail|self\.fail)$")
_PATCHES = re.compile(r"(^|\.)(patch(\.object|\.dict|\.multiple)?|setattr|delattr|setitem)$")
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def review(path: str, content: bytes, names: Names) -> list[Violation]:
    """Every rule that the test file breaks; empty when it may be run."""
    if len(content) > LONGEST_BYTES or content.count(b"\n") > LONGEST_LINES:
        return [Violation("is too long for a test of one report", path, 0, f"{len(content)} bytes")]
    module = parsed(content)
    if module is None:
        return [Violation("is no Python", path, 0, path)]
    text = content.decode("utf-8", "replace")
    found = [Violation("hides characters", path, 0, ascii(mark)) for mark in _HIDDEN.findall(text)[:1]]
    found += code.review(path, ast.Module([], []), module, test=True)
    meant = imported(module)
    found += [Violation(rule, path, line, quote[:200]) for rule, quote, line in _lines(module, meant, names)]
    found += [Violation(rule, path, line, quote[:200]) for rule, quote, line in _tests(module, meant, names)]
    return list(dict.fromkeys(found))


def _lines(module: ast.Module, meant: Mapping[str, str], names: Names) -> Iterator[tuple[str, str, int]]:
    for node in ast.walk(module):
        for rule, quote in _of(node, meant, names):
            yield rule, quote, getattr(node, "lineno", 0)


def _of(node: ast.AST, meant: Mapping[str, str], names: Names) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for module in _modules(node):
            yield from _outside(module, names)
    elif isinstance(node, ast.Name | ast.Attribute):
        yield from _outside(dotted(node, meant), names)
    elif isinstance(node, ast.Call):
        yield from _called(node, dotted(node.func, meant), meant, names)
    elif isinstance(node, ast.Assert | ast.Raise) and not _asks(node, meant):
        yield "is red or green whatever the code does", ast.unparse(node)
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and _is_ours(dotted(node, meant), names):
        yield "replaces what it tests", ast.unparse(node)


def _outside(name: str, names: Names) -> Iterator[tuple[str, str]]:
    """Names that reach out of the test: the network, other processes, the machine and its clock."""
    if names.is_ours(name):
        return
    for rule, pattern in (
        ("uses the network", _NETWORK),
        ("starts a process", _PROCESS),
        ("reads its surroundings", _SURROUNDINGS),
        ("asks the clock", _CLOCK),
    ):
        if pattern.search(name):
            yield rule, name


def _called(node: ast.Call, name: str, meant: Mapping[str, str], names: Names) -> Iterator[tuple[str, str]]:
    if _GIVES_UP.search(name) or name.endswith(".fail"):
        yield "is red or green whatever the code does", ast.unparse(node)
    if _PATCHES.search(name):
        first = node.args[0] if node.args else None
        target = constant(first)
        if _is_ours(target if isinstance(target, str) else dotted(first, meant), names):
            yield "replaces what it tests", ast.unparse(node)


def _tests(module: ast.Module, meant: Mapping[str, str], names: Names) -> Iterator[tuple[str, str, int]]:
    """There is a test, and each reaches code of the repository: itself, or by what it calls in this file."""
    functions = {
        node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found = [node for name, node in functions.items() if name.startswith("test")]
    if not found:
        yield "holds no test", "", 0
    for test in found:
        if not _reaches(test, functions, meant, names, set()):
            yield "does not reach the repository's code", test.name, test.lineno


def _reaches(
    node: ast.AST, functions: Mapping[str, ast.AST], meant: Mapping[str, str], names: Names, seen: set[str]
) -> bool:
    for part in ast.walk(node):
        if isinstance(part, ast.Import | ast.ImportFrom) and any(map(names.is_ours, _modules(part))):
            return True
        if isinstance(part, ast.ImportFrom) and part.level:
            return True
        name = part.id if isinstance(part, ast.Name) else part.arg if isinstance(part, ast.arg) else ""
        if _is_ours(meant.get(name, ""), names) or (isinstance(part, ast.arg) and name in names.fixtures):
            return True
        if name in functions and name not in seen:
            seen.add(name)
            if _reaches(functions[name], functions, meant, names, seen):
                return True
    return False


def _is_ours(name: str, names: Names) -> bool:
    return bool(name) and names.is_ours(name)


def _asks(node: ast.Assert | ast.Raise, meant: Mapping[str, str]) -> bool:
    """What is asserted hangs on something: a name, a call. What is raised is no assertion of the test's own."""
    if isinstance(node, ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return dotted(raised, meant) != "AssertionError"
    return any(isinstance(part, ast.Name) for part in ast.walk(node.test))


def _modules(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
