"""The table of faults says what the tests say."""

from __future__ import annotations

from tests.faults import FAULTS, OPEN, TABLE, proofs, table


def test_the_table_is_up_to_date() -> None:
    """Whoever marks a test writes the table anew: `python -m tests.faults --write`."""
    assert TABLE.read_text(encoding="utf-8") == table(proofs())


def test_marks_name_faults_of_the_table() -> None:
    """A number that no row has would prove nothing."""
    assert set(proofs()) <= set(FAULTS)
    assert set(OPEN) <= set(FAULTS)


def test_every_fault_is_shown_or_said_not_to_be() -> None:
    """No row is without a test and without a word about it."""
    assert set(FAULTS) == set(proofs()) | set(OPEN)


def test_a_mark_of_a_whole_file_counts() -> None:
    """Its tests are proofs like those with a mark of their own."""
    shown = {(proof.path, row) for row, found in proofs().items() for proof in found}
    assert {("workers/store/test_clock.py", 60), ("workers/store/test_releases.py", 61)} <= shown
