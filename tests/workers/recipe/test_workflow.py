"""Workflow files: jobs, matrices and names as GitHub sees them, expressions with GitHub's rules, and no guess."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers import workflow
from workers.expressions import Unresolved, evaluate, render
from workers.services import Written

CONTEXTS: dict[str, object] = {
    "matrix": {"python": "3.11", "number": 3.1, "os": "ubuntu-latest", "flags": ["a", "b"]},
    "env": {"NAME": "x"},
    "github": {"ref_name": "main", "event_name": "push"},
    "runner": {"os": "Linux"},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'it''s'", "it's"),
        ("1 == '1'", True),
        ("'ABC' == 'abc'", True),
        ("null == ''", True),
        ("null == 0", True),
        ("'a' == 0", False),
        ("true == 1", True),
        ("!'' && !0 && !null", True),
        ("'' || 'b'", "b"),
        ("'a' && 'b'", "b"),
        ("false && nothing.known", False),
        ("1 < 2 && 0x10 == 16", True),
        ("(1 > 2) || matrix.python == '3.11'", True),
        ("matrix['python']", "3.11"),
        ("matrix.flags[1]", "b"),
        ("matrix.absent == ''", True),
        ("contains('Hello', 'ell')", True),
        ("contains(matrix.flags, 'B')", True),
        ("startsWith(github.ref_name, 'MA')", True),
        ("endsWith('abc', 'bc')", True),
        ("format('{0}-{1}{{}}', 'a', 2)", "a-2{}"),
        ("join(matrix.flags, '+')", "a+b"),
        ("fromJSON('{\"a\": 1}').a == 1", Unresolved),
        ("success() && !failure()", True),
        ("env.ABSENT", Unresolved),
        ("steps.x.outputs.y", Unresolved),
        ("hashFiles('x')", Unresolved),
        ("1 ==", Unresolved),
        ("'open", Unresolved),
        ("(" * 100 + "1" + ")" * 100, Unresolved),
    ],
)
def test_expressions_follow_githubs_rules(expression: str, value: object) -> None:
    """Documented cases; what cannot be known is Unresolved, never empty."""
    if value is Unresolved:
        with pytest.raises(Unresolved):
            evaluate(expression, CONTEXTS)
    else:
        assert evaluate(expression, CONTEXTS) == value


def test_rendering_names_secrets_and_leaves_what_is_unknown() -> None:
    """Secrets are empty and said so; unknown expressions stand as they were written."""
    rendered = render("a ${{ secrets.KEY }}b ${{ needs.x.outputs.y }} ${{ matrix.number }} ${{ '}}' }}", CONTEXTS)
    assert rendered.text == "a b ${{ needs.x.outputs.y }} 3.1 }}"
    assert rendered.secrets == ("secrets.KEY",)
    assert rendered.unresolved == ("needs.x.outputs.y",)


@given(st.text(max_size=120))
def test_any_expression_has_an_answer_or_is_unresolved(text: str) -> None:
    """No expression makes the evaluator fail."""
    render("${{ " + text + " }}", CONTEXTS)


WORDS = [
    "(",
    ")",
    "!",
    "&&",
    "||",
    "==",
    "<",
    "matrix",
    ".",
    "python",
    "[",
    "]",
    "'a'",
    "1",
    "contains(",
    ",",
    "format(",
    "null",
]


@given(st.lists(st.sampled_from(WORDS), max_size=14))
def test_any_sequence_of_words_has_an_answer_or_is_unresolved(words: list[str]) -> None:
    """The same for what almost is an expression."""
    render("${{ " + " ".join(words) + " }}", CONTEXTS)


@given(st.text(alphabet=st.characters(exclude_characters="$"), max_size=100))
def test_text_without_expressions_is_untouched(text: str) -> None:
    """Rendering changes nothing else."""
    assert render(text, CONTEXTS).text == text


@pytest.mark.parametrize(
    "text", ["${{" * 20_000, "${{ '" * 20_000, "${{ " + "a || " * 5_000 + "1 }}", "${{ " + "!" * 50_000 + "1 }}"]
)
def test_hostile_expressions_cost_nothing(text: str) -> None:
    """Unclosed, endless and nested expressions are unresolved at once."""
    assert render(text, CONTEXTS).unresolved


CI = """
name: CI
on: [push, pull_request]
env: {A: "1"}
defaults: {run: {shell: bash, working-directory: app}}
jobs:
  test:
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        python: ["3.11", 3.12]
        os: [ubuntu-latest, windows-latest]
        exclude: [{os: windows-latest, python: 3.12}]
        include: [{python: "3.13", os: ubuntu-latest, extra: yes}, {os: ubuntu-latest, color: green}]
    services: {db: {image: postgres}}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - {name: Tests, id: t, run: pytest, if: always(), continue-on-error: true, timeout-minutes: 5, env: {B: 2}}
  lint:
    name: Lint (${{ matrix.tool }})
    runs-on: [ubuntu-latest, x64]
    container: {image: "python:3.12"}
    strategy: {matrix: {tool: [ruff, mypy]}}
    steps: [{run: "x ${{ matrix.tool }}"}]
  later:
    runs-on: ubuntu-latest
    strategy: {matrix: "${{ fromJSON(needs.a.outputs.b) }}"}
    steps: [{run: x}]
