"""Where candidate patches come from, cheapest first: what mended the same failure before, a tool's own repair command,
what was raised, search, then a model. What revises a change of ours after a review is beside them."""

from __future__ import annotations

from workers.fixers.autofix import Autofix
from workers.fixers.llm import Llm
from workers.fixers.replay import Remembered
from workers.fixers.reviser import Reviser
from workers.fixers.search import Search
from workers.fixers.static import Static
from workers.fixers.suggested import Suggested
from workers.llm.client import Client
from workers.llm.talk import Budget
from workers.ports import Fixer

__all__ = ["Autofix", "Budget", "Llm", "Remembered", "Reviser", "Search", "Static", "Suggested", "fixers", "revisers"]


def fixers(engine: str, client: Client | None = None, budget: Budget | None = None) -> tuple[Fixer, ...]:
    """The fixers for an engine: `auto` has all, `offline` no model, `llm` nothing but the model.

    Without a client there is no model, whatever the engine.
    """
    offline: tuple[Fixer, ...] = () if engine == "llm" else (Remembered(), Autofix(), Static(), Search())
    model: tuple[Fixer, ...] = () if engine == "offline" or client is None else (Llm(client, budget or Budget()),)
    return (*offline, *model)


def revisers(client: Client | None = None, budget: Budget | None = None) -> tuple[Fixer, ...]:
    """The fixers of a run that revises a change of ours after a review. The model comes first, for it does everything
    that is asked for; what people wrote as code is applied without it where nothing else is asked, or it gave up."""
    model: tuple[Fixer, ...] = () if client is None else (Reviser(client, budget or Budget()),)
    return (*model, Suggested())
