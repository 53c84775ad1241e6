"""Reads the openai SDK's exceptions: what passes, what is final, what only means that a parameter is not known.

Compatible servers word the same fault differently, so codes are looked at first and texts after them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.redact import redact

if TYPE_CHECKING:
    import openai

_QUOTA_CODES = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "billing_not_active",
        "access_terminated",
        "insufficient_credits",
    }
)
_QUOTA_TEXT = re.compile(
    r"exceeded your current quota.*billing|insufficient (?:quota|credit|balance|funds)|credit balance is too low"
    r"|payment required",
    re.IGNORECASE | re.DOTALL,
)
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|prompt is too long|too many (?:input )?tokens"
    r"|exceeds the (?:model|available)",
    re.IGNORECASE,
)
_QUIRKS = ("max_tokens", "temperature", "response_format", "system")


@dataclass(frozen=True)
class Fault:
    """One failed request: in words, whether waiting helps, and how long the server asked to wait (seconds)."""

    text: str
    final: bool = False
    retry_after: float = 0.0
    timeout: bool = False


def passing() -> tuple[type[Exception], ...]:
    """The exceptions that `read` understands."""
    import openai

    return (
        openai.APIConnectionError,
        openai.RateLimitError,
        openai.InternalServerError,
        openai.ConflictError,
        openai.APIStatusError,
    )


def read(error: Exception) -> Fault:
    """What a failed request means."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return Fault("it did not answer in time", timeout=True)
    if not isinstance(error, openai.APIStatusError):
        return Fault("the connection failed")
    code = error.status_code
    passes = code in {408, 409, 425, 429} or code >= 500
    return Fault(f"{code} {text(error)}", final=not passes or _out_of_quota(error), retry_after=_retry_after(error))


def _out_of_quota(error: openai.APIStatusError) -> bool:
    codes = {str(getattr(error, "code", "")), str(getattr(error, "type", ""))}
    return bool(codes & _QUOTA_CODES) or error.status_code == 402 or bool(_QUOTA_TEXT.search(_full(error)))


def _retry_after(error: openai.APIStatusError) -> float:
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(error.response.headers.get(name, "")) * scale)
        except ValueError:
            continue
    return 0.0


def too_long(error: openai.APIStatusError) -> bool:
    """The prompt does not fit."""
    return getattr(error, "code", None) == "context_length_exceeded" or bool(_TOO_LONG.search(_full(error)))


def quirk(error: openai.APIStatusError) -> str | None:
    """The parameter that the endpoint does not take."""
    said = _full(error)
    return next((name for name in _QUIRKS if re.search(rf"\b{name}\b", said)), None)


def _full(error: openai.APIStatusError) -> str:
    return f"{getattr(error, 'param', '') or ''} {error.message}"


def text(error: openai.APIStatusError) -> str:
    """The server's words, short, in one line, without secrets."""
    said = redact(re.sub(r"<[^>]*>", " ", error.message))
    return " ".join(said.split())[:200]
