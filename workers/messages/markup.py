"""Markdown that untrusted text cannot break out of: fences longer than any inside, no mentions, references or HTML."""

from __future__ import annotations

import re

LIMIT = 60_000
"""Characters of a comment or a pull request's body: GitHub takes 65,536 and refuses more; the rest is for markers, and
for what redaction may add. `workers.messages.room` makes a message fit."""

_REFERENCE = re.compile(r"([@#])(?=\w)|\b(GH)(?=-\d)", re.IGNORECASE)
_LINK = re.compile(r"(?<=:)(?=//)|\bwww(?=\.)|mailto(?=:)", re.IGNORECASE)
_NO_CI = re.compile(
    r"\[(?=[^\]\n]{0,12}\b(?:ci|actions)\b[^\]\n]{0,12}\])|\*{3}(?=NO_CI)|\bskip-checks(?=:)", re.IGNORECASE
)
"""Words in a commit message or a title that keep CI from running: our fix would wait for it in vain."""
_CLOSING = re.compile(r"\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(\s+)(?=[#@\w/-]*#\d)", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])"  # terminals: CSI, OSC, strings
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"  # other controls, and what cannot be written as UTF-8
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_SPECIAL = re.compile(r"([\\`*{}\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_]))")
_COMMAND = re.compile(r"^(?=/[a-z][\w-]*(?![\w/.-]))", re.IGNORECASE | re.MULTILINE)
"""A line that a bot may take for its command, whatever stands around it: many read comments without Markdown."""
_OPENING = re.compile(r"[/#>+=-]|\d{1,9}[.)]")
_CODE = re.compile(r"`([^`\n]+)`")
ZERO_WIDTH = "\u200b"


def visible(text: str) -> str:
    """The text without what is not seen but acts: terminal escapes, control, zero-width and direction characters."""
    return _INVISIBLE.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def line(text: str) -> str:
    """Any text as one line for places that know no markup: titles, commit messages, names."""
    return " ".join(visible(text).split())


def quote(text: str, limit: int = 500) -> str:
    """Inline code that holds the text whole up to the limit, whatever backticks it has. One line."""
    held = cut(line(text), limit).replace("|", "\\|") or " "
    ticks = "`" * (1 + backticks(held))
    pad = " " if held.startswith("`") or held.endswith("`") else ""
    return f"{ticks}{pad}{held}{pad}{ticks}"


def fence(text: str, language: str = "text", limit: int = 8_000) -> str:
    """A fenced block longer than any fence inside; the middle of long text is cut and counted, and no line of it can
    be taken for a command to a bot."""
    body = _COMMAND.sub(ZERO_WIDTH, visible(text).strip("\n"))
    if len(body) > limit:
        half = limit // 2
        body = f"{body[:half]}\n... {len(body) - limit} characters left out ...\n{body[-half:]}"
    ticks = "`" * max(3, 1 + backticks(body))
    return f"{ticks}{language}\n{body}\n{ticks}"


def backticks(text: str) -> int:
    """The length of the longest run of backticks: what stands around the text has to be longer."""
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def plain(text: str, limit: int = 3_000) -> str:
    """Prose from outside: no formatting but inline code, no HTML, mention, reference, closing keyword or command."""
    flat = cut(line(text), limit)
    pieces = _CODE.split(flat)  # odd pieces stood between backticks
    shown = "".join(quote(piece) if n % 2 else _harmless(piece) for n, piece in enumerate(pieces))
    return f"{ZERO_WIDTH}{shown}" if _OPENING.match(shown) else shown


def inert(text: str) -> str:
    """One line for a title or a commit message: it names nobody, closes and links nothing, and keeps no CI away."""
    flat = _CLOSING.sub(rf"\1{ZERO_WIDTH}\2", line(text))
    if flat.startswith("/"):
        flat = f"{ZERO_WIDTH}{flat}"
    for pattern in (_REFERENCE, _LINK, _NO_CI):
        flat = pattern.sub(rf"\g<0>{ZERO_WIDTH}", flat)
    return flat


def _harmless(flat: str) -> str:
    # Spaces around a piece matter here: they stand between it and inline code.
    before, after = flat[: len(flat) - len(flat.lstrip())], flat[len(flat.rstrip()) :] if flat.strip() else ""
    return before + _SPECIAL.sub(r"\\\1", inert(flat)) + after


def details(summary: str, body: str) -> str:
    """A folded section."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def cut(text: str, limit: int) -> str:
    """The text, or its beginning with a mark that says it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "\u2026"
