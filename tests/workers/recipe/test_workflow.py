"""Workflow files: jobs, matrices and names as GitHub sees them, and no guess."""

from __future__ import annotations

import pytest

from tests.workers.recipe.test_plans import case
from tests.workers.recipe.trees import MemoryTree
from workers import job_steps, logs, strict_yaml, workflow
from workers.services import Written
from workers.workflow.matrix import spread


def known(files: dict[str, str] | None = None, log: str = "") -> job_steps.Known:
    return job_steps.Known(case(), MemoryTree(files or {}), logs.parse(log))


def bound(text: str, name: str, files: dict[str, str] | None = None) -> job_steps.Bound | None:
    return job_steps.find(name, "", workflow.parse(text), known(files))[0]


def names(text: str, files: dict[str, str] | None = None) -> tuple[str, ...]:
    return job_steps.names("", workflow.parse(text), known(files))


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
    assert later.matrix == "${{ fromJSON(needs.a.outputs.b) }}"


def test_a_matrix_is_spread_as_github_does() -> None:
    """Product, minus excludes; an include joins what it matches or stands alone."""
    assert names(CI)[:4] == (
        "test (3.11, ubuntu-latest, green)",
        "test (3.11, windows-latest)",
        "test (3.12, ubuntu-latest, green)",
        "test (3.13, ubuntu-latest, yes)",
    )


DOCUMENTED = """
fruit: [apple, pear]
animal: [cat, dog]
include:
  - color: green
  - {color: pink, animal: cat}
  - {fruit: apple, shape: circle}
  - fruit: banana
  - {fruit: banana, animal: cat}
"""


def test_githubs_own_example_of_include() -> None:
    """Added values may be overwritten, original ones never; what fits nowhere is a combination of its own."""
    found = spread(strict_yaml.load(DOCUMENTED, max_bytes=999, max_aliases=9).value, {}).cells
    assert found == (
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    )


@pytest.mark.parametrize(
    ("matrix", "cells"),
    [
        ("{include: [{a: 1}, {a: 2}]}", [{"a": 1}, {"a": 2}]),
        ("{a: [1, 2], exclude: [{a: '2'}]}", [{"a": 1}]),
        ("{a: [{x: 1, y: 2}, {x: 3}], exclude: [{a: {x: 1}}]}", [{"a": {"x": 3}}]),
        ("{a: [[1, 2], [3]], exclude: [{a: [3]}]}", [{"a": [1, 2]}]),
        ("{a: \"${{ fromJSON('[1, 2]') }}\"}", [{"a": 1}, {"a": 2}]),
        ('"${{ fromJSON(\'{\\"a\\": [1]}\') }}"', [{"a": 1}]),
        ('{a: [x], include: "${{ fromJSON(\'[{\\"a\\": \\"y\\"}]\') }}"}', [{"a": "x"}, {"a": "y"}]),
        ("{a: '${{ fromJSON(needs.b.outputs.c) }}'}", []),
        ("{a: 1}", []),
        ("{a: []}", []),
        ("[1]", []),
        ("x", []),
    ],
)
def test_other_matrices(matrix: str, cells: list[dict[str, object]]) -> None:
    """Objects in lists, partial excludes, expressions that the file alone can answer; nothing where it cannot."""
    value = strict_yaml.load(matrix, max_bytes=999, max_aliases=9).value
    assert list(spread(value, {}).cells) == cells


def test_a_matrix_is_bounded() -> None:
    """GitHub allows 256 combinations, however many the lists would make."""
    assert len(spread({letter: list(range(50)) for letter in "abcdef"}, {}).cells) == 256


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
    found = bound(CI, name)
    assert found is not None
    assert (found.job.key, found.contexts["matrix"]) == (key, cell)


def test_an_unknown_name_finds_nothing() -> None:
    """No guess between jobs."""
    assert bound(CI, "deploy") is None


def test_anchors_and_merge_keys_are_followed() -> None:
    """What a mapping says itself wins, then the first of several merged ones."""
    text = """
on: push
x-one: &one {env: {A: '1'}, runs-on: ubuntu-latest}
x-two: &two {env: {A: '2'}, timeout-minutes: 3}
jobs:
  a: &job {<<: [*one, *two], steps: [{run: x}]}
  b: {<<: *job, runs-on: ubuntu-22.04}
  c: {<<: 7, steps: []}
"""
    one, two, three = workflow.parse(text).jobs
    assert (one.env, one.runs_on, one.timeout_minutes) == ({"A": "1"}, "ubuntu-latest", 3)
    assert (two.env, two.runs_on, two.steps) == ({"A": "1"}, "ubuntu-22.04", one.steps)
    assert three.steps == ()


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
