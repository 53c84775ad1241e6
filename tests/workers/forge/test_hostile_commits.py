"""Commits of strangers as they come from GitHub: fetched, read and fixed without a tripwire, or refused in words."""

from __future__ import annotations

import re
import shutil
import zlib
from dataclasses import replace
from hashlib import sha1
from pathlib import Path

import pytest

from tests.workers.forge.scene import PROPOSAL, REPO, Scene
from tests.workers.forge.scripted import Reply, scripted
from tests.workers.git.checkouts import git
from tests.workers.git.hostile import HOSTILE
from tests.workers.git.hostile.ground import CANARY, Hostile, laid, template
from tests.workers.git.raw import FILE, Objects
from tests.workers.git.test_hostile_checkouts import FIXED, seen
from workers.domain import Outcome, Sha
from workers.errors import Retryable, Stop
from workers.git.command import Command, GitFailed
from workers.git.mirror import Mirror

pytestmark = pytest.mark.uncounted

TRAVELLING = [one for one in HOSTILE if one.travels]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "made"
    template(root)
    return root


def pushed(scene: Scene, source: Path) -> Sha:
    """The head of the checkout as the head of the repository on the double, object by object: nothing checks them."""
    bare = scene.hub.data / f"{scene.info.id}.git"
    shutil.copytree(source / ".git" / "objects", bare / "objects", dirs_exist_ok=True)
    sha = (source / ".git" / "refs" / "heads" / "main").read_text().strip()
    (bare / "refs" / "heads" / "main").write_text(f"{sha}\n")
    return Sha(sha)


@pytest.mark.fault(21, 22, 23)
@pytest.mark.parametrize("hostile", TRAVELLING, ids=lambda one: one.name)
def test_a_hostile_commit(hostile: Hostile, made: Path, scene: Scene, tmp_path: Path) -> None:
    """It is fetched over HTTP, read, and its fix is committed and pushed through GitHub with that one file changed; or
    the run ends as UNSUPPORTED, with the reason (where the server itself cannot send it, the run waits). Nothing ran,
    nothing of somebody else's was read."""
    ground = laid(made, tmp_path / "root", 1, hostile)
    before = ground.foreign()
    case = replace(scene.case, head_sha=pushed(scene, ground.source))
    forge = scene.forge(case)
    told, outcome = "", None
    try:
        tree = forge.tree(case)
        assert CANARY not in seen(tree)
        done = forge.publish(case, tree, tree.diff({"a.py": FIXED}), PROPOSAL)
    except Retryable as trouble:
        told = str(trouble)
    except Stop as stop:
        told, outcome = stop.detail, stop.outcome
    assert re.search(hostile.fetched, told) if hostile.fetched else told == "", told
    assert outcome in (None, Outcome.UNSUPPORTED)
    assert not ground.trap.exists()
    assert ground.foreign() == before
    if not hostile.fetched:
        (pull,) = scene.state["pulls"]
        assert [(file["filename"], file["status"]) for file in pull["files"]] == [("a.py", "modified")]
        bare = scene.hub.data / f"{scene.info.id}.git"
        assert git(bare, "cat-file", "blob", f"{done.commit}:a.py") == FIXED.decode().strip()
    else:
        assert scene.asked("POST", "/pulls") == []


@pytest.mark.fault(22)
@pytest.mark.parametrize(
    "name", ["--upload-pack=touch${IFS}trap", "$(touch${IFS}trap);&|", "@", "l" * 200, "\u202ename"]
)
def test_a_branch_with_a_hostile_name(scene: Scene, name: str) -> None:
    """Only its commit's sha reaches git; the name is data, and the fix goes to a branch of ours."""
    sha = Sha(scene.hub.push(REPO, {"a.py": "x = 1\n"}, branch=name))
    case = replace(scene.case, head_sha=sha, branch=name)
    forge = scene.forge(case)
    tree = forge.tree(case)
    done = forge.publish(case, tree, tree.diff({"a.py": FIXED}), replace(PROPOSAL, target=name))
    (pull,) = scene.state["pulls"]
    assert (pull["base"]["ref"], pull["head"]["ref"], done.branch) == (name, PROPOSAL.branch, PROPOSAL.branch)


