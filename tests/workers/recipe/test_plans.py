"""From a red job to its recipe. Every file in `cases/` is a test; the others are said one by one below.

Form of a case: sections `--- job` (name), `--- workflow`, `--- log` (`\\e` is the escape character), `--- tree` (JSON),
`--- plan` (the recipe as `described`). The first two and the log may be empty.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.spec import Fidelity, Plan, Step
from tests.workers.recipe.described import described
from tests.workers.recipe.trees import MemoryTree
from workers import fresh, logs, recipe
from workers.domain import Case, JobReport, Outcome, RunId, Sha
from workers.errors import Stop
from workers.repo_config import RepoConfig, parse

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
SHA = "b" * 40
PYTHON = {"tests/test_a.py": "import pytest\n", "requirements.txt": "pytest\n"}


def case(**more: object) -> Case:
    values: dict[str, object] = {"run": RunId("1"), "repo": "o/r", "repo_id": 7, "installation_id": 1}
    return Case(**{**values, "head_sha": Sha(SHA), "branch": "main", **more})  # type: ignore[arg-type]


def make(
    workflow: str | None = None,
    files: dict[str, str] | None = None,
    log: str = "",
    name: str = "",
    config: str = "",
    **more: object,
) -> Plan:
    job = JobReport(name, logs.parse(log), workflow)
    return recipe.plan(job, MemoryTree(PYTHON if files is None else files), parse(config), case(**more))


def job(steps: str, extra: str = "runs-on: ubuntu-latest") -> str:
    return f"on: push\njobs:\n  test:\n    {extra}\n    steps:\n" + "".join(f"      - {s}\n" for s in steps.split("\n"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_recorded_job_gives_the_expected_recipe(path: Path) -> None:
    """Log, workflow and tree in, the recipe out."""
    parts = re.split(r"^--- (\w+)\n", path.read_text(), flags=re.MULTILINE)
    told = dict(zip(parts[1::2], parts[2::2], strict=True))
    log = told["log"].replace("\\e", "\x1b")
    found = make(
        (told["workflow"].strip() and told["workflow"]) or None, json.loads(told["tree"]), log, told["job"].strip()
    )
    assert described(found) == told["plan"].strip().split("\n")


def test_a_persons_command_beats_every_recipe() -> None:
    """The command is the check; what the job installs stays the set-up."""
    found = make(job("run: pip install -r requirements.txt\nrun: pytest"), check="pytest -k one")
    assert found.check.script == "pytest -k one"
    assert [step.script for step in found.setup] == ["pip install -r requirements.txt"]
    assert found.after == ()


def test_a_persons_command_works_where_nothing_else_does() -> None:
    """Also for a job that could not run here, and a repository that says nothing."""
    assert make(job("run: x", "runs-on: windows-latest"), check="make it").check.script == "make it"
    assert make(files={"a.txt": ""}, check="make it").setup == ()


def test_heal_yml_beats_the_workflow() -> None:
    """`verify.command`, `environment.setup`, `env` and `image` win."""
    config = "verify: {command: make ci}\nenvironment: {setup: [./prepare], env: {TZ: UTC}, image: debian}"
    found = make(job("run: pytest"), config=config)
    assert (found.check.script, [s.script for s in found.setup], found.image) == ("make ci", ["./prepare"], "debian")
    assert found.env["TZ"] == "UTC"


def test_heal_yml_bounds_a_command() -> None:
    """Time, memory and cores, in numbers or in words."""
    found = make(job("run: pytest"), config="environment: {timeout: 5m, memory: 1536m, cpus: 1}")
    assert (found.timeout_s, found.memory, found.cpus) == (300, 1536 << 20, 1.0)


def test_heal_yml_adds_services_and_replaces_one_of_the_same_name() -> None:
    """`environment.services`: short or with its environment; beside those of the job."""
    text = job(
        "run: pytest", "runs-on: ubuntu-latest\n    services: {db: {image: 'postgres:15'}, cache: {image: redis}}"
    )
    found = make(text, config="environment: {services: {db: {image: 'postgres:16', env: {A: b}, ports: [5432]}}}")
    assert [(one.name, one.image, dict(one.env), one.ports) for one in found.services] == [
        ("cache", "redis", {}, ()),
        ("db", "postgres:16", {"A": "b"}, (5432,)),
    ]
    assert [one.image for one in make(job("run: pytest"), config="environment: {services: {q: redis}}").services] == [
        "redis"
    ]
    with pytest.raises(Stop, match="both need port 6379"):
        make(text, config="environment: {services: {q: redis}}")


def test_the_failed_step_of_the_job_api_is_the_check() -> None:
    """Without a log the step's conclusion says which one failed; everything before it is set-up."""
    text = job("run: pip install pytest\nrun: make gen\n{name: Unit, run: pytest}\nrun: mypy .")
    steps = (("Set up job", "success"), ("Run make gen", "success"), ("Unit", "failure"))
    found = recipe.plan(JobReport("test", workflow=text, steps=steps), MemoryTree(PYTHON), RepoConfig(), case())
    assert [step.script for step in found.setup] == ["pip install pytest", "make gen"]
    assert (found.check.script, [step.script for step in found.after]) == ("pytest", ["mypy ."])


