"""What tokens cost, from the table beside this file. Unknown stays unknown."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from workers.errors import UsageError
from workers.llm.providers import LOCAL, Endpoint

_TABLE = Path(__file__).with_name("prices.toml")
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest|\d{3})$")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    cached: float
    output: float

    def of(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        """The cost of one call."""
        return ((tokens_in - cached) * self.input + cached * self.cached + tokens_out * self.output) / 1_000_000


def told(text: str) -> Price:
    """The operator's own price, `input,cached input,output`. Raises `UsageError` for anything else."""
    try:
        per_input, per_cached, per_output = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError("HEAL_MODEL_PRICE is `input,cached input,output` in dollars per million tokens") from None
    return Price(per_input, per_cached, per_output)


def price(endpoint: Endpoint) -> Price | None:
    """The price of an endpoint's model, None when the table does not know it."""
    if endpoint.provider in LOCAL:
        return Price(0.0, 0.0, 0.0)
    with _TABLE.open("rb") as file:
        known = tomllib.load(file).get(endpoint.provider, {})
    row = known.get(endpoint.model) or known.get(_DATED.sub("", endpoint.model))
    return Price(*row) if row else None
