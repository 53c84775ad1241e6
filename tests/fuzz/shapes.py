"""How inputs are made: soups of meaningful pieces, nested values with known keys, real texts with something changed.

Random characters are refused at the first look; these get to where the readers work.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from tests.workers.hostile import HOSTILE

ODD = ("\0", "\r", "\r\n", "\u2028", "\x85", "\x1b[1m", "\ufeff", "\u200b", "\u202e", "\ud800", "\u0661", "\xb2",
       "1e999", "-1", "9" * 400, "\x0c", "\t", "'", '"', "\\", "`", "${{", "}}", "%", "{}", "[]", "..", "/", "\u0130",
       "\ufb01")  # fmt: skip
"""Small things that readers stumble over."""
STRANGE = tuple(text for text in HOSTILE if len(text) < 200)


def soup(pieces: Sequence[str], most: int = 30, glue: Sequence[str] = ("", " ", "\n")) -> st.SearchStrategy[str]:
    """The pieces in any order, with odd things between them."""
    piece = st.sampled_from(pieces) | st.sampled_from(ODD) | st.text(max_size=6)
    return st.lists(piece, max_size=most).flatmap(lambda parts: st.sampled_from(glue).map(lambda by: by.join(parts)))


def nested(keys: Sequence[str], words: Sequence[str], leaves: int = 16) -> st.SearchStrategy[object]:
    """What JSON or YAML may hold: known keys and words in places that may be wrong."""
    numbers = st.integers(-3, 99) | st.sampled_from([2**31, 2**63, 10**400, 0.5, float("1e308")])
    leaf = st.none() | st.booleans() | numbers | st.sampled_from(words) | st.sampled_from(STRANGE) | st.text(max_size=8)
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(keys), inner, max_size=6),
        max_leaves=leaves,
    )


def toml(value: object) -> str:
    """A value as TOML writes it in one line; what TOML lacks is an empty text there."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):  # JSON's escapes of what is beyond two bytes are none of TOML's
        return json.dumps(value.encode("utf-8", "replace").decode(), ensure_ascii=False)
    return json.dumps("" if value is None else value)


@st.composite
def changed(draw: st.DrawFn, texts: Sequence[str], pieces: Sequence[str] = ODD, most: int = 5) -> str:
    """One of the texts with up to so many changes: something left out, said twice, moved, or put in."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(0, most))):
        lines = text.split("\n")
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 60)))
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "put", "replace", "twice", "drop line", "move line", "put line"])):
            case "drop":
                text = text[:start] + text[end:]
            case "put":
                text = text[:start] + draw(st.sampled_from(pieces)) + text[start:]
            case "replace":
                text = text[:start] + draw(st.sampled_from(pieces)) + text[end:]
            case "twice":
                text = text[:end] + text[start:]
            case "drop line":
                text = "\n".join(lines[:at] + lines[at + 1 :])
            case "move line":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
                text = "\n".join(lines)
            case _:
                text = "\n".join([*lines[:at], draw(st.sampled_from(pieces)), *lines[at:]])
    return text


@st.composite
def rebuilt(draw: st.DrawFn, value: object, junk: st.SearchStrategy[object], most: int = 3) -> object:
    """A value of JSON with up to so many of its parts left out, replaced or put somewhere else. The value is kept."""
    for _ in range(draw(st.integers(1, most))):
        places = list(_places(value))
        if not places:
            return draw(junk)
        path = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(["drop", "junk", "other"]))
        new = _at(value, draw(st.sampled_from(places))) if kind == "other" else draw(junk)
        value = _with(value, path, new, drop=kind == "drop")
    return value


Path = tuple[str | int, ...]


def _places(value: object, before: Path = ()) -> list[Path]:
    if isinstance(value, dict):
        inner: list[tuple[str | int, object]] = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value[:5]))
    else:
        return []
    return [path for key, one in inner for path in ((*before, key), *_places(one, (*before, key)))]


def _at(value: object, path: Path) -> object:
    for key in path:
        value = value[key]  # type: ignore[index]
    return value


def _with(value: object, path: Path, new: object, *, drop: bool) -> object:
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    if rest:
        copy[key] = _with(copy[key], tuple(rest), new, drop=drop)
    elif drop:
        del copy[key]
    else:
        copy[key] = new
    return copy
