"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum


class EngineChoice(StrEnum):
    """Which fixers may be asked."""

    AUTO = "auto"
    OFFLINE = "offline"
    LLM = "llm"


ENGINE_HELP = "auto: offline repair, then the model if one is set; offline: no model; llm: insist on one."
REPO_HELP = "For one repository: OWNER/NAME or its id."
