"""Reads what endpoints say when they give no answer: what passes, what is final, what only means that a parameter is
not known. Compatible servers word the same fault differently, so codes are looked at first and texts after them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

from workers.llm.exchange import sound
from workers.redact import redact

_LOOKED_AT = 4_000
"""Characters of a server's words that are searched."""
_LONGEST_WISH_S = 86_400.0
_PASSING = frozenset({408, 409, 425, 429})
_DENYING = frozenset({401, 402, 403, 404})
_SAYING_QUOTA = _PASSING | _DENYING | {400}
_QUOTA_CODES = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "access_terminated",
        "insufficient_credits",
        "account_deactivated",
    }
)
_QUOTA = re.compile(
    r"exceeded your current quota.{0,200}billing|insufficient (?:quota|credit|balance|funds)"
    r"|credit balance is too low|payment required|(?:spend|billing)[a-z ]{0,20} limit (?:has been )?reached",
    re.IGNORECASE | re.DOTALL,
)
_TOO_LONG_CODES = frozenset({"context_length_exceeded", "request_too_large", "string_above_max_length"})
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|prompt is too long|too many (?:input )?tokens"
    r"|exceeds the (?:model|available)|request too large|input is too long",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)
"""Among rate limits, what never fits into a minute; "too many tokens" only has to wait there."""
_RETRY_IN = re.compile(r"(?:re)?try (?:again )?in (\d{1,6}(?:\.\d{1,12})?) ?(ms|s|m)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"})
_FILTER = re.compile(r"content (?:management )?(?:policy|filter)|requires moderation|flagged by", re.IGNORECASE)


class Kind(StrEnum):
    """What to do about a fault."""

    PASSES = "ask again later"
    DENIED = "nothing helps until somebody acts: no credit, no right, no such model"
    TOO_LONG = "ask for less"
    FILTERED = "this will not be answered"
    DISLIKED = "something in the request; perhaps it goes without it"


@dataclass(frozen=True)
class Fault:
    """One failed request: in words, what to do about it, and how long the server asked to wait (seconds).

    `said` are the server's own words with the name of the parameter, for who looks for what it disliked.
    """

    kind: Kind
    text: str
    retry_after: float = 0.0
    timeout: bool = False
    said: str = ""


def judge(status: int, codes: frozenset[str], message: str, retry_after: float = 0.0) -> Fault:
    """What an error means: the HTTP status, the `code`, `type` and `param` of its body, and its words."""
    message = message[:_LOOKED_AT]
    retry_after = retry_after or _asked_in_words(message)
    kind = _kind(status, codes, message, bool(retry_after))
    said = " ".join((*sorted(codes), message))
    return Fault(kind, f"{status} {one_line(message)}", retry_after if kind is Kind.PASSES else 0.0, said=said)


def _kind(status: int, codes: frozenset[str], message: str, soon: bool) -> Kind:
    if _no_credit(status, codes, message, soon):
        return Kind.DENIED
    if _too_long(status, codes, message):
        return Kind.TOO_LONG
    if codes & _FILTER_CODES or (status in {400, 403} and _FILTER.search(message)):
        return Kind.FILTERED
    if status in _DENYING:
        return Kind.DENIED
    passes = status in _PASSING or (status >= 500 and status != 501)
    return Kind.PASSES if passes else Kind.DISLIKED


def _no_credit(status: int, codes: frozenset[str], message: str, soon: bool) -> bool:
    """Some call a limit per minute a quota too, and say with it when it is over."""
    if codes & _QUOTA_CODES or status == 402:
        return True
    return status in _SAYING_QUOTA and bool(_QUOTA.search(message)) and not (status == 429 and soon)


def _too_long(status: int, codes: frozenset[str], message: str) -> bool:
    if codes & _TOO_LONG_CODES or status == 413:
        return True
    words = {400: _TOO_LONG, 422: _TOO_LONG, 429: _TOO_LARGE}.get(status)
    return words is not None and bool(words.search(message))


def _asked_in_words(message: str) -> float:
    """How long to wait, where only the words say it."""
    found = _RETRY_IN.search(message)
    return float(found[1]) * _SECONDS[found[2].lower()] if found else 0.0


def wish(headers: Mapping[str, str]) -> float:
    """How many seconds a server asks to wait: milliseconds, seconds or a date; 0 when it does not say."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return min(max(0.0, float(headers.get(name, "")) * scale), _LONGEST_WISH_S)
        except ValueError:
            continue
    try:
        when = parsedate_to_datetime(headers.get("retry-after", ""))
        return min(max(0.0, when.timestamp() - time.time()), _LONGEST_WISH_S)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def one_line(message: str) -> str:
    """The server's words, short, in one line, without tags and secrets."""
    said = redact(re.sub(r"<[^<>]{0,500}>", " ", message[:_LOOKED_AT]))
    return sound(" ".join(said.split())[:200])
