"""Reads a job's log as a stream: one pass, constant memory, cut into the steps the runner printed.

The runner writes every `run:` script after `${{ }}` was resolved, with its shell and environment, so a log says
exactly what ran. Lines are looked at one by one only where the runner's marks stand; what lies between two marks is
moved as bytes. A step is known to be red only at its end, so the open one is kept in full until then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from workers.logs.blocks import blocks
from workers.logs.draft import LONGEST_HEADER, Draft
from workers.logs.kept import Kept, Room
from workers.logs.model import JobLog
from workers.logs.named import named
from workers.logs.text import clean_line, exit_code, stamp, unstamped
from workers.redact import Redactor

LOG_LIMIT = 256 << 20
"""Bytes that are read of a log at most."""
CHECKPOINT_LIMIT = 4 << 20
"""Bytes of JSON that a log takes at most, headers and all."""

RED = Room(256 << 10, 2 << 20)
"""Of the step that may have turned the job red, and of a log without steps."""
GREEN = Room(4 << 10, 16 << 10)
AROUND = Room(32 << 10, 64 << 10)
"""Of what the runner prints before the first step and after the last."""

_CHUNK = 256 << 10
_ALL_RED = 3 << 20
_ALL_GREEN = 1 << 20
_HEADERS = 768 << 10
MOST_STEPS = 1000
"""More than any job has: what prints so many headers is a program that imitates the runner."""
_MOST_ERRORS = 500
_MOST_INSTALLED = 5000
_GROUP = "##[group]Run "
_OVER = ("Post job cleanup.", "Cleaning up orphan processes")
_MARKS = (b"##[group]Run ", b"##[error]", *(words.encode() for words in _OVER))
_SCRIPT = re.compile(r"^\x1b\[36;1m")
_USES = re.compile(r"^(?:\$/|\./|\.\./|docker://)\S+$|^[\w.-]+/[\w./-]+@[\w./-]+$")
_AFTER_USES = frozenset({"with:", "env:", "##[endgroup]"})


def read(chunks: Iterable[bytes], redactor: Redactor | None = None, limit: int = LOG_LIMIT) -> JobLog:
    """The log of a job from its bytes, in chunks of any size. Text without the runner's marks is all preamble.

    What comes after `limit` bytes is not read, and the log says so.

    What is kept holds no secret that the redactor knows by value or by shape.
    """
    bounded = _Bounded(chunks, limit)
    reader = _Reader()
    for block in blocks(bounded):
        reader.feed(block)
    return reader.finish(redactor or Redactor(), bounded.notes)


def parse(text: str, redactor: Redactor | None = None) -> JobLog:
    """As `read`, from text that is at hand."""
    return read((text.encode(errors="replace"),), redactor)


class _Bounded:
    """The chunks in pieces of a bounded size, up to the limit."""

    def __init__(self, chunks: Iterable[bytes], limit: int) -> None:
        self._chunks = chunks
        self._limit = limit
        self.notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[bytes]:
        left = self._limit
        for chunk in self._chunks:
            for at in range(0, min(len(chunk), left), _CHUNK):
                yield chunk[at : min(at + _CHUNK, left)]
            left -= len(chunk)
            if left < 0:
                self.notes = (f"The log is longer than {self._limit >> 20} MiB: only its beginning was read.",)
                return


class _Reader:
    """A program may print a group called "Run ..." itself: a header counts only when it looks like the runner's."""

    def __init__(self) -> None:
        self._preamble = Kept(RED)
        self._after = Kept(AROUND)
        self._steps: list[Draft] = []
        self._over = False
        """The last step has said its last word: what comes until the next header is the runner's own."""
        self._candidate: bytes | None = None
        self._began: str | None = None
        self._red_left = _ALL_RED
        self._headers_left = _HEADERS
        self._errors_left = _MOST_ERRORS
        self._installed_left = _MOST_INSTALLED

    def feed(self, block: bytes) -> None:
        """One or more whole lines, each with its newline."""
        if self._began is None:
            self._began = stamp(block[:64].decode("utf-8", "replace"))
        marks = _Marks(block)
        at, size = 0, len(block)
        while at < size:
            if not self._line_by_line and (line := marks.line_of_next(at)) > at:
                self._sink.add(block[at:line])
                at = line
            if at < size:
                end = block.index(b"\n", at) + 1
                self._line(block[at:end])
                at = end

    def finish(self, redactor: Redactor, notes: tuple[str, ...]) -> JobLog:
        """The log, however it ended."""
        if self._candidate is not None:
            self._put(self._candidate)
        if self._steps:
            self._close(ended=self._over)
            self._preamble = self._preamble.shrunk(AROUND)
        for part in (1, 2, 4, 8, 16, 64, 1024):
            log = self._built(redactor, notes, part)
            if len(json.dumps(asdict(log), ensure_ascii=False).encode()) <= CHECKPOINT_LIMIT:
                break
        return log

    def _built(self, redactor: Redactor, notes: tuple[str, ...], part: int) -> JobLog:
        """With one part in so many of the room for outputs."""
        green = GREEN.scaled(_ALL_GREEN // max(1, sum(step.output.room == GREEN for step in self._steps)))
        outputs = [step.output.shrunk(green) if step.output.room == GREEN else step.output for step in self._steps]
        preamble, epilogue, *outputs = [
            kept.shrunk(kept.room.scaled(kept.room.whole // part)) if part > 1 else kept
            for kept in (self._preamble, self._after, *outputs)
        ]
        return JobLog(
            preamble=preamble.shown(redactor)[0],
            steps=tuple(step.done(kept, redactor) for step, kept in zip(self._steps, outputs, strict=True)),
            epilogue=epilogue.shown(redactor)[0],
            began=self._began or "",
            notes=notes,
        )

    @property
    def _line_by_line(self) -> bool:
        return self._candidate is not None or (bool(self._steps) and self._steps[-1].in_header)

    @property
    def _sink(self) -> Kept:
        if not self._steps:
            return self._preamble
        return self._after if self._over else self._steps[-1].output

    def _put(self, raw: bytes) -> None:
        """A line without a meaning of its own."""
        if not (self._steps and self._steps[-1].in_header and self._steps[-1].header(_text(raw))):
            self._sink.add(raw)

    def _line(self, raw: bytes) -> None:
        text = _text(raw)
        line = clean_line(text)
        if self._candidate is not None:
            candidate, self._candidate = self._candidate, None
            self._settle(candidate, text, line)
        if line.startswith(_GROUP):
            self._candidate = raw
        elif line.startswith("##[error]") and self._steps:
            self._error(raw, line)
        else:
            self._over = self._over or (line in _OVER and bool(self._steps) and not self._steps[-1].in_header)
            self._put(raw)

    def _settle(self, candidate: bytes, text: str, line: str) -> None:
        """Now that the line after a group's title is known, so is whether the group is a step's header."""
        title = clean_line(_text(candidate)).removeprefix(_GROUP).strip()
        is_header = _SCRIPT.match(text) or (_USES.match(title) and line in _AFTER_USES)
        if not is_header or len(self._steps) >= MOST_STEPS:
            self._put(candidate)
            return
        if self._steps:
            self._close(ended=True)
        self._over, self._after = False, Kept(AROUND)
        self._steps.append(Draft(title, Kept(RED), min(LONGEST_HEADER, self._headers_left)))

    def _error(self, raw: bytes, line: str) -> None:
        step = self._steps[-1]
        code = exit_code(line)
        step.in_header, step.cut = False, step.cut or step.in_header
        if code:
            if self._over:  # its last word was a program's own: this one may be the runner's
                step.output.take(self._after)
                self._after = Kept(AROUND)
            step.exit_code = code
            step.output.add(raw)
            self._over = True
            return
        if not self._over and self._errors_left > 0:
            self._errors_left -= 1
            step.errors.append(line.removeprefix("##[error]"))
        self._sink.add(raw)

    def _close(self, *, ended: bool) -> None:
        """Now that it is known how the last step ended, keep as much of it as that is worth."""
        step = self._steps[-1]
        step.in_header = False
        self._headers_left = max(0, self._headers_left - step.taken)
        step.installed, found = named(step.output.raw_lines(), self._installed_left)
        self._installed_left -= found
        if ended and not step.red:
            step.output = step.output.shrunk(GREEN)
            return
        step.output = step.output.shrunk(RED.scaled(self._red_left * 3 // 4))
        self._red_left -= step.output.size


class _Marks:
    """Where the runner's marks stand in a block."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._next = [-1] * len(_MARKS)

    def line_of_next(self, at: int) -> int:
        """Start of the first line from `at` on with a mark; the block's size when there is none."""
        block, size = self._block, len(self._block)
        for number, place in enumerate(self._next):
            if place < at:
                found = block.find(_MARKS[number], at)
                self._next[number] = found if found >= 0 else size
        first = min(self._next)
        return max(at, block.rfind(b"\n", at, first) + 1) if first < size else size


def _text(raw: bytes) -> str:
    return unstamped(raw.rstrip(b"\n").decode("utf-8", "replace"))
