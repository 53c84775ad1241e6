"""Things that code may not newly do, whatever they are spelled like: end the process, look at who is watching,
swallow errors, replace parts of other modules, equal everything, wait."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from workers.cheats.absent import expected
from workers.policy import Violation
from workers.syntax import always, constant, dotted, imported, parents

_ENDS = re.compile(
    r"^(os\.(_exit|abort|kill|killpg|exec\w+)|sys\.exit|exit|quit|signal\.(raise_signal|pthread_kill|alarm|signal)"
    r"|pytest\.exit|_thread\.interrupt_main|atexit\.register)$|\._exit$"
)
_LOOKS = re.compile(
    r"^(sys\.(modules|orig_argv|gettrace|getprofile|_getframe|_current_frames|settrace|setprofile|addaudithook"
    r"|excepthook)|inspect\.(stack|currentframe|getouterframes|trace)|traceback\.(extract_stack|format_stack|walk_stack)"
    r"|gc\.(get_objects|get_referrers)|threading\.(settrace|setprofile|excepthook))\b"
)
_TEXT = re.compile(r"pytest|unittest|\bHEAL_|heal_report|(?<!\w)/heal\b", re.IGNORECASE)
_ENV = re.compile(
    r"^(CI|CONTINUOUS_INTEGRATION|GITHUB_\w*|RUNNER_\w*|GITLAB_\w*|TRAVIS\w*|CIRCLECI|BUILDKITE\w*|JENKINS\w*|PYTEST\w*"
    r"|TOX\w*|NOX\w*|HEAL\w*|TESTING|PYTHONHASHSEED|PYTHONPATH|HOSTNAME)$"
)
_MADE_UP = frozenset(
    {"globals", "eval", "exec", "compile", "__import__", "runpy.run_path", "ctypes.CDLL", "ctypes.pythonapi"}
)
_SKIPS = re.compile(
    r"^(pytest|unittest|nose)\.(\S+\.)?(skip|skipIf|skipUnless|skipif|xfail|importorskip|expectedFailure)$"
    r"|(^|\.)(SkipTest|skipTest|expectedFailure)$"
)
_NETWORK = re.compile(
    r"^(requests\.(get|post|put|patch|delete|head|options|request|[sS]ession)|httpx\.\w+|aiohttp\.\w+|urllib3\.\w+"
    r"|urllib\.request\.(urlopen|urlretrieve|build_opener)|http\.client\.HTTPS?Connection"
    r"|socket\.(socket|create_connection)|asyncio\.open_connection|(ftplib|smtplib|telnetlib|xmlrpc|paramiko|websockets?"
    r"|boto3)\.[\w.]+)$"
)
_UNTYPED = re.compile(r"^typing(_extensions)?\.no_type_check")
_PROCESSES = re.compile(r"^(subprocess\.\w+|os\.(system|popen|spawn\w+))$")
_FETCHES = re.compile(r"(?<![\w.-])(curl|wget|nc|ncat|ssh|scp)(?![\w.-])")
_NETWORKED = "reaches out to the network"
_WAITS = re.compile(r"(^|\.)sleep(_for)?$")
_RETRIES = re.compile(r"(^|[._])(retry|retrying|flaky|rerun|reruns|repeat_on_failure)\b", re.IGNORECASE)
_TOOLS = frozenset({"pytest", "_pytest", "unittest", "mock", "nose", "pluggy", "hypothesis", "doctest", "ctypes"})
_ALIKE = frozenset(
    {
        "__eq__",
        "__ne__",
        "__instancecheck__",
        "__subclasscheck__",
        "__contains__",
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
    }
)

_OF_THE_TOOLS = frozenset({"pytestmark", "collect_ignore", "collect_ignore_glob", "pytest_plugins", "load_tests"})

_NONE: Mapping[str, int] = MappingProxyType({})

Mark = tuple[str, str, int]
"""Rule, what makes it the same thing in another place, line."""


def review(
    path: str,
    before: ast.Module,
    after: ast.Module,
    moved: Mapping[str, int] = _NONE,
    own: frozenset[str] = frozenset(),
    *,
    test: bool,
) -> Iterator[Violation]:
    """What the file does now and did not do before. A trick that was there already and moved is none of the patch's.

    `moved` counts the calls to the network that other files of the patch lose; `own` are the operations of
    `workers.absences` that the project defines itself.
    """
    had = Counter((rule, key) for rule, key, _ in _marks(before, test=test, own=own))
    had.update({(_NETWORKED, key): times for key, times in moved.items()})
    for rule, key, line in sorted(_marks(after, test=test, own=own), key=lambda mark: mark[2]):
        if had[rule, key]:
            had[rule, key] -= 1
        else:
            yield Violation(rule, path, line, key[:200])


def calls_out(module: ast.Module) -> Counter[str]:
    """The calls to the network that the module makes, by what is called."""
    return Counter(key for rule, key, _ in _marks(module, test=False) if rule == _NETWORKED)


def _marks(module: ast.Module, *, test: bool, own: frozenset[str] = frozenset()) -> Iterator[Mark]:
    names, above = imported(module), parents(module)
    for node in ast.walk(module):
        line = getattr(node, "lineno", 0)
        for rule, key in _of(node, names, above, test=test):
            yield rule, key, line
        if isinstance(node, ast.Try | ast.TryStar) and not expected(node, names, above, own):
            yield from ((rule, key, line) for rule, key in _try(node, names))


def _of(
    node: ast.AST, names: Mapping[str, str], above: Mapping[ast.AST, ast.AST], *, test: bool
) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Call):
        yield from _call(node, names)
        yield from () if test else _network(node, names)
    elif isinstance(node, ast.Name | ast.Attribute):
        yield from _reference(node, names, above)
    elif isinstance(node, ast.Import | ast.ImportFrom) and not test:
        yield from _import(node)
    elif isinstance(node, ast.Constant) and not test:
        if isinstance(node.value, str) and _TEXT.search(node.value) and not isinstance(above.get(node), ast.Expr):
            yield "looks whether it is being tested", node.value
    elif isinstance(node, ast.Raise):
        yield from _raise(node, names, above)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        yield from _function(node, names, above)


def _raise(node: ast.Raise, names: Mapping[str, str], above: Mapping[ast.AST, ast.AST]) -> Iterator[tuple[str, str]]:
    raised = dotted(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, names)
    if raised in ("SystemExit", "KeyboardInterrupt", "GeneratorExit") and not _of_main(node.exc, above):
        yield "ends the process", f"raise {raised}"


def _call(node: ast.Call, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    name = dotted(node.func, names)
    shown = ast.unparse(node)[:200]
    first = node.args[0] if node.args else None
    if _WAITS.search(name) and constant(first) != 0:
        yield "waits instead of mending", shown
    if name == "contextlib.suppress":
        yield "swallows errors", shown
    if name in ("warnings.simplefilter", "warnings.filterwarnings", "warnings.catch_warnings"):
        yield "silences a checker", shown
    if name in _MADE_UP:
        yield "runs code made up from text", shown
    if name in ("getattr", "setattr", "delattr", "vars") and first is not None:
        yield from _by_text(node, name, names, shown)


def _network(node: ast.Call, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    name = dotted(node.func, names)
    if _NETWORK.search(name):
        yield _NETWORKED, name
    elif _PROCESSES.search(name) and (found := _FETCHES.search(ast.unparse(node)[:1000])):
        yield _NETWORKED, f"{name} {found[1]}"
    elif _PROCESSES.search(name) and _by_a_shell(node, name):
        yield "runs code made up from text", ast.unparse(node)[:200]


def _by_a_shell(node: ast.Call, name: str) -> bool:
    """The program is a line of a shell."""
    shells = ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput")
    return name in shells or any(one.arg == "shell" and constant(one.value) is True for one in node.keywords)


def _of_main(call: ast.AST | None, above: Mapping[ast.AST, ast.AST]) -> bool:
    """`sys.exit(main())` in the block for scripts: the exit code is what the program's own function says."""
    if not isinstance(call, ast.Call) or [ast.unparse(one) for one in call.args] != ["main()"]:
        return False
    at: ast.AST | None = call
    while isinstance(at, ast.Call | ast.Expr | ast.Raise):
        at = above.get(at)
    return isinstance(at, ast.If) and ast.unparse(at.test) == "__name__ == '__main__'" and not at.orelse