@pytest.mark.parametrize(
    ("script", "inside"),
    [
        ("npm ci", True),
        ("uv sync --locked", True),
        ("pip install -r requirements.txt", True),
        ("uv lock --check", True),
        ("pip install pip-tools\npip-compile -q requirements.in\ngit diff --exit-code", True),
        ('python -m piptools compile && test -z "$(git status --porcelain)"', True),
        ("go mod tidy && git diff --exit-code", True),
        ("go mod tidy && go test ./...", False),
        ("npm ci && npm test", False),
        ("if true; then uv lock; fi", False),
    ],
)
def test_a_failed_step_that_only_installs_needs_the_package_indexes(script: str, inside: bool) -> None:
    """It is the check and stands in the set-up, at its place; what the steps after it fetch comes behind it."""
    text = job("run: make gen\n{name: Deps, run: " + json.dumps(script) + "}\n{name: Unit, run: uv run pytest}")
    steps = (("Run make gen", "success"), ("Deps", "failure"))
    found = recipe.plan(JobReport("test", workflow=text, steps=steps), MemoryTree(PYTHON), RepoConfig(), case())
    names = [step.name for step in found.setup]
    assert (fresh.at(found) is not None) is inside
    if inside:
        assert names == ["Run make gen", "Deps (in the set-up)", "Unit (prime)"]
        assert (found.check.name, found.check.script, [step.name for step in found.after]) == ("Deps", script, ["Unit"])


def test_without_a_failing_step_the_first_that_does_more_than_install_is_the_check() -> None:
    """The later ones follow in order, for the caller to find the red one."""
    found = make(job("run: pip install -e .[dev]\nrun: ruff check .\nrun: pytest"))
    assert (found.check.script, [step.script for step in found.after]) == ("ruff check .", ["pytest"])
    assert found.fidelity is Fidelity.CLOSE


@pytest.mark.parametrize("uses", ["psf/black@stable", "golangci/golangci-lint-action@v8", "pre-commit/action@v3.0.1"])
def test_a_job_may_check_by_an_action_alone(uses: str) -> None:
    """An action that stands for a command is a check as good as a script."""
    assert make(job(f"uses: actions/checkout@v4\nuses: {uses}"), {"README": ""}).check.name == f"Run {uses}"


def test_a_step_that_installs_and_tests_is_cut() -> None:
    """The check has no network, so its installing part moves to the set-up; `cd` and `export` stand in both."""
    text = job('run: "cd app\\npip install -e . && pip install pytest\\npytest -q"')
    found = make(text)
    assert found.setup[-1].script == "cd app\npip install -e .\npip install pytest"
    assert found.check.script == "cd app\npytest -q"


