"""Which hosts the set-up phase may reach when the operator says nothing: the package indexes, one line per ecosystem.

No code host is among them, because a code host is also a place to carry things to; an operator can add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

BY_HTTPS = {
    "python": ("pypi.org", "files.pythonhosted.org"),
    "node": ("registry.npmjs.org", "registry.yarnpkg.com", "nodejs.org"),
    "go": ("proxy.golang.org", "sum.golang.org"),
    "rust": ("index.crates.io", "static.crates.io", "static.rust-lang.org"),
    "java": ("repo.maven.apache.org", "repo1.maven.org", "plugins.gradle.org", "plugins-artifacts.gradle.org",
             "services.gradle.org"),
    "ruby": ("rubygems.org", "index.rubygems.org"),
    "debian": ("deb.debian.org", "security.debian.org"),
    "ubuntu": ("archive.ubuntu.com", "security.ubuntu.com"),
    "alpine": ("dl-cdn.alpinelinux.org",),
}  # fmt: skip
BY_HTTP = ("deb.debian.org", "security.debian.org", "archive.ubuntu.com", "security.ubuntu.com")
"""System packages travel by HTTP: what they are signed with is checked by the client."""


def by_https(extra: tuple[str, ...], package_indexes: Mapping[str, str]) -> tuple[str, ...]:
    """Every host to which a tunnel may be made: ours, the operator's, and those of the operator's own indexes."""
    ours = [host for hosts in BY_HTTPS.values() for host in hosts]
    theirs = [urlsplit(word).hostname or "" for value in package_indexes.values() for word in value.split()]
    return tuple(sorted({host.lower().rstrip(".") for host in (*ours, *extra, *theirs) if host}))
