"""What a person's remark on a change asks for, as far as its words alone tell; and the code that a suggestion holds.

English words and no model. What the rules cannot tell is UNCLEAR and left to whoever reads the remark next. The text is
a stranger's: nothing in it raises, and nothing takes longer than its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

LONGEST = 4_000
"""Characters of a remark that the rules read."""


class Ask(StrEnum):
    """What a remark asks for."""

    CHANGE = "change"
    QUESTION = "question"
    REJECTION = "rejection"  # the whole attempt is wrong
    NOTHING = "nothing"  # praise, thanks, or no words at all
    UNCLEAR = "unclear"


_PRAISE = re.compile(
    r"(?:lgtm|looks? (?:good|great|fine|right)(?: to me)?(?: now)?|(?:very |so )?(?:nice|great|good|perfect|neat|clean)"
    r"(?: (?:catch|work|job|fix|one|idea|stuff))?|thanks?(?: you)?(?: (?:a lot|so much|for \w+(?: \w+){0,3}))?"
    r"|ok(?:ay)?|approved|ship it|well done|awesome|cool|agreed|done|yes|yep|love it|[\W_]*|:\+1:|:[a-z_]{2,20}:)",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"\bwrong (?:approach|fix|solution)\b|\bnot (?:the|a) (?:right|correct|good) (?:approach|fix|solution)\b",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    r"\b(?:clos|abandon|reject|withdraw|discard)(?:e|ing)? (?:this|the) (?:pr|pull request)\b", re.IGNORECASE
)
_WHOLE = re.compile(
    r"(?:no|nope|nah)(?:,? (?:thanks|thank you))?"
    r"|(?:(?:i|we|please|let's|just|would|will|must|have to) ){0,4}(?:close|abandon|reject|withdraw|discard)"
    r" (?:this|it)(?: (?:one|now|please|again)){0,2}(?:[,;:(].{0,300})?"
    r"|(?:(?:i|we) ){0,1}(?:do not|don't|dont|won't|will not) (?:want|need|take|accept) (?:this|it)(?: (?:change|fix))?"
    r"|rejected",
    re.IGNORECASE,
)
"""Sentences that reject the attempt when they are said of all of it: at a line they are about the line."""
_NO = re.compile(r"(?:no|nope|nah)(?:,? (?:thanks|thank you))?", re.IGNORECASE)
_HELD_BACK = re.compile(r"\b(?:don't|dont|do not|not yet|never|before|until|if|unless|otherwise)\b", re.IGNORECASE)
_OTHERWISE = re.compile(
    r"\b(?:instead|rather|should|use|try|better|prefer|suggest|please|could you|can you|make it|change it)\b",
    re.IGNORECASE,
)
_TELL_ME = re.compile(
    r"^(?:please |can you |could you |would you |will you )+(?:please )?"
    r"(?:explain|tell|clarify|elaborate|describe|confirm|say|show|help me)\b",
    re.IGNORECASE,
)
_ASKED_POLITELY = re.compile(r"^(?:can|could|would|will) (?:you|we|this|it)\b|^(?:mind|care to)\b", re.IGNORECASE)
_HINTED = re.compile(
    r"^(?:should|shouldn't|shall|why not|how about|what about|wouldn't|isn't|aren't|doesn't|don't|could|might|maybe)\b",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"^(?:(?:nit|nitpick|minor|also|and|then|but|just|please|pls|let's|lets|you|we|i|i'd|would)\b|\W){0,40}"
    r"(?:add|use|rename|remove|move|change|replace|drop|extract|inline|revert|keep|prefer|avoid|delete|make|simplify|write"
    r"|split|merge|handle|check|return|raise|call|put|document|import|test|fix|update|restore|undo|don't|do not"
    r"|never|like|rather|want)\b",
    re.IGNORECASE,
)
_NEEDED = re.compile(
    r"\b(?:please|pls|should(?:n't)?|must(?:n't)?|needs? (?:to|a|an)|has to|have to|ought to|instead|typo|better to)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([\w:+-]{0,40})[ \t]*$")


def asked(body: str, *, of_all: bool = False) -> Ask:
    """What the remark asks for. `of_all`: it is a review's own text, and so about the whole change."""
    if suggestion(body) is not None:
        return Ask.CHANGE
    parts = sentences(body)
    found = {_sentence(one, of_all) for one in parts}
    if Ask.REJECTION in found and (Ask.CHANGE not in found or any(map(_CLOSE.search, parts))):
        return Ask.REJECTION
    for ask in (Ask.CHANGE, Ask.QUESTION, Ask.UNCLEAR):  # a question stands with sentences that say what it is about
        if ask in found:
            return ask
    return Ask.NOTHING


