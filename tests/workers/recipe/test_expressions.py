"""Expressions follow GitHub's rules: a table of documented cases, the laws behind them, and no way to break the reader.

`expressions.txt` is the table: dropping in a line adds a test.
"""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.recipe.trees import MemoryTree
from workers.expressions import (
    Invalid,
    Later,
    Partial,
    Secret,
    Unknown,
    Unresolved,
    as_text,
    evaluate,
    holds,
    render,
    resolve,
    statuses,
    truthy,
)

CONTEXTS: dict[str, object] = {
    "matrix": {
        "python": "3.11",
        "number": 3.1,
        "os": "ubuntu-latest",
        "list": ["a", "b"],
        "object": {"name": "n", "items": [1, 2]},
    },
    "env": {"NAME": "x"},
    "github": Partial(
        {
            "ref_name": "main",
            "ref": "refs/heads/main",
            "event_name": "push",
            "token": Secret("github.token"),
            "event": {"labels": [{"name": "bug"}, {"name": "ui"}, "no object"]},
        }
    ),
    "runner": {"os": "Linux"},
    "vars": Partial(),
    "steps": Partial({"made": Partial({"outputs": Partial({"a": "1"}, later="steps.made.outputs")})}),
    "inputs": {"unknown": Unknown("needs.a.outputs.b")},
}
TABLE = [
    line.rsplit(" => ", 1)
    for line in (Path(__file__).parent / "expressions.txt").read_text().splitlines()
    if " => " in line and not line.startswith("#")
]


@pytest.mark.parametrize(("expression", "told"), TABLE)
def test_a_documented_case(expression: str, told: str) -> None:
    """What cannot be known is Unresolved, never empty; what is no expression is Invalid."""
    if told in ("unresolved", "invalid"):
        with pytest.raises(Unresolved) as raised:
            evaluate(expression, CONTEXTS)
        assert isinstance(raised.value, Invalid) == (told == "invalid")
        return
    value, expected = evaluate(expression, CONTEXTS), json.loads(told)
    assert (value == expected and isinstance(value, bool) == isinstance(expected, bool)) or (value != value != expected)


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("", True),
        ("false", False),
        ("github.ref_name == 'main'", True),
        ("${{ github.ref_name == 'x' }}", False),
        ("${{ false }} ", False),
        ("${{ false }} || false", True),  # text around an expression makes a text, as on GitHub
        ("vars.A && false", False),
        ("vars.A || true", True),
        ("!(vars.A && false)", True),
        ("vars.A || false", None),
        ("vars.A && true", None),
        ("vars.A == 'x' && github.ref_name == 'x'", False),
        ("always() &&\n  github.event_name == 'push'", True),
        ("${{ vars.A }} == 'x'", None),
        ("steps.made.outputs.b == 'x'", None),
        ("1 ==", None),
    ],
)
def test_a_condition_is_judged_where_the_unknown_makes_no_difference(condition: str, told: bool | None) -> None:
    """With or without `${{ }}`, over several lines; None is Unresolved."""
    if told is None:
        with pytest.raises(Unresolved):
            holds(condition, CONTEXTS)
    else:
        assert holds(condition, CONTEXTS) is told


@pytest.mark.parametrize(
    ("condition", "asks"),
    [("always()", "always"), ("${{ !Cancelled () && x.y }}", "cancelled"), ("contains(a, failure())", "failure"),
     ("x[success()].*", "success"), ("'always()'", ""), ("", ""), ("(", ""), ("a == b", "")],
)  # fmt: skip
def test_a_condition_with_a_status_function_is_not_joined_with_success(condition: str, asks: str) -> None:
    """A status function anywhere in it counts; its name in quotes does not."""
    assert statuses(condition) == ({asks} if asks else set())


def test_rendering_names_secrets_and_leaves_what_is_unknown() -> None:
    """Secrets are empty and said so; unknown expressions stand as they were written, with the reason."""
    text = "a ${{ secrets.KEY }}b ${{ format('{0}', needs.x.outputs.y) }} ${{ matrix.number }} ${{ '}}' }} ${{ 1 == }}"
    rendered = render(text, CONTEXTS)
    assert rendered.text == "a b ${{ format('{0}', needs.x.outputs.y) }} 3.1 }} ${{ 1 == }}"
    assert rendered.secrets == ("secrets.KEY",)
    assert rendered.unresolved == ("needs.x.outputs.y", "it ends too early")
    assert rendered.reasons == (
        "it needs needs.x.outputs.y, which only GitHub knows",
        "it has an expression that is not valid: it ends too early",
    )


def test_what_a_step_writes_later_has_a_token_in_its_place() -> None:
    """Alone in its braces it can be put in while the job runs; in a computation it is unresolved."""
    rendered = render("x ${{ steps.made.outputs['b'] }} ${{ steps.made.outputs.a }}", CONTEXTS)
    assert (rendered.text, rendered.later) == ("x ${{steps.made.outputs.b}} 1", ("steps.made.outputs.b",))
    assert Later("a.b").token == "${{a.b}}"
    assert render("${{ steps.made.outputs.b == 'x' }}", CONTEXTS).unresolved == ("steps.made.outputs.b",)
    assert render("${{ steps.made.outputs.b.c }}", CONTEXTS).unresolved == ("steps.made.outputs.b.c",)


