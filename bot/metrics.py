"""What the receiver counts, under the names operators alert on. Queue figures come from the database at scrape time.

Each app has its own registry, so that two of them in one process (as in tests) do not add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from workers.store.calls import CallFigure
from workers.store.models import ErrandState, RunState
from workers.store.pages import Figures

ACK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one receiver process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "heal_deliveries", "Webhook requests by event and result", ["event", "result"], registry=self.registry
        )
        self.signature_failures = Counter(
            "heal_signature_failures", "Webhook requests without a valid signature", registry=self.registry
        )
        self.ack = Histogram(
            "heal_delivery_ack_seconds",
            "From the first byte of a stored delivery to its answer",
            buckets=ACK_BUCKETS,
            registry=self.registry,
        )
        self.routed = Counter(
            "heal_deliveries_routed", "Decisions about deliveries, by kind", ["decision"], registry=self.registry
        )
        self.route_lag = Histogram(
            "heal_delivery_route_seconds",
            "From the commit of a delivery to its decision",
            buckets=ACK_BUCKETS,
            registry=self.registry,
        )
        self.broker_up = Gauge("heal_broker_up", "1 when Redis answers or took the last bell", registry=self.registry)
        self.logins_refused = Counter("heal_logins_refused", "Wrong dashboard tokens", registry=self.registry)


def figures_as_metrics(figures: Figures) -> Iterable[Metric]:
    """The database's figures as metric families."""
    inbox = GaugeMetricFamily("heal_inbox_deliveries", "Deliveries kept, by state", labels=["state"])
    for state, count in figures.deliveries.items():
        inbox.add_metric([state], count)
    yield inbox
    yield GaugeMetricFamily("heal_inbox_pending", "Deliveries not yet routed", value=figures.deliveries.get("new", 0))
    yield GaugeMetricFamily(
        "heal_inbox_oldest_seconds", "Age of the oldest delivery not yet routed", value=figures.oldest_new
    )
    errands = GaugeMetricFamily("heal_errands", "Commands, reviews and other short work, by state", labels=["state"])
    for errand_state in ErrandState:
        errands.add_metric([errand_state.value], figures.errands.get(errand_state.value, 0))
    yield errands
    active = GaugeMetricFamily("heal_runs_active", "Runs that have no outcome yet, by state", labels=["state"])
    for state in RunState:
        if state is not RunState.DONE:
            active.add_metric([state.value], figures.runs.get(state.value, 0))
    yield active
    ended = CounterMetricFamily("heal_runs", "Runs that ended, by outcome", labels=["outcome"])
    for outcome, count in figures.outcomes.items():
        ended.add_metric([outcome], count)
    yield ended
    stages = SummaryMetricFamily("heal_stage_seconds", "Seconds that finished stages took", labels=["stage"])
    for stage, (count, seconds) in figures.stage_seconds.items():
        stages.add_metric([stage], count_value=count, sum_value=seconds)
    yield stages
    yield from _spending(figures.calls)
    yield CounterMetricFamily(
        "heal_sandbox_seconds", "Seconds of commands in the sandbox, set-ups included", value=figures.sandbox.seconds
    )
    yield CounterMetricFamily(
        "heal_sandbox_candidates", "Candidate patches that ran in the sandbox", value=figures.sandbox.candidates
    )


def _spending(figures: Sequence[CallFigure]) -> Iterable[Metric]:
    """What models cost. Money is what has a known price; the calls without one are counted beside it."""
    by = ["model", "purpose"]
    calls = CounterMetricFamily(
        "heal_llm_requests", "Calls of models that are over, by how they ended", labels=[*by, "result"]
    )
    tokens = CounterMetricFamily(
        "heal_llm_tokens", "Tokens of models: cached ones are part of input, reasoning of output", labels=[*by, "kind"]
    )
    cost = CounterMetricFamily("heal_llm_cost_usd", "US dollars for models, as far as prices are known", labels=by)
    unpriced = CounterMetricFamily("heal_llm_unpriced", "Calls of models whose price is unknown", labels=by)
    seconds = CounterMetricFamily("heal_llm_seconds", "Seconds of waiting for models", labels=by)
    for labels, group in groupby(figures, key=lambda one: [one.model, one.purpose]):
        ones = list(group)
        for one in ones:
            calls.add_metric([*labels, one.error or "answer"], one.calls)
        for kind in ("input", "cached", "output", "reasoning"):
            tokens.add_metric([*labels, kind], sum(getattr(one, f"{kind}_tokens") for one in ones))
        cost.add_metric(labels, sum(one.usd for one in ones))
        unpriced.add_metric(labels, sum(one.unpriced for one in ones))
        seconds.add_metric(labels, sum(one.seconds for one in ones))
    yield from (calls, tokens, cost, unpriced, seconds)


class _OneScrape(Collector):
    """Yields the families of figures that were already read."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        return figures_as_metrics(self._figures)


def render(metrics: Metrics, figures: Figures | None) -> bytes:
    """The text of one scrape; `figures` is None while the database does not answer."""
    text = generate_latest(metrics.registry)
    if figures is None:
        return text
    registry = CollectorRegistry()
    registry.register(_OneScrape(figures))
    return text + generate_latest(registry)
