"""How many of each article are on the shelf."""

import sys
import os
from typing import Dict, List


def count(articles: List[str]) -> Dict[str, int]:
    """How often each article occurs."""
    seen: Dict[str, int] = {}
    for article in articles:
        seen[article] = seen.get(article, 0) + 1
    return seen
