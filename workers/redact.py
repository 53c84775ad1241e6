"""Takes secrets out of text: registered values in the forms they travel in, and the shapes of well-known keys.

Text that people read gets everything. Values that a resumed run works on (`scrub`) keep what only looks like a
password in a URL: `postgres://postgres:postgres@localhost` is what the repository's own test needs.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from threading import Lock
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

T = TypeVar("T")

MARK = "[redacted]"
SHORTEST = 8
"""Shorter exact values would blank ordinary words."""

_KEYS = re.compile(
    r"""
      gh[pousr]_[A-Za-z0-9]{36}[A-Za-z0-9._-]*                         # GitHub tokens; below, the longer ones of 2026
    | (?:(?<![a-z])|(?<=[0-9;\[]m))gh[pousr]_(?=\S{0,200}\d)[A-Za-z0-9._-]{36,}
    | github_pat_[A-Za-z0-9_]{22,}
    | (?:(?<![a-z0-9])|(?<=[0-9;\[]m))sk-(?=[A-Za-z_-]{0,99}\d)[A-Za-z0-9_-]{20,}  # OpenAI, Anthropic and their kin
    | (?:AKIA|ASIA)[0-9A-Z]{16}
    | xox[abeprs][-.][A-Za-z0-9-]{10,} | xapp-\d-[A-Za-z0-9-]{20,}   # Slack
    | gl(?:pat|ptt|rt|dt|soat)-[A-Za-z0-9_-]{20,}                    # GitLab
    | AIza[0-9A-Za-z_-]{35} | GOCSPX-[A-Za-z0-9_-]{20,} | ya29\.[A-Za-z0-9_-]{20,}  # Google
    | npm_[A-Za-z0-9]{36} | pypi-AgE[A-Za-z0-9_-]{40,}
    | dckr_[op]at_[A-Za-z0-9_-]{20,} | hf_[A-Za-z]{34} | dop_v1_[0-9a-f]{64}
    | [rs]k_live_[A-Za-z0-9]{16,} | SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}
    | eyJ[A-Za-z0-9_-]{8,999}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}  # JWT
    | -----BEGIN\ [A-Z ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----
      [\s\S]*?(?:-----END\ [A-Z ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----|\Z)
    """,
    re.VERBOSE,
)
"""No word boundaries: progress dots, letters of test runners and colour codes stand right before what a test prints.
How far is looked ahead of a possible beginning is bounded: text of nothing but beginnings must not take for ever."""
_LOOKS = 3
"""A key right behind another one is seen once that one is gone."""
_OPENS = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_CLOSES = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_IN_ONE_LINE = re.compile(f"{_OPENS.pattern}.{{0,9999}}?{_CLOSES.pattern}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{48,}")
_PATIENCE = 3
"""A key has a blank line, headers and a short last line; this many lines in a row that are no base64 end it."""
_TOKEN_USER = re.compile(r"(?P<keep>x-access-token:)[^\s@'\"`<>|\[\]\\]+")
_BEARER = re.compile(r"(?P<keep>\b(?:bearer|token|basic)\s+)(?=[^\s]*\d)[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE)
_NAMED = re.compile(
    r"(?P<keep>(?i:secret_?access_?key|session_?token|account_?key|_auth(?:_?token)?|\"auth|client_?secret)"
    r"[\"']?\s{0,3}[=:]\s{0,3}[\"']?)(?=\S{0,99}\d)(?=\S{0,99}[A-Z])(?=\S{0,99}[a-z])[A-Za-z0-9+/=]{28,}"
)
"""Keys without a shape of their own (AWS, Azure, registries), by what they are called. The words of code are none."""
_WEBHOOK = re.compile(r"(?P<keep>https://hooks\.slack\.com/(?:services|workflows)/)[A-Za-z0-9/]{20,}")
_USERINFO = re.compile(r"(?P<keep>[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{0,256}:)[^\s@/'\"]{1,512}(?=@)", re.IGNORECASE)

_READ_BY_PEOPLE = frozenset(
    {"text", "message", "excerpt", "summary", "detail", "why", "reasoning", "log", "report", "evidence"}
)
"""Fields of stored values that no later stage runs as a command or applies as a patch."""


def redact(text: str) -> str:
    """Blank everything that has the shape of a secret."""
    text = redact_keys(text)
    for pattern in (_BEARER, _USERINFO, _NAMED, _WEBHOOK):
        text = pattern.sub(lambda found: found["keep"] + MARK, text)
    return text


def redact_keys(text: str) -> str:
    """Blank only what has the unmistakable shape of a real key."""
    for _ in range(_LOOKS):
        text, found = _KEYS.subn(MARK, text)
        if not found:
            break
    return _TOKEN_USER.sub(lambda found: found["keep"] + MARK, text)


def without_key_blocks(lines: Iterable[str], *, inside: bool = False) -> Iterator[str]:
    """The lines without private keys of many lines, also those that never end, and with whatever stands before the
    key in each line. `inside`: the lines before these are missing, so they may begin in the middle of a key.

    Unlike the pattern for a whole text, a beginning without a key after it hides nothing else.
    """
    held: list[str] = []  # inside a key, the lines since its last one: they may turn out to be ordinary ones
    seen = False
    for whole in lines:
        line = _IN_ONE_LINE.sub(MARK, whole)
        if inside:
            closed = _CLOSES.search(line)
            if closed is None and _is_key_line(line):
                held, seen = [], True
                continue
            if closed is None and len(held) < _PATIENCE:
                held.append(line)
                continue
            yield from () if seen or closed else held
            inside, held = False, []
            line = MARK + line[closed.end() :] if closed else line
        opened = _OPENS.search(line)
        if opened is not None:
            inside, seen, line = True, False, line[: opened.start()] + MARK
        yield line
    yield from () if seen else held


def _is_key_line(line: str) -> bool:
    """A line of base64, whatever stands around it; a path, a hash or a long name is none."""
    run = _BASE64.search(line)
    kinds = (str.isupper, str.islower, str.isdigit)
    return run is not None and all(any(map(kind, run[0])) for kind in kinds) and run[0].count("/") < len(run[0]) / 8


class Redactor:
    """Knows this process's secrets. Safe to use from several threads; tokens minted later are added as they come."""

    def __init__(self, *secrets: str) -> None:
        self._lock = Lock()
        self._until: dict[str, float] = {}
        self._longest_first: tuple[str, ...] = ()
        self.add(*secrets)

    def add(self, *secrets: str, until: float = math.inf) -> None:
        """Register exact values. Their base64 and URL-quoted forms are blanked too, and each line of a long one.

        `until` is when they die, in Unix time: a process that mints tokens for weeks must not carry all of them. They
        are let go an hour later, as clocks may differ.
        """
        forms = {form for secret in secrets for form in _forms(secret)}
        with self._lock:
            over = time.time() - 3600
            kept = {form: end for form, end in self._until.items() if end > over}
            self._until = kept | {form: max(until, kept.get(form, until)) for form in forms}
            self._longest_first = tuple(sorted(self._until, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """The text as people may read it."""
        return redact(self.exact(text))

    def exact(self, text: str) -> str:
        """Blank only registered values."""
        for form in self._longest_first:  # a tenth of the time of one pattern of all forms, and nothing to compile
            if form in text:
                text = text.replace(form, MARK)
        return text

    def stored(self, text: str) -> str:
        """A text that may be run again: it keeps what only looks like a password in a URL."""
        return redact_keys(self.exact(text))

    def scrub(self, value: T) -> T:
        """A stored value: registered values go everywhere, shapes of keys go where only people read."""
        cleaned: T = _Walk(self).into(value, "")
        return cleaned

    def publish(self, value: T) -> T:
        """A value that people read in every part: nothing may stay."""
        cleaned: T = _Walk(self).into(value, None)
        return cleaned


class _Walk:
    """One value, through and through. What a run says is in it many times over: each text is looked at once."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._known: dict[tuple[str, Callable[[str], str]], str] = {}

    def into(self, value: Any, name: str | None) -> Any:
        """The value without secrets; `name` is its field's, None where people read all of it."""
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):  # a lone surrogate (undecodable output) could not be stored as UTF-8
            return self._text(value, name).encode("utf-8", "replace").decode()
        if isinstance(value, bytes):
            return self._text(value.decode(errors="surrogateescape"), name).encode(errors="surrogateescape")
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
            inner = {key: self.into(item, None if name is None else key) for key, item in fields.items()}
            return dataclasses.replace(value, **inner)
        if isinstance(value, BaseModel):  # already validated: what is untrusted becomes one where it enters
            fields = {key: getattr(value, key) for key in type(value).model_fields}
            inner = {key: self.into(item, None if name is None else key) for key, item in fields.items()}
            return value.model_copy(update=inner)
        if isinstance(value, Mapping):
            return {self.into(key, name): self.into(item, name) for key, item in value.items()}
        if isinstance(value, tuple | list | frozenset | set):
            return type(value)(self.into(item, name) for item in value)
        return value

    def _text(self, text: str, name: str | None) -> str:
        ours = self._redactor
        clean = ours if name is None else ours.stored if name in _READ_BY_PEOPLE else ours.exact
        if (text, clean) not in self._known:
            self._known[text, clean] = clean(text)
        return self._known[text, clean]


def _forms(secret: str) -> set[str]:
    parts = {secret, *(line.strip() for line in secret.splitlines() if "PRIVATE KEY" not in line)}
    for escaped in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)):
        parts.add(escaped[1:-1])  # as log lines and tracebacks quote it
    forms: set[str] = set()
    for part in parts:
        if len(part) < SHORTEST or not part.strip():
            continue
        forms |= {part, quote(part, safe=""), quote_plus(part), part.replace("\n", "\\n")}
        forms |= _base64_forms(part.encode())
    return {form for form in forms if len(form) >= SHORTEST}


def _base64_forms(raw: bytes) -> set[str]:
    """The secret's base64 at each of the three offsets it can have inside a longer text ("user:secret")."""
    forms = set()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        tail = (offset + len(raw)) % 3
        core = text[-(-offset * 8 // 6) : len(text) - (1 if tail else 0)]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms
