"""Nothing is installed that a name alone decides: hashes for Python, signatures for Debian, versions for the rest."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.images import rootfs
from sandbox.images.build import _dockerfile
from sandbox.images.sources import Sources
from sandbox.languages import ALL

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
IMAGES = sorted(file for file in (ROOT / "sandbox" / "images").iterdir() if file.is_file())
SCRIPTS = {file.name: file.read_text() for file in (ROOT / "Dockerfile", ROOT / "deploy" / "bootstrap", *IMAGES)}

_INSTALLS = re.compile(
    r"\bpip3?\b[^\n;&|]* install\b[^\n]*(?:\\\n[^\n]*)*|\buv (?:sync|pip|tool|run)\b[^\n]*(?:\\\n[^\n]*)*"
    r"|\b(?:npm|yarn|pnpm|gem|cargo|go) (?:install|add|i|ci)\b[^\n]*"
    r"|\b(?:curl|wget)\b[^\n]*https?:[^\n]*|\b(?:npx|pipx|add-apt-repository)\b[^\n]*"
)
_BY_HASH = re.compile(r"--require-hashes|\buv sync --locked")
_TRUSTING = re.compile(
    r"--allow-unauthenticated|trusted=yes|--no-check-gpg|--trusted-host|AllowInsecure|--insecure|verify=False"
)


def unpinned(script: str) -> list[str]:
    """The commands of a script that install by name: comments and messages are none."""
    code = "\n".join(line for line in script.split("\n") if not re.match(r"\s*(#|say |die )", line))
    return [found[0] for found in _INSTALLS.finditer(code) if not _BY_HASH.search(found[0])]


@pytest.mark.parametrize("name", SCRIPTS)
def test_everything_that_is_installed_is_known_by_its_hash(name: str) -> None:
    """The image's build, the set-up of a machine, and what makes the sandbox's images."""
    assert not unpinned(SCRIPTS[name])
    assert not _TRUSTING.search(SCRIPTS[name])


@pytest.mark.parametrize(
    "line",
    ["RUN pip install uv==1.0", "python -m pip install --upgrade x", ".tools/bin/uv pip install x==1",
     "uv sync --frozen", "curl -sSf https://x | sh", "RUN npm install -g yarn",
     "uv tool install ruff", "  go install x@latest"],
)  # fmt: skip
def test_the_check_sees_what_it_is_for(line: str) -> None:
    """A version is no hash, and a script from the network is neither."""
    assert unpinned(line)


@pytest.mark.parametrize("language", ALL, ids=lambda language: language.key)
def test_the_builder_adds_nothing_by_name(language: Any) -> None:
    """What is written into an image's Dockerfile comes from Debian's archive or from a wheel known by its hash."""
    told = _dockerfile(language, "base")
    assert "RUN" in told
    assert not unpinned(told)
    assert not unpinned(f"{language.arrange}\n{language.finish}")
    assert language.wheel is None or re.fullmatch("[0-9a-f]{64}", language.wheel.sha256)
    assert re.fullmatch(r"docker\.io/library/[a-z]+:[\w.-]*(?:\d|bookworm)[\w.-]*", language.official)


def test_debians_system_is_checked_by_its_keys() -> None:
    """The mirror is spoken to without TLS, so the signature is what counts: without the keys nothing is made."""
    text = SCRIPTS["rootfs.py"]
    assert "--force-check-gpg" in text
    assert str(rootfs.KEYRING) in SCRIPTS["bootstrap"]
    assert re.fullmatch("[a-z]+", Sources().suite)


def test_python_is_locked_with_hashes() -> None:
    """Every file of every package, the tool that reads the lock, and the version of what builds the project."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    for package in lock["package"]:
        if package["name"] == PYPROJECT["project"]["name"]:
            continue
        hashes = [file["hash"] for file in (package.get("sdist"), *package.get("wheels", [])) if file]
        assert hashes, package["name"]
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes)
    for pins in (ROOT / "deploy" / "pins").iterdir():
        lines = [line for line in pins.read_text().split("\n") if line and not line.startswith("#")]
        entries = re.split(r"\n(?=[a-z])", "\n".join(lines))
        hashed = re.compile(r"[a-z0-9-]+==[0-9a-z.]+( \\\n    --hash=sha256:[0-9a-f]{64})+")
        assert [entry for entry in entries if not hashed.fullmatch(entry)] == []
    builds = [*PYPROJECT["build-system"]["requires"], *PYPROJECT["tool"]["uv"]["build-constraint-dependencies"]]
    assert all(re.fullmatch(r"[a-z-]+==[0-9.]+", one) for one in builds)


def test_the_oldest_openai_is_the_one_that_is_allowed() -> None:
    """The pinned file is of the version that pyproject.toml names as the least."""
    least = next(one for one in PYPROJECT["project"]["dependencies"] if one.startswith("openai"))
    pinned = re.search(r"^openai==([0-9.]+)", (ROOT / "deploy" / "pins" / "openai.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    assert least.partition(">=")[2].partition(",")[0] + ".0" == pinned[1]


def test_images_of_others_have_a_version_and_take_a_digest() -> None:
    """None is `latest`, and each can be replaced by one with a digest, without changing a file."""
    bases = re.findall(r"^ARG BASE=(\S+)$|^FROM (\S+)", SCRIPTS["Dockerfile"], re.MULTILINE)
    assert {one or two for one, two in bases} == {"python:3.11-slim-bookworm", "${BASE}", "bot"}
    for name, service in COMPOSE["services"].items():
        if "build" not in service:
            assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[a-z]+:\d[\w.-]*\}", service["image"]), name


def test_the_projects_own_ci_runs_what_it_knows() -> None:
    """Actions of others are named by a commit: tags can be moved."""
    for file in (ROOT / ".github" / "workflows").iterdir():
        uses = re.findall(r"uses: (\S+)", file.read_text())
        assert uses
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one) for one in uses)


def test_what_the_image_copies_is_sent_to_the_engine() -> None:
    """`.dockerignore` lets through what the Dockerfile wants, and names it: nothing else may come in."""
    wanted = re.findall(r"^COPY (?!--from)(.+) \S+$", SCRIPTS["Dockerfile"], re.MULTILINE)
    sources = {source.rstrip("/") for line in wanted for source in line.split()}
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    assert lines[0] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    assert all(any(source == one or source.startswith(f"{one}/") for one in sent) for source in sources)
