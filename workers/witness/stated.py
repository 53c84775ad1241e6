"""What a bug report says was seen and what should have been: values, exceptions, and whether anything broke at all.

Read from a few forms of words that people use, and only where they say one thing: two values that were expected are
none, because nobody can tell which of them the example means.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_VALUE = (
    r"(?P<value>`[^`\n]{1,200}`|'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|-?\d[\d_]{0,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,4})?"
    r"|\b(?:True|False|None)\b|\[[^\]\n]{0,200}\]|\{[^}\n]{0,200}\}|\([^)\n]{0,200}\))"
)
_ALONE = r"(?=[ \t]*(?:$|[.,;:!)]|(?:but|and|got|instead|not|rather|while|for|when|here|which|is|was|though)\b))"
"""What may follow a value: a noun would make it another one ("3 items")."""
_BEFORE = r"[ :=\u2013\u2014]{0,3}(?:-> ?)?(?:is |was |the value |exactly ){0,2}"
_EXPECTED = re.compile(
    r"\b(?:expect(?:ed|s|ing)?(?: (?:output|result|value|behaviou?r|answer))?"
    r"(?: to (?:be|get|see|return|equal)| it to (?:be|return|give|equal))?"
    r"|should(?: have)? (?:be|been|return(?:ed)?|give|given|equal|print|yield|produce)"
    r"|(?:is|are) supposed to (?:be|return|give))\b" + _BEFORE + _VALUE + _ALONE,
    re.IGNORECASE,
)
_ACTUAL = re.compile(
    r"\b(?:got|gets?|return(?:s|ed)|gives|gave|prints|printed|received|yields|yielded|evaluates to"
    r"|actual(?:ly)?(?: (?:output|result|value|behaviou?r))?|but (?:it )?(?:is|was))\b" + _BEFORE + _VALUE + _ALONE,
    re.IGNORECASE,
)
_INSTEAD = re.compile(r"\b(?:instead of|rather than|and not|, not)\b" + _BEFORE + _VALUE, re.IGNORECASE)
_LABEL = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]*|[*_]{1,3}|[-*+][ \t]+)?(?:the )?(?P<what>expected|actual|observed|current|got)\b"
    r"(?:[ \t]+(?:behaviou?r|results?|output|value|answer))?[*_]{0,3}[ \t]*[:=]?[*_]{0,3}[ \t]*(?P<rest>.*)$",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^[ \t]*(?:#{1,6}[ \t]|[*_]{2}[^*_\n]{1,80}[*_]{2}:?[ \t]*$)")
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})")
_EXCEPTION = re.compile(r"\b(?:[A-Z][A-Za-z0-9]{1,60}(?:Error|Exception|Warning)|StopIteration|KeyboardInterrupt)\b")
_BREAKS = re.compile(
    r"\b(?:crash(?:e[sd]|ing)?|traceback|exception|raise[sd]?|raising|throws?|thrown|error|fails? with|blows? up)\b",
    re.IGNORECASE,
)
_LINE = 400
"""Longer lines are no sentences."""


@dataclass(frozen=True)
class Stated:
    """What a report says. `expected` and `actual` are Python literals as source, or the bare text where the words in
    backticks are none; empty where nothing, or more than one thing, is said."""

    expected: str = ""
    actual: str = ""
    exceptions: frozenset[str] = frozenset()
    breaks: bool = False
    """It speaks of something that is raised, or of a crash."""


Pair = tuple[list[str], list[str]]
"""The values that were expected, and those that were seen."""


def stated(texts: Iterable[str]) -> Stated:
    """Of the title, the body and the comments together."""
    whole = list(texts)
    pairs = [pair for text in whole for pair in _pairs(text)]
    together = "\n".join(whole)
    return Stated(
        expected=_only(value for expected, _ in pairs for value in expected),
        actual=_only(value for _, actual in pairs for value in actual),
        exceptions=frozenset(_EXCEPTION.findall(together)),
        breaks=bool(_BREAKS.search(together)),
    )


def said(sentence: str) -> tuple[str, str]:
    """What one line says was expected, and what was seen; empty where it does not say, or says several things."""
    expected, actual = _said(sentence)
    return _only(expected), _only(actual)


def _said(sentence: str) -> Pair:
    text = sentence[:_LINE]
    expected, actual, instead = (_values(pattern, text) for pattern in (_EXPECTED, _ACTUAL, _INSTEAD))
    if instead and not expected:
        return instead, actual
    return expected, actual or [value for value in instead if value not in expected]


def is_literal(text: str) -> bool:
    """The text is a Python literal."""
    try:
        ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _pairs(text: str) -> Iterator[Pair]:
    """What each line says, and what stands below a label."""
    under, fenced, block = "", False, list[str]()
    for line in text.split("\n"):
        if _FENCE.match(line):
            if fenced and under and len(block) == 1:
                yield _labelled(under, block[0].strip())
            fenced, block = not fenced, []
        elif fenced:
            block.append(line)
        elif label := _LABEL.match(line[:_LINE]):
            yield _below(label["what"].lower(), label["rest"].strip()) if label["rest"].strip() else ([], [])
            under = "" if label["rest"].strip() else label["what"].lower()
        elif _HEADING.match(line[:_LINE]):
            under = ""
        else:
            yield _below(under, line.strip())


def _below(label: str, line: str) -> Pair:
    """What a line says below a label, or beside it; whatever "returns" below what was expected was expected."""
    if label and _is_value(line):
        return _labelled(label, _plain(line))
    expected, actual = _said(f"{label} {line}" if label in ("expected", "got") else line)
    return (actual, []) if label == "expected" and not expected else (expected, actual)


def _labelled(label: str, value: str) -> Pair:
    return ([value], []) if label == "expected" else ([], [value])


def _is_value(text: str) -> bool:
    return bool(re.fullmatch(_VALUE + r"[.,;]?", text[:_LINE]))


def _values(pattern: re.Pattern[str], text: str) -> list[str]:
    return [_plain(match["value"]) for match in pattern.finditer(text)]


def _plain(value: str) -> str:
    return value.rstrip(".,;").strip("`").strip()


def _only(values: Iterable[str]) -> str:
    found = {_canonical(value): value for value in values if value}
    return next(iter(found.values())) if len(found) == 1 else ""


def _canonical(value: str) -> str:
    return repr(ast.literal_eval(value)) if is_literal(value) else value
