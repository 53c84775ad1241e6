"""What `heal bench` was asked, and the bench from the settings to its report: the sandbox, the model, the file of
results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

from sandbox.images.sources import Sources
from workers import ceilings
from workers.bench.case import Figured, Suite
from workers.bench.machine import describe
from workers.bench.mutants import Mutants, own_seed
from workers.bench.report import Measured
from workers.bench.results import Results
from workers.bench.runner import GOLD, Means, OnRow, healed, measure
from workers.errors import UsageError
from workers.llm.standing import Endpoints
from workers.run_id import new_run_id
from workers.settings import WorkerSettings
from workers.wiring import ca_bundle, make_client, own_sandbox


@dataclass(frozen=True)
class BenchRequest:
    """How a suite is to be measured. `only` are ids of cases; none means all."""

    engine: str = "offline"
    model: str | None = None
    jobs: int = 1
    only: tuple[str, ...] = ()
    results: Path | None = None
    fresh: bool = False
    command: str = ""


def bench(suite: Suite, request: BenchRequest, on_row: OnRow, cancelled: Event) -> Measured:
    """Measure a suite, or go on with it. Setting `cancelled` ends it soon; what is done by then is in the answer."""
    settings = WorkerSettings()
    if request.model:
        settings = settings.model_copy(update={"model": request.model})
    endpoints, owner = Endpoints(), f"{settings.installation}/bench-{new_run_id()}"
    engine = "offline" if request.engine == GOLD else request.engine
    asked = make_client(settings, engine, endpoints=endpoints)
    header = {
        "suite": suite.name,
        "options": dict(suite.options),
        "engine": request.engine,
        "model": asked.spec if asked else None,
        "only": list(request.only),
    }
    where = describe()
    path = request.results or _default(settings.state_dir.expanduser(), suite.name, header)
    with Results(path, header, request.fresh) as results, own_sandbox(settings, owner) as sandbox:
        means = Means(
            sandbox,
            request.engine,
            lambda till: make_client(settings, engine, endpoints=endpoints, purse=till),
            cancelled,
            ceilings.of_run(settings),
        )
        cases = (case for case in suite.cases() if not request.only or case.id in request.only)
        heal = partial(healed, suite.name, means=means)
        complete = measure(cases, heal, results, request.jobs, on_row, cancelled)
        unknown = sorted({*request.only} - results.rows.keys())
        if complete and unknown:
            raise UsageError(f"{suite.name} has no case '{unknown[0]}'")
        rows = tuple(sorted(results.rows.values(), key=lambda row: row.case))
        return Measured(
            suite=suite.name,
            in_sample=suite.in_sample,
            options=dict(suite.options),
            engine=request.engine,
            model=asked.spec if asked else None,
            command=request.command,
            machine=where,
            complete=complete,
            rows=rows,
            extra=tuple(suite.figures(rows)) if isinstance(suite, Figured) else (),
        )


def mutants(count: int, seed: int | None) -> Mutants:
    """The suite of mutants with the settings' folder and certificates; without a seed with that of this release."""
    settings = WorkerSettings()
    drawn = own_seed() if seed is None else seed
    return Mutants(settings.state_dir.expanduser(), count, drawn, Sources(ca_bundle=ca_bundle(settings)))


def _default(state: Path, suite: str, header: Mapping[str, object]) -> Path:
    """A file of its own for every suite, set of options and engine."""
    key = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()[:12]
    return state / "bench" / f"{suite}-{key}.jsonl"