@pytest.mark.parametrize(
    ("script", "primer"),
    [
        ("tox -e py311", "tox run --notest -e py311"),
        ("python -m nox -s tests", "python -m nox --install-only -s tests"),
        ("pre-commit run --all-files", "pre-commit install-hooks"),
    ],
)
def test_a_tool_that_installs_by_itself_is_primed(script: str, primer: str) -> None:
    """It fetches with network in the set-up, and is run whole without."""
    found = make(job(f"run: {script}"))
    assert (primer in [step.script for step in found.setup], found.check.script) == (True, script)


def test_the_environments_key_does_not_change_with_the_commit() -> None:
    """What differs per commit stands in the check's own environment."""
    text = job("run: pip install -r requirements.txt\nrun: pytest")
    one, two = make(text), make(text, head_sha=Sha("c" * 40))
    assert one.env_key("i") == two.env_key("i")
    assert (one.check.env["GITHUB_SHA"], two.check.env["GITHUB_SHA"]) == (SHA, "c" * 40)
    assert not any("TOKEN" in name for name in {**one.env, **one.check.env})


def test_the_environments_key_changes_with_what_decides_it() -> None:
    """Requirements always; every file, once the project itself is installed; never another repository's or a fork's."""
    text = job("run: pip install -r requirements.txt\nrun: pytest")
    key = make(text).env_key("i")
    source = {**PYTHON, "a.py": "x"}
    assert make(text, source).env_key("i") == key
    assert make(text, {**PYTHON, "requirements.txt": "pytest<9\n"}).env_key("i") != key
    assert make(text, fork=True).env_key("i") != key != make(text, repo_id=8).env_key("i")
    assert make(text).env_key("i", installation="another") != key
    whole = job("run: pip install -e .\nrun: pytest")
    assert make(whole).env_key("i") != make(whole, source).env_key("i")


def test_what_is_left_out_is_said() -> None:
    """Reporters are harmless; unknown actions and what only GitHub knows weaken the proof."""
    found = make(
        job("uses: me/magic@v1\nuses: codecov/codecov-action@v4\nrun: echo ${{ needs.a.outputs.b }}\nrun: pytest")
    )
    assert [(skipped.step, skipped.weakens_proof) for skipped in found.skipped] == [
        ("Run me/magic@v1", True),
        ("Run codecov/codecov-action@v4", False),
        ("Run echo ${{ needs.a.outputs.b }}", True),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (job("run: x", "runs-on: windows-latest"), "windows-latest"),
        (job("run: x", "runs-on: macos-14"), "macos-14"),
        (job("run: x", "runs-on: [self-hosted, windows]"), "'test' runs on self-hosted, windows"),
        (job("run: x", "runs-on: [self-hosted, linux, arm64]"), "another kind of processor"),
        (job("run: x", "runs-on: linux-gpu-t4"), "a machine with a GPU"),
        (job("run: x", "runs-on: {group: g, labels: [macos-14-large]}"), "macos-14-large"),
        (job("run: x", "runs-on: ubuntu-24.04-arm"), "arm"),
        (job("run: x", "services: ${{ fromJSON(needs.a.outputs.b) }}"), "computes its services"),
        (job("uses: ruby/setup-ruby@v1\nrun: rake"), "setup-ruby"),
        (job("uses: docker://alpine\nrun: x"), "container action"),
        (job("uses: aws-actions/configure-aws-credentials@v4\nrun: x"), "must not reach"),
        (job("run: docker compose up -d\nrun: pytest"), "Docker"),
        (job("{shell: pwsh, run: x}"), "pwsh"),
        ("on: push\njobs: {a: {uses: ./.github/workflows/b.yml}}", "says how it is tested"),
        ("jobs: [", "not valid YAML"),
    ],
)
def test_what_cannot_run_here_is_refused_before_anything_is_spent(text: str, words: str) -> None:
    """A stated outcome with a sentence."""
    with pytest.raises(Stop, match=words) as stopped:
        make(text, {"README": ""})
    assert stopped.value.outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("container", "image", "words"),
    [
        ("container: python:3.12-slim", "python:3.12-slim", ""),
        ("container: node", "node:latest", ""),
        ("container: {image: ghcr.io/a/b@sha256:1, env: {A: b}}", "ghcr.io/a/b@sha256:1", ""),
        ("strategy: {matrix: {v: ['3.9']}}\n    container: 'python:${{ matrix.v }}'", "python:3.9", ""),
        ("container: {image: a/b, options: --privileged}", "a/b", "left out: --privileged"),
        ("container: {image: a/b, credentials: {username: u, password: p}}", "python", "needs credentials"),
        ("container: ${{ needs.build.outputs.image }}", "python", "known to GitHub only"),
        ("container: ${{ '' }}", "python", ""),
    ],
)
def test_the_jobs_container_is_the_image(container: str, image: str, words: str) -> None:
    """By its full name, so that it is never taken for a language of ours; what cannot be honoured is noted."""
    found = make(job("run: pytest", f"runs-on: ubuntu-latest\n    {container}"))
    assert found.image == image
    assert words in "\n".join(found.notes)
    assert found.env.get("A", "") == ("b" if "env:" in container else "")


