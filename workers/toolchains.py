"""Which languages a job needs, in which of the sandbox's images it runs, and how that differs from what CI used.

A job may use several. Every image of a language has Python as well; the others are added to it by a set-up step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from sandbox.languages import BY_KEY
from sandbox.spec import Step
from workers.scripts import commands, words

_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "java": ("mvn", "mvnw", "gradle", "gradlew", "java", "javac"),
    "rust": ("cargo", "rustc", "rustup"),
    "go": ("go", "gofmt", "golangci-lint"),
    "node": ("node", "npm", "npx", "pnpm", "yarn", "corepack"),
    "python": ("python", "python3", "pip", "pip3", "pytest", "tox", "nox", "uv", "poetry", "ruff", "mypy"),
}
"""By the names of their commands, the dearest to add to another image first: it gives the image of the job."""
_MANIFESTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("python", ("pyproject.toml", "setup.py", "requirements.txt", "tox.ini")),
    ("java", ("pom.xml", "gradlew")),
    ("rust", ("Cargo.toml",)),
    ("go", ("go.mod",)),
    ("node", ("package.json",)),
)
_INPUTS: Mapping[str, str] = {
    "python": "python-version",
    "node": "node-version",
    "go": "go-version",
    "java": "java-version",
    "rust": "toolchain",
}
_ANY = frozenset({"", "*", "3", "3.x", "latest", "current", "node", "lts", "lts/*", "lts/-0", "stable"})
_RANGE = re.compile(r"^[\^~=v\s]*|(\.[x*])+$", re.IGNORECASE)


def needed(declared: Iterable[str], steps: Iterable[Step]) -> tuple[str, ...]:
    """The languages that set-up actions gave the job or that its commands belong to; the first gives the image."""
    called = {words(command)[0].rsplit("/", 1)[-1] for step in steps for command in commands(step.script)
              if words(command)}  # fmt: skip
    wanted = set(declared)
    return tuple(key for key, names in _COMMANDS.items() if key in wanted or called & set(names))


def of_files(paths: Iterable[str]) -> tuple[str, ...]:
    """The language of a repository whose job does not show one ("make test"), by the files at its root; may be none."""
    there = set(paths)
    return next(((key,) for key, names in _MANIFESTS if there & set(names)), ())


def additions(languages: Sequence[str], image: str) -> tuple[list[Step], list[str]]:
    """Set-up steps that bring the languages which the image lacks, and what to say about it."""
    missing = [BY_KEY[key] for key in languages if key not in (image, "python")] if image in BY_KEY else []
    steps = [Step(f"{language.title} {language.version}", language.added) for language in missing]
    notes = [f"the job uses {language.title} too: {language.version} is added to the {image} image"
             for language in missing]  # fmt: skip
    return steps, notes


def version_note(key: str, uses: str, inputs: Mapping[str, str]) -> str:
    """What to say when the job asks for another version than the sandbox has; empty when it is the same."""
    language = BY_KEY[key]
    asked = inputs.get(_INPUTS[key], "").strip()
    if key == "rust" and not asked:
        asked = uses.partition("@")[2]
        asked = asked if re.match(r"^(\d+\.\d+|nightly|beta)", asked) and uses.startswith("dtolnay/") else ""
    if asked.lower() in _ANY or _same(_RANGE.sub("", asked), language.version):
        return ""
    return f"CI used {language.title} {' '.join(asked.split())}, the sandbox has {language.version}"


def _same(asked: str, ours: str) -> bool:
    return asked == ours or asked.startswith(f"{ours}.") or ours.startswith(f"{asked}.")
