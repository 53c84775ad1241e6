"""Folders that somebody hands us: whatever stands in them, nothing runs, nothing of somebody else's is read or written,
nobody is called, and each ends in a stated refusal or the right result.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.workers.git.checkouts import git
from tests.workers.git.hostile import HOSTILE
from tests.workers.git.hostile.ground import CANARY, Ground, Hostile, laid, template
from workers.domain import How, RunId
from workers.errors import Stop, UsageError
from workers.local import LocalForge
from workers.overlay import Overlay
from workers.plans import PlanRequest, plan_locally
from workers.ports import Proposal, SourceTree, Wish

pytestmark = pytest.mark.uncounted

FIXED = b"x = 2\n"
PROPOSAL = Proposal("heal/x", "main", "t", "b", "Fix it\n", draft=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "made"
    template(root)
    return root


@pytest.fixture(scope="module")
def ear() -> Iterator[socket.socket]:
    """A port that hears calls."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def seen(tree: SourceTree) -> bytes:
    """All that a run looks at of a commit's files."""
    paths = tree.paths()
    some = b"".join(tree.read(path) or b"" for path in paths[:200])
    overlay = Overlay(tree, {"tests/test_issue_1.py": b"def test_it():\n    assert False\n"})
    return "\0".join(paths).encode(errors="surrogateescape") + some + overlay.tar().archive[:]


def healed(ground: Ground, state: Path, branch: str | None) -> bytes:
    """What `heal fix` sees of the checkout and leaves there; the fix is the same one line for all."""
    forge = LocalForge(ground.source, state, branch=branch, apply=branch is None)
    case = forge.case(RunId("r1"))
    forge.admission(case)
    forge.job(case)
    forge.ground(case, Wish(How.PULL, "main", "heal/x"))
    tree = forge.tree(case)
    looked = seen(tree)
    patch = tree.diff({"a.py": FIXED})
    assert patch.count("diff --git") == 1
    forge.publish(case, tree, patch, PROPOSAL)
    return looked + patch.encode() + forge.committed_at.encode()


def planned(ground: Ground) -> bytes:
    """What `heal plan` makes of the checkout."""
    found = plan_locally(PlanRequest(ground.source))
    if found.stop is not None:
        raise found.stop
    return repr(found).encode()


def quiet(ear: socket.socket) -> bool:
    """Nobody called."""
    try:
        ear.accept()
    except BlockingIOError:
        return True
    return False


@pytest.mark.fault(22, 23)
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda one: one.name)
def test_a_hostile_checkout(hostile: Hostile, made: Path, ear: socket.socket, tmp_path: Path) -> None:
    """`heal plan`, `heal fix --branch` (where the folder itself is hostile) and `heal fix --apply` read the commit,
    write the fix and spring no tripwire."""
    ground = laid(made, tmp_path / "root", ear.getsockname()[1], hostile)
    before = ground.foreign()
    drives: list[Callable[[], bytes]] = [lambda: planned(ground), lambda: healed(ground, tmp_path / "state", None)]
    if not hostile.travels:
        drives.insert(1, lambda: healed(ground, tmp_path / "state", "fixed"))
    for drive in drives:
        told = ""
        try:
            looked = drive()
        except (UsageError, Stop) as ended:
            told, looked = str(ended), str(ended).encode(errors="surrogateescape")
        assert re.search(hostile.refused, told) if hostile.refused else told == "", told
        assert CANARY not in looked
        assert not ground.trap.exists()
        assert ground.foreign() == before
        assert quiet(ear)
    if not hostile.refused:
        assert (ground.source / "a.py").read_bytes() == FIXED
        assert hostile.travels or git(ground.source, "cat-file", "blob", "fixed:a.py") == FIXED.decode().strip()
