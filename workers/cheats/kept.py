"""Whether a test file still proves what it proved: each test is there, runs, and asserts as much and as strictly."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workers.policy import Violation
from workers.syntax import always, constant, dotted, imported, parents

_TOLERANCES = frozenset({"abs", "rel", "abs_tol", "rel_tol", "atol", "rtol", "delta"})
_LARGEST = 1e300
_PLACES = frozenset({"places", "decimal", "significant", "decimals"})
_STRICT_CALLS = frozenset({
    "assertEqual", "assertEquals", "assertIs", "assertIsNone", "assertListEqual", "assertDictEqual", "assertTupleEqual",
    "assertSetEqual", "assertSequenceEqual", "assertMultiLineEqual", "assertCountEqual", "assert_equal",
    "assert_array_equal", "assert_frame_equal",
})  # fmt: skip
_HARMLESS_MARKS = frozenset({"parametrize", "usefixtures", "asyncio", "anyio", "django_db", "trio"})
_BINDING = ("parametrize", "given", "asyncio", "anyio", "trio", "django_db", "fixture", "usefixtures", "patch")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Proof:
    """What one test asserts: how many checks, how many of them strict, how deep they hide, how it may be left early."""

    checks: int
    strict: int
    alternatives: int
    hidden: int
    exits: int
    tolerance: float
    places: float
    tolerated: int
    cases: int
    marks: Mapping[str, int]
    kind: str


def review(path: str, before: ast.Module, after: ast.Module) -> Iterator[Violation]:
    """Each way in which a test of the file proves less than before."""
    old, new = _tests(before), _tests(after)
    for name, found in old.items():
        line = new[name][-1].lineno if name in new else found[-1].lineno
        if len(new.get(name, ())) < len(found) or (len(found) == 1 and len(new[name]) > 1):
            yield Violation("deletes a test", path, line, name)
            continue
        was, now = (_proof(one[-1], module) for one, module in ((found, before), (new[name], after)))
        for rule in _weaker(was, now):
            yield Violation(rule, path, line, name)
    for name, size in _tables(before).items():
        if _tables(after).get(name, 0) < size:
            yield Violation("weakens a test", path, 0, f"{name} has fewer entries")
    bound = _bindings(before)
    for name, times in _bindings(after).items():
        if times > bound[name] and (name in old or name in imported(before)):
            yield Violation("weakens a test", path, 0, f"{name} is bound to something else")
    had = _classes(before)
    for name, oddities in _classes(after).items():
        if name in had and oddities - had[name]:
            yield Violation("skips a test", path, 0, f"{name}: {', '.join(sorted(oddities - had[name]))}")


def same(before: ast.Module, after: ast.Module) -> bool:
    """Equal in meaning, but for the order of imports and the layout of docstrings."""
    return _bare(before) == _bare(after)


def _bare(module: ast.Module) -> tuple[Counter[str], list[str]]:
    imports = Counter(
        f"{getattr(node, 'module', '')}:{getattr(node, 'level', 0)}:{alias.name}:{alias.asname}"
        for node in module.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )
    rest = [ast.dump(node) for node in module.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    return imports, [text.replace("\\n", " ").replace(" ", "") for text in rest]


def _weaker(was: Proof, now: Proof) -> Iterator[str]:
    if now.checks < was.checks:
        yield "removes an assertion"
    if now.strict < was.strict or now.alternatives > was.alternatives:
        yield "loosens a comparison"
    if now.tolerance > was.tolerance or now.places < was.places or now.tolerated > was.tolerated:
        yield "loosens a comparison"
    if now.hidden > was.hidden or now.exits > was.exits or now.kind != was.kind:
        yield "weakens a test"
    if now.cases < was.cases:
        yield "deletes a test"
    lost = [name for name in was.marks if name.split(".")[-1] in _BINDING and now.marks.get(name, 0) < was.marks[name]]
    won = [name for name in now.marks if now.marks[name] > was.marks.get(name, 0) and _excludes(name)]
    if lost or won:
        yield "skips a test"


def _excludes(mark: str) -> bool:
    """A mark that is not known to be harmless can be deselected by the command, or skips by itself."""
    last = mark.split(".")[-1]
    return (".mark." in mark and last not in _HARMLESS_MARKS) or "skip" in last.lower() or last == "expectedFailure"


def _tests(module: ast.Module) -> dict[str, list[Function]]:
    found: dict[str, list[Function]] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if node.name.startswith("test"):
                    found.setdefault(f"{prefix}{node.name}", []).append(node)
            elif not isinstance(node, ast.If) or constant(node.test) is not ...:
                continue  # what stands under a constant condition is as good as gone
            else:
                visit(node.body, prefix)

    visit(module.body, "")
    return found


def _classes(module: ast.Module) -> dict[str, frozenset[str]]:
    """What keeps a class of tests from being collected, or lets its tests be left out."""
    names = imported(module)
    return {
        node.name: frozenset(
            {one.name for one in node.body if isinstance(one, Function) and one.name in ("__init__", "__new__")}
            | {mark for one in node.decorator_list if _excludes(mark := _name(one, names))}
        )
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    }


def _bindings(module: ast.Module) -> Counter[str]:
    """How often each name is set or deleted by a statement."""
    return Counter(
        node.id for node in ast.walk(module) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del)
    )


def _tables(module: ast.Module) -> dict[str, int]:
    """Lists of cases at the top of the file, by name."""
    sizes = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            size = _size(node.value)
            if size is not None:
                sizes[node.targets[0].id] = size
    return sizes


def _size(node: ast.expr | None) -> int | None:
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return len(node.elts)
    return len(node.keys) if isinstance(node, ast.Dict) else None


def _name(decorator: ast.expr, names: Mapping[str, str]) -> str:
    return dotted(decorator.func if isinstance(decorator, ast.Call) else decorator, names)


def _bounded(value: float) -> float:
    """Within what a float can be: a number in a source may have hundreds of digits."""
    return float(max(-_LARGEST, min(value, _LARGEST)))


def _proof(function: Function, module: ast.Module) -> Proof:
    names, above = imported(module), parents(function)
    checks = [node for node in ast.walk(function) if _checks(node)]
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    given = [(keyword.arg, constant(keyword.value)) for call in calls for keyword in call.keywords if keyword.arg]
    loose = [_bounded(value) for name, value in given if name in _TOLERANCES and isinstance(value, int | float)]
    places = [_bounded(value) for name, value in given if name in _PLACES and isinstance(value, int | float)]
    return Proof(
        checks=len(checks),
        strict=sum(_strict(node) for node in checks),
        alternatives=sum(isinstance(part, ast.Or) for node in checks for part in ast.walk(node)),
        hidden=sum(_depth(node, above) for node in checks),
        exits=sum(isinstance(node, ast.Return | ast.Break | ast.Continue | ast.Raise) for node in ast.walk(function)),
        tolerance=sum(loose),
        places=sum(places),
        tolerated=sum(
            _called(call) in ("approx", "isclose", "assertAlmostEqual", "allclose", "round") for call in calls
        ),
        cases=_cases(function, names),
        marks=Counter(_name(one, names) for one in function.decorator_list),
        kind=f"{type(function).__name__} {any(isinstance(n, ast.Yield | ast.YieldFrom) for n in ast.walk(function))}",
    )


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _checks(node: ast.AST) -> bool:
    """An assertion that can fail."""
    if isinstance(node, ast.Assert):
        return not always(node.test)
    if not isinstance(node, ast.Call):
        return False
    name = _called(node)
    if name in ("assertTrue", "assertEqual", "assertIs") and node.args:
        same = len(node.args) > 1 and ast.dump(node.args[0]) == ast.dump(node.args[1])
        return not same and not (name == "assertTrue" and always(node.args[0]))
    return name.startswith("assert") or name in ("fail", "raises", "warns", "expect")


def _strict(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return any(
            isinstance(op, ast.Eq | ast.Is)
            for part in ast.walk(node.test)
            if isinstance(part, ast.Compare)
            for op in part.ops
        )
    return isinstance(node, ast.Call) and _called(node) in _STRICT_CALLS


def _depth(node: ast.AST, above: Mapping[ast.AST, ast.AST]) -> int:
    """How many conditions, attempts and nested functions stand between the test's start and the check."""
    depth, at = 0, above.get(node)
    while at is not None:
        depth += isinstance(at, ast.If | ast.While | ast.Try | ast.IfExp | ast.BoolOp | ast.Lambda | Function)
        depth += isinstance(at, ast.With) and any("suppress" in ast.dump(item.context_expr) for item in at.items)
        at = above.get(at)
    return depth


def _cases(function: Function, names: Mapping[str, str]) -> int:
    """How many sets of parameters are written at the test; lists made elsewhere count by their own size."""
    total = 0
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and _name(decorator, names).endswith("parametrize"):
            values = decorator.args[1] if len(decorator.args) > 1 else None
            values = next((k.value for k in decorator.keywords if k.arg == "argvalues"), values)
            total += _size(values) or 0
    return total
