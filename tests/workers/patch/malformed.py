"""Random files and random edits of them; `tests.model.renderings` has the ways in which an answer says them badly.

Each follows from a number alone: Hypothesis also draws constants of whatever modules are loaded, so a sample of its own
would be another one in every process.
"""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from tests.model.renderings import Change

PATH, TEXT, OTHER = "shop/stock.py", "shop/stock.txt", "README.md"
NAMES = ("total", "count", "price", "items", "rate", "stock", "order", "name")


def function(draw: Random) -> list[str]:
    """A small Python function, with lines that other functions have as well."""
    name, other, number = draw.choice(NAMES), draw.choice(NAMES), draw.randrange(100)
    bodies = (
        [f"    result = {number}", f"    for item in {other}:", "        result += item", "    return result"],
        [f"    if {other} < {number} and {other}:", '        raise ValueError("too small")', f"    return {other}"],
        [f'    """The {name} of an {other}."""', "",
         f"    text = 'it is ' + str({other})", "    # for people", "    return text"],
        [*(f"    row_{n} = {n}" for n in range(number, number + 5)), "    return row"],
        [f"    first, last = {other}[{number}], {other}[-1]", "    return first - last"],
    )  # fmt: skip
    return [f"def {name}_{number}({other}):", *draw.choice(bodies), "", ""]


def change(number: int) -> Change:
    """A file of some functions, and one to three lines of it replaced or put in."""
    draw = Random(number)  # noqa: S311 - which files are tried, nothing secret
    before = ["import math", "", ""]
    for _ in range(draw.randint(2, 7)):
        before += function(draw)
    before = before[:-2]
    after = list(before)
    spots = [i for i, line in enumerate(before) if line.startswith("    ") and not line.endswith(":")]
    for at in draw.sample(spots, min(len(spots), draw.randint(1, 3))):
        line = before[at]
        lead = line[: len(line) - len(line.lstrip())]
        value = draw.randint(100, 999)
        new = f"{lead}check({value})"
        after[at] = draw.choice([new, f"{new}\n{line}", f"{new}\n{lead}log('{value}')"])
    return Change(tuple(before), tuple("\n".join(after).split("\n")), PATH)


def changes() -> st.SearchStrategy[Change]:
    """The same for a fuzzer."""
    return st.integers(0, (1 << 32) - 1).map(change)
