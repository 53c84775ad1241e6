"""The mirror against a real smart HTTP server: one fetch per commit, no secret in sight, a stated end for trouble."""

from __future__ import annotations

import os
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos.machine import small_disk
from tests.workers.forge.scene import FILES, REPO, Scene
from tests.workers.forge.scripted import Reply, scripted
from workers.domain import Outcome, Sha
from workers.errors import Retryable, Stop
from workers.git.command import GitFailed, is_full
from workers.git.mirror import Mirror, translate
from workers.github.session import Purpose


def mirror(scene: Scene, tmp_path: Path, name: str = "") -> Mirror:
    """A mirror of the scene's repository, or of another name on the same server."""
    session = scene.forge()._session
    return Mirror(tmp_path / "m.git", f"{scene.hub.url}/{name or REPO}.git", lambda: session.token(Purpose.READ))


def packet(text: str) -> bytes:
    """A pkt-line of git's protocol."""
    return f"{len(text) + 4:04x}{text}".encode()


def transfers(scene: Scene) -> int:
    return len([one for one in scene.hub.requests() if one["path"].endswith("/git-upload-pack")])


def test_a_commit_is_fetched_once(scene: Scene, tmp_path: Path) -> None:
    """The second look, by whatever worker, takes no network; a newer commit brings only what is new."""
    first = mirror(scene, tmp_path).fetch(scene.case.head_sha)
    before = transfers(scene)
    mirror(scene, tmp_path).fetch(scene.case.head_sha)
    assert transfers(scene) == before
    newer = Sha(scene.hub.push(REPO, {"shop.py": "new = 1\n"}))
    assert mirror(scene, tmp_path).fetch(newer).read("shop.py") == b"new = 1\n"
    assert first.read("shop.py") == str(FILES["shop.py"]).encode()
    assert ".gitattributes" in first.paths()


def test_workers_take_turns(scene: Scene, tmp_path: Path) -> None:
    """Four at once on an empty mirror all get the tree, and it is fetched once."""
    with ThreadPoolExecutor(4) as pool:
        trees = list(pool.map(lambda _: mirror(scene, tmp_path).fetch(scene.case.head_sha), range(4)))
    assert {tree.tar().archive for tree in trees} == {trees[0].tar().archive}
    fetched = transfers(scene)
    shutil.rmtree(tmp_path / "m.git")
    mirror(scene, tmp_path).fetch(scene.case.head_sha)
    assert transfers(scene) - fetched == fetched


@pytest.mark.fault(67)
def test_a_full_disk_is_told_of_the_machine(scene: Scene, tmp_path: Path) -> None:
    """Git says of a pack for which there is no room that it is invalid. The commit is not damaged: the run waits."""
    big = Sha(scene.hub.push(REPO, {"big.bin": os.urandom(3 << 20)}))
    (tmp_path / "m.git").mkdir()
    with small_disk(tmp_path / "m.git", 2 << 20), pytest.raises(OSError, match="space") as failed:
        mirror(scene, tmp_path).fetch(big)
    assert is_full(failed.value)
    assert mirror(scene, tmp_path).fetch(big).read("big.bin") is not None


@pytest.mark.parametrize(
    "said",
    [
        "fatal: early EOF\nfatal: fetch-pack: invalid index-pack output",
        "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: index-pack failed",
        "error: index-pack died of signal 9\nfatal: index-pack failed",
        "fetch-pack: unexpected disconnect while reading sideband packet\nfatal: invalid index-pack output",
    ],
)
def test_a_pack_that_was_cut_off_is_no_damage(said: str) -> None:
    """What ended in the middle, there or here, is fetched again; only what git found in the objects is told of them."""
    sha = Sha("1" * 40)
    assert isinstance(translate(GitFailed(["fetch"], 128, said), sha), Retryable)
    found = f"error: object {sha}: hasDotgit: contains '.git'\nfatal: fsck error in packed object\n"
    damaged = translate(GitFailed(["fetch"], 128, found + said), sha)
    assert isinstance(damaged, Stop)
    assert damaged.outcome is Outcome.UNSUPPORTED


@pytest.mark.fault(54)
def test_what_a_killed_git_left_stops_nobody(scene: Scene, tmp_path: Path) -> None:
    """Lock files and half a pack of a git that died with its machine are cleared before the next fetch."""
    mirror(scene, tmp_path).fetch(scene.case.head_sha)
    newer = Sha(scene.hub.push(REPO, {"shop.py": "new = 1\n"}))
    names = ("shallow.lock", "packed-refs.lock", f"refs/heal/{newer}.lock", "objects/pack/tmp_pack_1")
    left = [tmp_path / "m.git" / name for name in names]
    for path in left:
        path.write_bytes(b"")
    assert mirror(scene, tmp_path).fetch(newer).read("shop.py") == b"new = 1\n"
    assert not any(path.exists() for path in left)


