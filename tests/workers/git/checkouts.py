"""Makes local repositories for the tests, as a developer would, with an environment of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Dev",
    "GIT_AUTHOR_EMAIL": "dev@example.org",
    "GIT_COMMITTER_NAME": "Dev",
    "GIT_COMMITTER_EMAIL": "dev@example.org",
}


def git(path: Path, *args: str) -> str:
    """Run git as the developer does and return its trimmed output."""
    done = subprocess.run(["git", *args], cwd=path, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def checkout(path: Path, files: Mapping[str, bytes]) -> str:
    """A repository with one commit on `main`; answers the commit's sha."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--initial-branch=main")
    write(path, files)
    git(path, "add", "--all", "--force")
    git(path, "commit", "--quiet", "--allow-empty", "--message", "First")
    return git(path, "rev-parse", "HEAD")
