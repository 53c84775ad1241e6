"""How likely a candidate is before the tests are asked, from how often people mend a statement in its way.

A template's own weight says how likely one of its edits is beside the others of its kind, and nothing of how likely
the kind is. That follows from the counts (`workers.slips`), normalised over the kinds that the candidates have: a
kind's share of the counts is shared among its candidates by their weights. A kind that the study has no count for
keeps the share that its candidates' weights have among all, so its candidates stand where their weights put them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from workers.fixers.source import Mutation
from workers.slips import Slip, count

_TEMPER = 0.5
"""The power of a kind's lift. The suspicion of a line, that a candidate's prior is multiplied with, is no probability
either: with all of the lift, a rare kind at an innocent line would come before a common one at the guilty line."""

_SORTS: tuple[tuple[tuple[Slip, ...], tuple[str, ...]], ...] = (
    ((Slip.IDENTIFIER, Slip.OPERAND, Slip.CALLER), ("variable",)),
    ((Slip.MORE_ARGUMENTS, Slip.KEYWORD), ("more arguments",)),
    ((Slip.FUNCTION,), ("sibling",)),
    ((Slip.WRAPPED,), ("wrap",)),
    ((Slip.ATTRIBUTE,), ("attribute",)),
    ((Slip.NUMBER,), ("number",)),
    ((Slip.MORE_SPECIFIC,), ("more specific",)),
    ((Slip.METHOD_CALL,), ("method call",)),
    ((Slip.MORE_ELEMENTS,), ("more elements",)),
    ((Slip.FEWER_ARGUMENTS,), ("fewer arguments",)),
    ((Slip.TRUTH,), ("truth",)),
    ((Slip.ATTRIBUTE_ACCESS,), ("attribute access",)),
    ((Slip.OPERATOR,), ("compare", "binary", "augmented", "boolean")),
    ((Slip.LESS_SPECIFIC,), ("less specific",)),
    ((Slip.UNARY,), ("sign", "negation")),
    ((Slip.SWAPPED_ARGUMENTS,), ("swap arguments",)),
)
"""Which counts speak for which kinds of mutations. No template changes a constant's type."""
SORT_OF: Mapping[str, int] = {kind: at for at, (_, kinds) in enumerate(_SORTS) for kind in kinds}
"""The place in `_SORTS` of each kind that is counted."""


def lifts(mutations: Iterable[Mutation]) -> Mapping[str, float]:
    """What the weight of each kind is multiplied with, among these candidates. A kind that is not named has 1."""
    weights: dict[int, float] = defaultdict(float)
    for mutation in mutations:
        if mutation.kind in SORT_OF:
            weights[SORT_OF[mutation.kind]] += mutation.prior
    counts = {sort: count(*_SORTS[sort][0]) for sort in weights}
    all_counts, all_weights = sum(counts.values()), sum(weights.values())
    lift = {sort: (counts[sort] / all_counts) / (weights[sort] / all_weights) for sort in weights if weights[sort] > 0}
    return {kind: lift[sort] ** _TEMPER for kind, sort in SORT_OF.items() if sort in lift}
