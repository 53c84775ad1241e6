"""What an answer may be wrapped in: thoughts, JSON, escaped newlines, HTML entities, code fences.

Each function takes one wrapping off; `variants` gives the readings of an answer, likeliest first.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile

_THINK = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#39|#x27);")
_FENCE = re.compile(r"^([ \t]*(?:[-*+] +|\d+[.)] +)?)(`{3,}|~{3,})(.*)$")
_EDITISH = re.compile(r"^(?:@@|--- |\+\+\+ |\*\*\* |diff --git |Index: |[ \t]*<{5,9} ?\w)|^[+-](?![+-])", re.MULTILINE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_KEYS = ("diff", "patch", "answer", "edits", "code")


@dataclass(frozen=True)
class Block:
    """A fenced block: its info string, its text without the fence's indentation, the line above it, and whether its
    end is certain: it is closed, and no other fence opens inside."""

    info: str
    text: str
    above: str
    whole: bool = True

    @property
    def editish(self) -> bool:
        """It looks like a change rather than like a listing."""
        return _EDITISH.search(self.text) is not None


def variants(text: str) -> Iterator[str]:
    """The readings of an answer, likeliest first, without repeats."""
    seen: set[str] = set()
    for raw in _readings(_without_thoughts(text.replace("\r\n", "\n"))):
        reading = _SURROGATE.sub("\ufffd", raw)  # JSON can hold lone ones
        if reading and reading not in seen:
            seen.add(reading)
            yield reading


def _readings(text: str) -> Iterator[str]:
    unwrapped = _from_json(text)
    if unwrapped is not None:
        text = unwrapped.replace("\r\n", "\n")
    if "\n" not in text.strip() and "\\n" in text:
        text = _unescape(text)
    if _ENTITY.search(text):
        plain = html.unescape(text)
        wholly = not re.search(r"[<>\"]", re.sub(r"^\+{3}.*$", "", text, flags=re.MULTILINE))
        yield from (plain, text) if wholly else (text, plain)
    else:
        yield text


def _without_thoughts(text: str) -> str:
    """What is left outside of thoughts. A closing tag without its opening one ends a thought that was cut before."""
    kept: list[str] = []
    depth = start = 0
    for tag in _THINK.finditer(text):
        if tag.group(1) and not depth:
            kept, start = [], tag.end()
        elif tag.group(1):
            depth -= 1
            start = tag.end() if not depth else start
        else:
            if not depth:
                kept.append(text[start : tag.start()])
                start = tag.start()
            depth += 1
    return "".join([*kept, text[start:]])


def _unescape(text: str) -> str:
    body = text.strip().strip('"')
    return (
        body.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').replace("\\\\", "\\")
    )


def _from_json(text: str) -> str | None:
    """The edit inside a JSON answer, or None when the answer is not JSON."""
    for value in _json_values(text):
        found = _edit_in(value)
        if found is not None:
            return found
    return None


def _json_values(text: str) -> Iterator[object]:
    for chunk in _json_chunks(text):
        with suppress(ValueError, RecursionError):
            yield json.loads(chunk, strict=False)


def _json_chunks(text: str) -> Iterator[str]:
    stripped = text.strip()
    if stripped[:1] in {"{", '"', "["}:
        yield stripped
    for block in blocks(text):
        if block.info.lower().startswith("json") or block.text.lstrip()[:1] == "{":
            yield block.text.strip()
    start, end = stripped.find("{"), stripped.rfind("}")
    if '"diff"' in stripped[start : end + 1] or '"patch"' in stripped[start : end + 1]:
        yield stripped[start : end + 1]


def _edit_in(value: object) -> str | None:
    if isinstance(value, str):
        return value if "\n" in value else None
    if isinstance(value, dict):
        for key in _KEYS:
            if isinstance(value.get(key), str):
                return str(value[key])
    return None


def reasoning(text: str) -> str:
    """The explanation in an answer: the JSON field `reasoning`, or the prose before the first edit."""
    text = _without_thoughts(text)
    for value in _json_values(text):
        if isinstance(value, dict) and isinstance(value.get("reasoning"), str):
            return str(value["reasoning"]).strip()
    tagged = re.search(r"<analysis>(.*?)</analysis>", text, re.DOTALL)
    if tagged:
        return tagged.group(1).strip()
    first = re.search(r"^(?:[ \t]*`{3,}|[ \t]*<{5,9}|--- |diff --git |\*\*\* Begin)", text, re.MULTILINE)
    return text[: first.start()].strip() if first else text.strip()


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a text. A block that is never closed reaches to the end."""
    found: list[Block] = []
    above, opened, body = "", None, list[str]()
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if opened is None:
            if fence:
                opened, body = fence, []
            elif line.strip():
                above = line
        elif fence and _closes(opened, fence):
            found.append(_block(opened, body, above))
            opened, above = None, ""
        else:
            body.append(line)
    if opened is not None:
        found.append(_block(opened, body, above, closed=False))
    return found


def before_fences(text: str) -> str:
    """What stands above the first line that could open a fence; it may be one of the lines of a diff."""
    return "\n".join(takewhile(lambda line: _FENCE.match(line) is None, text.split("\n")))


def _closes(opened: re.Match[str], fence: re.Match[str]) -> bool:
    same = fence.group(2)[0] == opened.group(2)[0] and len(fence.group(2)) >= len(opened.group(2))
    return same and not fence.group(3).strip() and len(fence.group(1)) <= len(opened.group(1))


def _block(opened: re.Match[str], body: list[str], above: str, closed: bool = True) -> Block:
    width = len(opened.group(1))
    indented = all(not line.strip() or line[:width].isspace() for line in body)
    text = "\n".join(line[width:] for line in body) if width and indented else "\n".join(body)
    inner = any((fence := _FENCE.match(line)) and fence.group(2)[0] == opened.group(2)[0] for line in body)
    return Block(opened.group(3).strip(), text, above, closed and not inner)
