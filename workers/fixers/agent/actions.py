"""What an answer of the agent asks for: one command, the end, or nothing that can be run.

Text from a model: whatever it holds, reading it raises nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from workers.patch.envelope import Block, blocks, reasoning, variants

LONGEST = 20_000
"""Bytes of one command, as a session of the sandbox takes it."""
SUBMIT = "submit"
_TAGS = ("bash", "execute_bash", "shell", "command", "parameter=command")
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
    """The one thing that an answer asks for. Blocks of other languages are talk, where there is one of a shell; where
    there is none, the call of a tool counts that a model wrote as text, as it was trained to."""
    reading = next(variants(answer), "")
    every = blocks(reading)
    found = [block for block in every if _language(block.info) in _SHELLS]
    if not found:
        found = [block for block in every if not block.info and not block.text.lstrip().startswith("{")]
    if not found:
        script = _called(reading, every)
        return Malformed("there is no block of commands") if script is None else _action(script, reading)
    if len(found) != 1:
        return Malformed(f"the answer has {len(found)} blocks of commands")
    if not found[0].whole and not _closed(reading):
        return Malformed("the block is not closed")
    return _action(found[0].text, reading)


def _action(script: str, reading: str) -> Action:
    script = script.strip("\n")
    if not script.strip():
        return Malformed("the block is empty")
    if "\0" in script or len(script.encode(errors="replace")) > LONGEST:
        return Malformed(f"the block has a zero byte, or more than {LONGEST} bytes")
    if script.strip() == SUBMIT:
        return Submit(reasoning(reading)[:2000])
    if script.strip().split("\n")[-1].strip() == SUBMIT:
        return Malformed("the word submit stands alone in its block, after you have seen what the commands did")
    return Run(script)


def _called(reading: str, every: list[Block]) -> str | None:
    """The command in the one call of a tool: in tags, or as JSON in tags, in a block, or by itself."""
    for tag in _TAGS:
        inside = _between(reading, f"<{tag}>", f"</{tag.split('=')[0]}>")
        if inside is not None:
            return inside
    inside = _between(reading, "<tool_call>", "</tool_call>")
    texts = [inside] if inside is not None else [block.text for block in every]
    calls = [command for text in texts or [reading] if (command := _command(text)) is not None]
    return calls[0] if len(calls) == 1 else None


def _between(text: str, opening: str, closing: str) -> str | None:
    """What stands between two tags that occur once."""
    if text.count(opening) != 1 or text.count(closing) != 1:
        return None
    return text.partition(opening)[2].partition(closing)[0]


def _command(text: str) -> str | None:
    """The command of a call as JSON: its own key, or one of the call's arguments; a tool called submit is the end."""
    try:
        call = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict):
        return None
    if call.get("name") == SUBMIT:
        return SUBMIT
    inner = next((call[key] for key in ("arguments", "parameters", "input") if isinstance(call.get(key), dict)), call)
    return next((str(inner[key]) for key in ("command", "cmd", "script") if isinstance(inner.get(key), str)), None)


def _language(info: str) -> str:
    return info.split()[0].strip("{}.").lower() if info.split() else ""


def _closed(reading: str) -> bool:
    """The answer goes to the end of its block: what was cut off has an open fence."""
    fences = [line for line in reading.split("\n") if line.strip().startswith("```")]
    return len(fences) % 2 == 0