def _by_text(node: ast.Call, name: str, names: Mapping[str, str], shown: str) -> Iterator[tuple[str, str]]:
    owner = dotted(node.args[0], names)
    wanted = constant(node.args[1]) if len(node.args) > 1 else ...
    if name != "getattr":
        if rule := _replaced(node.args[0], names):
            yield rule, shown
    elif isinstance(wanted, str) and (_ENDS.search(f"{owner}.{wanted}") or _LOOKS.search(f"{owner}.{wanted}")):
        yield "ends the process", shown
    elif wanted is ... and owner in sys.stdlib_module_names:
        yield "runs code made up from text", shown


def _reference(
    node: ast.Name | ast.Attribute, names: Mapping[str, str], above: Mapping[ast.AST, ast.AST]
) -> Iterator[tuple[str, str]]:
    name, parent = dotted(node, names), above.get(node)
    if isinstance(parent, ast.Attribute):  # the longer chain speaks for itself, but for `x._exit` of anything
        if name in ("os.environ", "sys.modules"):
            yield from _environment(node, name, names, above)
        return
    if isinstance(node.ctx, ast.Store | ast.Del):
        yield from _stored(node, node.id if isinstance(node, ast.Name) else name, parent, names)
        return
    rules = (
        ("ends the process", _ENDS),
        ("skips a test", _SKIPS),
        ("looks whether it is being tested", _LOOKS),
        ("silences a checker", _UNTYPED),
    )
    for rule, pattern in rules:
        if pattern.search(name) and not (name == "sys.exit" and _of_main(parent, above)):
            yield rule, name
    if name in ("os.environ", "os.getenv", "os.environb"):
        yield from _environment(node, name, names, above)


