"""The grammar of one command line: `/heal verb key=value "quoted text" word`. Never raises, in linear time.

What cannot be read becomes a `Mistake` that says what was expected; the sentences are `workers.messages.replies`'.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice

from workers.commands.lines import own_lines

MOST = 3
"""Commands of one comment that count."""
LONGEST_LINE = 1000
LONGEST_VALUE = 500
LONGEST_PAUSE = 90 * 86_400.0
MOST_USD = 50.0

# Phones begin a line with a capital letter, so the word is read in any case; nothing else may stand before it.
_COMMAND = re.compile(r"/heal(?:[ \t]+(.*))?", re.IGNORECASE)
_TOKEN = re.compile(r'([A-Za-z][A-Za-z_-]{0,19})=(?:"([^"]*)"?|(\S*))|"([^"]*)"?|(\S+)')
_SHA = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)
_DURATION = re.compile(r"([0-9]{1,5})([mhdw])")
_BUDGET = re.compile(r"\$?([0-9]{1,4}(?:\.[0-9]{1,4})?)")
_MODEL = re.compile(r"[a-z0-9]{1,30}:[A-Za-z0-9][A-Za-z0-9._:/@-]{0,120}")
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]{0,200}")
_CURLY = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"'})
_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


class Verb(StrEnum):
    """What may be asked for."""

    FIX = "fix"
    RETRY = "retry"
    EXPLAIN = "explain"
    STATUS = "status"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"
    IGNORE = "ignore"
    UNIGNORE = "unignore"
    UNDO = "undo"
    CONFIG = "config"
    HELP = "help"


class Key(StrEnum):
    """What may be said about it."""

    JOB = "job"
    TEST = "test"
    MODEL = "model"
    IMAGE = "image"
    BUDGET = "budget"
    FOR = "for"
    HINT = "hint"


_HEALING = frozenset(Key) - {Key.FOR}
TAKES: dict[Verb, frozenset[Key]] = {
    **dict.fromkeys(Verb, frozenset[Key]()),
    Verb.FIX: _HEALING,
    Verb.RETRY: _HEALING,
    Verb.PAUSE: frozenset({Key.FOR}),
    Verb.IGNORE: frozenset({Key.TEST, Key.JOB, Key.FOR}),
    Verb.UNIGNORE: frozenset({Key.TEST, Key.JOB}),
}
"""Which keys go with which verb."""


@dataclass(frozen=True)
class Command:
    """A command as it was meant. Texts are "" and numbers None where nothing was said.

    `hint` holds the free words of `fix` and `retry` too. `seconds` is `for=`, `sha` the commit (7 digits or more, lower
    case) that the command is bound to.
    """

    verb: Verb
    sha: str = ""
    job: str = ""
    test: str = ""
    model: str = ""
    image: str = ""
    hint: str = ""
    budget_usd: float | None = None
    seconds: float | None = None


class Wrong(StrEnum):
    """What is wrong with a line."""

    VERB = "verb"  # no verb of ours
    KEY = "key"  # no key of ours
    MISPLACED = "misplaced"  # a key that does not go with this verb
    WORD = "word"  # a word that means nothing here
    EMPTY = "empty"  # a key without a value
    DURATION = "duration"
    BUDGET = "budget"
    MODEL = "model"
    IMAGE = "image"


@dataclass(frozen=True)
class Mistake:
    """A line that cannot be read: the key or word as written, its value, and the known word nearest to it."""

    wrong: Wrong
    word: str
    value: str = ""
    verb: Verb | None = None
    nearest: str = ""


def find(body: str) -> Command | Mistake | None:
    """The first command of a comment, or None when it holds none."""
    return next(_found(body), None)


def find_all(body: str) -> tuple[Command | Mistake, ...]:
    """The commands of a comment in their order, `MOST` at most."""
    return tuple(islice(_found(body), MOST))


def _found(body: str) -> Iterator[Command | Mistake]:
    for line in own_lines(body):
        match = _COMMAND.fullmatch(line[:LONGEST_LINE].rstrip())
        if match:
            yield _read((match[1] or "").translate(_CURLY))


@dataclass
class _Reading:
    """The line as far as it was read."""

    command: Command
    words: list[str] = field(default_factory=list)


def _read(text: str) -> Command | Mistake:
    word, _, rest = text.strip().partition(" ")
    if not word:
        return Command(Verb.FIX)
    if _SHA.fullmatch(word):
        return _arguments(Verb.FIX, f"{word} {rest}")
    verb = next((verb for verb in Verb if verb.value == word.lower()), None)
    if verb is None:
        return Mistake(Wrong.VERB, word[:60], nearest=_nearest(word, Verb))
    return _arguments(verb, rest)


def _arguments(verb: Verb, text: str) -> Command | Mistake:
    reading = _Reading(Command(verb))
    for token in _TOKEN.finditer(text):
        key, quoted, bare, said, word = token.groups()
        mistake = None
        if key:
            mistake = _say(reading, key, (quoted if quoted is not None else bare or "").strip())
        elif said is not None or word:
            reading.words.append((said if said is not None else word).strip())
        if mistake is not None:
            return mistake
    return _with_words(reading.command, [one for one in reading.words if one])


def _say(reading: _Reading, name: str, value: str) -> Mistake | None:
    """Take in `key=value`."""
    verb = reading.command.verb
    key = next((key for key in Key if key.value == name.lower()), None)
    if key is None:
        return Mistake(Wrong.KEY, name, verb=verb, nearest=_nearest(name, TAKES[verb] or Key))
    if key not in TAKES[verb]:
        return Mistake(Wrong.MISPLACED, key, verb=verb)
    if not value:
        return Mistake(Wrong.EMPTY, key, verb=verb)
    changed = _changed(reading.command, key, value[:LONGEST_VALUE])
    if isinstance(changed, Mistake):
        return changed
    reading.command = changed
    return None


def _changed(command: Command, key: Key, value: str) -> Command | Mistake:
    match key:
        case Key.FOR:
            seconds = duration(value)
            return Mistake(Wrong.DURATION, key, value) if seconds is None else replace(command, seconds=seconds)
        case Key.BUDGET:
            usd = _usd(value)
            return Mistake(Wrong.BUDGET, key, value) if usd is None else replace(command, budget_usd=usd)
        case Key.MODEL if not _MODEL.fullmatch(value):
            return Mistake(Wrong.MODEL, key, value)
        case Key.IMAGE if not _IMAGE.fullmatch(value):
            return Mistake(Wrong.IMAGE, key, value)
        case Key.JOB:
            return replace(command, job=value)
        case Key.TEST:
            return replace(command, test=value)
        case Key.MODEL:
            return replace(command, model=value)
        case Key.IMAGE:
            return replace(command, image=value)
        case Key.HINT:
            return replace(command, hint=value)


def _with_words(command: Command, words: list[str]) -> Command | Mistake:
    """What the free words mean: a commit and a hint, a test; elsewhere nothing, but a pause must not be misread."""
    if command.verb in {Verb.FIX, Verb.RETRY}:
        if words and _SHA.fullmatch(words[0]):
            command = replace(command, sha=words.pop(0).lower())
        return replace(command, hint=" ".join([*([command.hint] if command.hint else []), *words]))
    if words and command.verb in {Verb.IGNORE, Verb.UNIGNORE} and not command.test:
        return replace(command, test=words[0][:LONGEST_VALUE])
    if words and command.verb is Verb.PAUSE:
        return Mistake(Wrong.WORD, words[0][:60], verb=command.verb)
    return command


def duration(text: str) -> float | None:
    """`30m`, `12h`, `7d`, `2w` in seconds; None for anything else, for nothing, and for more than 90 days."""
    found = _DURATION.fullmatch(text.lower())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0.0
    return seconds if 0 < seconds <= LONGEST_PAUSE else None


def _usd(text: str) -> float | None:
    found = _BUDGET.fullmatch(text)
    usd = float(found[1]) if found else 0.0
    return usd if 0 < usd <= MOST_USD else None


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word[:40].lower(), sorted(known), n=1)
    return str(close[0]) if close else ""
