"""Image references as people write them, and whether this installation would ask their registry. Pure.

The grammar is the one of the distribution project: `[registry/]path[:tag][@digest]`, where a first part without a
dot or a port belongs to the path, and a path of one part on docker.io lies under `library/`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.errors import ImageMissing

DOCKER_HUB = "docker.io"
REGISTRIES = (DOCKER_HUB, "ghcr.io", "quay.io", "public.ecr.aws", "mcr.microsoft.com", "registry.gitlab.com")
"""Public registries: an image named by a repository is asked for nowhere else unless the operator says so."""

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<registry>(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(?::[0-9]+)?|localhost(?::[0-9]+)?|[A-Za-z0-9-]+:[0-9]+)/)?"
    rf"(?P<path>{_PART}(?:/{_PART})*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)
_LENGTH = 512


@dataclass(frozen=True)
class Reference:
    """An image on a registry. `version` is `:tag` or `@digest`; a digest wins over a tag beside it."""

    registry: str
    path: str
    version: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}{self.version}"

    @property
    def repository(self) -> str:
        return f"{self.registry}/{self.path}"


def parse(text: str) -> Reference:
    """Read a reference. Raises ImageMissing with a sentence for what is none."""
    match = _REFERENCE.fullmatch(text.strip().removeprefix("docker://")) if len(text) <= _LENGTH else None
    if match is None:
        raise ImageMissing(f"{text[:100]!r} is no image reference", "name it as registry/path:tag")
    registry = (match["registry"] or DOCKER_HUB).lower()
    registry = DOCKER_HUB if registry in ("index.docker.io", "registry-1.docker.io") else registry
    path = match["path"] if registry != DOCKER_HUB or "/" in match["path"] else f"library/{match['path']}"
    version = f"@{match['digest']}" if match["digest"] else f":{match['tag'] or 'latest'}"
    return Reference(registry, path, version)


def allowed(reference: Reference, registries: tuple[str, ...]) -> bool:
    """Whether the registry is among the patterns (`ghcr.io`, `*.example.org`, `127.0.0.1:5000`)."""
    return any(fnmatchcase(reference.registry, pattern.lower()) for pattern in registries)
