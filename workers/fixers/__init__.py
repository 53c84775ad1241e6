"""Where candidate patches come from, cheapest first: what mended the same failure before, a tool's own repair command,
what was raised, search, a model's answers, then a model that works in the sandbox. What revises a change of ours after
a review is beside them."""

from __future__ import annotations

from workers.fixers.agent import Agent
from workers.fixers.autofix import Autofix
from workers.fixers.executable import Executable
from workers.fixers.generated import Generated
from workers.fixers.llm import Llm
from workers.fixers.locks import Locks
from workers.fixers.package import Package
from workers.fixers.replay import Remembered
from workers.fixers.requirement import Requirement
from workers.fixers.reviser import Reviser
from workers.fixers.search import Search
from workers.fixers.static import Static
from workers.fixers.suggested import Suggested
from workers.fixers.upstream import Upstream
from workers.fixers.version import Version
from workers.fixers.whitespace import Whitespace
from workers.llm.client import Client
from workers.llm.talk import Budget
from workers.ports import Fixer

__all__ = [
    "Agent",
    "Autofix",
    "Budget",
    "Executable",
    "Generated",
    "Llm",
    "Locks",
    "Package",
    "Remembered",
    "Requirement",
    "Reviser",
    "Search",
    "Static",
    "Suggested",
    "Upstream",
    "Version",
    "Whitespace",
    "fixers",
    "revisers",
]


def fixers(engine: str, client: Client | None = None, budget: Budget | None = None) -> tuple[Fixer, ...]:
    """The fixers for an engine: `auto` has all, `offline` no model, `llm` nothing but the model.

    Without a client there is no model, whatever the engine. The ladder leaves some out, see `stages.propose`.
    """
    tools: tuple[Fixer, ...] = (
        Autofix(), Whitespace(), Locks(), Requirement(), Package(), Executable(), Generated(), Version()
    )  # fmt: skip
    offline: tuple[Fixer, ...] = () if engine == "llm" else (Remembered(), *tools, Static(), Upstream(), Search())
    if engine == "offline" or client is None:
        return offline
    return (*offline, Llm(client, budget or Budget()), Agent(client))


def revisers(client: Client | None = None, budget: Budget | None = None) -> tuple[Fixer, ...]:
    """The fixers of a run that revises a change of ours after a review. The model comes first, for it does everything
    that is asked for; what people wrote as code is applied without it where nothing else is asked, or it gave up."""
    model: tuple[Fixer, ...] = () if client is None else (Reviser(client, budget or Budget()),)
    return (*model, Suggested())
