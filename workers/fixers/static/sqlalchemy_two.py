"""What SQLAlchemy 2 took away and what has an equal there: engines that execute, lists in `select`, SQL in quotes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from workers.fixers.source import Source, Splice
from workers.fixers.static.form import Form, covers, raising, unused
from workers.fixers.static.imports import added
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

_SELECTS = frozenset(f"sqlalchemy.{home}select" for home in ("", "future.", "sql.", "sql.expression."))
_MAKES = frozenset({"sqlalchemy.create_engine", "sqlalchemy.engine.create_engine"})
_CONSUMED = frozenset(
    {"fetchall", "fetchone", "first", "all", "one", "one_or_none", "scalar", "scalar_one", "scalar_one_or_none"}
)
"""What reads a result to its end, or all that is wanted of it, before the connection is closed."""
_FILLED = frozenset({"list", "tuple", "sorted", "set", "dict"})
_LATER = (
    ast.Lambda | ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp | ast.Await | ast.Yield | ast.YieldFrom
)
_SIMPLE = ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return
_BINDS = frozenset(":%\\")
"""Letters that mean one thing to the driver and another one to `text`."""
_DRIVERS = frozenset(
    {"sqlite3", "aiosqlite", "psycopg", "psycopg2", "asyncpg", "pymysql", "MySQLdb", "pyodbc", "oracledb", "duckdb"}
)
"""Their connections execute SQL in quotes, too: in a file that has one, only the raising line is known."""
_SAID = re.compile(r"Textual SQL expression '(.{1,400}?)' should be explicitly declared as text\(")


def selected(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """`select([a, b])` as `select(a, b)`. A second argument was the condition, which has to be written anew."""
    del failure, known
    names = Names(source)
    for call in source.calls:
        if names.full(call.func) in _SELECTS and len(call.args) == 1 and not call.keywords:
            given = call.args[0]
            start, end = source.span(given)
            if isinstance(given, ast.List):
                yield start, start + 1, ""
                yield end - 1, end, ""
            elif isinstance(given, ast.ListComp):
                yield start, start, "*"


def executed(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """`engine.execute(…)` as a transaction around its statement, which ended in a commit as well.

    Only where the result is not used after the statement, on the raising line and of the same engine elsewhere.
    """
    del known
    names, line = Names(source), raising(source, failure)
    calls = [call for call in source.calls if isinstance(call.func, ast.Attribute) and call.func.attr == "execute"]
    on_line = [call for call in calls if covers(call, line)]
    if any(_ended(source, call) is None for call in on_line):
        return
    engines = {source.text(_owner(call)) for call in on_line} | _engines(source, names)
    need = False
    connection = unused(source, "connection", "heal_connection")
    for call in calls:
        statement = _ended(source, call)
        if source.text(_owner(call)) in engines and statement is not None:
            edits, textual = _on_connection(source, names, call, statement, connection)
            need = need or textual
            yield from edits
    if need:
        yield from _import(source, names)


def _owner(call: ast.Call) -> ast.expr:
    """What a method is called of."""
    return call.func.value if isinstance(call.func, ast.Attribute) else call.func


def _engines(source: Source, names: Names) -> set[str]:
    """Names at the top of the module that nothing but `create_engine` makes."""
    made = [n for n in source.tree.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call)]
    return {
        target.id
        for node in made
        if isinstance(node.value, ast.Call) and names.full(node.value.func) in _MAKES
        for target in node.targets
        if isinstance(target, ast.Name) and _stored_once(source, target.id)
    }


def _stored_once(source: Source, name: str) -> bool:
    stored = (n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    given = (n for n in ast.walk(source.tree) if isinstance(n, ast.arg))
    return sum(n.id == name for n in stored) + sum(n.arg == name for n in given) == 1


def _ended(source: Source, call: ast.Call) -> ast.stmt | None:
    """The statement with which the result of a call is done with; None where it may be used later."""
    node: ast.AST = call
    read = _read(source, call)
    while not isinstance(around := source.parents[node], ast.stmt):
        if isinstance(around, _LATER) and not _first(around, call):
            return None
        node = around
    dropped = isinstance(around, ast.Expr) and around.value is call
    given = call.keywords or not 1 <= len(call.args) <= 2 or any(isinstance(arg, ast.Starred) for arg in call.args)
    fits = isinstance(around, _SIMPLE) and source.alone(around) and (read or dropped) and not given
    return around if fits and _calls(around) == 1 else None


def _read(source: Source, call: ast.Call) -> bool:
    """What stands around the call reads its result to the end, or all that is wanted of it."""
    around = source.parents[call]
    if isinstance(around, ast.Attribute):
        return around.attr in _CONSUMED
    if isinstance(around, ast.Call):
        return isinstance(around.func, ast.Name) and around.func.id in _FILLED
    return isinstance(around, ast.comprehension) and _first(source.parents[around], call)


def _first(node: ast.AST, call: ast.Call) -> bool:
    """The comprehension is made at once, and loops over the result of the call first."""
    return isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp) and node.generators[0].iter is call


def _calls(statement: ast.stmt) -> int:
    """How often a statement executes something: two would share one connection, which were two before."""
    return sum(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == "execute"
        for n in ast.walk(statement)
    )


def _on_connection(
    source: Source, names: Names, call: ast.Call, statement: ast.stmt, connection: str
) -> tuple[list[Splice], bool]:
    """The splices, and whether they need `text`."""
    indent, eol = source.indent(statement), "\r\n" if b"\r\n" in source.data else "\n"
    at, owner = source.span(statement)[0], _owner(call)
    step = "\t" if indent.startswith("\t") else "    "
    edits = [(at, at, f"with {source.text(owner)}.begin() as {connection}:{eol}{indent}{step}")]
    edits.append((*source.span(owner), connection))
    if isinstance(call.args[0], ast.Constant | ast.JoinedStr):
        more, textual = _driven(source, names, call)
        return edits + more, textual
    return edits, False


def _driven(source: Source, names: Names, call: ast.Call) -> tuple[list[Splice], bool]:
    """SQL in quotes went to the driver as it is: plain text means the same anywhere, all else goes there still."""
    sql = call.args[0]
    plain = isinstance(sql, ast.Constant) and isinstance(sql.value, str) and not set(sql.value) & _BINDS
    if plain and len(call.args) == 1:
        return _wrapped(source, sql, names), True
    end = source.span(call.func)[1]
    return [(end - len("execute"), end, "exec_driver_sql")], False


def driven(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """SQL in quotes that a connection was asked to execute, on the raising line and of that connection elsewhere."""
    del known
    line, names = raising(source, failure), Names(source)
    calls = [c for c in source.calls if isinstance(c.func, ast.Attribute) and c.func.attr == "execute" and _sql(c)]
    owners = {source.text(_owner(call)) for call in calls if covers(call, line)}
    need = False
    alone = _has_driver(names)
    for call in calls:
        if covers(call, line) or (source.text(_owner(call)) in owners and not alone):
            edits, textual = _driven(source, names, call)
            need = need or textual
            yield from edits
    if need:
        yield from _import(source, names)


def _has_driver(names: Names) -> bool:
    return any(full.partition(".")[0] in _DRIVERS for full in names.known.values())


def _sql(call: ast.Call) -> bool:
    written = bool(call.args) and isinstance(call.args[0], ast.Constant | ast.JoinedStr)
    return written and not call.keywords and len(call.args) <= 2


def textual(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """SQL in quotes that a session or a clause was given, on the raising line; a session's other calls too."""
    del known
    line, names = raising(source, failure), Names(source)
    said = _SAID.search(failure.message)
    begun = said[1] if said else "\0"
    found = {
        call: None
        for call in source.calls
        if covers(call, line) and _quoted(call) and isinstance(sql := call.args[0], ast.Constant) and sql.value == begun
    }
    executing = [c for c in source.calls if isinstance(c.func, ast.Attribute) and c.func.attr == "execute"]
    owners = {source.text(_owner(call)) for call in executing if call in found and not _has_driver(names)}
    more = [call for call in executing if source.text(_owner(call)) in owners and _quoted(call)]
    for call in dict.fromkeys([*found, *more]):
        yield from _wrapped(source, call.args[0], names)
    if found:
        yield from _import(source, names)


