"""What well-known actions mean for the sandbox: the kinds, the inputs that change a command, what weakens a proof."""

from __future__ import annotations

import re
import shlex
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.recipe.test_plans import PYTHON, job, make
from workers.actions import Action, Effect, beside, commands, languages, look_up, special
from workers.actions.row import filled
from workers.errors import Stop

TABLES = (languages.ROWS, commands.ROWS, beside.ROWS, special.FUNCTIONS)
NAMES = sorted(name for table in TABLES for name in table)


@pytest.mark.parametrize(
    ("uses", "effect", "said"),
    [
        ("actions/checkout@v4", Effect.TREE, ""),
        ("actions/setup-go@v5", Effect.LANGUAGE, ""),
        ("Actions/Setup-Node@main", Effect.LANGUAGE, ""),  # GitHub does not look at the case either
        ("swatinem/rust-cache@v2", Effect.HARMLESS, "saves time"),
        ("codecov/codecov-action@v5", Effect.HARMLESS, "reports"),
        ("softprops/action-gh-release@v2", Effect.HARMLESS, "publishes"),
        ("dorny/paths-filter@v3", Effect.HARMLESS, "outputs"),
        ("re-actors/alls-green@v1", Effect.HARMLESS, "other jobs"),
        ("actions/download-artifact@v4", Effect.LEFT_OUT, "made by another job"),
        ("actions/github-script@v7", Effect.LEFT_OUT, "GitHub's own interface"),
        ("reviewdog/action-eslint@v1", Effect.LEFT_OUT, "reviews"),
        ("golang/govulncheck-action@v1", Effect.LEFT_OUT, "must not reach"),
        ("docker/build-push-action@v6", Effect.REFUSED, "Docker"),
        ("aws-actions/configure-aws-credentials@v4", Effect.REFUSED, "logs in"),
        ("prefix-dev/setup-pixi@v0.8", Effect.REFUSED, "Conda"),
        ("shivammathur/setup-php@v2", Effect.REFUSED, "PHP"),
        ("vmactions/freebsd-vm@v1", Effect.REFUSED, "virtual machine"),
        ("docker://alpine:3", Effect.REFUSED, "container action"),
        ("someone/setup-python@v1", Effect.LEFT_OUT, "by its name it gives Python"),
        ("someone/setup-ruby@v1", Effect.REFUSED, "Ruby"),
        ("someone/magic@v1", Effect.UNKNOWN, "does not know"),
        ("", Effect.UNKNOWN, "does not know"),
    ],
)
def test_every_kind_of_action_has_its_meaning_and_says_why(uses: str, effect: Effect, said: str) -> None:
    """One row of each kind, actions known by their owner or name alone, and unknown ones."""
    found = look_up(uses, {})
    assert found.effect is effect
    assert said in found.why
    assert found.weakens_proof is (effect in (Effect.LEFT_OUT, Effect.REFUSED, Effect.UNKNOWN))


