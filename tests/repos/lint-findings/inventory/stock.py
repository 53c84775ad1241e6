"""How many of each article are on the shelf."""

import sys
from collections.abc import Iterable
import os


def count(articles: Iterable[str]) -> dict[str, int]:
    """How often each article occurs."""
    seen: dict[str, int] = {}
    for article in articles:
        seen[article] = seen.get(article, 0) + 1
    return seen
