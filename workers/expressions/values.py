"""The values of expressions: null, booleans, numbers, strings, arrays, objects, and how GitHub turns one into another.

Beside them stand the marks of what is known only in part, only to GitHub, or only while the job runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

Contexts = Mapping[str, object]
"""The contexts by name (`github`, `env`, ...). One that is not there is known to GitHub only; `secrets` never is."""

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,6})?")
_HEX = re.compile(r"0x([0-9a-fA-F]{1,8})")
_OCTAL = re.compile(r"0o([0-7]{1,11})")


class Unresolved(Exception):  # noqa: N818 - an answer: "cannot be known here"
    """The expression needs something that only GitHub knows; the message names it."""

    def why(self, subject: str = "it") -> str:
        """A clause that says what is wrong with the step ("it") or with its condition."""
        return f"{subject} needs {self}, which only GitHub knows"


class Invalid(Unresolved):
    """The expression is none: GitHub would refuse it as well."""

    def why(self, subject: str = "it") -> str:
        return f"{subject} has an expression that is not valid: {self}"


class Partial(dict[str, object]):
    """An object of which only some names are known: another one is `Unresolved`, where a plain object gives null.

    With `later`, another one is known while the job runs, under that path ("steps.build.outputs").
    """

    def __init__(self, values: Mapping[str, object] = {}, later: str = "") -> None:
        super().__init__(values)
        self.later = later


@dataclass(frozen=True)
class Unknown:
    """Stands in a context for a value that only GitHub knows. `what` names it."""

    what: str


@dataclass(frozen=True)
class Later:
    """Stands in a context for a value that a step writes while the job runs: `path` is how the sandbox names it."""

    path: str

    @property
    def token(self) -> str:
        """What stands for it in a script until then: without spaces, one word of a command."""
        return f"${{{{{self.path}}}}}"


@dataclass(frozen=True)
class Secret:
    """Stands in a context for a value that is empty here because it is secret. `name` is told to people."""

    name: str


def truthy(value: object) -> bool:
    """GitHub's truth: null, false, 0, NaN and empty text are false, everything else is true."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return isinstance(value, Mapping | list) or value not in (None, False, 0, "")


def as_text(value: object) -> str:
    """A value as GitHub writes it into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, str):
        return value
    return "Array" if isinstance(value, list) else "Object"


def number(value: object) -> float:
    """The value as a number; what is none is NaN."""
    if value is None:
        return 0.0
    if isinstance(value, bool | int | float):
        return _float(value)
    return _parsed(value.strip()) if isinstance(value, str) else math.nan


def is_primitive(value: object) -> bool:
    """Not an array and not an object."""
    return value is None or isinstance(value, bool | int | float | str)


def folded(text: str) -> str:
    """The text as it is compared: without case, one character for one."""
    if text.isascii():
        return text.upper()
    return "".join(upper if len(upper := char.upper()) == 1 else char for char in text)


def equal(one: object, two: object) -> bool:
    """GitHub's loose `==`: different kinds become numbers, strings ignore case, arrays and objects are themselves."""
    if isinstance(one, str) and isinstance(two, str):
        return folded(one) == folded(two)
    if is_primitive(one) and is_primitive(two):
        return number(one) == number(two)
    return one is two


def greater(one: object, two: object) -> bool:
    """GitHub's loose `>`: nothing is greater than NaN, an array or an object."""
    if isinstance(one, str) and isinstance(two, str):
        return folded(one) > folded(two)
    return is_primitive(one) and is_primitive(two) and number(one) > number(two)


def _number_text(value: float) -> str:
    number = _float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return format(number, ".15G") if number else "0"


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _parsed(text: str) -> float:
    if not text:
        return 0.0
    if _NUMBER.fullmatch(text):
        return float(text)
    if match := _HEX.fullmatch(text):
        return float(int(match[1], 16))
    if match := _OCTAL.fullmatch(text):
        return float(int(match[1], 8))
    return {"Infinity": math.inf, "-Infinity": -math.inf}.get(text, math.nan)
