"""What CI installed otherwise than in the last green run of the same job: read off what both of them printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workers import pins
from workers.domain import JobReport, Moved, Since

_MOST = 200
"""Packages that are told. Where more have moved, it is another environment and not a newer one."""


def since(red: JobReport, green: Callable[[], JobReport | None]) -> Since:
    """What moved. The green job is asked for only where the red one says what it has installed."""
    now = _installed(red)
    before = green() if now else None
    if before is None:
        return Since()
    then = _installed(before)
    moved = tuple(
        Moved(name, then[name], version) for name, version in sorted(now.items())
        if name in then and then[name] != version and "+" not in version
    )  # fmt: skip
    return Since(moved, _day(before), _day(red)) if len(moved) <= _MOST else Since()


def _day(job: JobReport) -> str:
    return (job.started_at or job.log.began)[:10]


def _installed(job: JobReport) -> Mapping[str, str]:
    said = pins.versions(job.log)
    return {**said.get("tox", {}), **said.get("python", {})}
