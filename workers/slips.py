"""How often people mend a wrong statement in which way: the counts of one study of public Python repositories.

The study is TSSB-3M (Richter and Wehrheim, "TSSB-3M: Mining single statement bugs at massive scale", MSR 2022): over
three million commits that changed one statement and say to mend something; the counts are those of the README of its
repository (cedricrupb/TSSB3M). The search weighs its templates with them, the bench of mutants draws wrong statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Slip(StrEnum):
    """What a mend changes, by the study's names. An added argument mends one that was forgotten."""

    IDENTIFIER = "change identifier used"
    OPERAND = "change binary operand"
    MORE_ARGUMENTS = "same function, more arguments"
    FUNCTION = "wrong function name"
    WRAPPED = "add function around expression"
    ATTRIBUTE = "change attribute used"
    NUMBER = "change numeric literal"
    MORE_SPECIFIC = "more specific if"
    METHOD_CALL = "add method call"
    MORE_ELEMENTS = "add elements to iterable"
    FEWER_ARGUMENTS = "same function, less arguments"
    TRUTH = "change boolean literal"
    ATTRIBUTE_ACCESS = "add attribute access"
    OPERATOR = "change binary operator"
    CALLER = "same function, wrong caller"
    LESS_SPECIFIC = "less specific if"
    KEYWORD = "change keyword argument used"
    UNARY = "change unary operator"
    SWAPPED_ARGUMENTS = "same function, swap arguments"
    TYPE = "change constant type"


THOUSANDS: Mapping[Slip, int] = {
    Slip.IDENTIFIER: 237,
    Slip.OPERAND: 174,
    Slip.MORE_ARGUMENTS: 150,
    Slip.FUNCTION: 134,
    Slip.WRAPPED: 117,
    Slip.ATTRIBUTE: 104,
    Slip.NUMBER: 97,
    Slip.MORE_SPECIFIC: 68,
    Slip.METHOD_CALL: 60,
    Slip.MORE_ELEMENTS: 57,
    Slip.FEWER_ARGUMENTS: 50,
    Slip.TRUTH: 37,
    Slip.ATTRIBUTE_ACCESS: 32,
    Slip.OPERATOR: 29,
    Slip.CALLER: 25,
    Slip.LESS_SPECIFIC: 22,
    Slip.KEYWORD: 20,
    Slip.UNARY: 15,
    Slip.SWAPPED_ARGUMENTS: 8,
    Slip.TYPE: 6,
}
"""Thousands of such mends."""


def count(*slips: Slip) -> int:
    """Thousands of mends of these sorts together."""
    return sum(THOUSANDS[slip] for slip in slips)
