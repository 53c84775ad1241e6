"""A checkout's own configuration never runs anything: every way known to make git start a program is planted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.workers.git.checkouts import ENVIRONMENT, checkout, git, write
from workers.domain import RunId
from workers.local import LocalForge
from workers.ports import Proposal

PROPOSAL = Proposal("heal/x", "main", "t", "b", "Fix it\n", draft=False)


def plant(source: Path, trap: Path) -> None:
    """Configure everything that runs a program, and make files look changed so that git wants to use it."""
    script = source / ".git" / "evil"
    script.write_text(f"#!/bin/sh\ntouch '{trap}'\ncat\n")
    script.chmod(0o755)
    settings = {
        "core.fsmonitor": script,
        "core.hooksPath": source / ".git" / "traps",
        "core.sshCommand": script,
        "core.askPass": script,
        "core.editor": script,
        "core.pager": script,
        "core.alternateRefsCommand": script,
        "core.gitProxy": script,
        "credential.helper": f"!{script}",
        "diff.external": script,
        "diff.evil.command": script,
        "diff.evil.textconv": script,
        "merge.evil.driver": script,
        "filter.evil.clean": script,
        "filter.evil.smudge": script,
        "filter.evil.process": script,
        "filter.evil.required": "true",
        "gpg.program": script,
        "commit.gpgSign": "true",
        "uploadpack.packObjectsHook": script,
        "remote.origin.url": f"ext::{script}",
        "remote.origin.uploadpack": script,
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
        "alias.rev-parse": f"!{script}",
        "include.path": source / ".git" / "more",
    }
    (source / ".git" / "more").write_text(f"[core]\n\tfsmonitor = {script}\n")
    for folder in ("traps", "hooks"):
        (source / ".git" / folder).mkdir(exist_ok=True)
        for hook in ("pre-commit", "post-commit", "post-checkout", "reference-transaction", "post-index-change"):
            (source / ".git" / folder / hook).write_bytes(script.read_bytes())
            (source / ".git" / folder / hook).chmod(0o755)
    for key, value in settings.items():
        git(source, "config", "--local", key, str(value))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    attributes = b"* filter=evil diff=evil merge=evil\n"
    checkout(source, {"a.py": b"x = 1\n", "b.py": b"y = 1\n", ".gitattributes": attributes})
    return source


@pytest.mark.parametrize("ask", [{"apply": True}, {"branch": "fixed"}, {}], ids=["apply", "branch", "neither"])
def test_nothing_planted_runs(source: Path, tmp_path: Path, ask: dict[str, object]) -> None:
    """Opening, reading, checking for changes, diffing, applying and committing start no planted program."""
    trap = tmp_path / "trap"
    plant(source, trap)
    (source / "a.py").write_bytes(b"x = 1\n")  # same content, newer: git must look inside to see that
    forge = LocalForge(source, tmp_path / "state", apply="apply" in ask, branch=str(ask.get("branch") or "") or None)
    case = forge.case(RunId("r1"))
    tree = forge.tree(case)
    tree.tar()
    patch = tree.diff({"a.py": b"x = 2\n"})
    forge.publish(case, tree, patch, PROPOSAL)
    assert not trap.exists()
    assert (source / "a.py").read_bytes() == (b"x = 2\n" if "apply" in ask else b"x = 1\n")


def test_the_trap_is_real(source: Path, tmp_path: Path) -> None:
    """Plain git in the same checkout does run what was planted, so the test above proves something."""
    trap = tmp_path / "trap"
    plant(source, trap)
    (source / "a.py").write_bytes(b"x = 3\n")
    subprocess.run(["git", "status"], cwd=source, env=ENVIRONMENT, capture_output=True)  # its answer does not matter
    assert trap.exists()


def test_a_submodules_configuration_is_not_looked_at(source: Path, tmp_path: Path) -> None:
    """Looking for changes does not enter submodules, whose own configuration could run programs."""
    trap = tmp_path / "trap"
    inner = source / "inner"
    sha = checkout(inner, {"c.py": b"z = 1\n"})
    git(source, "update-index", "--add", "--cacheinfo", f"160000,{sha},inner")
    git(source, "commit", "--quiet", "--message", "Add a submodule")
    plant(inner, trap)
    write(inner, {"c.py": b"z = 2\n"})
    tree = LocalForge(source, tmp_path / "state").tree(LocalForge(source, tmp_path / "state").case(RunId("r1")))
    tree.tar()
    assert not trap.exists()
    assert "inner" not in tree.paths()


def test_a_missing_object_is_not_fetched(source: Path, tmp_path: Path) -> None:
    """A checkout that claims a partial clone cannot make git fetch the missing part by a program of its choice."""
    trap = tmp_path / "trap"
    blob = git(source, "rev-parse", "HEAD:a.py")
    plant(source, trap)
    git(source, "config", "--local", "core.repositoryFormatVersion", "1")
    git(source, "config", "--local", "extensions.partialClone", "origin")
    (source / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    forge = LocalForge(source, tmp_path / "state")
    with pytest.raises(Exception, match="could not be read"):
        forge.tree(forge.case(RunId("r1"))).tar()
    assert not trap.exists()
