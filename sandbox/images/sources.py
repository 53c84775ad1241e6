"""Where images come from: an operator's own registry, mirror and package index take the place of the usual ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandbox.languages import ALL

REPOSITORY = "heal-sandbox"
ENVIRONMENTS = f"{REPOSITORY}/environment"
"""What set-up made of an image by installing system packages, tagged with the environment's key."""


@dataclass(frozen=True)
class Sources:
    """Where bases and toolchains come from. `bases` empty means Debian's archive at once, without asking a registry.

    `index` is a Python package index, for toolchains that come as wheels; `ca_bundle` the authorities it is trusted by.
    """

    bases: tuple[tuple[str, str], ...] = tuple((language.key, language.official) for language in ALL)
    suite: str = "bookworm"
    mirror: str = "http://deb.debian.org/debian"
    security: str = "http://deb.debian.org/debian-security"
    index: str = "https://pypi.org/simple"
    ca_bundle: Path | None = None