def rejected(state: str, body: str, comments: Sequence[str]) -> bool:
    """The review says that the whole attempt is wrong, in words that leave no doubt.

    With changes requested its own text decides, or all of its comments when it has none. Without, a single remark has
    to say nothing else.
    """
    own = bool(sentences(body))
    said = [one for one in ([body] if own else comments) if asked(one) is not Ask.NOTHING]
    if not said or any(asked(one, of_all=own) is not Ask.REJECTION for one in said):
        return False
    if state == "changes_requested":
        return True
    parts = [one for text in said for one in sentences(text)]
    return state == "commented" and len(said) == 1 and all(_NO.fullmatch(one) or _rejects(one) for one in parts)


def sentences(body: str) -> list[str]:
    """The words of a remark, sentence by sentence: without code, quotes, commands, and what nobody sees."""
    text = " \n".join(_prose(shown(body[:LONGEST])))
    return [one for one in (part.strip(" \t.!,;*_-") for part in _SENTENCE.split(text)) if one]


def suggestion(body: str) -> str | None:
    """The lines of the one suggestion block, each with its end; "" takes the lines away. None unless there is exactly
    one that is closed."""
    found = [lines for info, lines in _blocks(body.replace("\r\n", "\n").split("\n")) if info == "suggestion"]
    return "".join(f"{line}\n" for line in found[0]) if len(found) == 1 else None


def shown(body: str) -> str:
    """What people see of a remark: without HTML comments; one that does not end hides the rest, on GitHub as well."""
    first, *commented = body.split("<!--")
    return first + "".join(part.partition("-->")[2] for part in commented)


def _sentence(text: str, of_all: bool) -> Ask:
    question = text.endswith("?")
    if all(_PRAISE.fullmatch(part.strip()) for part in text.split(",")):
        return Ask.NOTHING
    if _rejects(text) or (of_all and _WHOLE.fullmatch(text)):
        return Ask.REJECTION
    if _TELL_ME.match(text):
        return Ask.QUESTION
    if question:
        return _questioned(text)
    return Ask.CHANGE if _IMPERATIVE.match(text) or _NEEDED.search(text) else Ask.UNCLEAR


def _rejects(text: str) -> bool:
    """The attempt as a whole is called wrong, wherever that stands, and nothing else is asked for in its place."""
    wrong = _CLOSE.search(text) or (_WRONG.search(text) and not _OTHERWISE.search(text))
    return bool(wrong) and not _HELD_BACK.search(text) and not text.endswith("?")


def _questioned(text: str) -> Ask:
    if _ASKED_POLITELY.match(text) or re.search(r"\bplease\b", text, re.IGNORECASE):
        return Ask.CHANGE
    return Ask.UNCLEAR if _HINTED.match(text) else Ask.QUESTION


def _prose(body: str) -> Iterator[str]:
    lines = body.replace("\r\n", "\n").split("\n")
    coded = {at for start, end in _spans(lines) for at in range(start, end)}
    for at, line in enumerate(lines):
        if at not in coded and not line.lstrip().startswith((">", "/heal")):
            yield line


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Closed fenced blocks: (what the fence says, the lines inside)."""
    for start, end in _spans(lines):
        opening = _FENCE.match(lines[start])
        closed = _FENCE.match(lines[end - 1]) if end - 1 > start else None
        if opening and closed and not closed[2]:
            yield opening[2], lines[start + 1 : end - 1]


def _spans(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where fenced blocks begin and end, the fences included; one that is never closed goes to the end."""
    start, fence = -1, ""
    for at, line in enumerate(lines):
        match = _FENCE.match(line)
        if not match:
            continue
        if not fence:
            start, fence = at, match[1]
        elif match[1][0] == fence[0] and len(match[1]) >= len(fence) and not match[2]:
            yield start, at + 1
            fence = ""
    if fence:
        yield start, len(lines)