def _quoted(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)


def _wrapped(source: Source, node: ast.expr, names: Names) -> list[Splice]:
    start, end = source.span(node)
    return [(start, start, f"{_text(source, names)[0]}("), (end, end, ")")]


def _text(source: Source, names: Names) -> tuple[str, str]:
    """How the file calls `sqlalchemy.text`, and the import that it needs for that, empty where it has one."""
    for local, full in names.known.items():
        if full in ("sqlalchemy.text", "sqlalchemy.sql.text", "sqlalchemy.sql.expression.text"):
            return local, ""
    for local, full in names.known.items():
        if full == "sqlalchemy":
            return f"{local}.text", ""
    name = unused(source, "text", "sql_text")
    return name, "from sqlalchemy import " + (name if name == "text" else f"text as {name}")


def _import(source: Source, names: Names) -> Iterator[Splice]:
    statement = _text(source, names)[1]
    if statement:
        yield added(source, statement)


FORMS = (
    Form(re.compile(r"'Engine' object has no attribute 'execute'"), executed,
         "`engine.execute` became a transaction that executes", True),
    Form(re.compile(r"Not an executable object: '"), driven, "SQL in quotes is given as such", True),
    Form(re.compile(r"should be explicitly declared as text\("), textual, "SQL in quotes became `text(…)`", True),
    Form(re.compile(r"Column expression, FROM clause, or other columns clause element expected, got \["), selected,
         "`select([…])` became `select(…)`", True),
)  # fmt: skip
