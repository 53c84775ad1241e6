"""How values look on a page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import views
from tests.bot.finished import PATCH
from workers.domain import Outcome
from workers.store.models import RunState


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-1, "0 ms"),
        (0.02, "20 ms"),
        (1.44, "1.4 s"),
        (59.4, "59 s"),
        (252, "4 min 12 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    """Durations are short and carry their unit."""
    assert views.duration(seconds) == text


def test_every_outcome_and_state_has_words() -> None:
    """No outcome or state is shown as a bare constant; what a newer release wrote is shown as it is."""
    for outcome in Outcome:
        assert views.chip("done", outcome).word != outcome.value
    for state in RunState:
        assert views.chip(state, None).word != state.value
    assert views.chip("done", "NEWER").word == "NEWER"


def test_diff() -> None:
    """Lines of a diff are classed and counted; the header's dashes are no removals."""
    kinds = [line.kind for line in views.diff_lines(PATCH)]
    assert kinds == ["file", "file", "hunk", "same", "same", "del", "add", "same"]
    assert views.diff_size(PATCH) == (1, 1, 1)


def test_prose_keeps_only_code() -> None:
    """Backticks become code, everything else is escaped, also inside them."""
    assert views.ticked("`<b>` & `x") == "<code>&lt;b&gt;</code> &amp; `x"


@pytest.mark.uncounted
@given(st.text())
def test_plain_text_has_no_control_characters(text: str) -> None:
    """Whatever a log holds, what is shown has no escapes and no direction overrides."""
    shown = views.plain(text)
    assert not any(ch in shown for ch in "\x00\x1b\x9b\r\u202e\u2066")
    assert "\n" not in views.one_line(text)


def test_log_numbers_count_from_the_beginning() -> None:
    """A cut log keeps the numbers of its lines."""
    chunks = list(views.log_chunks("".join(f"{n}\n" for n in range(1, 2602))))
    assert (chunks[0].first, chunks[0].lines[0], chunks[-1].lines[-1]) == (602, "602", "2601")
