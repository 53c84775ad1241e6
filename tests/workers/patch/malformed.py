"""Random files and random edits of them; `tests.model.renderings` has the ways in which an answer says them badly."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.model.renderings import Change

PATH, TEXT, OTHER = "shop/stock.py", "shop/stock.txt", "README.md"
NAMES = ("total", "count", "price", "items", "rate", "stock", "order", "name")


@st.composite
def functions(draw: st.DrawFn) -> list[str]:
    """A small Python function, with lines that other functions have as well."""
    name, other = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    number = draw(st.integers(0, 99))
    bodies = (
        [f"    result = {number}", f"    for item in {other}:", "        result += item", "    return result"],
        [f"    if {other} < {number} and {other}:", '        raise ValueError("too small")', f"    return {other}"],
        [f'    """The {name} of an {other}."""', "",
         f"    text = 'it is ' + str({other})", "    # for people", "    return text"],
        [*(f"    row_{n} = {n}" for n in range(number, number + 5)), "    return row"],
        [f"    first, last = {other}[{number}], {other}[-1]", "    return first - last"],
    )  # fmt: skip
    return [f"def {name}_{number}({other}):", *draw(st.sampled_from(bodies)), "", ""]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """A file of some functions, and one to three lines of it replaced, removed or put in."""
    before = ["import math", "", ""]
    for function in draw(st.lists(functions(), min_size=2, max_size=7)):
        before += function
    before = before[:-2]
    after: list[str | None] = list(before)
    spots = [i for i, line in enumerate(before) if line.startswith("    ") and not line.endswith(":")]
    for at in draw(st.lists(st.sampled_from(spots), min_size=1, max_size=3, unique=True)):
        line = before[at]
        lead = line[: len(line) - len(line.lstrip())]
        number = draw(st.integers(100, 999))
        kind = draw(st.sampled_from(["replace", "insert", "both"]))
        new = f"{lead}check({number})"
        after[at] = {"replace": new, "insert": f"{new}\n{line}", "both": f"{new}\n{lead}log('{number}')"}[kind]
    lines = "\n".join(line for line in after if line is not None).split("\n")
    return Change(tuple(before), tuple(lines), PATH)