def test_an_unknown_value_is_unresolved_wherever_it_is_used() -> None:
    """Alone, in a function over what holds it, and under its own name."""
    for text in ("inputs.unknown", "toJSON(inputs)", "inputs.*", "inputs.unknown == ''"):
        with pytest.raises(Unresolved, match=r"needs\.a\.outputs\.b"):
            evaluate(text, CONTEXTS)


def test_a_value_of_the_file_keeps_its_kind() -> None:
    """A matrix may be one expression, or hold some; around text they are text."""
    value = {"a": "${{ fromJSON('[1, 2]') }}", "b": ["${{ matrix.number }}", "v${{ matrix.number }}", True]}
    assert resolve(value, CONTEXTS) == {"a": [1, 2], "b": [3.1, "v3.1", True]}
    with pytest.raises(Unresolved):
        resolve(["x ${{ vars.A }}"], CONTEXTS)


FILES = MemoryTree(
    {
        "a.lock": "A",
        "b/a.lock": "B",
        "b-c/a.lock": "C",
        "b/deep/er/x.txt": "D",
        ".github/w.yml": "E",
        "b/[x].md": "F",
        "s p.md": "G",
    }
)


def digest(*contents: str) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(one.encode()).digest() for one in contents)).hexdigest()


@pytest.mark.parametrize(
    ("patterns", "contents"),
    [
        ("'a.lock'", "A"),
        ("'./a.lock'", "A"),
        ("'/a.lock'", "A"),
        ("'**/a.lock'", "ABC"),  # folder by folder: b/ comes before b-c/
        ("'**/*.lock', '!b/**'", "AC"),
        ("'b'", "FBD"),
        ("'b/**'", "FBD"),
        ("'b/*'", "FBD"),
        ("'**/deep/**/x.txt'", "D"),
        ("'b/deep/**/er/x.txt'", "D"),
        ("'b/d?ep/er/*.t[w-y]t'", "D"),
        ("'b/d?ep/er/*.t[!w-y]t'", ""),
        ("'**/*.yml'", "E"),
        ("'b-c/a.lock', 'a.lock'", "CA"),  # each pattern's own start, in the order of the patterns
        ("'a.lock\n# no\n\nb/a.lock'", "AB"),
        ("'!a.lock', 'a.lock'", "A"),
        ("'a.lock', '!a.lock'", ""),
        ("'nothing'", ""),
        ("'s p.md'", "G"),
        ("'*'", "EAFBDCG"),
    ],
)
def test_files_are_hashed_as_githubs_tool_does(patterns: str, contents: str) -> None:
    """The digest of the files' digests, in the order of a walk; nothing matched is empty."""
    found = evaluate(f"hashFiles({patterns})", {}, FILES)
    assert found == (digest(*contents) if contents else "")


def test_hashing_is_bounded() -> None:
    """Too many files, patterns or bytes are unresolved, as is a call where there are no files to look at."""
    many = MemoryTree({f"f{n}": "x" for n in range(2_001)})
    for text, files in (("hashFiles('*')", many), ("hashFiles('a')", None), (f"hashFiles('{'[' * 5000}')", FILES)):
        with pytest.raises(Unresolved):
            evaluate(text, {}, files)
    assert evaluate(f"hashFiles('{'*a' * 400}b')", {}, MemoryTree({"a" * 250: "x"})) == ""


