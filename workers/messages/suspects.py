"""Where to look, in words: the likeliest places of a failure, each with why it is suspected."""

from __future__ import annotations

from workers.domain import Diagnosis
from workers.messages.markup import plain, quote
from workers.suspects import telling


def suspected(diagnosis: Diagnosis, most: int) -> list[str]:
    """The lines of a Markdown list with its head; none where nothing is suspected."""
    places = [f"- {quote(one.place)}: {plain(', '.join(one.reasons))}" for one in telling(diagnosis)[:most]]
    return ["\nWhere to look:\n", *places] if places else []
