"""What people are told of a budget that has no room: which one, its limit, what is spent, when it has room again."""

from __future__ import annotations

from datetime import UTC, datetime

from workers.llm.budgets import OF_SANDBOX, Refusal, Span, Unit

_WHOSE = {
    Span.SHARE: "What one part of this run may {},",
    Span.RUN: "What this run may {},",
    Span.REPO_DAY: "What this repository may {} within 24 hours,",
    Span.INSTALLATION_MONTH: "What this installation may {} in a month,",
    Span.DAY: "What this Heal may {} within 24 hours,",
    Span.MONTH: "What this Heal may {} in a month,",
}
_DOES = {Unit.SANDBOX_SECONDS: "use of the sandbox", Unit.CANDIDATES: "try in the sandbox"}


def refused(refusal: Refusal) -> str:
    """Two or three sentences."""
    limit = refusal.limit
    setting = f" (`{limit.setting}`)" if limit.setting else ""
    so_far = f"{amount(limit.unit, refusal.spent)} {_of(limit.unit)} spent or set aside"
    whose = _WHOSE[limit.span].format(_DOES.get(limit.unit, "spend on the model"))
    more = "more" if limit.unit in OF_SANDBOX else "the next answer"
    return (
        f"{whose} {amount(limit.unit, limit.most)}{setting}, leaves no room for {more}: {so_far}"
        f"{_worst(refusal)}. {_again(refusal)}"
    )


def amount(unit: Unit, number: float) -> str:
    """A number with its unit, as people write it."""
    if unit is Unit.USD:
        return f"${number:.4f}" if 0 < number < 0.01 else f"${number:,.2f}"
    words = _WORDS[unit]
    return f"{number:,.0f} {words}{'' if round(number) == 1 else 's'}"


_WORDS = {
    Unit.TOKENS: "token",
    Unit.CALLS: "call",
    Unit.SECONDS: "second",
    Unit.SANDBOX_SECONDS: "second",
    Unit.CANDIDATES: "candidate",
}


def _of(unit: Unit) -> str:
    return "is" if unit is Unit.USD else "are"


def _worst(refusal: Refusal) -> str:
    unit, worst = refusal.limit.unit, refusal.worst
    if unit is Unit.USD and worst is None:
        return ", and what the model costs is not known"
    told = worst and unit is not Unit.CALLS and unit not in OF_SANDBOX
    return f", and the answer could cost {amount(unit, worst or 0)}" if told else ""


def _again(refusal: Refusal) -> str:
    if refusal.free_at is not None:
        return f"There is room again from {datetime.fromtimestamp(refusal.free_at, UTC):%Y-%m-%d %H:%M} UTC on."
    alone = refusal.worst is not None and refusal.worst > refusal.limit.most
    if alone or refusal.limit.most <= 0 or refusal.limit.span not in (Span.RUN, Span.SHARE):
        return "That stays so until the limit is raised."
    return "The next run starts from nothing."
