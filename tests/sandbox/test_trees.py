"""Both ways in which a commit's files reach a check: as a stream, and as an overlay on a prepared tree."""

from __future__ import annotations

import io
import tarfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox import policy
from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.errors import SandboxError
from sandbox.keeper import COUNT, Keepers
from sandbox.prepared import Ground, Prepared
from sandbox.reaper import reap, remove_all
from sandbox.spec import Ending, Limits, Plan, Result, Step, Tree
from sandbox.trees import STREAMED_BYTES, STREAMED_FILES, Trees, is_big
from sandbox.usage import Usage
from tests.sandbox.trees import ADDER, FIX

SMALL = Limits(wall_s=30, memory=96 << 20, cpus=1.0, pids=64, workspace=16 << 20, tmp=16 << 20)
GROUND = Ground("image", "volume", "key")
DEEP = "/".join(["d" * 99] * 39) + "/" + "f" * 90


def packed(files: dict[str, str], empty: int = 0, *odd: tarfile.TarInfo, sha: str = "") -> Tree:
    """A tree of these files and so many empty ones; by default no other has its name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, text in files.items():
            entry, data = tarfile.TarInfo(name), text.encode()
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 86400
            archive.addfile(entry, io.BytesIO(data))
        for number in range(empty):
            archive.addfile(tarfile.TarInfo(f"many/{number % 50}/{number}"))
        for entry in odd:
            archive.addfile(entry)
    return Tree(sha or uuid.uuid4().hex, buffer.getvalue())


def odd(name: str, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    if target:
        entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry


ODD = (odd("new\nline"), odd("caf\udce9"), odd(DEEP), odd("out", "/etc/passwd"), odd("up", "../../../etc"))
BAD = (odd(".git/config"), odd("sub/.git"), odd("/heal/absolute"), odd("../heal/above"), odd("n" * 300))


@pytest.fixture(scope="module")
def big() -> Tree:
    """Over the number of files that is streamed, and with every odd name a commit can bring."""
    return packed(ADDER, STREAMED_FILES, *ODD, *BAD)


@pytest.fixture
def owner(engine: Engine) -> Iterator[str]:
    name = f"tests-{uuid.uuid4().hex[:12]}"
    yield name
    remove_all(engine, name)
    assert not engine.containers(f"heal.owner={name}")
    assert not engine.volumes(f"heal.owner={name}")


def shell(
    env: DockerEnvironment, tree: Tree, script: str, limits: Limits = SMALL, patch: bytes | None = None
) -> Result:
    return env.run(Step("check", script), tree, patch, limits)


def ground(env: DockerEnvironment) -> Ground:
    return Ground(env.image, env._frozen.volume, env.key)


def test_what_is_big() -> None:
    """Bytes and files decide, what set-up built among them; tiny files are many long before they are large."""
    assert not is_big(packed({}, 40), GROUND)
    assert is_big(packed({}, STREAMED_FILES + 1), GROUND)
    assert is_big(packed({"a": "x" * STREAMED_BYTES}), GROUND)
    assert is_big(packed({}, 40), Ground("image", "volume", "key", STREAMED_BYTES, 1))
    assert is_big(packed({}, 40), Ground("image", "volume", "key", 1000, STREAMED_FILES))


@pytest.mark.engine
@pytest.mark.parametrize("many", [0, STREAMED_FILES], ids=["streamed", "overlay"])
def test_odd_names_arrive_and_bad_ones_do_not(bare: DockerEnvironment, many: int) -> None:
    """Newlines, bytes that are no UTF-8, very deep paths and links out of the tree are as committed; what leads out of
    it, or brings a repository, is left out, and the result says so."""
    script = (
        "import os, stat\n"
        "found = {os.path.relpath(os.path.join(at, name), b'.'): os.lstat(os.path.join(at, name))\n"
        "         for at, dirs, names in os.walk(b'.') for name in dirs + names}\n"
        "print(sorted(name for name in found if b'/' not in name))\n"
        "print(max(map(len, found)), os.readlink(b'out'), os.readlink(b'up'), {s.st_uid for s in found.values()})\n"
        "print(sorted(os.listdir('/heal')), os.path.exists('/heal/absolute'), os.path.exists('.git'))\n"
        "[os.chmod(name, 0o600) for name, s in found.items() if stat.S_ISREG(s.st_mode) and b'many' not in name]\n"
    )
    result = bare.run(Step("check", script, "python {0}"), packed(ADDER, many, *ODD, *BAD), limits=SMALL)
    assert result.ending is Ending.PASSED, result.output.text
    names = ["adder.py", "caf\\xe9", "d" * 99, "new\\nline", "out", "test_adder.py", "up", *(["many"] if many else [])]
    lines = result.output.text.splitlines()
    quoted = sorted(f"b'{name}'" for name in names)
    assert lines[0] == f"[{', '.join(quoted)}]"
    assert lines[1] == f"{len(DEEP)} b'/etc/passwd' b'../../../etc' {{{policy.USER}}}"
    assert "absolute" not in lines[2]
    assert lines[2].endswith("False False")
    assert [note.partition(":")[0] for note in result.notes] == ["5 entries of the commit were left out"]


@pytest.mark.engine
def test_an_overlay_is_a_fresh_copy_every_time(bare: DockerEnvironment, big: Tree) -> None:
    """A check may change, delete and rename everything; the next one, in the same place, sees the commit again."""
    destroy = (
        "grep -q '^overlay /ws overlay' /proc/mounts && mount | grep ' /ws ' | grep -q nosuid,nodev\n"
        "grep -q 'return a + b' adder.py\n"  # the patch is applied
        "mv many renamed && echo changed >renamed/0/0 && rm -r renamed/1 test_adder.py && mkdir -m 0 closed\n"
        "ln -s /etc/passwd planted && mkdir .git && chmod 700 . && ls renamed | wc -l\n"
        "touch /heal/tree/x && exit 9 || rm -rf /heal/tree/adder.py && exit 9 || true"
    )
    look = "cat adder.py; find . -type f | wc -l; ls -a; stat -c %a .; cat many/0/0 many/1/1; ls /heal/tree | wc -l"
    first = shell(bare, big, look)
    changed = shell(bare, big, destroy, patch=FIX)
    assert changed.ending is Ending.PASSED, changed.output.text
    assert changed.output.text.splitlines()[0] == "49"
    for _ in range(2):
        assert shell(bare, big, look).output.text == first.output.text
    assert ADDER["adder.py"] in first.output.text


@pytest.mark.engine
def test_what_an_overlay_takes_is_limited(bare: DockerEnvironment, big: Tree) -> None:
    """The workspace's size is the quota of what is written on top, whatever the tree's; its memory is the check's."""
    full = shell(bare, big, "head -c 64M /dev/zero >big || { stat -c %s big; exit 1; }")
    assert full.ending is Ending.DISK_FULL
    assert 15 << 20 < int(full.output.text.splitlines()[-1]) <= SMALL.workspace
    roomy = Limits(wall_s=30, memory=96 << 20, cpus=1.0, pids=64, workspace=256 << 20, tmp=16 << 20)
    assert shell(bare, big, "head -c 200M /dev/zero >big", roomy).ending is Ending.OOM
    assert shell(bare, big, "head -c 8M /dev/zero >big", roomy).ending is Ending.PASSED


