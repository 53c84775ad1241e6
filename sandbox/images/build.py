"""How the sandbox's images are made: from official images where a registry answers, else from Debian's archive.

Without a registry each is a chain: Debian's minimal system, compilers, the language's toolchain, our own files. Every
link is tagged with the hash of all that goes into it, so building again with nothing changed does nothing.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from sandbox import policy
from sandbox.capture import plain
from sandbox.engine import Engine
from sandbox.errors import ImageMissing, SandboxError
from sandbox.images import rootfs, services, wheels
from sandbox.images.services import SERVICES, Kind
from sandbox.images.sources import REPOSITORY, Sources
from sandbox.languages import BY_KEY, COMPILER, KEYS, PATH, USUAL, Language
from sandbox.stream import Caps

_HERE = Path(__file__).parent
_FILES = {  # place under /opt/heal -> file beside this module, mode
    "heal-init": ("heal-init", 0o755),
    "heal-setup": ("heal-setup", 0o755),
    "heal-load": ("heal-load", 0o755),
    "unpack": ("unpack", 0o644),
    "heal_guard.py": ("heal_guard.py", 0o644),
    "heal_fill.py": ("heal_fill.py", 0o644),
    "install": ("install", 0o755),
    "bin/sudo": ("sudo", 0o755),
    "heal-gather": ("heal-gather", 0o644),
    "plugins/heal_report.py": ("heal_report.py", 0o644),
    "plugins/heal_unittest.py": ("heal_unittest.py", 0o644),
    "plugins/sitecustomize.py": ("heal_sitecustomize.py", 0o644),
    "plugins/heal_node.cjs": ("heal_node.cjs", 0o644),
}
_APT = "apt-get update -qq && apt-get install -y -qq --no-install-recommends {} && rm -rf /var/lib/apt/lists/*"
_IN_MEMORY = 32 << 20


def resolve(image: str) -> str:
    """The engine's reference for a plan's image: language keys are our own images, anything else stands as it is.

    Ours are named by their content, so a worker never runs with the files of another version of itself.
    """
    return f"{REPOSITORY}/{image}:{_content_hash(image)}" if image in (*BY_KEY, *SERVICES) else image


def build(
    engine: Engine,
    state_dir: Path,
    languages: Iterable[str] = KEYS,
    sources: Sources = Sources(),  # noqa: B008 - a frozen value
    progress: Callable[[str], None] = lambda _: None,
    fresh: bool = False,
) -> list[str]:
    """Make the images of these languages and services (`service-postgres`) where they are not there yet; returns their
    references by content.

    `fresh` makes them anew even where they are, from what the sources hold today.

    Raises EngineDown, and SandboxError for a language there is none for, or when neither a registry nor Debian's
    archive yields a base.
    """
    wanted = list(languages)
    for language in wanted:
        if language not in (*BY_KEY, *SERVICES):
            raise SandboxError(f"no sandbox image for '{language}'; there are {', '.join((*KEYS, *SERVICES))}")
    builder = _Builder(engine, state_dir, sources, progress, fresh)
    return [
        builder.image(BY_KEY[name]) if name in BY_KEY else builder.service(services.by_name(name)) for name in wanted
    ]


class _Builder:
    """One run of `build`: what it has made anew it does not make again for the next language."""

    def __init__(
        self, engine: Engine, state_dir: Path, sources: Sources, progress: Callable[[str], None], fresh: bool
    ) -> None:
        self._engine, self._state_dir, self._sources = engine, state_dir, sources
        self._progress, self._fresh = progress, fresh
        self._made: set[str] = set()

    def image(self, language: Language) -> str:
        reference = resolve(language.key)
        if self._there(reference):
            self._progress(f"{language.key}: {reference} is up to date")
            return reference
        started = time.monotonic()
        base = self._official(language) or self._own(language)
        self._progress(f"{language.key}: adding the sandbox's own files to {base}")
        nameless = f"{reference}-{os.getpid()}"  # until its versions are known; another process may make the same one
        labels = {"heal.language": language.key, "heal.base": base}
        self._build(nameless, _context(language.key, base), {})
        labels["heal.toolchain"] = self._toolchain(nameless)
        self._build(reference, _context(language.key, base), labels, again=True)
        self._engine.remove_image(nameless)
        seconds = time.monotonic() - started
        self._progress(f"{language.key}: {reference} is ready after {seconds:.0f} s: {labels['heal.toolchain']}")
        return reference

    def service(self, kind: Kind) -> str:
        """A service of jobs, from Debian's archive."""
        reference = resolve(kind.image)
        if self._there(reference):
            self._progress(f"{kind.image}: {reference} is up to date")
            return reference
        started = time.monotonic()
        base = self._official(BY_KEY["debian"]) or self._rootfs()
        self._progress(f"{kind.image}: installing {' '.join(kind.packages)} on {base}")
        self._build(reference, services.context(kind, base), {"heal.base": base})
        self._progress(f"{kind.image}: {reference} is ready after {time.monotonic() - started:.0f} s: {kind.offers}")
        return reference

    def _there(self, reference: str) -> bool:
        return (not self._fresh or reference in self._made) and self._engine.has_image(reference)

    def _official(self, language: Language) -> str | None:
        """The language's official image, or None when no registry gives it."""
        base = dict(self._sources.bases).get(language.key)
        if base is None or self._there(base):
            return base
        self._progress(f"{language.key}: asking the registry for {base}")
        try:
            self._engine.pull(base)
        except (SandboxError, ImageMissing):
            self._progress(f"{language.key}: no registry answers: using Debian's archive instead")
            return None
        self._made.add(base)
        return base

    def _own(self, language: Language) -> str:
        """The same from Debian's archive and a package index."""
        if language.key == "debian":
            return self._rootfs()
        base = self._layer("tools", self._rootfs, f"RUN {_APT.format(' '.join(COMPILER))}\n")
        wheel, lines = language.wheel, ""
        if language.packages:
            lines += f"RUN {_APT.format(' '.join(language.packages))}\n"
        if language.arrange:
            lines += f"RUN {language.arrange}\n"
        if wheel is not None:
            lines += f"COPY toolchain /{wheel.place}\n# {wheel.file} {wheel.sha256}\n"
        return self._layer(f"base-{language.key}", lambda: base, lines, language) if lines else base

    def _rootfs(self) -> str:
        reference = rootfs.reference(self._sources)
        if not self._there(reference):
            tarball = rootfs.tarball(self._state_dir, self._sources, self._progress, self._fresh)
            self._progress("loading the root file system into the engine")
            self._engine.import_rootfs(tarball, *reference.split(":"))
            self._made.add(reference)
        return reference

    def _layer(self, name: str, parent: Callable[[], str], lines: str, language: Language | None = None) -> str:
        """An image of ours on top of another one of ours, named by what decides it."""
        below = parent()
        dockerfile = f"FROM {below}\nENV DEBIAN_FRONTEND=noninteractive\n{lines}"
        reference = f"{REPOSITORY}/{name}:{hashlib.sha256(dockerfile.encode()).hexdigest()[:16]}"
        if not self._there(reference):
            self._progress(f"{name}: building {reference}")
            context = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by _build
            with tarfile.open(fileobj=context, mode="w") as archive:
                _add(archive, "Dockerfile", dockerfile.encode(), 0o644)
                if language is not None and language.wheel is not None:
                    file = wheels.download(language.wheel, self._state_dir, self._sources, self._progress)
                    wheels.add(archive, file, language.wheel, "toolchain")
            self._build(reference, context, {"heal.base": below})
        return reference

    def _build(self, reference: str, context: IO[bytes], labels: dict[str, str], again: bool = False) -> None:
        with context:
            context.seek(0)
            self._engine.build(context, reference, labels, self._fresh and not again)
        self._made.add(reference)

    def _toolchain(self, reference: str) -> str:
        """The versions that the finished image has, in its own words."""
        run = uuid.uuid4().hex
        labels = policy.Labels("images", run, "probe", run, time.time() + 60)
        command = ["cat", "/opt/heal/toolchain"]
        settings = policy.probe_container(reference, command, policy.NO_NETWORK, labels)
        said = self._engine.run(settings, (), 30, Caps(4096, 4096, 4096, 1 << 20)).stdout
        return ", ".join(line.strip() for line in plain(said).splitlines() if line.strip())


