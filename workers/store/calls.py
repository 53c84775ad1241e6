"""What the table of model calls shows: those of one run, and sums over all for the metrics."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from workers.domain import RunId
from workers.store.models import CallState, LlmCall


@dataclass(frozen=True)
class CallLine:
    """A call as the run page shows it. `usd` is None when it is not known, `under_way` while there is no bill."""

    purpose: str
    provider: str
    model: str
    answered: str
    response: str
    finish: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usd: float | None
    estimated: bool
    seconds: float | None
    error: str
    asks: int
    under_way: bool
    reserved_usd: float | None
    """The most it can cost."""


@dataclass(frozen=True)
class CallFigure:
    """Sums over the calls of a model for one purpose that are over. `usd` leaves out the `unpriced`."""

    model: str
    purpose: str
    error: str
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usd: float
    unpriced: int
    seconds: float


def of_run(connection: Connection, run: RunId) -> tuple[CallLine, ...]:
    """The calls of a run in their order."""
    names = [name for name in CallLine.__dataclass_fields__ if name != "under_way"]
    columns = [getattr(LlmCall, name) for name in names]
    query = select(*columns, LlmCall.state).where(LlmCall.run_id == run).order_by(LlmCall.id)
    return tuple(
        CallLine(**dict(zip(names, row[:-1], strict=True)), under_way=row[-1] != CallState.SETTLED.value)
        for row in connection.execute(query)
    )


def figures(connection: Connection) -> tuple[CallFigure, ...]:
    """Sums by model, purpose and error. A call that nobody answered has no bill, and is not one of unknown price."""
    tokens = LlmCall.input_tokens + LlmCall.output_tokens
    unpriced = case((LlmCall.usd.is_(None) & (tokens > 0), 1), else_=0)
    sums = (
        LlmCall.input_tokens,
        LlmCall.cached_tokens,
        LlmCall.output_tokens,
        LlmCall.reasoning_tokens,
        func.coalesce(LlmCall.usd, 0.0),
        unpriced,
        func.coalesce(LlmCall.seconds, 0.0),
    )
    by = (LlmCall.provider, LlmCall.model, LlmCall.purpose, LlmCall.error)
    query = (
        select(*by, func.count(), *(func.sum(one) for one in sums))
        .where(LlmCall.state == CallState.SETTLED.value)
        .group_by(*by)
        .order_by(*by)
    )
    return tuple(_figure(*row) for row in connection.execute(query))


def _figure(provider: str, model: str, purpose: str, error: str, calls: int, *sums: float) -> CallFigure:
    tokens_in, cached, tokens_out, reasoning, usd, unpriced, seconds = sums
    return CallFigure(
        f"{provider}:{model}",
        purpose,
        error,
        int(calls),
        int(tokens_in),
        int(cached),
        int(tokens_out),
        int(reasoning),
        float(usd),
        int(unpriced),
        float(seconds),
    )
