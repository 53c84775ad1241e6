"""`datetime.utcnow` and `utcfromtimestamp`, which Python 3.12 warns of: the same moment from `timezone.utc`, and
without its time zone again, for whoever compares it with other naive moments or stores it must not notice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from workers.fixers.source import Source, Splice
from workers.fixers.static.form import Form, unused
from workers.fixers.static.imports import added
from workers.fixers.static.renames import Names
from workers.spectrum.evidence import Failure

_NEW = {"datetime.datetime.utcnow": "now", "datetime.datetime.utcfromtimestamp": "fromtimestamp"}


def utc(source: Source, failure: Failure, known: Mapping[str, Source]) -> Iterator[Splice]:
    """Every call, and `utcnow` where it is handed on to be called, as a default is."""
    del failure, known
    names = Names(source)
    missing = False
    for node in ast.walk(source.tree):
        new = _NEW.get(names.full(node)) if isinstance(node, ast.Attribute) else None
        if new is None or not isinstance(node, ast.Attribute):
            continue
        text = _written(source, node, new)
        if not text:
            continue
        zone, found = _zone(source, names, source.text(node.value))
        missing = missing or not found
        call = source.parents[node]
        whole = call if isinstance(call, ast.Call) and call.func is node else node
        yield (*source.span(whole), text.replace("\0", zone))
    if missing:
        name = unused(source, "timezone", "timezone as datetime_timezone")
        yield added(source, f"from datetime import {name}")


def _written(source: Source, node: ast.Attribute, new: str) -> str:
    """The new text, a zero byte standing for the time zone; empty where it cannot be written with the same meaning."""
    base, around = source.text(node.value), source.parents[node]
    if isinstance(around, ast.Call) and around.func is node:
        if (
            around.keywords
            or len(around.args) != (new != "now")
            or any(isinstance(a, ast.Starred) for a in around.args)
        ):
            return ""
        given = "".join(f"{source.text(arg)}, " for arg in around.args)
        return f"{base}.{new}({given}\0).replace(tzinfo=None)"
    handed_on = isinstance(around, ast.keyword | ast.Call)
    return f"lambda: {base}.now(\0).replace(tzinfo=None)" if handed_on and new == "now" else ""


def _zone(source: Source, names: Names, base: str) -> tuple[str, bool]:
    """How the file calls `timezone.utc`, and whether it can already."""
    owner, _, _ = base.rpartition(".")
    if owner:
        return f"{owner}.timezone.utc", True
    for local, full in names.known.items():
        if full == "datetime.timezone" and local in source.top:
            return f"{local}.utc", True
        if full == "datetime.UTC" and local in source.top:
            return local, True
    return f"{unused(source, 'timezone', 'datetime_timezone')}.utc", False


FORMS = (
    Form(
        re.compile(r"Warning: .{0,80}\butc(?:now|fromtimestamp)\(\) is deprecated"),
        utc,
        "`utcnow` became `now(timezone.utc)` without its time zone",
        True,
    ),
)