def _dockerfile(language: Language, base: str) -> str:
    """What turns a base into a sandbox image. No VOLUME: each container would get one that nobody removes."""
    packages = USUAL if language.key == "debian" else (*USUAL, *COMPILER)
    env = {"PATH": PATH, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **language.image}
    return "\n".join(
        (
            f"FROM {base}",
            "COPY heal /opt/heal",
            "ENV " + " ".join(f"{name}={value}" for name, value in env.items()),
            f"RUN sh /opt/heal/install {language.key} {' '.join(packages)}"
            f" && {language.finish} && ({language.shows}) >/opt/heal/toolchain 2>&1",
            "WORKDIR /ws",
            'ENTRYPOINT ["/opt/heal/heal-init"]',
            "",
        )
    )


@functools.cache
def _content_hash(language: str) -> str:
    if language in SERVICES:
        return hashlib.sha256(services.context(services.by_name(language), "").read()).hexdigest()[:16]
    known = BY_KEY[language]
    below = repr((known.official, known.packages, known.wheel, known.arrange)).encode()
    return hashlib.sha256(_context(language, "").read() + below).hexdigest()[:16]


def _context(language: str, base: str) -> io.BytesIO:
    """What the engine's builder gets: the Dockerfile and our files, with fixed times so that equal input is equal."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        _add(archive, "Dockerfile", _dockerfile(BY_KEY[language], base).encode(), 0o644)
        for place, (name, mode) in sorted(_FILES.items()):
            _add(archive, f"heal/{place}", (_HERE / name).read_bytes(), mode)
    buffer.seek(0)
    return buffer


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