@pytest.mark.parametrize(
    ("uses", "inputs", "install", "run"),
    [
        ("astral-sh/setup-uv@v6", {}, "python -m pip install uv", ""),
        ("astral-sh/setup-uv@v6", {"version": "latest"}, "python -m pip install uv", ""),
        ("astral-sh/setup-uv@v6", {"version": "0.5.x"}, "python -m pip install uv'==0.5.*'", ""),
        ("astral-sh/setup-uv@v6", {"version": ">=0.4"}, "python -m pip install uv'>=0.4'", ""),
        ("snok/install-poetry@v1", {"version": "1.8.3"}, "python -m pip install poetry==1.8.3", ""),
        ("pnpm/action-setup@v4", {}, "corepack install", ""),
        ("pnpm/action-setup@v4", {"version": "9"}, "npm install --global pnpm@9", ""),
        ("pnpm/action-setup@v4", {"version": "latest", "run_install": "true"},
         "npm install --global pnpm\npnpm install", ""),
        ("pnpm/action-setup@v4", {"run_install": "null"}, "corepack install", ""),  # as logs print it
        ("psf/black@stable", {}, "python -m pip install black", "black --check --diff ."),
        ("psf/black@stable", {"options": "--check\n--verbose", "src": "src tests", "version": "24.1"},
         "python -m pip install black==24.1", "black --check --verbose src tests"),
        ("astral-sh/ruff-action@v3", {"src": "/home/runner/work/shop/shop", "args": "format --check"},
         "python -m pip install ruff", "ruff format --check ."),
        ("isort/isort-action@v1", {"sortPaths": ".", "sort-paths": "src"},
         "python -m pip install isort", "isort --check-only --diff src"),
        ("py-actions/flake8@v2", {"ignore": "none", "max-line-length": "100"},
         "python -m pip install flake8", "flake8 --max-line-length=100 ."),
        ("j178/prek-action@v1", {"install-only": "true"}, "python -m pip install prek\nprek install-hooks", ""),
        ("actions-rs/cargo@v1", {"command": "test", "args": "--all"}, "", "cargo test --all"),
        ("actions-rs/cargo@v1", {"toolchain": "nightly", "command": "fmt"}, "", "cargo +nightly fmt"),
        ("nick-fields/retry@v3", {"command": "make\nmake test"}, "", "make\nmake test"),
        ("borales/actions-yarn@v5", {"cmd": "lint --fix", "dir": "web app"}, "", "cd 'web app'\nyarn lint --fix"),
        ("bahmutov/npm-install@v1", {"install-command": "pnpm i"}, "pnpm i", ""),
        ("streetsidesoftware/cspell-action@v6", {"files": "**/*.md\nsrc/**"},
         "npm install --global cspell", "cspell lint --no-progress '**/*.md' 'src/**'"),
        ("golangci/golangci-lint-action@v8", {"args": "--timeout=5m", "working-directory": "sub"},
         "cd sub\ngo install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@latest",
         "cd sub\ngolangci-lint run --timeout=5m"),
        ("golangci/golangci-lint-action@v6", {},
         "go install github.com/golangci/golangci-lint/cmd/golangci-lint@latest", "golangci-lint run"),
        ("golangci/golangci-lint-action@v8", {"version": "1.60"},
         "go install github.com/golangci/golangci-lint/cmd/golangci-lint@v1.60", "golangci-lint run"),
        ("taiki-e/install-action@nextest", {}, "cargo install --locked cargo-nextest", ""),
        ("taiki-e/install-action@v2", {"tool": "just@1.5, shellcheck"},
         "cargo install --locked just@1.5\napt-get update\napt-get install -y --no-install-recommends shellcheck", ""),
        ("awalsh128/cache-apt-pkgs-action@v1", {"packages": "libxml2-dev jq"},
         "apt-get update\napt-get install -y --no-install-recommends libxml2-dev jq", ""),
        ("gradle/actions/setup-gradle@v3", {"arguments": "build -x lint", "build-root-directory": "app"},
         "", "cd app\n./gradlew build -x lint"),
    ],
)  # fmt: skip
def test_inputs_change_the_command(uses: str, inputs: dict[str, str], install: str, run: str) -> None:
    """Versions, arguments, folders and switches stand where the action would put them."""
    found = look_up(uses, inputs)
    assert (found.effect, found.install, found.run) == (Effect.RUNS, install, run)