"""


def test_a_workflow_becomes_typed_jobs() -> None:
    """`on` is a key and not a boolean; defaults, services, containers and step settings are read."""
    file = workflow.parse(CI)
    test, lint, later = file.jobs
    assert file.triggers == ("push", "pull_request")
    assert (test.shell, test.workdir, test.services) == ("bash", "app", (Written("db", "postgres"),))
    assert test.steps[0].inputs == {"fetch-depth": "0"}
    step = test.steps[1]
    assert (step.name, step.condition, step.continue_on_error, step.timeout_minutes) == ("Tests", "always()", True, 5)
    assert (lint.container, lint.runs_on) == ("python:3.12", "ubuntu-latest, x64")
    assert later.dynamic_matrix


def test_a_matrix_is_spread_as_github_does() -> None:
    """Product, minus excludes; an include joins what it matches or stands alone."""
    names = [workflow.parse(CI).jobs[0].shown_name(cell) for cell in workflow.parse(CI).jobs[0].cells()]
    assert names == [
        "test (3.11, ubuntu-latest, green)",
        "test (3.11, windows-latest)",
        "test (3.12, ubuntu-latest, green)",
        "test (3.13, ubuntu-latest, yes)",
    ]


@pytest.mark.parametrize(
    ("name", "key", "cell"),
    [
        ("Lint (mypy)", "lint", {"tool": "mypy"}),
        ("caller / Lint (ruff)", "lint", {"tool": "ruff"}),
        ("test (3.11, windows-latest)", "test", {"python": "3.11", "os": "windows-latest"}),
        ("later (anything)", "later", {}),
        ("lint", "lint", {"tool": "ruff"}),
    ],
)
def test_a_check_runs_name_finds_its_job_and_cell(name: str, key: str, cell: dict[str, object]) -> None:
    """The very combination that failed is found by its name."""
    found = workflow.parse(CI).find(name)
    assert found is not None
    assert (found[0].key, found[1]) == (key, cell)


def test_an_unknown_name_finds_nothing() -> None:
    """No guess between jobs."""
    assert workflow.parse(CI).find("deploy") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not valid YAML: line"),
        ("", "no mapping"),
        ("- a", "no mapping"),
        ("on: push", "no jobs"),
        ("jobs: {}", "no jobs"),
        ("jobs: {a: {}, a: {}}", "twice"),
        ("jobs: " + "[" * 500 + "]" * 500, "too deeply"),
        ("x" * 600_000, "bytes"),
    ],
)
def test_what_is_no_workflow_is_refused_in_a_sentence(text: str, words: str) -> None:
    """A file that GitHub would refuse ends in a message."""
    with pytest.raises(workflow.WorkflowError, match=words):
        workflow.parse(text)


WORD = st.text("ab${}. ", max_size=8)
KEY = st.sampled_from(["steps", "run", "strategy", "matrix", "include", "env", "a"])
SHAPE: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
    max_leaves=12,
)


@given(SHAPE)
def test_any_shape_of_a_job_is_accepted_or_refused(value: object) -> None:
    """Wrong types inside a job never make the parser fail."""
    file = workflow.parse(json.dumps({"jobs": {"a": value, "b": {"steps": [value], "strategy": value}}}))
    for job in file.jobs:
        for cell in job.cells():
            job.shown_name(cell)