@pytest.mark.parametrize(
    ("named", "own"),
    [("docker.io/library/python:3.12", "python"), ("ghcr.io/a/app@sha256:1", "debian"), ("a/pypy", "python")],
)
def test_an_image_that_cannot_be_had_has_a_stand_in(named: str, own: str) -> None:
    """The nearest of our own, with a note that says why, and without a claim to be the same."""
    found = recipe.in_own_image(Plan(named, (), Step("t", "pytest"), fidelity=Fidelity.EXACT), "no such manifest")
    assert (found.image, found.fidelity) == (own, Fidelity.APPROXIMATE)
    assert named in found.notes[-1]
    assert "no such manifest" in found.notes[-1]


def test_a_log_without_its_beginning_is_not_taken_for_the_whole_job() -> None:
    """Of a long log only the end is kept: then the file says what came before, the set-up is never lost."""
    log = "##[group]Run pytest\n\x1b[36;1mpytest\x1b[0m\n##[endgroup]\n##[error]Process completed with exit code 1."
    found = make(job("run: pip install -r requirements.txt\nrun: pytest"), log=log)
    assert [step.script for step in found.setup] == ["pip install -r requirements.txt"]
    assert "without a log" in found.notes[0]


def test_a_job_that_is_not_in_the_file_is_told_with_those_that_are() -> None:
    """A mistyped job name is answered with the names there are."""
    with pytest.raises(Stop, match="no job named 'tets', only: test"):
        make(job("run: pytest"), name="tets")


def test_a_refused_action_after_the_failing_step_only_weakens_the_proof() -> None:
    """What comes later does not stop the reproduction."""
    found = make(job("run: pytest\nuses: docker/build-push-action@v6"))
    assert found.skipped[-1].weakens_proof


