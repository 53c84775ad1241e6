"""How the sandbox's images are made: from official images where a registry answers, else from Debian's archive.

An image is tagged with the hash of everything that went into it, so building again with nothing changed does nothing.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine import Engine
from sandbox.errors import ImageMissing, SandboxError

REPOSITORY = "heal-sandbox"
LANGUAGES = ("python", "debian")
_HERE = Path(__file__).parent
_FILES = {  # place under /opt/heal -> file beside this module, mode
    "heal-init": ("heal-init", 0o755),
    "heal-setup": ("heal-setup", 0o755),
    "install": ("install", 0o755),
    "bin/sudo": ("sudo", 0o755),
    "plugins/heal_report.py": ("heal_report.py", 0o644),
}
_PACKAGES = "ca-certificates,curl,git,make,patch,procps,python3-minimal,python3-venv,unzip,xz-utils"
_LEFT_OUT = ("./dev/*", "./var/cache/apt/*", "./var/lib/apt/lists/*", "./usr/share/doc/*", "./usr/share/info/*",
             "./usr/share/locale/*", "./usr/share/man/*")  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """Where base images come from. `bases` empty means Debian's archive at once, without asking a registry."""

    bases: tuple[tuple[str, str], ...] = (
        ("python", "docker.io/library/python:3.11-slim-bookworm"),
        ("debian", "docker.io/library/debian:bookworm-slim"),
    )
    suite: str = "bookworm"
    mirror: str = "http://deb.debian.org/debian"


def resolve(image: str) -> str:
    """The engine's reference for a plan's image: language keys are our own images, anything else stands as it is.

    Ours are named by their content, so a worker never runs with the files of another version of itself.
    """
    return f"{REPOSITORY}/{image}:{_content_hash(image)}" if image in LANGUAGES else image


def build(
    engine: Engine,
    state_dir: Path,
    languages: Iterable[str] = LANGUAGES,
    sources: Sources = Sources(),
    progress: Callable[[str], None] = lambda _: None,
    fresh: bool = False,
) -> list[str]:
    """Make the images of these languages where they are not there yet; returns their references by content.

    `fresh` makes them anew even where they are, from what the sources hold today.

    Raises EngineDown, and SandboxError when neither a registry nor Debian's archive yields a base.
    """
    return [_build(engine, state_dir, language, sources, progress, fresh) for language in languages]


def _build(
    engine: Engine, state_dir: Path, language: str, sources: Sources, progress: Callable[[str], None], fresh: bool
) -> str:
    if language not in LANGUAGES:
        raise SandboxError(f"no sandbox image for '{language}'; there are {', '.join(LANGUAGES)}")
    reference = resolve(language)
    if not fresh and engine.has_image(reference):
        progress(f"{language}: {reference} is up to date")
        return reference
    bases = [base for base in (dict(sources.bases).get(language), _rootfs_reference(sources)) if base]
    base = _base(engine, state_dir, bases, sources, progress)
    progress(f"{language}: adding the sandbox's own files to {base}")
    for line in engine.build(_context(language), "Dockerfile", reference, {"BASE": base}):
        progress(f"{language}: {line}")
    progress(f"{language}: {reference} is ready")
    return reference


def _base(engine: Engine, state_dir: Path, bases: list[str], sources: Sources, progress: Callable[[str], None]) -> str:
    rootfs = _rootfs_reference(sources)
    for base in bases:
        if base == rootfs or engine.has_image(base):
            break
        try:
            progress(f"asking the registry for {base}")
            engine.pull(base)
            break
        except (SandboxError, ImageMissing):
            progress("no registry answers: using Debian's archive instead")
    if base == rootfs and not engine.has_image(rootfs):
        tarball = _rootfs(state_dir, sources, progress)
        progress("loading the root file system into the engine")
        repository, tag = rootfs.split(":")
        engine.import_rootfs(tarball, repository, tag)
    return base


def _rootfs_reference(sources: Sources) -> str:
    recipe = "\n".join((sources.suite, sources.mirror, _PACKAGES, *_LEFT_OUT))
    return f"{REPOSITORY}/rootfs:{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"


def _rootfs(state_dir: Path, sources: Sources, progress: Callable[[str], None]) -> Path:
    """Debian's minimal system with our packages as a tar, made once and kept. Needs root and debootstrap."""
    folder = state_dir / "images"
    folder.mkdir(parents=True, exist_ok=True)
    tarball = folder / (_rootfs_reference(sources).replace("/", "-").replace(":", "-") + ".tar")
    if tarball.exists():
        return tarball
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise ImageMissing(
            "no registry answers, and making the image from Debian's archive needs root and debootstrap",
            "apt-get install debootstrap, then heal images build as root",
        )
    root = Path(tempfile.mkdtemp(prefix="rootfs-", dir=folder))
    try:
        include = f"--include={_PACKAGES}"
        _command(["debootstrap", "--variant=minbase", include, sources.suite, str(root), sources.mirror], progress)
        excludes = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
        half = tarball.with_suffix(f".{os.getpid()}.half")
        _command(["tar", "--numeric-owner", "-C", str(root), *excludes, "-cf", str(half), "."], progress)
        half.rename(tarball)  # a tar under its final name is a whole one
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return tarball


def _command(argv: list[str], progress: Callable[[str], None]) -> None:
    last = ""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - asked for with PIPE
        for line in process.stdout:
            last = line.strip()
            if last.startswith(
                ("I: Resolving", "I: Installing", "I: Unpacking the", "I: Configuring the", "I: Base", "E:")
            ):
                progress(f"{argv[0]}: {last}")
    if process.returncode:
        raise SandboxError(f"{argv[0]} failed with exit code {process.returncode}: {last}")


@functools.cache
def _content_hash(language: str) -> str:
    return hashlib.sha256(_context(language)).hexdigest()[:16]


def _context(language: str) -> bytes:
    """What the engine's builder gets: the Dockerfile and our files, with fixed times so that equal input is equal."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        _add(archive, "Dockerfile", (_HERE / f"{language}.Dockerfile").read_bytes(), 0o644)
        for place, (name, mode) in sorted(_FILES.items()):
            _add(archive, f"heal/{place}", (_HERE / name).read_bytes(), mode)
    return buffer.getvalue()


def own_files() -> bytes:
    """Everything of ours that an image needs under /opt/heal, as a tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for place, (name, mode) in sorted(_FILES.items()):
            _add(archive, place, (_HERE / name).read_bytes(), mode)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))
