"""The well-known actions and what takes their place in the sandbox. Actions themselves are never executed here.

Adding one is one row. `PYTHON` is the version the sandbox's image has; another one asked for lowers the fidelity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PYTHON = "3.11"


class Effect(StrEnum):
    """What an action means for the sandbox."""

    TREE = "tree"  # gives the files: we have them
    PYTHON = "python"  # gives the language the image has
    HARMLESS = "harmless"  # reports or caches: leaving it out changes nothing
    RUNS = "runs"  # stands for commands we know
    REFUSED = "refused"  # cannot work here
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Action:
    """A row: `install` goes before, `run` is the command; `why` is told to people."""

    effect: Effect
    why: str = ""
    install: str = ""
    run: str = ""


_CACHE = Action(Effect.HARMLESS, "a cache only saves time")
_UPLOAD = Action(Effect.HARMLESS, "it only hands files on")
_REPORTS = Action(Effect.HARMLESS, "it only reports")
_NODE = Action(Effect.REFUSED, "the sandbox has no image for this language yet")
_CLOUD = Action(Effect.REFUSED, "it logs in to a service that the sandbox must not reach")
_DOCKER = Action(Effect.REFUSED, "it needs Docker inside the job")

_TABLE: Mapping[str, Action] = {
    "actions/checkout": Action(Effect.TREE),
    "actions/setup-python": Action(Effect.PYTHON),
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
    "actions/setup-node": _NODE,
    "actions/setup-go": _NODE,
    "actions/setup-java": _NODE,
    "actions/setup-dotnet": _NODE,
    "ruby/setup-ruby": _NODE,
    "shivammathur/setup-php": _NODE,
    "dtolnay/rust-toolchain": _NODE,
    "actions-rs/toolchain": _NODE,
    "pnpm/action-setup": _NODE,
    "oven-sh/setup-bun": _NODE,
    "denoland/setup-deno": _NODE,
    "golangci/golangci-lint-action": _NODE,
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
    if name in _OPTIONS:
        key, command, default = _OPTIONS[name]
        return Action(known.effect, known.why, known.install, f"{command} {inputs.get(key) or default}")
    return known


def python_note(inputs: Mapping[str, str]) -> str:
    """What to say when the job asks for another Python than the sandbox has; empty when it is the same."""
    asked = inputs.get("python-version", "").strip()
    if not asked or asked in ("3", "3.x") or asked == PYTHON or asked.startswith(f"{PYTHON}."):
        return ""
    return f"CI used Python {asked}, the sandbox has {PYTHON}"
