"""The model of growth: arithmetic that a reader can repeat by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.growth import Habits, Measured, Part, Smallest, loads, need, reach, table

pytestmark = pytest.mark.uncounted

MEASURED = Measured(
    receiver_cpu_ms=2.0,
    delivery_bytes=8_000,
    overhead_cpu_s=0.5,
    run_seconds=10.0,
    receiver_mb=100.0,
    worker_mb=300.0,
    run_requests=20.0,
)
HABITS = Habits(
    red_share=0.1, peak=4.0, body_days=10.0, log_days=20.0, log_kb=250.0, run_days=100.0, run_kb=50.0, sandbox_mb=1000.0
)


def test_what_a_day_takes() -> None:
    """864,000 deliveries a day are 40 a second in the busiest hour: 4 runs a second, each for 10 s."""
    one = need(864_000, MEASURED, HABITS)
    assert one.a_second == pytest.approx(40)
    assert one.receiver_cores == pytest.approx(0.08)
    assert one.runs_a_day == pytest.approx(86_400)
    assert one.slots == pytest.approx(40)
    assert one.requests_an_hour == pytest.approx(288_000)
    assert one.disk_gb == pytest.approx(0.864 * 80 + 86_400 * (20 * 250e3 + 100 * 50e3) / 1e9)
    assert one.memory_gb == pytest.approx((100 + 10 * 300 + 40 * 1000) / 1000)
    assert one.cores == pytest.approx(0.08 + 4 * 0.5 + 40)


@pytest.mark.parametrize("part", list(Part))
def test_a_part_is_full_where_it_is_said_to_be(part: Part) -> None:
    """At its reach a part is exactly full, and a tenth more is too much."""
    at = reach(part, MEASURED, HABITS, Smallest())
    for share in (1.0, 1.1):
        full = loads(need(round(at * share), MEASURED, HABITS), HABITS, Smallest())[part]
        assert full == pytest.approx(share, rel=0.01)


def test_dearer_deliveries_fill_the_receiver_sooner() -> None:
    """Twice the processor time per delivery, half the deliveries; the other parts do not notice."""
    dearer, has = replace(MEASURED, receiver_cpu_ms=4.0), Smallest()
    ratio = {part: reach(part, MEASURED, HABITS, has) / reach(part, dearer, HABITS, has) for part in Part}
    assert ratio == pytest.approx({part: 2.0 if part is Part.RECEIVER else 1.0 for part in Part})


def test_the_table_has_a_line_for_each_step_and_each_part() -> None:
    """From one delivery a day, for which the smallest installation has room, to a million, for which it has none."""
    lines = table(MEASURED, HABITS, (1, 1_000_000)).splitlines()
    assert next(line for line in lines if line.startswith("| 1 |")).endswith("| nothing |")
    assert "runs at a time" in lines[0]
    million = next(line for line in lines if line.startswith("| 1,000,000 |"))
    assert [part.title in million for part in (Part.SLOTS, Part.GITHUB, Part.DISK)] == [True] * 3
    assert [sum(line.startswith(f"| {part.title} |") for line in lines) for part in Part] == [1] * len(Part)
