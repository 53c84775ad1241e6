"""Whether a test file that is no Python still proves what it proved: as many tests, checks and strict ones as before.

Rust writes tests into the source file, so there the part behind `#[cfg(test)]` is the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from workers.cheats.languages import kind_of
from workers.policy import Violation, is_test

_INSIDE = re.compile(r"^[ \t]*#\s*\[\s*cfg\s*\(\s*test\s*\)\s*\]", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?://|/\*|\*)[^\n]*$|(?<=[;{})\s])//[^\n]*$", re.MULTILINE)
_STRINGS = r"(?:it|test|specify)(?:\s*\.\s*each\b)?"
_DEFINED = re.compile(
    rf"(?<![.\w]){_STRINGS}\s*[(`]|^func\s+(?:Test|Fuzz|Example)(?![a-z])\w*\s*\(|\bt\.Run\s*\("
    r"|#\s*\[\s*(?:\w{1,20}::){0,2}(?:test|rstest)\b|@\s*(?:Test|ParameterizedTest|RepeatedTest|TestFactory)\b",
    re.MULTILINE,
)
_CHECKED = re.compile(
    r"\bexpect\s*\((?!\s*(?:true|1)\s*\))|\bassert\w{0,40}!?\s*(?:\.\s*\w{1,40}\s*)?\((?!\s*true\b)|\bfail\s*\("
    r"|\b[tb]\s*\.\s*(?:Error|Fatal|Fail)\w{0,10}\s*\(|\brequire\s*\.\s*\w{1,40}\s*\("
)
_STRICT = re.compile(
    r"\.\s*(?:toBe|toEqual|toStrictEqual|toHaveBeenCalledTimes|toHaveLength|strictEqual|deepStrictEqual|deepEqual|equal"
    r"|Equal|EqualValues|isEqualTo)\s*\(|\bassert(?:Equals|Same|ArrayEquals|IterableEquals)\s*\(|\bassert_(?:eq|ne)!\s*\("
)
_EXACT = re.compile(r"==|!=")
_DIGITS = re.compile(r"\btoBeCloseTo\s*\([^,)\n]{1,80},\s*(\d{1,3})\s*\)")


def review(path: str, before: str, after: str) -> Iterator[Violation]:
    """Each way in which the file's tests prove less than before."""
    old, new = tests_of(path, before), tests_of(path, after)
    if not old or old == new:
        return
    for rule, pattern in (("deletes a test", _DEFINED), ("removes an assertion", _CHECKED)):
        if len(pattern.findall(new)) < len(pattern.findall(old)):
            yield Violation(rule, path, 0, path)
    if _strictness(path, new) < _strictness(path, old) or _digits(new) < _digits(old):
        yield Violation("loosens a comparison", path, 0, path)


def tests_of(path: str, text: str) -> str:
    """The text of the tests, without comments; empty where there are none, and for Python, which is read as a tree."""
    kind = kind_of(path)
    if kind in ("", "python", "shell", "xml"):
        return ""
    if not is_test(path):
        found = _INSIDE.search(text) if kind == "rust" else None
        text = text[found.start() :] if found else ""
    return _COMMENT.sub("", text)


def _strictness(path: str, text: str) -> int:
    compared = len(_EXACT.findall(text)) if kind_of(path) in ("go", "rust") else 0
    return len(_STRICT.findall(text)) + compared


def _digits(text: str) -> int:
    return sum(map(int, _DIGITS.findall(text)))
