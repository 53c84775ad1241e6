"""The survey of workflow files on a made-up project: which jobs count, what each answer means, what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.workflows import corpus, jobs, survey, table
from benchmarks.workflows.survey import Answer, Row
from sandbox.spec import Plan, Skipped, Step
from tests.workers.git.checkouts import checkout, git
from tests.workers.recipe.test_plans import case
from workers import workflow

pytestmark = pytest.mark.uncounted

CI = b"""
on: [push, pull_request]
jobs:
  test:
    strategy:
      matrix: {os: [windows-latest, ubuntu-latest]}
    runs-on: ${{ matrix.os }}
    steps:
      - uses: actions/checkout@v4
      - run: pip install pytest
      - run: pytest
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: someone/prepare@v1
      - run: ruff check .
  check-mac:
    runs-on: macos-latest
    steps: [uses: actions/checkout@v4, run: pytest]
  called: {uses: ./.github/workflows/types.yml}
  release:
    runs-on: ubuntu-latest
    steps: [uses: actions/checkout@v4, run: make upload]
"""
TYPES = b"""
on: workflow_call
jobs:
  mypy:
    runs-on: ubuntu-latest
    steps: [uses: actions/checkout@v4, run: mypy .]
"""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    dataset = tmp_path_factory.mktemp("dataset")
    files = {
        ".github/workflows/ci.yml": CI,
        ".github/workflows/types.yml": TYPES,
        ".github/workflows/broken.yml": b"on: push\njobs: [",
        "large.bin": b"large" * 100,
    }
    sha = checkout(dataset / "made+up" / "repo", files)
    large = git(dataset / "made+up" / "repo", "rev-parse", "HEAD:large.bin")
    bare = (dataset / "made+up" / "repo" / ".git").rename(dataset / "made+up" / "bare")
    (bare / "objects" / large[:2] / large[2:]).unlink()  # a dataset may lack what is large
    lines = f"# a list\n\npython made/up {sha} broken.yml ci.yml types.yml\n"
    return list(survey.survey(dataset, corpus.read(lines)))


def test_every_job_gets_an_answer(rows: list[Row]) -> None:
    """Combinations on Linux come first, a called workflow is measured through its caller, a broken file is refused."""
    told = [(row.file.rpartition("/")[2], row.job, row.first, row.counts, row.answer) for row in rows]
    assert told == [
        ("broken.yml", "", True, False, Answer.REFUSED),
        ("ci.yml", "test (ubuntu-latest)", True, True, Answer.FULL),
        ("ci.yml", "test (windows-latest)", False, True, Answer.REFUSED),
        ("ci.yml", "lint", True, True, Answer.PARTIAL),
        ("ci.yml", "check-mac", True, True, Answer.REFUSED),
        ("ci.yml", "called / mypy", True, True, Answer.FULL),
        ("ci.yml", "release", True, False, Answer.FULL),
    ]


def test_the_table_counts_the_test_and_lint_jobs(rows: list[Row]) -> None:
    """Three of four are covered; the reasons stand below."""
    assert table.covered(table.judged(rows)) == 0.75
    text = table.table(rows)
    assert "| python | 4 | 2 | 1 | 1 | 0 | 0 | 0 | 75% |" in text
    assert "Covered 75.0% (aim: 76%, **not held**)" in text
    assert "- 1: the sandbox does not know this action" in text
    assert table.figures(rows)["jobs"] == {
        name: {"jobs": 4, "full": 2, "partial": 1, "refused": 1, "guessed": 0, "wrong": 0, "crash": 0, "covered": 0.75}
        for name in ("python", "all")
    }


def plan(**more: object) -> Plan:
    return Plan(**{"image": "python", "setup": (), "check": Step("Test", "pytest"), **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (plan(), Answer.FULL),
        (plan(notes=("read from the workflow file, without a log",)), Answer.FULL),
        (plan(skipped=(Skipped("Upload", "it only reports", False),)), Answer.FULL),
        (plan(skipped=(Skipped("Magic", "the sandbox does not know this action", True),)), Answer.PARTIAL),
        (plan(notes=("CI used Python 3.14, the sandbox has 3.11",)), Answer.PARTIAL),
        (plan(notes=("guessed from go.mod: neither a log nor a workflow says how the job runs",)), Answer.GUESSED),
        (plan(check=Step("Test", "make ${{ matrix.target }}")), Answer.WRONG),
        (plan(check=Step("Test", "make ${{steps.v.outputs.x}}")), Answer.WRONG),
        (plan(setup=(Step("V", "x", id="v"),), check=Step("Test", "make ${{steps.v.outputs.x}}")), Answer.FULL),
        (plan(setup=(Step("V", "echo A=1 >>$GITHUB_ENV"),), check=Step("Test", "${{env.A}}")), Answer.FULL),
        (plan(after=(Step("Test", "make", workdir="${{ runner.workspace }}/build"),)), Answer.WRONG),
    ],
)
def test_a_plan_is_judged_by_what_it_says(made: Plan, answer: Answer) -> None:
    """What weakens the proof or differs makes it partial; a guess and an open expression are no recipe of the job."""
    assert survey.judged(made)[0] is answer


class Broken:
    """A tree whose files cannot be read."""

    sha = case().head_sha

    def paths(self) -> list[str]:
        raise RuntimeError("broken")

    def read(self, path: str) -> bytes | None:
        raise RuntimeError("broken")


def test_whatever_else_is_raised_is_a_crash() -> None:
    """It is counted and named, and the survey goes on."""
    assert survey.plan(case(job="test"), Broken()) == (Answer.CRASH, ("RuntimeError: broken",))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("job", "counts"),
    [
        ("test: {runs-on: x, steps: [uses: actions/checkout@v4, run: make it]}", True),
        ("x: {runs-on: x, steps: [uses: actions/checkout@v4, run: cargo +nightly test]}", True),
        ("x: {runs-on: x, steps: [uses: actions/checkout@v4, {name: Check style, run: ./x}]}", True),
        ("x: {runs-on: x, steps: [uses: ./.github/actions/setup, run: tox]}", True),
        ("tests: {uses: ./.github/workflows/all.yml}", True),
        ("x: {runs-on: x, steps: [uses: actions/checkout@v4, run: make html]}", False),
        ("test: {runs-on: x, steps: [run: echo all green]}", False),  # it has no file to test
        ("publish-tests: {runs-on: x, steps: [uses: actions/checkout@v4, run: pytest]}", False),
        ("latest: {runs-on: x, steps: [uses: actions/checkout@v4, run: make]}", False),
    ],
)
def test_which_jobs_count(job: str, counts: bool) -> None:
    """By words of testing and linting and by the tools called, never by what the planner can do."""
    file = workflow.parse(f"on: push\njobs:\n  {job}\n")
    assert jobs.is_check(file.jobs[0], "", file.triggers) is counts
    assert not jobs.is_check(file.jobs[0], "", ("schedule",))


def test_a_missing_project_is_said(tmp_path: Path) -> None:
    """With the commit that has to be fetched."""
    with pytest.raises(SystemExit, match=r"no git directory of made/up; fetch aaaa"):
        list(survey.survey(tmp_path, corpus.read("go made/up " + "a" * 40 + " ci.yml")))


def test_the_list_is_as_large_as_it_says() -> None:
    """At least sixty projects of six languages, each once, named by full commits."""
    projects = corpus.read(corpus.LIST.read_text())
    assert len({one.name for one in projects}) == len(projects) >= 60
    assert sum(len(one.files) for one in projects) >= 80
    assert {one.language for one in projects} == {"python", "javascript", "go", "rust", "java", "c"}
    assert all(len(one.sha) == 40 for one in projects)
