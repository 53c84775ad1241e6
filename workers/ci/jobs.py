"""One job of another CI system in our words: its steps as they would run here, and what is left out of them.

What all systems have in common is known here: images and the languages they stand for, cache folders, reporters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.spec import Skipped, Step
from workers import scripts
from workers.services import Written

BASH = "bash -eo pipefail {0}"
SH = "sh -e {0}"
_REPORTERS = re.compile(
    r"\b(codecov|coveralls|cc-test-reporter|codacy-coverage|sonar-scanner|deepsource)\b|codecov\.io/bash"
)
_CACHES = frozenset(
    ("PIP_CACHE_DIR", "UV_CACHE_DIR", "npm_config_cache", "NPM_CONFIG_CACHE", "YARN_CACHE_FOLDER", "GOCACHE", "GOPATH",
     "GOMODCACHE", "CARGO_HOME", "PRE_COMMIT_HOME", "GRADLE_USER_HOME", "POETRY_CACHE_DIR", "PIPENV_CACHE_DIR",
     "MAVEN_OPTS")
)  # fmt: skip
"""Variables that say where packages are kept between jobs: the sandbox has places of its own."""
_LANGUAGES = (
    ("python", re.compile(r"python|pypy|tox\b|poetry")),
    ("java", re.compile(r"java|jdk|maven|gradle|temurin|corretto")),
    ("node", re.compile(r"node|playwright|cypress|\bbun\b")),
    ("rust", re.compile(r"rust|cargo")),
    ("go", re.compile(r"golang|cimg/go\b|(^|/)go:")),
)
_ELSEWHERE = re.compile(
    r"windows|macos|mac-os|\bosx\b|xcode|\barm\b|arm64|\.arm\.|\bgpu\b|s390x|ppc64le", re.IGNORECASE
)
_DOCKER = re.compile(r"(^|/)docker(:|$)|\bdind\b")


@dataclass(frozen=True)
class CiJob:
    """A job that can be planned, or why it cannot: `refused` is the end of the sentence "The job ... ".

    `before` are the steps that only prepare, by the config's own word; `steps` are the others in their order.
    `image` is a full reference, empty where the job names none that could be asked for. `versions` are those of the
    languages, as the job writes them. `optional` jobs may fail or are started by hand, so nobody is told of them.
    """

    name: str
    before: tuple[Step, ...] = ()
    steps: tuple[Step, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    languages: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    services: tuple[Written, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str = ""
    optional: bool = False

    @property
    def checks(self) -> bool:
        """It can be run here and does more than install."""
        return not self.refused and any(not scripts.only_installs(step.script) for step in self.steps)


def elsewhere(*labels: str) -> str:
    """Why a job with these labels of machines cannot run here; empty when it can."""
    found = next((label for label in labels if _ELSEWHERE.search(label)), "")
    return f"runs on {found}; the sandbox runs Linux on x86-64 only" if found else ""


def needs_docker(services: Iterable[str]) -> str:
    """Why a job with these services cannot run here; empty when it can."""
    return "needs Docker inside the job" if any(map(_DOCKER.search, services)) else ""


def reference(image: str) -> str:
    """An image as a full reference, so that it is never taken for a language of ours; empty for a name with holes."""
    name = image.strip()
    if not name or re.search(r"[\s$<>{}]", name):
        return ""
    return name if re.search(r"[/:@]", name) else f"{name}:latest"


def language_of(image: str) -> tuple[str, ...]:
    """The language an image is made for, by its name; may be none."""
    return next(((language,) for language, pattern in _LANGUAGES if pattern.search(image)), ())


def without_caches(env: Mapping[str, str]) -> dict[str, str]:
    """Variables without those that only say where packages are kept between jobs."""
    return {name: value for name, value in env.items() if name not in _CACHES}


def shell_of(image: str) -> str:
    """Small images have no bash."""
    return SH if "alpine" in image or "busybox" in image else BASH


def told_apart(commands: Sequence[str]) -> tuple[tuple[str, ...], tuple[Skipped, ...]]:
    """The commands without those that hand a report to a service, and these."""
    reports = [command for command in commands if _REPORTERS.search(command) and not scripts.installs(command)]
    skipped = tuple(Skipped(first_line(command), "it only reports", weakens_proof=False) for command in reports)
    return tuple(command for command in commands if command not in reports), skipped


def phases(
    name: str, before: Sequence[str], script: Sequence[str], shell: str, workdir: str = "."
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Commands of one shell as two steps: what prepares, and the rest. `cd`, `export` and the like stand in both.

    `before` prepares by the config's own word; of `script` the first commands do that only install.
    """
    leading = 0
    while leading < len(script) and (scripts.only_installs(script[leading]) or scripts.only_prepares(script[leading])):
        leading += 1
    if leading == len(script):
        leading = 0
    head, rest = [*before, *script[:leading]], script[leading:]
    kept = [command for command in head if scripts.only_prepares(command)]
    prepared = Step(f"{name} (before)", "\n".join(head), shell, workdir=workdir)
    check = Step(name, "\n".join([*kept, *rest]), shell, workdir=workdir)
    return ((prepared,) if len(kept) < len(head) else ()), ((check,) if rest else ())


def first_line(command: str) -> str:
    """What a command is shown by."""
    return command.strip().split("\n")[0][:120]