def _stored(
    node: ast.Name | ast.Attribute, name: str, parent: ast.AST | None, names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """A name or an attribute that is set or deleted."""
    if isinstance(node, ast.Attribute) and (rule := _replaced(node.value, names)):
        yield rule, f"{name} ="
    last = name.split(".")[-1]
    if last in ("__class__", "__test__", "__unittest_skip__", "__code__") or name in _OF_THE_TOOLS:
        yield "replaces parts of the test's tools", f"{name} ="
    if name in _ALIKE and not isinstance(getattr(parent, "value", None), ast.Lambda):  # a lambda is judged on its own
        yield "compares equal to anything", f"{name} ="


def _environment(
    node: ast.AST, name: str, names: Mapping[str, str], above: Mapping[ast.AST, ast.AST]
) -> Iterator[tuple[str, str]]:
    """Which variable is read. A whole environment handed on to a process is no look at it."""
    if name == "sys.modules":
        yield "looks whether it is being tested", name
        return
    up = above.get(node)
    outer = above.get(up) if up is not None else None
    key: object = ...
    if isinstance(up, ast.Subscript):
        key = constant(up.slice)
    elif isinstance(up, ast.Call) and name == "os.getenv":
        key = constant(up.args[0]) if up.args else ...
    elif isinstance(up, ast.Attribute):
        if up.attr in ("copy", "update"):
            return
        key = constant(outer.args[0]) if isinstance(outer, ast.Call) and outer.args else ...
    elif isinstance(up, ast.Compare):
        key = constant(up.left)
    elif isinstance(up, ast.keyword | ast.Dict | ast.Import | ast.ImportFrom | ast.Assign) or (
        isinstance(up, ast.Call) and dotted(up.func, names) == "dict"
    ):
        return
    if not isinstance(key, str) or _ENV.match(key):
        yield "looks whether it is being tested", f"{name} {key if isinstance(key, str) else '*'}"


def _import(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for module in modules:
        if module.split(".")[0] in _TOOLS:
            yield "looks whether it is being tested", f"import {module.split('.')[0]}"
        elif module in ("os", "sys", "posix") and node.names[0].name == "*":
            yield "runs code made up from text", f"from {module} import *"


def _try(node: ast.Try | ast.TryStar, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for handler in node.handlers:
        listed = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        kinds = [dotted(kind, names) for kind in listed]
        broad = handler.type is None or any(kind in ("Exception", "BaseException") for kind in kinds)
        if (broad and not _raises(handler)) or all(_idle(statement) for statement in handler.body):
            yield "swallows errors", f"except {', '.join(kinds)}"
    for inner in node.finalbody:
        if any(isinstance(part, ast.Return | ast.Break | ast.Continue) for part in ast.walk(inner)):
            yield "swallows errors", "finally that leaves"


def _raises(handler: ast.ExceptHandler) -> bool:
    """Whatever it does first, it ends in an error."""
    leaves = (ast.Return, ast.Break, ast.Continue)
    inside = (part for one in handler.body for part in ast.walk(one))
    return isinstance(handler.body[-1], ast.Raise) and not any(isinstance(part, leaves) for part in inside)


def _idle(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass | ast.Continue) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _function(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
    names: Mapping[str, str],
    above: Mapping[ast.AST, ast.AST],
) -> Iterator[tuple[str, str]]:
    name, parent = getattr(node, "name", ""), above.get(node)
    if isinstance(node, ast.Lambda) and isinstance(parent, ast.Assign):
        name = next((target.id for target in parent.targets if isinstance(target, ast.Name)), "")
    if name in _ALIKE:
        other = {argument.arg for argument in node.args.args[1:]}
        body = node.body if isinstance(node.body, list) else [node.body]
        used = {part.id for one in body for part in ast.walk(one) if isinstance(part, ast.Name)}
        returned = [part.value for one in body for part in ast.walk(one) if isinstance(part, ast.Return) and part.value]
        if not other & used or (returned and all(always(value) for value in returned)):
            yield "compares equal to anything", name
    if name in ("__exit__", "__aexit__") and any(
        isinstance(part, ast.Return) and constant(part.value) is True for part in ast.walk(node)
    ):
        yield "swallows errors", name
    if (name.startswith("pytest_") or name == "load_tests") and isinstance(parent, ast.Module | ast.ClassDef):
        yield "replaces parts of the test's tools", f"def {name}"
    if isinstance(node, ast.Lambda):
        return
    for decorator in node.decorator_list:
        if _RETRIES.search(dotted(decorator.func if isinstance(decorator, ast.Call) else decorator, names)):
            yield "waits instead of mending", f"{ast.unparse(decorator)} {name}"
        call = decorator if isinstance(decorator, ast.Call) else None
        if call and dotted(call.func, names) == "pytest.fixture" and _autouse(call):
            yield "replaces parts of the test's tools", f"autouse {name}"


def _autouse(call: ast.Call) -> bool:
    return any(keyword.arg == "autouse" for keyword in call.keywords)


def _replaced(node: ast.AST, names: Mapping[str, str]) -> str:
    """The rule that forbids to set a part of this: something imported from Python's own library or from a test's tools,
    or the builtins by their name. Empty for anything else."""
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    name = root.id if isinstance(root, ast.Name) else ""
    top = names[name].split(".")[0] if name in names else ""
    if top in _TOOLS:
        return "replaces parts of the test's tools"
    return "replaces parts of another module" if name == "__builtins__" or top in sys.stdlib_module_names else ""