@pytest.mark.engine
def test_an_upper_is_emptied_of_whatever_a_check_leaves(bare: DockerEnvironment, big: Tree, engine: Engine) -> None:
    """Folders that nobody may enter and paths deeper than any name can say are gone before the next check comes."""
    script = (
        "import os\nos.makedirs('a/b/c')\nopen('a/b/c/f', 'w').close()\nos.chmod('a/b', 0)\nos.chmod('a', 0)\n"
        "os.chmod('adder.py', 0)\nos.mkdir('deep')\nos.chdir('deep')\n"
        "for _ in range(3000): os.mkdir('d' * 9); os.chdir('d' * 9)\nos.chmod('.', 0)\n"
    )
    assert bare.run(Step("check", script, "python {0}"), big, limits=SMALL).ending is Ending.PASSED
    keepers = bare._trees._keepers
    deadline = time.monotonic() + 60
    while any(keeper.taken for keeper in keepers._keepers.values()):  # given back in the background
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert all(len(keeper.free) == COUNT for keeper in keepers._keepers.values())


@pytest.mark.engine
def test_an_engine_that_mounts_no_overlays(
    bare: DockerEnvironment, engine: Engine, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a big tree is streamed, nothing is prepared in vain, and the result says what that means."""
    monkeypatch.setattr(
        policy,
        "overlay_options",
        lambda lower, upper: {"type": "overlay", "device": "overlay", "o": f"lowerdir={lower}/no"},
    )
    trees = Trees(engine, owner, Usage(engine, owner))
    placed = [trees.place(packed(ADDER, STREAMED_FILES), ground(bare), SMALL, time.time() + 60) for _ in range(2)]
    trees.close()
    assert [place.mounts for place in placed] == [(), ()]
    assert all("no overlays" in place.notes[0] for place in placed)
    assert not engine.volumes(f"heal.owner={owner}")


@pytest.mark.engine
def test_what_set_up_built_is_prepared_with_the_tree(sandbox: DockerSandbox, big: Tree) -> None:
    """Build outputs lie beside the commit's files, which stay as committed."""
    build = Step("build", "mkdir -p built .git && echo made >built/out && echo made >.git/x && echo made >adder.py")
    env = sandbox.prepare(Plan("python", (build,), Step("check", "true")), big)
    result = shell(env, big, "cat built/out adder.py; ls -d .git || echo more >>built/out")
    assert result.output.text.startswith("made\n" + ADDER["adder.py"])
    assert "cannot access '.git'" in result.output.text
    assert result.ending is Ending.PASSED


@pytest.mark.engine
def test_overlays_side_by_side(bare: DockerEnvironment, big: Tree, engine: Engine, sandbox: DockerSandbox) -> None:
    """Checks at the same time do not see each other, and one goes on with a new keeper when the old one was killed."""
    script = "touch mine-$$ && sleep 0.5 && ls mine-* | wc -l && echo $$ >adder.py"
    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lambda _: shell(bare, big, script), range(3)))
    assert [result.output.text for result in results] == ["1\n"] * 3
    keepers = [name for name, labels in engine.containers(f"heal.owner={sandbox.owner}").items()
               if labels["heal.role"] == "keeper" and labels["heal.key"] == str(SMALL.workspace)]  # fmt: skip
    assert len(keepers) == 1
    engine.client().api.kill(keepers[0])
    assert shell(bare, big, "cat adder.py").output.text == ADDER["adder.py"]


