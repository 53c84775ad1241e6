"""The limits of spending on models and of using the sandbox, from the operator's settings and from a repository's
heal.yml. Pure."""

from __future__ import annotations

from workers.llm.budgets import Limit, Span, Unit
from workers.repo_config import RunLimits
from workers.settings import WorkerSettings


def of_operator(settings: WorkerSettings) -> tuple[Limit, ...]:
    """Of one run, of an installation's month, and of all that this service does; what is not set bounds nothing."""
    said = (
        (Span.RUN, Unit.USD, "usd_per_run"),
        (Span.RUN, Unit.TOKENS, "tokens_per_run"),
        (Span.RUN, Unit.CALLS, "calls_per_run"),
        (Span.RUN, Unit.SECONDS, "model_seconds_per_run"),
        (Span.RUN, Unit.SANDBOX_SECONDS, "sandbox_seconds_per_run"),
        (Span.RUN, Unit.CANDIDATES, "candidates_per_run"),
        (Span.INSTALLATION_MONTH, Unit.USD, "installation_usd_per_month"),
        (Span.INSTALLATION_MONTH, Unit.TOKENS, "installation_tokens_per_month"),
        (Span.INSTALLATION_MONTH, Unit.SANDBOX_SECONDS, "installation_sandbox_seconds_per_month"),
        (Span.INSTALLATION_MONTH, Unit.CANDIDATES, "installation_candidates_per_month"),
        (Span.DAY, Unit.USD, "usd_per_day"),
        (Span.DAY, Unit.TOKENS, "tokens_per_day"),
        (Span.MONTH, Unit.USD, "usd_per_month"),
        (Span.MONTH, Unit.TOKENS, "tokens_per_month"),
    )
    values = ((span, unit, name, getattr(settings, name)) for span, unit, name in said)
    return tuple(
        Limit(span, unit, most, f"HEAL_{name.upper()}") for span, unit, name, most in values if most is not None
    )


def of_run(settings: WorkerSettings) -> tuple[Limit, ...]:
    """Those of one run alone, for a run that knows of no other."""
    return tuple(limit for limit in of_operator(settings) if limit.span is Span.RUN)


def of_repository(limits: RunLimits) -> tuple[Limit, ...]:
    """What heal.yml, or the person who asked for the run, allows."""
    return (
        Limit(Span.RUN, Unit.USD, limits.usd_per_run, "limits.usd_per_run"),
        Limit(Span.REPO_DAY, Unit.USD, limits.usd_per_day, "limits.usd_per_day"),
        Limit(Span.REPO_DAY, Unit.TOKENS, limits.tokens_per_day, "limits.tokens_per_day"),
        Limit(Span.RUN, Unit.SANDBOX_SECONDS, limits.sandbox_seconds_per_run, "limits.sandbox_seconds_per_run"),
        Limit(Span.REPO_DAY, Unit.SANDBOX_SECONDS, limits.sandbox_seconds_per_day, "limits.sandbox_seconds_per_day"),
        Limit(Span.RUN, Unit.CANDIDATES, limits.candidates_per_run, "limits.candidates_per_run"),
        Limit(Span.REPO_DAY, Unit.CANDIDATES, limits.candidates_per_day, "limits.candidates_per_day"),
    )
