"""The reports of a command as `sandbox/images/heal-gather` sends them: counted parts, of which the last may be cut off.

The bytes were written by untrusted code: what does not fit the form is passed over, and nothing raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.capture import plain

_HEAD = re.compile(rb"HEAL-PART ([a-z]{1,16}) (\d{1,12})\n")
_ENTRY = re.compile(rb"(\d{1,12}) ([^\n]{1,1000})")
_WHAT = {"l": "is a symbolic link", "f": "is larger than the limit"}
REFUSED = "report refused"
"""How a note about a report that was not read, or not to its end, begins."""


@dataclass(frozen=True)
class Reports:
    """`report` is what was left in $HEAL_REPORT, `files` the gathered ones by path; `notes` name what was refused."""

    report: bytes = b""
    files: tuple[tuple[str, bytes], ...] = ()
    notes: tuple[str, ...] = ()


def read(body: bytes) -> Reports:
    """What stands between the start of the command and the trailer."""
    parts, at = {}, 0
    while head := _HEAD.match(body, at):
        end = head.end() + int(head[2])
        parts[head[1]] = body[head.end() : end]
        at = end + 1
    files, notes, at = [], [], 0
    content = parts.get(b"files", b"")
    for size, name in _ENTRY.findall(parts.get(b"index", b"")):
        data = content[at : at + int(size)]
        at += int(size)
        path = _readable(name)
        if data:
            files.append((path, data))
        if len(data) < int(size):
            notes.append(f"{REFUSED}: {path} does not fit into the limit; its tests are counted as far as they came")
            break
    for line in parts.get(b"refused", b"").split(b"\n")[:5]:
        kind, _, name = _readable(line).partition(" ")
        if name:
            what = _WHAT.get(kind, "is no readable file")
            notes.append(f"{REFUSED}: {name} {what}; a report must be a plain file of at most 8 MiB")
    return Reports(parts.get(b"report", b""), tuple(files), tuple(notes))


def _readable(name: bytes) -> str:
    return " ".join(plain(name).split())
