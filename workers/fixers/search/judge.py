"""How sure a plausible patch is: which ones mean the same, which class of confidence each has, and why in words.

Calibrated on held-out student programs: two or more failing tests fixed gave 94 % correct patches, one gave 69 %.
"""

from __future__ import annotations

import ast

from workers.domain import Confidence
from workers.fixers.search.evidence import Plausible, Screening
from workers.fixers.search.rank import Ranked
from workers.fixers.search.templates.raised import SURE
from workers.spectrum.evidence import Trace
from workers.syntax import parse

RISKY = frozenset(
    {"drop operand", "drop term", "guard", "unwrap", "return", "sign", "number", "truth", "missing", "condition added",
     "literal", "more specific", "less specific", "fewer arguments", "result", "condition", "target", "expression",
     "item", "factor"}
)  # fmt: skip
"""Kinds that take behaviour away, paper over it, write another literal down, or say something quite different: mending
one failing test alone they are low."""
PLAIN = frozenset(
    {"compare", "binary", "augmented", "boolean", "negation", "shift", "variable", "attribute", "sibling", "index",
     "slice", "range", "swap operands", "swap arguments", "swap indexes", "swap elements"}
)  # fmt: skip
"""Kinds that put one thing in the place of another of its kind: an operator, a name, a bound, an order. Only these are
ever surer than medium: where a value is put through something else, much makes the tests green."""
_MIRROR: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Lt: ast.Gt, ast.LtE: ast.GtE}
_INVERSE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


class _Canonical(ast.NodeTransformer):
    """Writes comparisons one way: no `not` before them, no `>`, whole numbers with `<=`; and drops a zero in a sum."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        inner = node.operand
        if isinstance(node.op, ast.Not) and isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            inverse = _INVERSE.get(type(inner.ops[0]))
            if inverse:
                return self.visit(ast.Compare(inner.left, [inverse()], inner.comparators))  # type: ignore[no-any-return]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        neutral = 0 if isinstance(node.op, ast.Add | ast.Sub) else 1 if isinstance(node.op, ast.Mult) else None
        if neutral is None:
            return node
        if _is(node.right, neutral):
            return node.left
        return node.right if _is(node.left, neutral) and not isinstance(node.op, ast.Sub) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) != 1:
            return node
        left, op, right = node.left, node.ops[0], node.comparators[0]
        if isinstance(op, ast.Gt | ast.GtE):
            left, op, right = right, _MIRROR[type(op)](), left
        if isinstance(op, ast.Lt) and _whole(right):
            return ast.Compare(left, [ast.LtE()], [ast.Constant(right.value - 1)])  # type: ignore[attr-defined]
        if isinstance(op, ast.Lt) and _whole(left):
            return ast.Compare(ast.Constant(left.value + 1), [ast.LtE()], [right])  # type: ignore[attr-defined]
        return ast.Compare(left, [op], [right])


def _whole(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _is(node: ast.expr, number: int) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value == number


def meaning(candidate: Ranked) -> str:
    """Equal for candidates that differ only in how they are written."""
    texts = sorted(candidate.texts.items())
    return "".join(path + ast.dump(_Canonical().visit(parse(text))) for path, text in texts)


def confidence(candidate: Ranked, plausible: Plausible, groups: int, trace: Trace, run: Screening) -> Confidence:
    """High: a corrected name at the raising line, or two failing tests fixed by the only meaning that does so.

    Only what failed before counts as fixed: the tests of a file that could not be collected are one failure. And a
    meaning is the only one when all candidates were looked at, or enough after it; not when the time had run out, nor
    when tests never ended, because how long others may need is a guess then.
    Two edits at once are as sure as the one that mends fewer tests alone, and never high.
    """
    pair = next((one for one in run.pairs if one.id == candidate.id), None)
    if pair is not None:
        return Confidence.MEDIUM if min(pair.alone) >= 2 and not plausible.untrue else Confidence.LOW
    kind = candidate.mutation.kind
    if plausible.untrue and kind not in SURE:
        return Confidence.LOW
    if kind in SURE:
        return Confidence.HIGH if groups == 1 else Confidence.MEDIUM
    if min(plausible.fixed, trace.failing_tests) >= 2:
        sure = groups == 1 and kind in PLAIN and run.stopped in ("all", "grace") and not trace.hung
        return Confidence.HIGH if sure else Confidence.MEDIUM
    return Confidence.MEDIUM if groups == 1 and kind not in RISKY else Confidence.LOW


def reasoning(candidate: Ranked, trace: Trace, run: Screening, groups: int) -> str:
    """Facts only: what changed where, who executes it, how many candidates were tried."""
    mutation = candidate.mutation
    failing, passing = trace.counts.get(mutation.path, {}).get(mutation.line, (0, 0))
    parts = [f"{mutation.what} at {mutation.path}:{mutation.line}"]
    if failing:
        parts.append(
            f"executed by {failing} of {trace.failing_tests} failing and {passing} of {len(trace.passed)} passing tests"
        )
    raised = next(
        (f for f in trace.exceptions.values() if (mutation.path, mutation.line) in {fr[:2] for fr in f.frames}), None
    )
    if raised is not None and raised.type != "AssertionError":
        parts.append(f"{raised.type} was raised there")
    count = f"{run.tried} candidates tried, {len(run.plausible)} plausible"
    if len(run.plausible) > 1 and run.inputs:
        same = run.clusters.get(candidate.id)
        apart = sum(run.clusters.get(hit.id) != same for hit in run.plausible)
        count += f"; {apart} of {len(run.plausible) - 1} plausible alternatives disagree on {run.inputs} inputs"
    elif len(run.plausible) > groups:
        count += f" ({groups} different in meaning)"
    return "; ".join([*parts, count]) + "."
