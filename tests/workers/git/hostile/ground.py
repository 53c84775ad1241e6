"""Where a hostile repository lies, and its tripwires: a program that leaves a file, a secret of somebody else's, a port
that hears a call.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.workers.git.checkouts import checkout, git

CANARY = b"canary-5f1c7e"
"""Stands in the victim's files alone."""

WORKFLOW = b"on: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: python -m pytest\n"
FILES = {
    "a.py": b"x = 1\n",
    "tests/test_a.py": b"from a import x\n\n\ndef test_x():\n    assert x == 2\n",
    ".github/workflows/ci.yml": WORKFLOW,
}


@dataclass(frozen=True)
class Ground:
    """Everything lies below `root`; `port` is the one that hears."""

    root: Path
    port: int

    @property
    def source(self) -> Path:
        """The checkout that somebody hands us."""
        return self.root / "source"

    @property
    def git_dir(self) -> Path:
        """Its git folder."""
        return self.source / ".git"

    @property
    def victim(self) -> Path:
        """Another repository of the person who runs us."""
        return self.root / "victim"

    @property
    def trap(self) -> Path:
        """This file is there once a planted program ran, or a file was written outside."""
        return self.root / "trap"

    @property
    def script(self) -> Path:
        """The planted program."""
        return self.root / "evil"

    def configure(self, text: str) -> None:
        """Add to the checkout's configuration; {script}, {victim}, {source} and {port} are filled in."""
        known = {"script": self.script, "victim": self.victim, "source": self.source, "port": self.port}
        with (self.git_dir / "config").open("a") as config:
            config.write(text.format(**known) + "\n")

    def foreign(self) -> dict[str, bytes]:
        """All files but the checkout's own, and what they hold."""
        others = [path for path in self.root.iterdir() if path != self.source]
        files = [path for one in others for path in (one, *one.rglob("*")) if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}


@dataclass(frozen=True)
class Hostile:
    """One of them. `refused` matches what we say when we do not take it; where it is empty the result is right.
    `control` are shell commands that spring the tripwire with plain tools, in the checkout; `fires` says which one:
    "trap", "canary" (in what is printed) or "call". Without a tripwire the attack is on time and memory."""

    name: str
    build: Callable[[Ground], None]
    control: str = ""
    fires: str = "trap"
    refused: str = ""
    travels: bool = False
    fetched: str = ""
    """As `refused`, for the commit when it comes over the network, where git checks it before we do."""


def template(root: Path) -> None:
    """The two harmless repositories that every hostile one is made of."""
    checkout(root / "source", FILES)
    git(root / "source", "commit", "--quiet", "--allow-empty", "--message", "Second")
    checkout(root / "victim", {"secret.py": b"KEY = '" + CANARY + b"'\n", "a.py": b"x = 1\n"})


def laid(made: Path, root: Path, port: int, hostile: Hostile) -> Ground:
    """A copy of the template with one hostile repository made of it."""
    shutil.copytree(made, root, symlinks=True)
    ground = Ground(root, port)
    ground.script.write_text(f"#!/bin/sh\ntouch '{ground.trap}'\n[ -t 0 ] || cat\n")
    ground.script.chmod(0o755)
    hostile.build(ground)
    return ground
