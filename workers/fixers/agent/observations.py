"""What the agent sees of a command, and how it is kept: cut to its head and its tail, without secrets, with the
difference of the working copy beside it, from which another container goes on."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sandbox.spec import Did, Ending

SHOWN = 5_000
"""Characters of the beginning, and of the end, of an output."""
OBSERVED = "agent:"
"""How the journal's keys of observations begin; the number of the command follows."""
_RESTORED = "The files are as they were before this command, because {why}."


@dataclass(frozen=True)
class Observation:
    """One command's end. `diff` is the working copy's difference from the commit after it, `elapsed` the seconds of the
    whole episode until then, `restored` why the command's own changes were lost; empty when they were not."""

    ending: Ending
    exit_code: int | None
    output: str
    seconds: float
    diff: bytes
    elapsed: float
    restored: str = ""

    @property
    def failed(self) -> bool:
        return self.exit_code != 0 or self.ending is not Ending.PASSED

    @property
    def how(self) -> str:
        """How it ended, in a few words."""
        if self.ending in (Ending.PASSED, Ending.FAILED):
            return f"exit code {self.exit_code}"
        return f"ended by the sandbox: {self.ending.value.replace('_', ' ')}"

    @property
    def note(self) -> str:
        """What has to be known beside the output."""
        return _RESTORED.format(why=self.restored) if self.restored else ""

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "diff": base64.b64encode(self.diff).decode()})

    @staticmethod
    def of(stored: str) -> Observation:
        kept = json.loads(stored)
        return Observation(**{**kept, "ending": Ending(kept["ending"]), "diff": base64.b64decode(kept["diff"])})


def seen(did: Did, before: bytes, elapsed: float, redact: Callable[[str], str]) -> Observation:
    """What is kept of a command. `before` is how the working copy differed when it began."""
    return Observation(
        ending=did.ending,
        exit_code=did.exit_code,
        output=cut(redact(did.output.text)),
        seconds=round(did.seconds, 1),
        diff=before if did.diff is None else did.diff,
        elapsed=round(elapsed, 1),
        restored=did.note if did.diff is None else "",
    )


def cut(text: str) -> str:
    """Head and tail of a long text, and how much is missing between them."""
    if len(text) <= 2 * SHOWN:
        return text
    return f"{text[:SHOWN]}\n[... {len(text) - 2 * SHOWN} characters left out ...]\n{text[-SHOWN:]}"