SIMPLE = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12)
JSON: st.SearchStrategy[object] = st.recursive(
    SIMPLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
ANY = JSON | st.floats(allow_nan=True, allow_infinity=True)


def ask(expression: str, **values: object) -> object:
    return evaluate(expression, {"v": values})


@given(ANY, ANY)
def test_equality_is_symmetric_and_the_opposite_of_inequality(one: object, two: object) -> None:
    """For any two values, and equal or ordered never both."""
    assert ask("v.a == v.b", a=one, b=two) is ask("v.b == v.a", a=one, b=two) is (not ask("v.a != v.b", a=one, b=two))
    assert ask("v.a > v.b", a=one, b=two) is ask("v.b < v.a", a=one, b=two)
    assert not (ask("v.a > v.b", a=one, b=two) and ask("v.a == v.b", a=one, b=two))
    assert ask("v.a >= v.b", a=one, b=two) is ask("v.a > v.b || v.a == v.b", a=one, b=two)


@given(ANY)
def test_a_value_equals_itself_unless_it_is_no_number(value: object) -> None:
    """NaN alone is not itself."""
    assert ask("v.a == v.a", a=value) is not (isinstance(value, float) and math.isnan(value))


@given(ANY, ANY)
def test_negation_is_the_opposite_of_truth(one: object, two: object) -> None:
    """`!!` gives back the truth, `!` the opposite, and De Morgan holds."""
    assert ask("!!v.a", a=one) is truthy(one) is (not ask("!v.a", a=one))
    assert ask("!(v.a && v.b)", a=one, b=two) is ask("!v.a || !v.b", a=one, b=two)


@given(ANY, ANY)
def test_and_and_or_give_an_operand(one: object, two: object) -> None:
    """The very one that decides."""
    assert ask("v.a || v.b", a=one, b=two) is (one if truthy(one) else two)
    assert ask("v.a && v.b", a=one, b=two) is (two if truthy(one) else one)


@given(JSON)
def test_json_comes_back_as_it_went(value: object) -> None:
    """fromJSON of toJSON is the same value, and so is Python's reading of it."""
    text = ask("toJSON(v.a)", a=value)
    assert isinstance(text, str)
    assert json.loads(text) == value
    assert ask("toJSON(fromJSON(toJSON(v.a)))", a=value) == text


@given(st.text(max_size=30), st.text(max_size=30))
def test_format_puts_values_in_and_nothing_else(one: str, two: str) -> None:
    """Doubled braces come out single; values are not looked into."""
    escaped = one.replace("{", "{{").replace("}", "}}")
    assert ask("format(v.f, v.b)", f=escaped + "{0}", b=two) == one + two


@given(st.lists(st.text(alphabet="abc", max_size=5), max_size=6))
def test_join_is_undone_by_splitting(items: list[str]) -> None:
    """For items without the separator."""
    joined = ask("join(v.a, '-')", a=items)
    assert isinstance(joined, str)
    assert joined.split("-") == (items or [""])
    assert all(ask("contains(v.a, v.b)", a=items, b=item) for item in items)


@given(SIMPLE, SIMPLE)
def test_text_functions_agree(one: object, two: object) -> None:
    """What starts or ends with a text contains it."""
    if ask("startsWith(v.a, v.b)", a=one, b=two) or ask("endsWith(v.a, v.b)", a=one, b=two):
        assert ask("contains(v.a, v.b)", a=one, b=two)
    assert ask("startsWith(v.c, v.a) && endsWith(v.c, v.b)", a=one, b=two, c=as_text(one) + as_text(two))


@given(st.text(max_size=120))
def test_any_expression_has_an_answer_or_is_unresolved(text: str) -> None:
    """No text makes the evaluator fail, as an expression, a condition or inside a text."""
    render("${{ " + text + " }}", CONTEXTS, FILES)
    statuses(text)
    with suppress(Unresolved):
        holds(text, CONTEXTS, FILES)


WORDS = ["(", ")", "!", "&&", "||", "==", "<", "matrix", ".", "python", "[", "]", "'a'", "1", "contains(", ",", "*",
         "format(", "null", "list", "toJSON(", "fromJSON(", "'[1]'", "join(", "hashFiles(", "github", "secrets", "env",
         "success()", "'{0}'", "-1", "steps", "object"]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=16))
def test_any_sequence_of_words_has_an_answer_or_is_unresolved(words: list[str]) -> None:
    """The same for what almost is an expression."""
    render("${{ " + " ".join(words) + " }}", CONTEXTS, FILES)


@given(st.text(alphabet=st.characters(exclude_characters="$"), max_size=100))
def test_text_without_expressions_is_untouched(text: str) -> None:
    """Rendering changes nothing else."""
    assert render(text, CONTEXTS).text == text


DOUBLED = "format('{0}{0}{0}{0}{0}{0}{0}{0}', " * 25 + "'x'" + ")" * 25


@pytest.mark.parametrize(
    "text",
    ["${{" * 20_000, "${{ '" * 20_000, "${{ " + "a || " * 5_000 + "1 }}", "${{ " + "!" * 50_000 + "1 }}",
     "${{ " + "(" * 100 + "1" + ")" * 100 + " }}", "${{ " + "a." * 5_000 + "b }}", "${{ " + DOUBLED + " }}",
     "${{ " + "toJSON(" * 29 + "'\"'" + ")" * 29 + " }}", "${{ fromJSON('" + "[" * 100_000 + "') }}",
     "${{ fromJSON('" + "\\''" * 100_000 + "') }}", "${{ fromJSON('" + "a" * 500_000 + "') }}",
     "${{ fromJSON('" + ", " * 300_000 + "') }}", "${{ fromJSON('" + "[" * 900 + "]" * 900 + "') }}",
     "${{ format('" + "{0}" * 100_000 + "', '" + "x" * 99 + "') }}",
     "${{ " + "matrix" + "[0]" * 300 + "[ }}", "${{ " + "1 == " * 900 + " }}"],
)  # fmt: skip
def test_hostile_expressions_cost_nothing(text: str) -> None:
    """Unclosed, endless, nested and growing expressions are unresolved at once."""
    assert render(text, CONTEXTS).unresolved
