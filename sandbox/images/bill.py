"""What a sandbox image holds, as a bill of materials: Debian's packages in their own words, and the toolchain by hash.

The form is CycloneDX 1.5, https://cyclonedx.org/docs/1.5/json/.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox import policy
from sandbox.capture import plain
from sandbox.engine import Engine
from sandbox.errors import SandboxError
from sandbox.images.stock import Stocked
from sandbox.languages import BY_KEY, Wheel
from sandbox.stream import Caps

_QUERY = ["dpkg-query", "--show", "--showformat", "${Package}\\t${Version}\\t${Architecture}\\t${db:Status-Status}\\n"]
_LARGEST = 4 << 20


@dataclass(frozen=True)
class Package:
    """A package of Debian's as it is installed."""

    name: str
    version: str
    architecture: str


def bill(engine: Engine, image: Stocked) -> dict[str, Any]:
    """The bill of one image that is there. Raises EngineDown, and SandboxError for an image without packages."""
    found = packages(_asked(engine, image.reference))
    if not found:
        raise SandboxError(f"{image.reference} does not say which packages it holds")
    known = BY_KEY.get(image.language)
    wheel = known.wheel if known is not None and not image.base.startswith("docker.io/") else None
    return document(image.reference, engine.image_id(image.reference), found, wheel)


def packages(told: str) -> tuple[Package, ...]:
    """The installed packages of dpkg's list; lines of another form are none."""
    rows = (line.split("\t") for line in told.splitlines())
    return tuple(Package(*row[:3]) for row in rows if len(row) == 4 and row[3] == "installed")


def document(reference: str, digest: str, found: Iterable[Package], wheel: Wheel | None) -> dict[str, Any]:
    """The bill. `digest` is the image's content id (`sha256:...`)."""
    name, _, tag = reference.rpartition(":")
    image = {
        "type": "container",
        "bom-ref": digest,
        "name": name,
        "version": tag,
        "hashes": [_hash(digest.removeprefix("sha256:"))],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "tools": [{"name": "heal images sbom"}],
            "component": image,
        },
        "components": [*map(_debian, sorted(set(found), key=repr)), *([_toolchain(wheel)] if wheel else [])],
    }


def _debian(package: Package) -> Mapping[str, Any]:
    name, version = (quote(text, safe="") for text in (package.name, package.version))
    purl = f"pkg:deb/debian/{name}@{version}?arch={package.architecture}"
    return {"type": "library", "bom-ref": purl, "name": package.name, "version": package.version, "purl": purl}


def _toolchain(wheel: Wheel) -> Mapping[str, Any]:
    purl = f"pkg:pypi/{wheel.project}@{wheel.version}"
    return {
        "type": "application",
        "bom-ref": purl,
        "name": wheel.project,
        "version": wheel.version,
        "purl": purl,
        "hashes": [_hash(wheel.sha256)],
    }


def _hash(content: str) -> Mapping[str, str]:
    return {"alg": "SHA-256", "content": content}


def _asked(engine: Engine, reference: str) -> str:
    run = uuid.uuid4().hex
    labels = policy.Labels("images", run, "probe", run, time.time() + 60)
    settings = policy.probe_container(reference, _QUERY, policy.NO_NETWORK, labels)
    return plain(engine.run(settings, (), 30, Caps(_LARGEST, _LARGEST, _LARGEST, 1 << 20)).stdout)
