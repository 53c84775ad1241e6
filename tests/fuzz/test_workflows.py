"""Files that say what CI does, and their expressions: read, refused with a reason, or planned; nothing else."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.shapes import changed, nested, soup
from tests.workers.recipe.test_expressions import CONTEXTS, FILES, WORDS
from tests.workers.recipe.test_plans import make
from tests.workers.recipe.trees import MemoryTree
from workers import ci, scripts, strict_yaml, workflow
from workers.errors import Stop
from workers.expressions import Unresolved, as_text, evaluate, render, truthy
from workers.workflow.matrix import MAX_CELLS, spread

CASES = Path(__file__).parents[1] / "workers" / "recipe" / "cases"
WRITTEN = [
    text.strip()
    for path in sorted(CASES.glob("*.txt"))
    for text in re.findall(r"^--- workflow\n(.*?)^--- ", path.read_text(), re.MULTILINE | re.DOTALL)
    if text.strip()
]
KEYS = ("on", "jobs", "name", "runs-on", "steps", "run", "uses", "with", "env", "if", "needs", "strategy", "matrix",
        "include", "exclude", "services", "image", "ports", "container", "outputs", "defaults", "shell",
        "working-directory", "<<", "id", "timeout-minutes", "continue-on-error", "inputs", "secrets", "using", "runs",
        "workflow_call", "default")  # fmt: skip
VALUES = ("ubuntu-latest", "${{ matrix.a }}", "pytest", "actions/checkout@v4", "./.github/actions/x", "always()",
          "3.12", "${{ fromJSON('[1, 2]') }}", "a/b/.github/workflows/c.yml@main", "python:3.12", "5432:5432",
          "bash -e {0}")  # fmt: skip
LINES = ("    strategy: {matrix: {a: [1, 2]}}", "    needs: [x]", "    if: ${{ failure() }}", "      - run: pytest",
         "    env: &e {A: 1}", "    services: *e", "<<: *e", "- {}", "? a", "!!python/object:os.system x",
         "%YAML 1.1", "---", "a: &a [*a]", "      - uses: ./x", "    container: {image: x, options: --privileged}",
         "\t- x", "on: {push: null}")  # fmt: skip


@given(changed(WRITTEN, LINES))
def test_a_changed_workflow_is_planned_or_refused(text: str) -> None:
    """A red job of it gives a plan or a stated outcome, and the reader itself a workflow or its own error."""
    with suppress(workflow.WorkflowError):
        for job in workflow.parse(text).jobs:
            assert len(spread(job.matrix, CONTEXTS, FILES).cells) <= MAX_CELLS
    with suppress(workflow.WorkflowError):
        workflow.parse_action(text)
    with suppress(Stop):
        make(text)


SHAPE = nested(KEYS, VALUES, 24)
NAMES = st.sampled_from(["", "a", "b (1)", "c / d", "c"])


@given(SHAPE, SHAPE, NAMES)
def test_any_shape_of_a_job_is_planned_or_refused(value: object, other: object, name: str) -> None:
    """Wrong types in a job that is known by its name, in the action it uses, and in the workflow it calls."""
    steps = [{"uses": "./x"}, value, other]
    jobs = {"a": value, "b": {"runs-on": "ubuntu-latest", "steps": steps, "strategy": other}, "c": {"uses": "./w.yml"}}
    composite = {"runs": {"using": "composite", "steps": [value]}, "inputs": other, "outputs": value}
    files = {"x/action.yml": json.dumps(composite), "w.yml": json.dumps({"jobs": {"d": value}, "on": other})}
    for text in (json.dumps({"on": other, "jobs": jobs}), json.dumps(value)):
        with suppress(Stop):
            make(text, files, name=name)


OTHERS = (".gitlab-ci.yml", ".circleci/config.yml", "azure-pipelines.yml", ".travis.yml", "Jenkinsfile")
CI_KEYS = ("script", "before_script", "stages", "image", "jobs", "steps", "run", "command", "docker", "extends",
           "include", "parallel", "matrix", "pool", "vmImage", "services", "language", "python", "env", "rules",
           "variables", "workflows", "orbs", "needs", "parameters", "when", "task", "inputs", "template", "install",
           "version", "addons")  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(CI_KEYS) | st.just("test"), nested(CI_KEYS, VALUES), max_size=6),
    st.sampled_from(OTHERS),
)
def test_another_systems_config_gives_steps_or_a_stated_outcome(value: dict[str, object], path: str) -> None:
    """Whatever shape it has."""
    tree = MemoryTree({path: yaml.safe_dump(value)})
    for name in ("", "test"):
        with suppress(Stop):
            ci.steps(tree, name)


@given(changed(["a: 1\nb: [x, 'y']\nc: |\n  z\nd: &n {e: 2022-01-01}\nf: *n\n"], LINES))
def test_yaml_is_a_document_or_a_problem_with_its_place(text: str) -> None:
    """The one door for YAML knows nothing but plain values, and says where a problem stands."""
    try:
        found = strict_yaml.load(text, max_bytes=10_000, max_aliases=10)
    except strict_yaml.YamlProblem as problem:
        assert problem.line >= 1
        assert problem.column >= 1
        return
    json.dumps(found.value, default=_no_other)


def _no_other(value: object) -> str:
    assert type(value).__module__ in ("datetime", "workers.strict_yaml"), type(value)
    return str(value)


LEAF = st.sampled_from(["1", "-2.5", "0x1F", "'it''s'", "true", "null", "NaN", "matrix.python", "github.ref", "env.A",
                        "secrets.T", "steps.a.outputs.b", "matrix['x']", "github.*", "needs.*.result"])  # fmt: skip
TREES: st.SearchStrategy[str] = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        inner.map(lambda one: f"!{one}"),
        inner.map(lambda one: f"({one})"),
        st.tuples(inner, st.sampled_from(["==", "!=", "<", ">=", "&&", "||"]), inner).map(" ".join),
        st.tuples(
            st.sampled_from(["contains", "startsWith", "format", "join", "toJSON", "fromJSON", "hashFiles", "case"]),
            st.lists(inner, max_size=3).map(", ".join),
        ).map(lambda pair: f"{pair[0]}({pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
    ),
    max_leaves=12,
)


@given(TREES)
def test_a_well_formed_expression_has_a_value_or_is_unresolved(text: str) -> None:
    """And brackets around it or two negations in front change nothing about that."""
    try:
        value = evaluate(text, CONTEXTS, FILES)
    except Unresolved:
        return
    as_text(value)
    assert truthy(evaluate(f"(({text}))", CONTEXTS, FILES)) is truthy(value)
    assert truthy(evaluate(f"!!({text})", CONTEXTS, FILES)) is truthy(value)


@given(soup([*WORDS, "${{", "}}", "${{ '", "}"], most=40))
def test_any_text_with_expressions_is_rendered(text: str) -> None:
    """Half-open ones, nested ones, and quotes that never end."""
    render(text, CONTEXTS, FILES)


SHELL = ("pip install", "-r x.txt", "&&", "||", ";", "|", "\n", "\\\n", "cd sub", "if", "then", "fi", "for", "do",
         "done", "$(", ")", "`", "<<EOF\n", "EOF\n", "'", '"', "$'\\n'", "A=1", "pytest", "python -m", "ruff check .",
         "#", "{", "}", "((", ">", "2>&1", "sudo", "npm ci", "case x in", "esac", "[[", "]]", "function f()", "env",
         "time", "bash -c", "eval", "exit 1")  # fmt: skip


@given(soup(SHELL, most=25))
def test_any_script_is_taken_apart(text: str) -> None:
    """Strangers' shell is looked at as text; nothing in it makes that fail."""
    for command in scripts.commands(text):
        scripts.words(command)
        scripts.installs(command)
    for ask in (
        scripts.simple,
        scripts.resolves,
        scripts.only_installs,
        scripts.only_prepares,
        scripts.installs_project,
    ):
        assert ask(text) in (True, False)
    scripts.invocations(text, "pytest")
    scripts.preparing(text)
    scripts.split(text)