@pytest.mark.parametrize(
    ("files", "check"),
    [
        (PYTHON, "python -m pytest"),
        ({"test_a.py": "import unittest\n"}, "python -m unittest discover -v"),
        ({"tox.ini": "[tox]\n"}, "tox run -e py"),
        ({"pyproject.toml": "[tool.tox]\nenv_list = []\n"}, "tox run -e py"),
        ({"pyproject.toml": "[tool.poe.tasks]\ntest = 'x'\n"}, "poe test"),
        ({"pyproject.toml": "[tool.taskipy.tasks]\nlint = 'x'\n"}, "task lint"),
        ({"pyproject.toml": "[tool.hatch.envs.default.scripts]\ntest = 'x'\n"}, "hatch run test"),
        ({"pyproject.toml": "[tool.pdm.scripts]\ntest = 'x'\n"}, "pdm run test"),
        ({"pyproject.toml": "[tool.mypy]\nstrict = true\n"}, "mypy ."),
        ({"GNUmakefile": "check: all\ntests: all\n"}, "make tests"),
        ({"noxfile.py": ""}, "nox"),
        ({"Makefile": "lint:\n\tx\n"}, "make lint"),
        ({".pre-commit-config.yaml": ""}, "pre-commit run --all-files"),
        ({"ruff.toml": ""}, "ruff check ."),
        ({"package.json": '{"scripts": {"test": "x"}}'}, "npm test"),
        ({"package.json": '{"scripts": {"test": "x"}, "packageManager": "pnpm@9.1.0"}'}, "pnpm test"),
        (
            {"package.json": '{"scripts": {"test": "echo no test specified", "lint": "x"}}', "yarn.lock": ""},
            "yarn run lint",
        ),
        ({"package.json": '{"scripts": {"build": "x"}}'}, "npm run build"),
        ({"go.mod": ""}, "go test ./..."),
        ({"Cargo.toml": "", "Cargo.lock": ""}, "cargo test --locked"),
        ({"pom.xml": "", "mvnw": ""}, "./mvnw -B test"),
        ({"build.gradle": "", "gradlew": ""}, "./gradlew test"),
    ],
)
def test_a_guess_is_made_from_the_files_and_says_so(files: dict[str, str], check: str) -> None:
    """Without log and workflow the repository's files decide; the fidelity is approximate."""
    found = make(files=files)
    assert (found.check.script, found.fidelity) == (check, Fidelity.APPROXIMATE)
    assert "guessed from" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("files", "after"),
    [
        ({"package.json": '{"scripts": {"test": "a", "lint": "b", "typecheck": "c", "start": "d"}}'},
         ["npm run lint", "npm run typecheck"]),
        ({"go.mod": ""}, ["go vet ./..."]),
        ({"Cargo.toml": "", "rustfmt.toml": "", "clippy.toml": ""},
         ["cargo fmt --check", "cargo clippy -- -D warnings"]),
        ({"ruff.toml": "", "mypy.ini": ""}, ["mypy ."]),
    ],
)  # fmt: skip
def test_a_guess_tries_the_other_checks_of_the_same_file(files: dict[str, str], after: list[str]) -> None:
    """While the first is green: a job that only lints is found as well."""
    found = make(files=files)
    assert (found.guessed, [step.script for step in found.after]) == (True, after)


@pytest.mark.parametrize(
    ("files", "install"),
    [
        ({"uv.lock": ""}, "python -m pip install uv"),
        ({"poetry.lock": ""}, "python -m pip install poetry"),
        ({"Pipfile.lock": ""}, "python -m pip install pipenv"),
        ({"pyproject.toml": '[project]\nname = "a"\n[dependency-groups]\ndev = ["pytest"]\n'},
         "python -m pip install -e ."),
    ],
)  # fmt: skip
def test_a_guess_installs_by_the_lock_file_there_is(files: dict[str, str], install: str) -> None:
    """The project's own manager, into the environment that the tests run in."""
    found = make(files={"tests/test_a.py": "import pytest\n", **files})
    assert install in [step.script.split("\n")[0] for step in found.setup]


@pytest.mark.parametrize(
    "files",
    [{}, {"README": "x"}, {"package.json": "{"}],
)
def test_nothing_to_go_by_is_a_stated_outcome(files: dict[str, str]) -> None:
    """An empty repository and a language without an image end in a sentence."""
    with pytest.raises(Stop) as stopped:
        make(files=files)
    assert stopped.value.outcome is Outcome.UNSUPPORTED


def test_pytest_comes_from_somewhere() -> None:
    """A check that calls pytest where no step installs it gets today's, and says so."""
    found = make(job("run: pytest"), {"tests/test_a.py": ""})
    assert found.setup[-1].script == "python -m pip install pytest"
    assert any("installs pytest" in note for note in found.notes)


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=20))
def test_any_log_and_workflow_end_in_a_plan_or_a_stated_outcome(log: str, workflow: str, name: str) -> None:
    """Bad input never makes the planner fail."""
    outcome = Outcome.UNSUPPORTED
    try:
        make(workflow, log=log, name=name)
    except Stop as stop:
        outcome = stop.outcome
    assert outcome is Outcome.UNSUPPORTED


def test_every_fork_is_a_trust_domain_of_its_own() -> None:
    """Set-ups of one trust domain write what the next one reads: the base shares with itself, forks with nobody."""
    assert make(pull_request=1).trust == make(pull_request=2).trust == "7:base"
    assert make(fork=True, pull_request=1).trust == "7:fork:1"
    assert make(fork=True).trust == f"7:fork:{SHA}"