@pytest.mark.fault(54)
def test_a_mirror_half_made_is_made(scene: Scene, tmp_path: Path) -> None:
    """Killed while it made the mirror, a worker leaves a folder that is no repository: the next one completes it."""
    (tmp_path / "m.git").mkdir()
    (tmp_path / "m.git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert mirror(scene, tmp_path).fetch(scene.case.head_sha).read("shop.py") == str(FILES["shop.py"]).encode()


@pytest.mark.fault(24)
def test_a_commit_that_is_gone(tmp_path: Path) -> None:
    """A sha the repository does not have ends the run as HEAD_MOVED, with the sha in the sentence."""
    refs = packet("# service=git-upload-pack\n") + b"0000"
    refs += packet(f"{'b' * 40} HEAD\0shallow allow-tip-sha1-in-want allow-reachable-sha1-in-want\n") + b"0000"
    refusal = packet(f"ERR upload-pack: not our ref {'a' * 40}")
    replies = (
        Reply(200, refs, {"Content-Type": "application/x-git-upload-pack-advertisement"}),
        Reply(200, refusal, {"Content-Type": "application/x-git-upload-pack-result"}),
    )
    with scripted(*replies) as server, pytest.raises(Stop, match="aaaaaaaaaaaa") as stopped:
        Mirror(tmp_path / "m.git", f"{server.url}/a/b.git").fetch(Sha("a" * 40))
    assert stopped.value.outcome is Outcome.HEAD_MOVED


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """A server that sends git elsewhere gets neither a second request nor the token's header there."""
    with scripted(Reply(200)) as elsewhere:
        with (
            scripted(Reply(302, b"", {"Location": f"{elsewhere.url}/x/info/refs"})) as server,
            pytest.raises(Retryable),
        ):
            Mirror(tmp_path / "m.git", f"{server.url}/a/b.git", lambda: "ghs_secret").fetch(Sha("a" * 40))
        assert elsewhere.seen == []


@pytest.mark.parametrize("name", ["octo/nothing", "octo/shop/../../etc"])
def test_a_repository_that_is_gone(scene: Scene, tmp_path: Path, name: str) -> None:
    """No such repository, or none we may see, ends the run as DISABLED."""
    with pytest.raises(Stop) as stopped:
        mirror(scene, tmp_path, name).fetch(scene.case.head_sha)
    assert stopped.value.outcome is Outcome.DISABLED


def test_no_server(tmp_path: Path) -> None:
    """Nobody listening is trouble that passes, blamed on GitHub."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a/b.git"
        with pytest.raises(Retryable) as parked:
            Mirror(tmp_path / "m.git", url).fetch(Sha("a" * 40))
    assert parked.value.blame == "github"


@pytest.mark.parametrize("url", ["ext::sh -c true", "file:///tmp/x", "ssh://x/y", "/tmp/x", "-uhttp://x"])
def test_only_http_addresses(tmp_path: Path, url: str) -> None:
    """A mirror is never made for a transport that could run or read something here."""
    with pytest.raises(ValueError, match="http"):
        Mirror(tmp_path / "m.git", url)


@pytest.mark.parametrize("sha", ["main", "--upload-pack=x", "a" * 39, "A" * 40, ""])
def test_only_full_shas(tmp_path: Path, sha: str) -> None:
    """Branch names and options never reach git's command line as a commit."""
    with pytest.raises(Stop):
        Mirror(tmp_path / "m.git", "http://127.0.0.1:1/a/b.git").fetch(Sha(sha))


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts a recording `git` in front of the real one, and secrets and traps into the worker's environment."""
    real = shutil.which("git")
    log = tmp_path / "seen"
    log.mkdir()
    script = tmp_path / "bin" / "git"
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\ntr "\\0" "\\n" </proc/$$/cmdline >{log}/argv.$$\nenv >{log}/env.$$\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HEAL_PRIVATE_KEY", "the-app-key")
    monkeypatch.setenv("OPENAI_API_KEY", "the-model-key")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/nonexistent")
    monkeypatch.setenv("GIT_SSH_COMMAND", "/nonexistent")
    return log


def test_secrets_stay_out_of_argv_files_and_children(scene: Scene, tmp_path: Path, recorder: Path) -> None:
    """The token travels in one variable of the fetch alone; no git process sees the worker's own secrets or GIT_*."""
    forge = scene.forge()
    tree = forge.tree(scene.case)
    tree.diff({"shop.py": b"x\n"})
    token = forge._session.token(Purpose.READ)
    argv = "".join(path.read_text() for path in recorder.glob("argv.*"))
    seen = [path.read_text() for path in recorder.glob("env.*")]
    assert "fetch" in argv
    assert token not in argv
    assert "basic" not in argv.lower()
    assert not any("the-app-key" in one or "the-model-key" in one or "/nonexistent" in one for one in seen)
    with_header = [one for one in seen if "AUTHORIZATION: basic" in one]
    assert len(with_header) == 1
    assert all("GIT_CONFIG_GLOBAL=/dev/null" in one and "GIT_TERMINAL_PROMPT=0" in one for one in seen)
    assert {one.split("GIT_ALLOW_PROTOCOL=")[1].split("\n")[0] for one in seen} <= {"http", ""}
    config = (scene.mirrors / f"{scene.info.id}.git" / "config").read_text()
    assert "extraheader" not in config.lower()
    assert scene.hub.url not in config
