"""Programs that GitHub's machines have and the sandbox's images lack: a job that calls one gets it in its set-up.

From Debian, or from the Python package index where that has the version GitHub's machines have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from sandbox.languages import BY_KEY
from sandbox.spec import Step
from workers.scripts import commands, words

_WHEELS: Mapping[str, tuple[str, ...]] = {
    "'cmake==3.31.*'": ("cmake", "cpack", "ctest"),  # Debian's 3.25 is older than what many projects ask for
    "ninja": ("ninja",),
}
_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "ant": ("ant",),
    "autoconf automake libtool": ("aclocal", "autoconf", "autogen.sh", "automake", "autoreconf", "libtoolize"),
    "bc": ("bc",),
    "bison": ("bison", "yacc"),
    "brotli": ("brotli",),
    "bsdextrautils": ("column", "hexdump"),
    "clang": ("clang", "clang++"),
    "clang-format": ("clang-format",),
    "clang-tidy": ("clang-tidy",),
    "default-mysql-client": ("mysql", "mysqladmin", "mysqldump"),
    "flex": ("flex",),
    "gettext": ("msgfmt", "msgmerge", "xgettext"),
    "iproute2": ("ip", "ss"),
    "iputils-ping": ("ping",),
    "lcov": ("genhtml", "lcov"),
    "locales": ("locale-gen",),
    "lsof": ("lsof",),
    "man-db": ("man",),
    "m4": ("m4",),
    "netcat-openbsd": ("nc", "netcat"),
    "openssh-client": ("ssh", "ssh-keygen"),
    "p7zip-full": ("7z",),
    "parallel": ("parallel",),
    "postgresql-client": ("createdb", "pg_dump", "pg_isready", "psql"),
    "redis-tools": ("redis-cli",),
    "rsync": ("rsync",),
    "shellcheck": ("shellcheck",),
    "sqlite3": ("sqlite3",),
    "swig": ("swig",),
    "tcl": ("tclsh",),
    "texinfo": ("makeinfo",),
    "tree": ("tree",),
    "valgrind": ("valgrind",),
    "wget": ("wget",),
    "xvfb xauth": ("Xvfb", "xvfb-run"),
    "zstd": ("zstd",),
}
_COMPILER = re.compile(r"\b(?:CC|CXX)=[\"']?(clang(?:\+\+)?)(?![\w.+-])")
"""A script may name the compiler for what it calls; one with a version in its name is not Debian's."""
_BEFORE = frozenset({"exec", "nice", "sudo", "time", "timeout"})


def added(steps: Sequence[Step], env: Mapping[str, str], image: str) -> tuple[list[Step], list[str]]:
    """Set-up steps that bring what the job's steps call, and what to say about it. `env` is the job's.

    A stranger's image is left as it is.
    """
    if image not in BY_KEY:
        return [], []
    called, told = _called((*steps, Step("", "", env=env))), " ".join(step.script for step in steps)
    wheels = [wheel for wheel, names in _WHEELS.items() if called & set(names)]
    packages = [package for package, names in _PACKAGES.items() if called & set(names) and not _asked(package, told)]
    found = []
    if wheels:
        found.append(Step("programs of GitHub's machines (wheels)", f"python -m pip install {' '.join(wheels)}"))
    if packages:
        lines = ("apt-get update", f"apt-get install -y --no-install-recommends {' '.join(packages)}")
        found.append(Step("programs of GitHub's machines", "\n".join(lines)))
    names = ", ".join(sorted(called & {name for names in (*_WHEELS.values(), *_PACKAGES.values()) for name in names}))
    return found, [f"programs of GitHub's machines are added, maybe in other versions: {names}"] if found else []


def _called(steps: Iterable[Step]) -> set[str]:
    found: set[str] = set()
    for step in steps:
        for command in commands(step.script):
            named = [word.rsplit("/", 1)[-1] for word in words(command)[:3]]
            found.update(named[:1])
            if named[:1] and named[0] in _BEFORE:
                found.update(named[1:])
        settings = "\n".join(f"{name}={value}" for name, value in step.env.items())
        found.update(match[1] for match in _COMPILER.finditer(f"{step.script}\n{settings}"))
    return found


def _asked(package: str, scripts: str) -> bool:
    """The job installs it by itself."""
    return any(re.search(rf"install[^\n]{{0,400}}\s{re.escape(name)}(?!\S)", scripts) for name in package.split())
