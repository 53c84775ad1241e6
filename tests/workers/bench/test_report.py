"""What a bench says, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.workers.bench.rows import fixed, row
from workers.bench.chart import chart
from workers.bench.report import Measured, as_json, cell, markdown, write
from workers.bench.score import Share
from workers.errors import UsageError

MEASURED = Measured(
    suite="made",
    in_sample=False,
    options={"count": "30", "seed": "1"},
    engine="offline",
    model=None,
    command="heal bench made --seed 1",
    machine="2 cores, 2026-11-26",
    complete=True,
    rows=(
        fixed("a", True, group="x"),
        fixed("b", False, group="y", why="1 of 300 inputs differ"),
        row("c", group="y", outcome="NOT_REPRODUCED"),
    ),
    extra=(("pass@1", "50.0 %"),),
)


def test_the_markdown_says_how_it_was_measured_and_every_share() -> None:
    """Sample, command, machine, then a line per share with its interval, groups, and a line per case."""
    text = markdown(MEASURED)
    for words in (
        "## made: 3 cases, 2 of them red here, held-out",
        "`heal bench made --seed 1`",
        "2 cores, 2026-11-26; engine offline",
        "Options: count 30; seed 1.",
        "| plausible (the check is green) | 2 of 2 | 100.0% | 34% to 100% |",
        "| correct (as judged) | 1 of 2 | 50.0% |",
        "| overfit (verified, judged wrong) | 1 of 2 |",
        "| precision of class high | 1 of 2 |",
        "| precision of class low | 0 of 0 | | |",
        "pass@1: 50.0 %.",
        "| y | 1 | 1 | 1 | 0 | 1 |",
        "| b | FIXED | search | high | no |",
        "1 of 300 inputs differ",
    ):
        assert words in text
    assert "Ended early" not in text


def test_a_bench_that_was_ended_says_so() -> None:
    """Its figures are of the cases that were measured."""
    early = Measured(**{**MEASURED.__dict__, "complete": False, "in_sample": True})
    assert "**Ended early" in markdown(early)
    assert "in-sample" in markdown(early)


def test_json_has_the_same_figures() -> None:
    """Shares with hits, cases, value and interval; rows whole."""
    found = json.loads(json.dumps(as_json(MEASURED)))
    assert (found["sample"], found["score"]["red"]) == ("held-out", 2)
    assert found["score"]["correct"]["hits"] == 1
    assert found["score"]["classes"][0]["precision"]["cases"] == 2
    assert found["score"]["outcomes"] == {"FIXED": 2, "NOT_REPRODUCED": 1}
    assert [case["case"] for case in found["cases"]] == ["a", "b", "c"]


def test_text_of_others_does_nothing_in_the_table() -> None:
    """It stays in its cell, on its line, and short."""
    text = cell("a | b\n@someone <img> `x`" + "y" * 200)
    assert "\n" not in text
    assert text.startswith("`")
    assert len(text) < 90


def test_the_chart_is_one_svg_document() -> None:
    """A bar and an interval for every share that has cases; names are escaped."""
    text = chart("made <b>", [("correct & right", Share(1, 2)), ("none", Share(0, 0))])
    root = ElementTree.fromstring(text)  # noqa: S314 - ours
    names = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{names}path")) == 1
    assert "correct & right" in "".join(root.itertext())
    assert "no cases" in text


def test_all_three_forms_are_written(tmp_path: Path) -> None:
    """Into a folder that is made; where that cannot be, it is said in a line."""
    write(MEASURED, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["chart.svg", "report.json", "report.md"]
    with pytest.raises(UsageError, match="cannot be written"):
        write(MEASURED, tmp_path / "out" / "report.md")
