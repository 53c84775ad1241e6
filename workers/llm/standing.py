"""How things stand with an endpoint's model: what it cannot do, and whether it has closed its door to us.

Learnt from its refusals and kept in the worker's process: a new process learns it again with one refused request each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SHUT_S = 3600.0
"""How long a model is not asked again after it was out of credit or refused the key."""

_MOST = re.compile(r"supports at most (\d{1,9})|maximum value for `?max_(?:completion_)?tokens`? is.{0,20}?(\d{1,9})")


class Quirk(StrEnum):
    """Something that an endpoint does not take, by the name that its refusals call it."""

    SCHEMA = "json_schema"
    JSON = "response_format"
    LIMIT = "max_tokens"
    TEMPERATURE = "temperature"
    SYSTEM = "system"


_NAMED = {
    Quirk.SCHEMA: re.compile(r"json_schema|response_format|\bschema\b|\bgrammar\b|structured output", re.IGNORECASE),
    Quirk.JSON: re.compile(r"response_format|json_object|json mode|structured output", re.IGNORECASE),
    Quirk.TEMPERATURE: re.compile(r"\btemperature\b", re.IGNORECASE),
    Quirk.SYSTEM: re.compile(r"\bsystem\b|developer instruction|roles must alternate", re.IGNORECASE),
    Quirk.LIMIT: re.compile(r"\bmax_tokens\b"),
}


@dataclass
class Standing:
    """One model at one endpoint. Times are those of the client's clock, in seconds."""

    quirks: set[Quirk] = field(default_factory=set)
    most: int | None = None
    """The most tokens of an answer that it takes as a limit."""
    shut: str = ""
    """Why it is not asked; "" when its door is open."""
    _until: float = 0.0

    def shut_at(self, now: float) -> str:
        """Why it must not be asked now, "" when it may."""
        if not self.shut or now >= self._until:
            self.shut = ""
            return ""
        return f"{self.shut} (it is asked again in {max(1, round((self._until - now) / 60))} min)"

    def shut_out(self, why: str, now: float) -> None:
        """No credit or no right: leave it alone for a while."""
        self.shut, self._until = why, now + SHUT_S

    def learn(self, said: str, request: Mapping[str, object]) -> bool:
        """Take to heart what it disliked about a request; False when that is nothing that can be left out."""
        limit = next((int(n) for found in _MOST.finditer(said) for n in found.groups() if n), 0)
        if 0 < limit < _asked_for(request):
            self.most = limit
            return True
        found = next((quirk for quirk in _used(request) if _NAMED[quirk].search(said)), None)
        if found is None or found in self.quirks:
            return False
        self.quirks.add(found)
        return True


def _asked_for(request: Mapping[str, object]) -> int:
    limit = request.get("max_tokens", request.get("max_completion_tokens", 0))
    return limit if isinstance(limit, int) else 0


def _used(request: Mapping[str, object]) -> list[Quirk]:
    """What of all that may be disliked a request has, the clearest names first."""
    form, turns = request.get("response_format"), request.get("messages")
    kind = form.get("type") if isinstance(form, dict) else None
    roles = {turn["role"] for turn in turns} if isinstance(turns, list) else set()
    used = {
        Quirk.SCHEMA: kind == "json_schema",
        Quirk.JSON: kind == "json_object",
        Quirk.LIMIT: "max_tokens" in request,
        Quirk.TEMPERATURE: "temperature" in request,
        Quirk.SYSTEM: "system" in roles,
    }
    return [quirk for quirk, there in used.items() if there]


class Endpoints:
    """The standings of all models that a process asks, by base URL and model."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Standing] = {}

    def at(self, base_url: str, model: str) -> Standing:
        """That of one model, a new one when it was never asked."""
        return self._known.setdefault((base_url, model), Standing())
