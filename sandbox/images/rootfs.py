"""Debian's minimal system, made by debootstrap where no registry answers: what every other base is built on."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.errors import ImageMissing, SandboxError
from sandbox.images.sources import REPOSITORY, Sources
from sandbox.languages import USUAL

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Who may sign what is installed, whatever mirror it comes from."""
_LEFT_OUT = ("./dev/*", "./var/cache/apt/*", "./var/lib/apt/lists/*", "./usr/share/doc/*", "./usr/share/info/*",
             "./usr/share/locale/*", "./usr/share/man/*")  # fmt: skip
_TOLD = ("I: Resolving", "I: Installing", "I: Unpacking the", "I: Configuring the", "I: Base", "E:")


def reference(sources: Sources) -> str:
    """The image of this system, named by what decides it."""
    recipe = "\n".join((*_archives(sources), *USUAL, *_LEFT_OUT))
    return f"{REPOSITORY}/rootfs:{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"


def tarball(state_dir: Path, sources: Sources, progress: Callable[[str], None], fresh: bool = False) -> Path:
    """The system as a tar, made once and kept. Needs root and debootstrap: ImageMissing says so."""
    folder = state_dir / "images"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / (reference(sources).replace("/", "-").replace(":", "-") + ".tar")
    if made.exists() and not fresh:
        return made
    if shutil.which("debootstrap") is None or not KEYRING.exists() or os.geteuid() != 0:
        raise ImageMissing(
            "no registry answers, and making the image from Debian's archive needs root, debootstrap and Debian's keys",
            "apt-get install debootstrap debian-archive-keyring gpgv, then heal images build as root",
        )
    root = Path(tempfile.mkdtemp(prefix="rootfs-", dir=folder))
    try:
        include = f"--include={','.join(USUAL)}"
        checked = ["--force-check-gpg", f"--keyring={KEYRING}"]  # by itself it goes on where there is no keyring
        argv = ["debootstrap", "--variant=minbase", *checked, include, sources.suite, str(root), sources.mirror]
        _command(argv, progress)
        (root / "etc/apt/sources.list").write_text("\n".join(_archives(sources)) + "\n")
        excludes = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
        half = made.with_suffix(f".{os.getpid()}.half")
        _command(["tar", "--numeric-owner", "-C", str(root), *excludes, "-cf", str(half), "."], progress)
        half.rename(made)  # a tar under its final name is a whole one
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return made


def _archives(sources: Sources) -> tuple[str, ...]:
    """What apt reads in the image: without the corrections of security it would install old packages."""
    return (
        f"deb {sources.mirror} {sources.suite} main",
        f"deb {sources.mirror} {sources.suite}-updates main",
        f"deb {sources.security} {sources.suite}-security main",
    )


def _command(argv: list[str], progress: Callable[[str], None]) -> None:
    last = ""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - asked for with PIPE
        for line in process.stdout:
            last = line.strip()
            if last.startswith(_TOLD):
                progress(f"{argv[0]}: {last}")
    if process.returncode:
        raise SandboxError(f"{argv[0]} failed with exit code {process.returncode}: {last}")
