"""The file of a bench: what a killed one goes on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workers.bench.rows import fixed, row
from workers.bench.results import Results
from workers.errors import UsageError

HEADER = {"suite": "made", "options": {"seed": "1"}}


def kept(path: Path, *cases: str) -> None:
    """A bench that was killed after these cases."""
    with Results(path, HEADER) as results:
        for case in cases:
            results.add(row(case))


def test_a_killed_bench_goes_on(tmp_path: Path) -> None:
    """Every row that was added is there again, unchanged."""
    path = tmp_path / "deeper" / "r.jsonl"
    with Results(path, HEADER) as results:
        results.add(fixed("a", True, expect={"kind": "x"}))
    with Results(path, HEADER) as results:
        assert results.rows == {"a": fixed("a", True, expect={"kind": "x"})}


def test_a_row_that_was_cut_off_is_measured_again(tmp_path: Path) -> None:
    """Half a line is no row, and the next one does not join it."""
    path = tmp_path / "r.jsonl"
    kept(path, "a", "b")
    path.write_bytes(path.read_bytes()[:-20])
    with Results(path, HEADER) as results:
        assert list(results.rows) == ["a"]
        results.add(row("b"))
    with Results(path, HEADER) as results:
        assert list(results.rows) == ["a", "b"]


@pytest.mark.parametrize("fresh", [True, False])
def test_a_finished_bench_begins_anew(tmp_path: Path, fresh: bool) -> None:
    """So does an unfinished one, with --fresh."""
    path = tmp_path / "r.jsonl"
    kept(path, "a")
    if not fresh:
        with Results(path, HEADER) as results:
            results.finish()
    with Results(path, HEADER, fresh) as results:
        assert results.rows == {}
        results.add(row("b"))
    with Results(path, HEADER) as results:
        assert list(results.rows) == ["b"]


@pytest.mark.parametrize(
    "text", ['{"bench": {"suite": "other"}}\n', '{"bench": 1}\n{"case": 3}\n', "[]\n", "\xff\n", "{}\n"]
)
def test_another_file_is_left_alone(tmp_path: Path, text: str) -> None:
    """Results of another bench, or no results at all, are not written over."""
    path = tmp_path / "r.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match="--results"):
        Results(path, HEADER)
    assert path.read_text() == text


def test_an_empty_file_is_begun(tmp_path: Path) -> None:
    """The header may be what was cut off."""
    path = tmp_path / "r.jsonl"
    path.write_text('{"ben')
    with Results(path, HEADER) as results:
        results.add(row("a"))
    with Results(path, HEADER) as results:
        assert list(results.rows) == ["a"]