@pytest.mark.parametrize(
    ("uses", "inputs", "effect", "said"),
    [
        ("gradle/actions/setup-gradle@v4", {}, Effect.LANGUAGE, ""),  # without arguments it only brings Gradle
        ("nick-fields/retry@v3", {}, Effect.LEFT_OUT, "no command"),
        ("nick-fields/retry@v3", {"command": "make ${{ needs.a.outputs.b }}"}, Effect.LEFT_OUT, "known to GitHub only"),
        ("taiki-e/install-action@v2", {"tool": "just,parse-changelog"}, Effect.LEFT_OUT, "parse-changelog"),
        ("taiki-e/install-action@v2", {}, Effect.LEFT_OUT, "its tool"),
        ("dtolnay/rust-toolchain@stable", {"components": "clippy, rustfmt"}, Effect.LANGUAGE, ""),
        ("dtolnay/rust-toolchain@nightly", {"components": "miri"}, Effect.LEFT_OUT, "nightly Rust, miri"),
        ("actions-rs/toolchain@v1", {"target": "wasm32-wasi"}, Effect.LEFT_OUT, "the target wasm32-wasi"),
        ("dtolnay/rust-toolchain@stable", {"targets": "x86_64-unknown-linux-gnu"}, Effect.LANGUAGE, ""),
    ],
)
def test_inputs_change_what_an_action_means(uses: str, inputs: dict[str, str], effect: Effect, said: str) -> None:
    """What is asked for and not here is said; a command that nobody knows is not run half."""
    found = look_up(uses, inputs)
    assert (found.effect, found.install, found.run) == (effect, "", "")
    assert said in found.why


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"fetch-depth": "0", "submodules": "false", "lfs": "false"}, ""),
        ({"submodules": "recursive"}, "submodules"),
        ({"lfs": "true"}, "LFS"),
    ],
)
def test_a_checkout_is_the_tree_without_what_lies_elsewhere(inputs: dict[str, str], said: str) -> None:
    """Submodules and large files are not in the commit's tree."""
    found = look_up("actions/checkout@v4", inputs)
    assert (found.effect, found.weakens_proof) == (Effect.TREE, bool(said))
    assert said in found.why


def test_a_recipe_says_what_its_actions_leave_out() -> None:
    """What is missing weakens the proof; what only reports does not."""
    found = make(
        job("uses: actions/checkout@v4\nuses: actions/download-artifact@v4\nuses: actions/cache@v4\nrun: pytest")
    )
    assert [(one.step, one.weakens_proof) for one in found.skipped] == [
        ("Run actions/download-artifact@v4", True),
        ("Run actions/cache@v4", False),
    ]


def test_no_action_stands_in_two_tables() -> None:
    """A name has one meaning, and is written as it is looked up: small letters, owner and name."""
    assert [name for name, times in Counter(NAMES).items() if times > 1] == []
    assert [name for name in NAMES if not re.fullmatch(r"[a-z0-9_.-]+(/[a-z0-9_.-]+)+", name)] == []


@pytest.mark.parametrize("name", sorted(name for name, row in commands.ROWS.items() if row.effect is Effect.RUNS))
def test_every_template_is_filled(name: str) -> None:
    """No hole is left open, with no input and with every input of the row, and the shell can read what comes out."""
    row = commands.ROWS[name]
    holes = re.findall(r"([\w-]+(?:,[\w-]+)*)(?:\.\.\.|\*|!)?(?:\|[^{}]*)?\}", row.install + row.run)
    inputs = {each: "value" for names in holes for each in names.split(",")}
    for given_inputs in ({}, inputs):
        found = look_up(f"{name}@v1", given_inputs)
        text = f"{found.install}\n{found.run}"
        assert not re.search(r"\{[^}]*[?|:]", text), text
        for line in text.split("\n"):
            shlex.split(line)


@given(st.dictionaries(st.sampled_from(["version", "args", "src", "options", "command", "path"]), st.text(max_size=80)))
def test_no_input_of_an_action_breaks_anything(inputs: dict[str, str]) -> None:
    """Inputs are strangers' text; a version or a path stays one word whatever is in it."""
    for name in ("psf/black", "golangci/golangci-lint-action", "actions/checkout", "taiki-e/install-action"):
        look_up(f"{name}@v1", inputs)
    value = inputs.get("path", "").strip()
    row = filled(Action(Effect.RUNS, run="tool {path|.}"), inputs)
    if row.effect is Effect.RUNS and value.lower() not in ("", "false", "none", "null") and "/home/runner" not in value:
        assert shlex.split(row.run) == ["tool", value]


def test_a_job_of_another_repositorys_workflow_is_refused_not_guessed() -> None:
    """Where the workflow file is known, a guess from the repository's files would be the recipe of something else."""
    text = "on: push\njobs: {lint: {uses: o/shared/.github/workflows/lint.yml@main}}"
    with pytest.raises(Stop, match="a workflow of another repository"):
        make(None, {**PYTHON, ".github/workflows/ci.yml": text}, name="lint", workflow_path=".github/workflows/ci.yml")
