"""What the sandboxed screening reports, read as the untrusted text it is; what has another shape is dropped."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, ValidationError

from workers.spectrum.evidence import Value, rows

CUT_OFF = "the run was cut off"
"""How a screening stopped that did not say so itself."""


class Plausible(Value):
    """A candidate that made the failing tests pass and broke none."""

    id: int
    fixed: int = 1
    untrue: int = 0
    """Examples in the texts of the changed files that do not hold with it."""


class Cluster(Value):
    """Which candidates answer alike: those of one group."""

    id: int
    group: int
    inputs: int = 0


class Pair(Value):
    """A candidate made of two others, and how many failing tests each of them mends alone."""

    id: int
    of: tuple[int, int]
    alone: tuple[int, int]


class Screening(Value):
    """How the screening went. `stopped` is all, budget, grace, or a message when it could not run."""

    plausible: tuple[Plausible, ...]
    tried: int = 0
    stopped: str = ""
    clusters: Mapping[int, int] = Field(default_factory=dict)
    """By candidate, the number of those that answer every input alike; candidates that were not compared are not in."""
    inputs: int = 0
    """On how many inputs they were compared."""
    pairs: tuple[Pair, ...] = ()


def screening(report: bytes) -> Screening:
    """The plausible candidates in the order they were found."""
    found: list[Plausible] = []
    clusters: dict[int, int] = {}
    pairs: list[Pair] = []
    tried, stopped, inputs = 0, CUT_OFF, 0
    for row in rows(report):
        try:
            if row.get("kind") == "plausible":
                found.append(Plausible.model_validate(row))
            elif row.get("kind") == "pair":
                pairs.append(Pair.model_validate(row))
            elif row.get("kind") == "cluster":
                cluster = Cluster.model_validate(row)
                clusters[cluster.id], inputs = cluster.group, cluster.inputs
            elif row.get("kind") == "done":
                tried, stopped = int(str(row.get("tried", 0))), str(row.get("stopped", ""))
            elif row.get("kind") == "error":
                stopped = str(row.get("message", ""))[:300]
        except (ValidationError, ValueError):
            continue
    return Screening(
        plausible=tuple(found), tried=tried, stopped=stopped, clusters=clusters, inputs=inputs, pairs=tuple(pairs)
    )
