"""What an answer of the agent asks for: one command, the end, or nothing that can be run.

Text from a model: whatever it holds, reading it raises nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from workers.patch.envelope import blocks, reasoning, variants

LONGEST = 20_000
"""Bytes of one command, as a session of the sandbox takes it."""
SUBMIT = "submit"
_SHELLS = frozenset({"bash", "sh", "shell", "console", "mswea_bash_command"})
_IDLE = re.compile(r"(?:#.*|true|:|(?:echo|printf)\b[^|;&<>`$]*)?")


@dataclass(frozen=True)
class Run:
    """Run a script with bash."""

    script: str

    @property
    def idle(self) -> bool:
        """It does and asks nothing: remarks, or words for nobody."""
        return all(_IDLE.fullmatch(line.strip()) for line in self.script.split("\n"))


@dataclass(frozen=True)
class Submit:
    """The files are as they should be. `words` say why."""

    words: str


@dataclass(frozen=True)
class Malformed:
    """Nothing can be run, and why."""

    why: str


Action = Run | Submit | Malformed


def read(answer: str) -> Action:
    """The one thing that an answer asks for. Blocks of other languages are talk, where there is one of a shell."""
    reading = next(variants(answer), "")
    every = blocks(reading)
    found = [block for block in every if _language(block.info) in _SHELLS]
    if not found:
        found = [block for block in every if not block.info]
    if len(found) != 1:
        return Malformed(
            f"the answer has {len(found)} blocks of commands" if found else "there is no block of commands"
        )
    script = found[0].text.strip("\n")
    if not found[0].whole and not _closed(reading):
        return Malformed("the block is not closed")
    if not script.strip():
        return Malformed("the block is empty")
    if "\0" in script or len(script.encode(errors="replace")) > LONGEST:
        return Malformed(f"the block has a zero byte, or more than {LONGEST} bytes")
    if script.strip() == SUBMIT:
        return Submit(reasoning(reading)[:2000])
    if script.strip().split("\n")[-1].strip() == SUBMIT:
        return Malformed("the word submit stands alone in its block, after you have seen what the commands did")
    return Run(script)


def _language(info: str) -> str:
    return info.split()[0].strip("{}.").lower() if info.split() else ""


def _closed(reading: str) -> bool:
    """The answer goes to the end of its block: what was cut off has an open fence."""
    fences = [line for line in reading.split("\n") if line.strip().startswith("```")]
    return len(fences) % 2 == 0
