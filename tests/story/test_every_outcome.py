"""No outcome without a story."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.domain import Outcome

STORIES = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_it_has_a_story(outcome: Outcome) -> None:
    """Some story ends with this outcome and says so."""
    assert f'== "{outcome.value}"' in STORIES
