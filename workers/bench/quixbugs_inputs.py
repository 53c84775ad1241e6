"""What the programs of QuixBugs may be called with, by the preconditions in their descriptions. Pure.

A program that is not named here takes whatever has the types of its test cases.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workers.bench.values import Args, drawn

_MOST_EACH = 8
"""What exponential programs get of a string or list at most, so that the reference stays quick."""


def inputs(name: str, samples: Sequence[Args], wanted: int, rng: random.Random) -> list[Args]:
    """Different arguments for the program, the samples that it may have first."""
    if name in _GRAPHS:
        made = {repr(args): args for args in (_GRAPHS[name](rng) for _ in range(wanted * 3))}
        return list(made.values())[:wanted]
    if name in _WRITTEN:
        made = {repr(args): args for args in (*samples, *(_WRITTEN[name](rng) for _ in range(wanted * 3)))}
        return list(made.values())[:wanted]
    return drawn(samples, wanted, rng, lambda args: _fitting(name, args))


def _fitting(name: str, args: Args) -> Args | None:
    rule = _RULES.get(name)
    return rule(*args) if rule else args


Rule = Callable[..., Args | None]


def _whole(least: int, most: int) -> Rule:
    return lambda number: (min(most, max(least, abs(number))),)


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _spread(values: list[int], k: int) -> Args:
    """`k` is at least how far a number lies from its place in order, as the description demands."""
    order = sorted(range(len(values)), key=lambda at: (values[at], at))
    far = max((abs(at - place) for place, at in enumerate(order)), default=0)
    return values, max(far, min(abs(k), len(values)))


def _permutation(values: list[int]) -> Args | None:
    made = _distinct(values)
    return (made,) if made != sorted(made, reverse=True) else None


def _palindrome(digits: list[int]) -> Args | None:
    half = [abs(digit) % 10 for digit in digits[: (len(digits) + 1) // 2]]
    if not half or half[0] == 0:
        return None
    return ([*half, *reversed(half[: len(digits) // 2])],)


def _sorted_with(values: list[int], sought: int) -> Args:
    return sorted(values), sought


def _kth(values: list[int], k: int) -> Args | None:
    return (values, abs(k) % len(values)) if values else None


def _buckets(values: list[int], k: int) -> Args:
    positive = [abs(value) for value in values]
    return positive, max([abs(k), *(value + 1 for value in positive)])


def _knapsack(capacity: int, items: list[Any]) -> Args | None:
    pairs = [[abs(item[0]) % 300 + 1, abs(item[1])] for item in items if len(item) == 2]
    return (abs(capacity) % 800, pairs[:10]) if pairs else None


def _coins(coins: list[int], total: int) -> Args | None:
    known = _distinct(abs(coin) for coin in coins if coin)[:5]
    return (known, min(total, 80)) if known else None


def _short_words(first: str, second: str) -> Args:
    return first[:_MOST_EACH], second[: _MOST_EACH - 2]


def _hanoi(height: int, start: int, end: int) -> Args | None:
    pegs = abs(start) % 3 + 1, abs(end) % 3 + 1
    return (abs(height) % 8, *pegs) if pegs[0] != pegs[1] else None


def _root(number: float, epsilon: float) -> Args | None:
    return (abs(number) + 0.5, max(abs(epsilon), 0.001)) if number else None


def _runs(start: int, end: int, long: int) -> Args:
    low, high = sorted((max(-5, min(start, 8)), max(-5, min(end, 8))))
    return low, high, abs(long) % 5


def _digits(number: int, base: int) -> Args:
    return abs(number) + 1, 2 + abs(base) % 35


def _lines(text: str, columns: int) -> Args:
    return text.strip(), max(24, min(abs(columns), 120))


_RULES: dict[str, Rule] = {
    "bitcount": _whole(0, 10**6),
    "bucketsort": _buckets,
    "find_first_in_sorted": _sorted_with,
    "find_in_sorted": _sorted_with,
    "gcd": lambda a, b: (abs(a), abs(b)),
    "get_factors": _whole(1, 10**5),
    "hanoi": _hanoi,
    "kheapsort": _spread,
    "knapsack": _knapsack,
    "kth": _kth,
    "levenshtein": _short_words,
    "lis": lambda values: (_distinct(values),),
    "longest_common_subsequence": _short_words,
    "next_palindrome": _palindrome,
    "next_permutation": _permutation,
    "pascal": _whole(1, 60),
    "possible_change": _coins,
    "powerset": lambda values: (_distinct(values)[:6],),
    "sieve": _whole(1, 400),
    "sqrt": _root,
    "subsequences": _runs,
    "to_base": _digits,
    "wrap": _lines,
}


def _edges(rng: random.Random, size: int, forward: bool = False) -> list[tuple[int, int]]:
    pairs = [(u, v) for u in range(size) for v in range(size) if (u < v if forward else u != v)]
    return rng.sample(pairs, rng.randint(0, min(len(pairs), 2 * size)))


def _walk(rng: random.Random) -> Args:
    size = rng.randint(1, 7)
    return size, _edges(rng, size), rng.randrange(size), rng.randrange(size)


def _list(rng: random.Random) -> Args:
    values = [rng.randint(0, 9) for _ in range(rng.randint(1, 8))]
    return values, rng.choice((-1, rng.randrange(len(values))))


def _straight(rng: random.Random) -> Args:
    return [rng.randint(0, 99) for _ in range(rng.randint(0, 8))], -1


def _order(rng: random.Random) -> Args:
    size = rng.randint(1, 7)
    names = rng.sample(range(size), size)
    return size, [(names[u], names[v]) for u, v in _edges(rng, size, forward=True)]


def _tree(rng: random.Random) -> Args:
    """Different weights: then there is one tree only."""
    edges = _edges(rng, rng.randint(2, 7), forward=True)
    return (dict(zip(edges, rng.sample(range(1, 60), len(edges)), strict=True)),)


def _lengths(rng: random.Random) -> Args:
    size = rng.randint(1, 7)
    edges = _edges(rng, size)
    return size, dict(zip(edges, rng.sample(range(1, 90), len(edges)), strict=True)), *_ends(rng, size)


def _ends(rng: random.Random, size: int) -> tuple[int, int]:
    return rng.randrange(size), rng.randrange(size)


def _signed(rng: random.Random, size: int) -> dict[tuple[int, int], int]:
    """Weights below 0 too, and yet no cycle of them: each is a positive length and a difference of heights."""
    heights = [rng.randint(-6, 6) for _ in range(size)]
    return {(u, v): rng.randint(1, 9) + heights[v] - heights[u] for u, v in _edges(rng, size)}


def _all_paths(rng: random.Random) -> Args:
    size = rng.randint(1, 6)
    return size, _signed(rng, size)


def _from_source(rng: random.Random) -> Args:
    """Every node that an edge leaves is the source, or one that an edge goes to."""
    size = rng.randint(2, 6)
    weights = _signed(rng, size)
    weights.update({(0, node): 20 for node in range(1, size) if (0, node) not in weights})
    names = "ABCDEF"
    return "A", {(names[u], names[v]): weight for (u, v), weight in weights.items()}


_GRAPHS: dict[str, Callable[[random.Random], Args]] = {
    "breadth_first_search": _walk,
    "depth_first_search": _walk,
    "detect_cycle": _list,
    "minimum_spanning_tree": _tree,
    "reverse_linked_list": _straight,
    "shortest_path_length": _lengths,
    "shortest_path_lengths": _all_paths,
    "shortest_paths": _from_source,
    "topological_ordering": _order,
}


def _polish(rng: random.Random) -> Args:
    """A whole expression in reverse Polish notation."""

    def part(depth: int) -> list[Any]:
        if depth == 0 or rng.random() < 0.25:
            return [float(rng.randint(1, 9))]
        return [*part(depth - 1), *part(depth - 1), rng.choice("+-*/")]

    return (part(rng.randint(0, 4)),)


def _infix(rng: random.Random) -> Args:
    """Numbers with signs between them."""
    made: list[Any] = [rng.randint(1, 30)]
    for _ in range(rng.randint(0, 8)):
        made += [rng.choice("+-*/"), rng.randint(1, 30)]
    return (made,)


def _brackets(rng: random.Random) -> Args:
    """Brackets, balanced or nearly so."""
    signs = list("()" * rng.randint(0, 5))
    rng.shuffle(signs)
    if rng.random() < 0.5:
        depth, made = 0, []
        for sign in signs:
            made.append("(" if sign == "(" or depth == 0 else ")")
            depth += 1 if made[-1] == "(" else -1
        signs = made + [")"] * (depth - rng.choice((0, 0, 1)))
    return ("".join(signs),)


def _nested(rng: random.Random) -> Args:
    """Lists in lists."""

    def part(depth: int) -> list[Any]:
        some = range(rng.randint(0, 4))
        return [part(depth - 1) if depth and rng.random() < 0.4 else rng.randint(0, 20) for _ in some]

    return (part(rng.randint(0, 4)),)


_WRITTEN: dict[str, Callable[[random.Random], Args]] = {
    "flatten": _nested,
    "is_valid_parenthesization": _brackets,
    "rpn_eval": _polish,
    "shunting_yard": _infix,
}
