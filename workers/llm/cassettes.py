"""Records what a model answers and plays it again: `record:FILE:provider:model`, `replay:FILE`, `replay-strict:FILE`.

A cassette is JSON lines, one per answer, keyed by the hash of what was asked; the n-th line with a key is the answer to
its n-th asking. Secrets are blanked, and the file is its owner's alone. It only grows; to record anew, remove it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from pydantic import TypeAdapter, ValidationError

from workers.errors import UsageError
from workers.llm.errors import BadAnswer, ContextTooLong, ModelError, ModelRefused, Unavailable
from workers.llm.exchange import Answer, Message, Schema

FILES = frozenset({"record", "replay", "replay-strict"})
"""Providers that are files of the operator's machine: nobody else may choose one."""

_NONCE = re.compile(r"\bDATA-[0-9a-f]{16}\b")
Ending = Literal["", "refused", "too long", "bad"]
_ENDINGS: dict[str, type[ModelError]] = {"refused": ModelRefused, "too long": ContextTooLong, "bad": BadAnswer}


class Tape(Protocol):
    """Stands before a model, or in its place."""

    def ask(
        self, messages: Sequence[Message], max_tokens: int, schema: Schema | None, live: Callable[[], Answer]
    ) -> Answer:
        """The answer to messages; `live` asks the model. Raises what the model's asking raises."""
        ...


class NotRecorded(LookupError):  # noqa: N818 - states read better where they are raised
    """A strict cassette was asked what it does not hold. No `ModelError`, so nothing goes on without it."""


@dataclass(frozen=True)
class Line:
    """One answer, or how the asking ended. `messages` are for people: the key alone decides."""

    key: str
    messages: list[tuple[str, str]]
    answer: Answer | None
    ending: Ending = ""
    words: str = ""


_LINE = TypeAdapter(Line)


def named(spec: str, redact: Callable[[str], str]) -> tuple[Tape | None, str]:
    """The tape that a model's name means, and the live model behind it. `redact` blanks secrets from what is kept.
    Raises `UsageError`."""
    kind, _, rest = spec.partition(":")
    if kind not in FILES:
        return None, spec
    file, _, live = rest.partition(":")
    if not file or bool(live) != (kind == "record"):
        raise UsageError(f"'{spec}' names no cassette: write record:FILE:provider:model or replay:FILE")
    if kind == "record":
        return Recorder(Path(file), redact), live
    return Player(read(Path(file)), kind == "replay-strict"), ""


def key(messages: Sequence[Message], max_tokens: int, schema: Schema | None) -> str:
    """The hash of what is asked, of any model; the fences' random words do not count."""
    turns = [(message.role, _NONCE.sub("DATA-", message.content)) for message in messages]
    asked = json.dumps([turns, max_tokens, schema], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def read(file: Path) -> list[Line]:
    """A cassette's lines. Raises `UsageError` for a file that is none."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"the cassette {file} cannot be read: {error.strerror}") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(_LINE.validate_json(line))
        except ValidationError:
            raise UsageError(f"line {number} of the cassette {file} is not a recorded answer") from None
    return found


@dataclass
class Player:
    """Plays a cassette. An answer costs what it did, so that a run goes the way that it went.

    Asked once more than was recorded, the last answer comes again, and what was never recorded makes the model
    unavailable; strictly, both are `NotRecorded`.
    """

    lines: Sequence[Line]
    strict: bool = False
    _asked: Counter[str] = field(default_factory=Counter)

    def ask(
        self, messages: Sequence[Message], max_tokens: int, schema: Schema | None, live: Callable[[], Answer]
    ) -> Answer:
        """As `Tape`; the model is never asked."""
        del live
        which = key(messages, max_tokens, schema)
        known = [line for line in self.lines if line.key == which]
        ordinal = self._asked[which]
        self._asked[which] += 1
        if self.strict and ordinal >= len(known):
            raise NotRecorded(f"the cassette holds {len(known)} answers to the request {which[:12]}")
        if not known:
            raise Unavailable("the cassette holds no answer to this request")
        return _played(known[min(ordinal, len(known) - 1)])


def _played(line: Line) -> Answer:
    if line.ending:
        raise _ENDINGS[line.ending](line.words, line.answer)
    if line.answer is None:
        raise BadAnswer("the cassette's line holds no answer")
    return line.answer


def _ending(error: ModelError) -> Ending:
    if isinstance(error, ModelRefused):
        return "refused"
    return "too long" if isinstance(error, ContextTooLong) else "bad"


@dataclass(frozen=True)
class Recorder:
    """Asks the model and keeps what comes. Trouble that passes, and an account that is closed, are no answers."""

    file: Path
    redact: Callable[[str], str]

    def ask(
        self, messages: Sequence[Message], max_tokens: int, schema: Schema | None, live: Callable[[], Answer]
    ) -> Answer:
        """As `Tape`."""
        which, turns = key(messages, max_tokens, schema), [(one.role, self.redact(one.content)) for one in messages]
        try:
            answer = live()
        except (ModelRefused, ContextTooLong, BadAnswer) as error:
            self._keep(Line(which, turns, error.paid, _ending(error), self.redact(str(error))))
            raise
        self._keep(Line(which, turns, replace(answer, text=self.redact(answer.text))))
        return answer

    def _keep(self, line: Line) -> None:
        """Append: several processes may record into one file, and a line is written at once."""
        data = _LINE.dump_json(line) + b"\n"
        try:
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"the cassette {self.file} cannot be written: {error.strerror}") from None
        with os.fdopen(handle, "ab", buffering=0) as out:
            out.write(data)