@pytest.mark.engine
def test_workers_that_prepare_the_same_tree_agree(bare: DockerEnvironment, engine: Engine, owner: str) -> None:
    """Of two workers one's volume is used by both; a third finds it; nothing else is left. They need no room beside
    that of the checks that wait for them."""
    on, tree, start = ground(bare), packed(ADDER, 20), threading.Barrier(2)
    workers = [Prepared(engine, owner, Usage(engine, owner)) for _ in range(3)]
    room = engine.room.try_enter(1 << 50, owner)
    assert room is not None

    def prepare(worker: Prepared) -> str:
        start.wait()
        return worker.volume(tree, on).name

    try:
        with ThreadPoolExecutor(2) as threads:
            names = set(threads.map(prepare, workers[:2]))
    finally:
        engine.room.leave(room)
    assert {workers[2].volume(tree, on).name} == names
    roles = sorted(volume.labels["heal.role"] for volume in engine.volumes(f"heal.owner={owner}"))
    assert roles == ["marker", "tree", "used"]


@pytest.mark.engine
def test_a_tree_that_cannot_be_unpacked_is_not_kept(bare: DockerEnvironment, engine: Engine, owner: str) -> None:
    """The error says why, and no half-filled volume can be found."""
    broken = Tree("broken", packed({"a": "x" * 4000}).archive[:2000])
    with pytest.raises(SandboxError, match="could not be unpacked: tar"):
        Prepared(engine, owner, Usage(engine, owner)).volume(broken, ground(bare))
    assert not engine.volumes(f"heal.owner={owner}")