def packet(data: bytes) -> bytes:
    """A pkt-line of git's protocol."""
    return b"%04x" % (len(data) + 4) + data


def entry(kind: int, size: int, body: bytes, before: bytes = b"") -> bytes:
    """An object of a pack: its kind and unpacked size, then its content."""
    head, rest = (kind << 4) | (size & 15), size >> 4
    found = bytearray()
    while rest:
        found.append(head | 0x80)
        head, rest = rest & 0x7F, rest >> 7
    return bytes([*found, head]) + before + zlib.compress(body)


def varint(number: int) -> bytes:
    """A size as a delta writes it."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


@pytest.mark.fault(23)
def test_a_pack_that_unfolds_in_memory(tmp_path: Path) -> None:
    """Eight kilobytes of copies of one file would be a gigabyte in git's memory: it is refused before it is made."""
    objects = Objects(tmp_path / "made")
    file = bytes(1 << 16)
    tree = objects.tree((FILE, b"a", objects.blob(file)))
    commit = objects.commit(tree)
    copies = (1 << 30) // len(file)
    delta = varint(len(file)) + varint(copies * len(file)) + b"\x80" * copies  # each: the first 64 KiB again
    whole = [(1, commit), (2, tree), (3, objects.blob(file))]
    bodies = [(kind, zlib.decompress(path.read_bytes()).partition(b"\0")[2])
              for kind, sha in whole for path in [tmp_path / "made" / "objects" / sha[:2] / sha[2:]]]  # fmt: skip
    entries = [entry(kind, len(body), body) for kind, body in bodies]
    entries.append(entry(7, len(delta), delta, bytes.fromhex(whole[2][1])))
    pack = b"PACK" + (2).to_bytes(4, "big") + len(entries).to_bytes(4, "big") + b"".join(entries)
    pack += sha1(pack, usedforsecurity=False).digest()
    refs = packet(b"# service=git-upload-pack\n") + b"0000"
    refs += packet(commit.encode() + b" HEAD\0shallow allow-tip-sha1-in-want\n") + b"0000"
    shallow = packet(b"shallow " + commit.encode()) + b"0000"
    replies = (
        Reply(200, refs, {"Content-Type": "application/x-git-upload-pack-advertisement"}),
        Reply(200, shallow, {"Content-Type": "application/x-git-upload-pack-result"}),
        Reply(200, shallow + packet(b"NAK\n") + pack, {"Content-Type": "application/x-git-upload-pack-result"}),
    )
    with scripted(*replies) as server, pytest.raises(Stop, match="larger than Heal handles") as stopped:
        Mirror(tmp_path / "m.git", f"{server.url}/a/b.git").fetch(Sha(commit))
    assert stopped.value.outcome is Outcome.UNSUPPORTED


@pytest.mark.fault(23)
def test_a_hundred_thousand_files(tmp_path: Path) -> None:
    """Many files are many, and no trouble: they are listed, and a fix among them is made."""
    git(tmp_path, "init", "--quiet")
    objects = Objects(tmp_path / ".git")
    empty = objects.blob(b"")
    folder = objects.tree(*((FILE, b"f%03d" % n, empty) for n in range(1000)))
    many = objects.tree(*(("40000", b"d%03d" % n, folder) for n in range(100)))
    sha = objects.commit(objects.tree((FILE, b"a.py", objects.blob(b"x = 1\n")), ("40000", b"many", many)))
    tree = Mirror(tmp_path / "mirror").borrow(tmp_path / ".git" / "objects", Sha(sha))
    assert len(tree.paths()) == 100_001
    assert tree.apply("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n") == {"a.py": FIXED}


@pytest.mark.fault(23)
def test_what_git_writes_has_an_end(tmp_path: Path) -> None:
    """A file that grows past the limit ends the command, and the failure says so."""
    git(tmp_path, "init", "--quiet")
    objects = Objects(tmp_path / ".git")
    sha = objects.commit(objects.tree((FILE, b"a", objects.blob(bytes(1 << 20)))))
    small = Command(tmp_path / ".git", largest=1 << 16)
    with pytest.raises(GitFailed) as failed:
        small.run("archive", "--format=tar", f"--output={tmp_path / 'tar'}", sha)
    assert failed.value.too_large
    assert (tmp_path / "tar").stat().st_size <= 1 << 16
