"""The result of one case: a flat row that goes into a JSONL file as soon as the case is done, and is read back."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Row(BaseModel):
    """What became of one case. Seconds are of the wall clock, money is US dollars and None where a price is unknown.

    `plausible`: with some patch the check was green in a clean container. `verified`: one was accepted by every gate of
    the verifier. `correct` is the judge's word on the first verified one, None where there is none or it cannot say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    group: str = ""
    outcome: str
    detail: str = ""
    failure: str = ""
    tier: str = ""
    """The fixer of the verified patch; of the last one tried where none was verified."""
    plausible: bool = False
    verified: bool = False
    confidence: str = ""
    correct: bool | None = None
    why: str = ""
    alternatives: int = 0
    attempts: int = 0
    seconds: float = 0.0
    stages: Mapping[str, float] = Field(default_factory=dict)
    """Seconds of each stage of the run, repeats added up."""
    first_s: float | None = None
    """From the start of the run to the first patch that the verifier accepted."""
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0
    patch: str = ""
    rejected: tuple[str, ...] = ()
    """The gates that rejected patches, one word per attempt."""
    expect: Mapping[str, str] = Field(default_factory=dict)

    @property
    def proposed(self) -> bool:
        """The run ended with a fix."""
        return self.outcome == "FIXED"

    @property
    def overfit(self) -> bool:
        """The verifier took a patch that the judge calls wrong."""
        return self.verified and self.correct is False
