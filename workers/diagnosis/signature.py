"""What a failure looks like, in parts that two failures can be compared by; numbers, paths and values are masked.

The fingerprint says whether two failures are the same one, this how much they are alike. No part of it names a file.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from workers.diagnosis.fingerprint import masked
from workers.domain import Diagnosis

ENOUGH = 0.7
"""How much alike two failures are at least, for the fix of one to be of interest to the other."""
_WORD = re.compile(r"[^\W\d_]{2,40}")
_MASK = re.compile(r"<[a-z]{1,12}>")
_FINDINGS, _WORDS, _FEW = 20, 60, 4


@dataclass(frozen=True)
class Signature:
    """The tool, its rules or the types of errors, the words of its messages, the suffixes of the files; sorted."""

    tool: str
    rules: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()


def of(diagnosis: Diagnosis) -> Signature:
    """The signature of a diagnosed failure."""
    findings = diagnosis.findings[:_FINDINGS]
    rules = {finding.rule for finding in findings if finding.rule}
    words: dict[str, None] = {}
    for finding in findings:
        text = _MASK.sub(" ", masked(finding.message[:1_000], finding.rule))
        words.update(dict.fromkeys(word.lower() for word in _WORD.findall(text)))
    return Signature(
        diagnosis.tool,
        tuple(sorted(rules)),
        tuple(sorted([word for word in words if word not in {rule.lower() for rule in rules}][:_WORDS])),
        tuple(sorted({PurePosixPath(finding.path).suffix for finding in findings if finding.path})),
    )


def likeness(one: Signature, other: Signature) -> float:
    """From 0 to 1. Other tools, or rules of which none is shared, are another failure whatever the words say."""
    if one.tool != other.tool or bool(one.rules) != bool(other.rules):
        return 0.0
    rules, words = _shared(one.rules, other.rules), _shared(one.words, other.words)
    if one.rules and not rules:
        return 0.0
    # One or two words that every failure of a kind has ("assert") say little.
    words *= min(1.0, len({*one.words, *other.words}) / _FEW)
    return 0.4 * (rules if one.rules else words) + 0.5 * words + 0.1 * _shared(one.suffixes, other.suffixes)


def _shared(one: Collection[str], other: Collection[str]) -> float:
    """The share of the parts that both have among those that either has."""
    either = {*one, *other}
    return len({*one} & {*other}) / len(either) if either else 0.0
