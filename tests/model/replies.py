"""What a scripted reply can be: plain JSON-able dictionaries, made by one function per behaviour of real endpoints."""

from __future__ import annotations

from typing import Any

Reply = dict[str, Any]


def text(content: str, *, finish: str = "stop", usage: bool = True, delay: float = 0.0, model: str = "") -> Reply:
    """A normal answer; `usage=False` as some compatible servers give it, `delay` seconds late."""
    return {"kind": "text", "content": content, "finish": finish, "usage": usage, "delay": delay, "model": model}


def truncated(content: str) -> Reply:
    """Stopped at the length limit."""
    return text(content, finish="length")


def refusal(reason: str = "I cannot help with that.") -> Reply:
    """A structured refusal."""
    return {"kind": "refusal", "reason": reason}


def no_choices() -> Reply:
    """200 with an empty list of choices."""
    return {"kind": "no_choices"}


def raw(body: dict[str, Any]) -> Reply:
    """200 with this JSON, whatever it is."""
    return {"kind": "raw", "body": body}


def failed(status: int, message: str, code: str | None = None, param: str | None = None, **headers: str) -> Reply:
    """An error body as OpenAI writes it."""
    return {"kind": "error", "status": status, "message": message, "code": code, "param": param, "headers": headers}


def rate_limited(retry_after: float | None = None) -> Reply:
    """429 that passes, with or without the header."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return failed(429, "Rate limit reached for requests", "rate_limit_exceeded", **headers)


def out_of_quota() -> Reply:
    """429 that does not pass."""
    return failed(
        429, "You exceeded your current quota, please check your plan and billing details.", "insufficient_quota"
    )


def unauthorized() -> Reply:
    """401 with the key's tail in the message, as OpenAI does."""
    return failed(401, "Incorrect API key provided: sk-proj-********1234.", "invalid_api_key")


def too_long(limit: int) -> Reply:
    """400 for prompts over `limit` characters; shorter ones go on to the next reply of the script."""
    return {"kind": "too_long", "limit": limit}


def unsupported(param: str, message: str = "") -> Reply:
    """400 when the request has the parameter (`system`: a system turn); others go on to the next reply."""
    words = message or f"Unsupported parameter: '{param}' is not supported with this model."
    return {"kind": "unsupported", "param": param, "message": words}


def html(status: int = 502) -> Reply:
    """A proxy's error page."""
    return {"kind": "html", "status": status}


def cut() -> Reply:
    """Half a body, then the connection ends."""
    return {"kind": "cut"}


def dropped() -> Reply:
    """The connection ends without an answer."""
    return {"kind": "dropped"}