@pytest.mark.engine
def test_preparing_can_be_cancelled(bare: DockerEnvironment, sandbox: DockerSandbox, engine: Engine) -> None:
    """A run that is cancelled while its tree is being prepared ends then, and so does one that waits for it; what was
    half filled is gone."""
    tree, cancel = packed(ADDER, 30_000), threading.Event()
    label = f"heal.owner={sandbox.owner}"

    def run(_: int) -> Ending:
        return bare.run(Step("check", "true"), tree, limits=SMALL, cancel=cancel).ending

    with ThreadPoolExecutor(2) as threads:
        runs = [threads.submit(run, number) for number in range(2)]
        while not any(labels["heal.role"] == "loader" for labels in engine.containers(label).values()):
            assert not any(one.done() for one in runs)
            time.sleep(0.01)
        cancel.set()
        endings = [one.result() for one in runs]
    assert endings == [Ending.CANCELLED] * 2
    abouts = [volume.labels.get("heal.about") for volume in engine.volumes(label)]
    assert f"commit {tree.sha}" not in abouts


@pytest.mark.engine
def test_uppers_are_reused_when_they_are_empty(bare: DockerEnvironment, engine: Engine, owner: str) -> None:
    """One keeper serves as many at once as it has uppers, one more gets another keeper; closing leaves nothing."""
    keepers = Keepers(engine, owner)
    until = 0.0
    taken = [keepers.take(1 << 20, bare.image, until) for _ in range(COUNT + 1)]
    assert len({upper.path for upper in taken}) == COUNT + 1
    assert len({upper.keeper for upper in taken}) == 2
    keepers.give_back(taken[3])
    assert keepers.take(1 << 20, bare.image, until) == taken[3]
    keepers.give_back(taken[-1], empty=False)
    assert keepers.take(1 << 20, bare.image, until) not in taken
    keepers.close()
    assert not engine.volumes(f"heal.owner={owner}")


@pytest.mark.engine
def test_the_reaper_takes_what_a_dead_worker_held(bare: DockerEnvironment, engine: Engine, owner: str) -> None:
    """Past their deadlines keeper, uppers, workspaces and half-filled trees go; a finished tree stays."""
    lower = Prepared(engine, owner, Usage(engine, owner)).volume(packed(ADDER), ground(bare))
    upper = Keepers(engine, owner).take(1 << 20, bare.image, 0.0)
    labels = policy.Labels(owner, "run", "workspace", bare.key, 0.0)
    engine.create_volume(f"{owner}-ws", labels.as_dict(), policy.overlay_options(lower.path, upper.path))
    engine.create_volume(f"{owner}-half", {**labels.as_dict(), "heal.role": "tree"})
    later = time.time() + 10 * 3600
    assert (reaped := reap(engine, owner, later)).containers == 1
    assert reaped.volumes == COUNT + 2
    assert {volume.labels["heal.role"] for volume in engine.volumes(f"heal.owner={owner}")} == {
        "marker",
        "tree",
        "used",
    }


@pytest.mark.engine
@pytest.mark.parametrize("many", [0, STREAMED_FILES], ids=["streamed", "overlay"])
def test_a_repository_of_one_commit(sandbox: DockerSandbox, many: int) -> None:
    """Where the recipe wants one, set-up and check have a repository whose one commit is what is checked, the patch
    included; what set-up built is no part of it, and the one that came with the tree is not used."""
    build = Step("build", "git describe --always >>described && git status --porcelain && mkdir b && touch b/out")
    env = sandbox.prepare(Plan("python", (build,), Step("check", "true"), repository=True), packed(ADDER))
    files = {**ADDER, ".gitignore": "*.log\nb\ndescribed\n", "kept.log": "tracked although ignored\n",
             ".gitattributes": "*.py text eol=crlf\n", ".git/HEAD": "ref: refs/heads/theirs\n"}  # fmt: skip
    tree = packed(files, many)
    look = (
        "git status --porcelain; git log --format='%s %at %ct'; git ls-files | grep -v many/; git diff HEAD\n"
        "ls described b; ! env | grep ^GIT_; grep -c $'\\r' adder.py || true; git show HEAD:adder.py | tail -1\n"
    )
    clean, patched = (shell(env, tree, look, patch=patch) for patch in (None, FIX))
    names = ".gitattributes\n.gitignore\nadder.py\nkept.log\ntest_adder.py\n"
    told = "The commit that is checked 86400 86400\n" + names + "described\n\nb:\nout\n0\n    return a {} b\n"
    assert (clean.output.text, clean.ending) == (told.format("-"), Ending.PASSED)
    assert (patched.output.text, patched.ending) == (told.format("+"), Ending.PASSED)
