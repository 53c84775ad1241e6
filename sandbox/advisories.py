"""Which versions of the programs that keep untrusted code apart are known to let it out, by their makers' advisories.

Pure. A version is a hint, not a proof: distributions put fixes into old versions, so whoever shows a hint says that.
Sources: the advisories of opencontainers/runc and containerd of November 2025, and of git of July 2025.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Advisory:
    """`fixed` has the first good version of each maintained branch: older branches never got it, newer ones have it.

    `patched` is what Debian's package of an older version is called up to its patch level, and the first good level.
    """

    program: str
    names: str
    fixed: tuple[Version, ...]
    patched: tuple[str, int] | None = None


ADVISORIES = (
    Advisory(
        "runc",
        "CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881",
        ((1, 2, 8), (1, 3, 3), (1, 4, 0)),
    ),
    Advisory(
        "containerd",
        "CVE-2024-25621 and CVE-2025-64329",
        ((1, 7, 29), (2, 0, 7), (2, 1, 5), (2, 2, 0)),
        ("1.6.20~ds1-1+deb12u", 3),
    ),
    Advisory(
        "git",
        "CVE-2025-48384",
        ((2, 43, 7), (2, 44, 4), (2, 45, 4), (2, 46, 4), (2, 47, 3), (2, 48, 2), (2, 49, 1), (2, 50, 1)),
        ("2.39.5-0+deb12u", 3),
    ),
)


def weakness(program: str, version: str, package: str = "") -> str | None:
    """One line about what a version of a program lacks, or None when nothing is known or the version is unreadable.

    `package` is the distribution's own name for the version, where it is known.
    """
    numbers = parsed(version)
    for advisory in ADVISORIES:
        if advisory.program != program or numbers is None:
            continue
        if not _has_fix(numbers, advisory.fixed) and not _is_patched(package, advisory.patched):
            fixed = ", ".join(".".join(map(str, one)) for one in advisory.fixed)
            named = f"{version} ({package})" if package else version
            return f"{named} lacks the fix for {advisory.names} (in {fixed}), unless its distribution patched it"
    return None


def parsed(version: str) -> Version | None:
    """The first three numbers of a version such as `1:2.39.5-0+deb12u3` or `v1.1.5+ds1`; a missing one is 0."""
    found = re.match(r"(?:\d+:)?v?(\d+)\.(\d+)(?:\.(\d+))?", version)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _has_fix(version: Version, fixed: tuple[Version, ...]) -> bool:
    branch = [one for one in fixed if one[:2] == version[:2]]
    return version >= branch[0] if branch else version > max(fixed)


def _is_patched(package: str, patched: tuple[str, int] | None) -> bool:
    if patched is None:
        return False
    found = re.search(rf"{re.escape(patched[0])}(\d+)$", package)
    return found is not None and int(found[1]) >= patched[1]
