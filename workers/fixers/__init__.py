"""Where candidate patches come from, cheapest first: a tool's own repair command, then search, then a model."""

from __future__ import annotations

from workers.fixers.autofix import Autofix
from workers.fixers.llm import Llm
from workers.fixers.search import Search
from workers.llm.client import Client
from workers.llm.talk import Budget
from workers.ports import Fixer

__all__ = ["Autofix", "Budget", "Llm", "Search", "fixers"]


def fixers(engine: str, client: Client | None = None, budget: Budget | None = None) -> tuple[Fixer, ...]:
    """The fixers for an engine: `auto` has all, `offline` no model, `llm` nothing but the model.

    Without a client there is no model, whatever the engine.
    """
    offline: tuple[Fixer, ...] = () if engine == "llm" else (Autofix(), Search())
    model: tuple[Fixer, ...] = () if engine == "offline" or client is None else (Llm(client, budget or Budget()),)
    return (*offline, *model)
