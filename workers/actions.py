"""The well-known actions and what takes their place in the sandbox. Actions themselves are never executed here.

Adding one is one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from shlex import quote


class Effect(StrEnum):
    """What an action means for the sandbox."""

    TREE = "tree"  # gives the files: we have them
    LANGUAGE = "language"  # gives a language the sandbox has an image for
    HARMLESS = "harmless"  # reports or caches: leaving it out changes nothing
    RUNS = "runs"  # stands for commands we know
    REFUSED = "refused"  # cannot work here
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Action:
    """A row: `install` goes before, `run` is the command; `why` is told to people; `language` is what it needs."""

    effect: Effect
    why: str = ""
    install: str = ""
    run: str = ""
    language: str = ""


_CACHE = Action(Effect.HARMLESS, "a cache only saves time")
_UPLOAD = Action(Effect.HARMLESS, "it only hands files on")
_REPORTS = Action(Effect.HARMLESS, "it only reports")
_RUST = Action(Effect.LANGUAGE, language="rust")
_JAVA = Action(Effect.LANGUAGE, language="java")
_NO_IMAGE = Action(Effect.REFUSED, "the sandbox has no image for this language yet")
_CLOUD = Action(Effect.REFUSED, "it logs in to a service that the sandbox must not reach")
_DOCKER = Action(Effect.REFUSED, "it needs Docker inside the job")

_TABLE: Mapping[str, Action] = {
    "actions/checkout": Action(Effect.TREE),
    "actions/setup-python": Action(Effect.LANGUAGE, language="python"),
    "actions/setup-node": Action(Effect.LANGUAGE, language="node"),
    "actions/setup-go": Action(Effect.LANGUAGE, language="go"),
    "actions/setup-java": _JAVA,
    "gradle/actions/setup-gradle": _JAVA,
    "gradle/actions/wrapper-validation": Action(Effect.HARMLESS, "it only looks at the wrapper"),
    "gradle/gradle-build-action": _JAVA,
    "dtolnay/rust-toolchain": _RUST,
    "actions-rs/toolchain": _RUST,
    "actions-rust-lang/setup-rust-toolchain": _RUST,
    "moonrepo/setup-rust": _RUST,
    "actions/cache": _CACHE,
    "actions/cache/restore": _CACHE,
    "actions/cache/save": _CACHE,
    "swatinem/rust-cache": _CACHE,
    "actions/upload-artifact": _UPLOAD,
    "codecov/codecov-action": _REPORTS,
    "codecov/test-results-action": _REPORTS,
    "coverallsapp/github-action": _REPORTS,
    "dorny/test-reporter": _REPORTS,
    "enricomi/publish-unit-test-result-action": _REPORTS,
    "mikepenz/action-junit-report": _REPORTS,
    "actions/labeler": _REPORTS,
    "step-security/harden-runner": _REPORTS,
    "astral-sh/setup-uv": Action(Effect.RUNS, install="python -m pip install uv"),
    "snok/install-poetry": Action(Effect.RUNS, install="python -m pip install poetry"),
    "abatilo/actions-poetry": Action(Effect.RUNS, install="python -m pip install poetry"),
    "pdm-project/setup-pdm": Action(Effect.RUNS, install="python -m pip install pdm"),
    "wntrblm/nox": Action(Effect.RUNS, install="python -m pip install nox"),
    "pre-commit/action": Action(
        Effect.RUNS,
        install="python -m pip install pre-commit\npre-commit install-hooks",
        run="pre-commit run --show-diff-on-failure --color=always --all-files",
    ),
    "psf/black": Action(Effect.RUNS, install="python -m pip install black", run="black --check --diff ."),
    "astral-sh/ruff-action": Action(Effect.RUNS, install="python -m pip install ruff", run="ruff check"),
    "chartboost/ruff-action": Action(Effect.RUNS, install="python -m pip install ruff", run="ruff check"),
    "isort/isort-action": Action(Effect.RUNS, install="python -m pip install isort", run="isort --check-only --diff ."),
    "pnpm/action-setup": Action(Effect.RUNS, install="corepack install", language="node"),
    "oven-sh/setup-bun": Action(Effect.RUNS, install="npm install --global bun", language="node"),
    "denoland/setup-deno": Action(Effect.RUNS, install="npm install --global deno", language="node"),
    "actions-rs/cargo": Action(Effect.RUNS, run="cargo build", language="rust"),
    "golangci/golangci-lint-action": Action(
        Effect.RUNS,
        install="go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@latest",
        run="golangci-lint run",
        language="go",
    ),
    "actions/setup-dotnet": _NO_IMAGE,
    "ruby/setup-ruby": _NO_IMAGE,
    "shivammathur/setup-php": _NO_IMAGE,
    "aws-actions/configure-aws-credentials": _CLOUD,
    "google-github-actions/auth": _CLOUD,
    "azure/login": _CLOUD,
    "pypa/cibuildwheel": _DOCKER,
}
_OPTIONS: Mapping[str, tuple[str, str, str]] = {
    # action -> (input, command, default arguments)
    "psf/black": ("options", "black", "--check --diff ."),
    "astral-sh/ruff-action": ("args", "ruff", "check"),
    "chartboost/ruff-action": ("args", "ruff", "check"),
    "golangci/golangci-lint-action": ("args", "golangci-lint run", ""),
    "actions-rs/cargo": ("args", "cargo {command}", ""),
    "pre-commit/action": ("extra_args", "pre-commit run --show-diff-on-failure --color=always", "--all-files"),
}


def look_up(uses: str, inputs: Mapping[str, str]) -> Action:
    """What the action means here, given its `with:` inputs."""
    if uses.startswith("docker://"):
        return Action(Effect.REFUSED, "it is a container action")
    name = uses.split("@", 1)[0].lower()
    if name.startswith("docker/"):
        return _DOCKER
    known = _TABLE.get(name)
    if known is None:
        return Action(Effect.UNKNOWN, "the sandbox does not know this action")
    if name == "pnpm/action-setup" and inputs.get("version"):
        known = replace(known, install=f"npm install --global pnpm@{quote(inputs['version'])}")
    if name in _OPTIONS:
        key, command, default = _OPTIONS[name]
        command = command.replace("{command}", quote(inputs.get("command", "build")))
        return replace(known, run=f"{command} {inputs.get(key) or default}".strip())
    return known
