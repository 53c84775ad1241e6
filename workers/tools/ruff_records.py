"""Ruff's formats for machines: json, json-lines, gitlab and rdjson, each a list of records or a record per line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from workers.domain import Finding
from workers.tables import dig
from workers.tools.plain import MESSAGE

_MARKS = ('"noqa_row"', '"check_name"', '"diagnostics"')
"""Each format has one word that its records cannot do without."""


def findings(output: str) -> Iterator[Finding]:
    """One for each record that names a file, in order; text that is no JSON holds none."""
    if any(mark in output for mark in _MARKS):
        for value in _values(output.split("\n")):
            found = _finding(value)
            if found is not None:
                yield found


def _values(lines: list[str]) -> Iterator[object]:
    start = next((at for at, line in enumerate(lines) if line in ("[", "{")), None)
    if start is not None:
        end = {"[": "]", "{": "}"}[lines[start]]
        stop = max((at for at, line in enumerate(lines) if line == end), default=start)
        whole = _loaded("\n".join(lines[start : stop + 1]))
        listed = dig(whole, "diagnostics") if isinstance(whole, dict) else whole
        yield from listed if isinstance(listed, list) else ()
    for line in lines:
        if line.startswith("{") and line.endswith("}"):
            yield _loaded(line)


def _loaded(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _finding(record: object) -> Finding | None:
    path = _first(record, ("filename",), ("location", "path"))
    text = _first(record, ("message",), ("description",))
    rule = _first(record, ("code",), ("check_name",), ("code", "value"))
    line = _number(record, ("location", "row"), ("location", "positions", "begin", "line"),
                   ("location", "lines", "begin"), ("location", "range", "start", "line"))  # fmt: skip
    if path is None or text is None:
        return None
    rule = rule or "invalid-syntax"
    return Finding(text.removeprefix(f"{rule}: ")[:MESSAGE], path, line, None, rule)


def _first(record: object, *ways: tuple[str, ...]) -> str | None:
    found = (dig(record, *way) for way in ways)
    return next((value for value in found if isinstance(value, str) and value), None)


def _number(record: object, *ways: tuple[str, ...]) -> int | None:
    found = (dig(record, *way) for way in ways)
    return next((value for value in found if type(value) is int), None)
