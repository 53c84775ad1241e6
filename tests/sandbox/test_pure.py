"""The rules that need no engine: container settings, capture, reports, verdicts."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from sandbox import policy
from sandbox.capture import Capture, plain
from sandbox.environments import DockerSandbox
from sandbox.errors import SandboxError
from sandbox.images.build import resolve
from sandbox.life import Ended
from sandbox.spec import Ending, Evidence, Limits, Sandbox
from sandbox.stream import Stop, _Channel
from sandbox.verdict import never_began, result

LABELS = policy.Labels("owner", "run", "check", "key", 1234.5)
EVIDENCE = Evidence("image", "environment", "tree", "patch", "default")


def test_check_settings_lock_everything() -> None:
    """The check phase: no network, no capability, read-only root, user 1000, memory without swap, one volume."""
    settings = policy.check_container("image", "volume", {}, Limits(), LABELS)
    assert settings["network_mode"] == "none"
    assert settings["cap_drop"] == ["ALL"]
    assert "cap_add" not in settings
    assert settings["read_only"] is True
    assert settings["user"] == "1000:1000"
    assert "no-new-privileges" in settings["security_opt"]
    assert settings["mem_limit"] == settings["memswap_limit"] == 2 << 30
    assert settings["pids_limit"] == 512
    assert settings["mounts"] == [{"Type": "volume", "Source": "volume", "Target": "/env", "ReadOnly": True}]
    assert all("nosuid,nodev" in options and "size=" in options for options in settings["tmpfs"].values())
    assert settings["labels"]["heal.deadline"] == "1234"


def test_set_up_settings_add_only_what_installing_needs() -> None:
    """The set-up phase: five capabilities, network, a writable environment; no environment of its own."""
    settings = policy.setup_container("image", "volume", Limits(), LABELS, "runsc")
    assert settings["cap_drop"] == ["ALL"]
    assert set(settings["cap_add"]) == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert settings["environment"] == {}
    assert settings["runtime"] == "runsc"


@pytest.mark.parametrize("phase", ["check", "setup"])
def test_nothing_of_the_host_is_given(phase: str) -> None:
    """Neither phase has a bind mount, a device, a port, a privilege, or the `volumes` setting that images inherit."""
    check = policy.check_container("image", "volume", {}, Limits(), LABELS)
    settings = check if phase == "check" else policy.setup_container("image", "volume", Limits(), LABELS)
    assert not {"volumes", "devices", "ports", "privileged", "pid_mode", "userns_mode"} & set(settings)
    assert [mount["Type"] for mount in settings["mounts"]] == ["volume"]


def test_the_lender_sees_volumes_and_nothing_else() -> None:
    """The one container with a path of the engine's machine runs our code, without network, with one capability."""
    settings = policy.lending_container("image", "/var/lib/docker/volumes", ["-I"], LABELS)
    assert settings["network_mode"] == "none"
    assert (settings["cap_drop"], settings["cap_add"]) == (["ALL"], ["DAC_OVERRIDE"])
    assert settings["read_only"] is True
    assert settings["entrypoint"][0] == "/opt/heal/python"
    (mount,) = settings["mounts"]
    assert (mount["Type"], mount["Source"], mount["Target"]) == ("bind", "/var/lib/docker/volumes", "/volumes")


def test_certificates_only_in_set_up() -> None:
    """The host's certificate bundle is named for every tool in set-up, and nowhere in the check."""
    named = policy.setup_environment(ca_bundle=True, package_indexes={"PIP_INDEX_URL": "https://index"})
    wanted = {"SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"}
    assert all(named[name] == policy.CA_FILE for name in wanted)
    assert named["PIP_INDEX_URL"] == "https://index"
    assert not wanted & set(policy.setup_environment(ca_bundle=False, package_indexes={}))
    assert not wanted & set(policy.check_environment())


def test_system_files_are_noticed() -> None:
    """New system files make an image; bytecode, caches and logs do not."""
    assert policy.installed_system_files(["/usr/bin/hello"])
    assert not policy.installed_system_files(["/usr/lib/python3/__pycache__/x.pyc", "/var/log/apt", "/env/x", "/tmp/x"])
    assert not policy.installed_system_files(["/usr/sbin/docker-init"])


def test_language_keys_are_our_images() -> None:
    """A language key becomes our image, a full reference stays."""
    assert re.fullmatch(r"heal-sandbox/python:[0-9a-f]{16}", resolve("python"))
    assert resolve("example.org/image:1") == "example.org/image:1"


@pytest.mark.parametrize("size", [1, 7, 100])
def test_capture_keeps_both_ends(size: int) -> None:
    """Whatever the pieces, whole lines of head and tail are kept and everything else is counted."""
    capture, data = Capture(10, 10), b"01234\n6789" + b"x" * 80 + b"ABC\nEFGHIJ"
    for start in range(0, len(data), size):
        capture.feed(data[start : start + size])
    output = capture.output()
    assert output.dropped == 88
    assert output.text == "01234\n\n[... 88 bytes left out ...]\nEFGHIJ"
    assert capture.total == 100


def test_short_output_is_whole() -> None:
    """Output below the limits has no mark in it."""
    capture = Capture(10, 10)
    capture.feed(b"0123456789abc")
    assert capture.output().text == "0123456789abc"
    assert capture.output().dropped == 0


def test_text_is_safe_to_show() -> None:
    """Escapes, control codes and broken UTF-8 do not reach a page or a database; lines have an end."""
    assert plain("right \u202eto\u2066 left".encode()) == "right to left"
    assert plain(b"\x1b[31mred\x1b[0m\x00\x07 \xff\ttab\r\nnext\x1b]0;title\x07!") == "red �\ttab\nnext!"
    assert "2832 characters left out" in plain(b"a" * 10000)


def ended(stdout: bytes, code: int = 0, *, oom: bool = False, stopped: Stop | None = None) -> Ended:
    """A container whose first process did not say the last word."""
    return Ended(code, oom, stdout, _text(b"No space left on device"), stopped, 1)


def over(stdout: bytes, seconds: float = 1) -> Ended:
    """A container whose first process did."""
    return Ended(None, False, stdout, _text(b"No space left on device"), None, seconds, over=True)


def _text(data: bytes) -> Capture:
    capture = Capture(1000, 1000)
    capture.feed(data)
    return capture


def trailer(code: int, full: int = 1, oom: int = 0) -> bytes:
    return b"HEAL-READY\nHEAL-START\n\nHEAL-END rc=%d peak=42 full=%d cpu=1500000 oom=%d\n" % (code, full, oom)


@pytest.mark.parametrize(
    ("life", "ending"),
    [
        (over(trailer(0)), Ending.PASSED),
        (over(trailer(1)), Ending.FAILED),
        (over(trailer(1, 99)), Ending.DISK_FULL),
        (over(trailer(137), seconds=10), Ending.TIMEOUT),
        (over(trailer(137)), Ending.KILLED),
        (over(trailer(137, oom=1)), Ending.OOM),
        (over(trailer(1, oom=2)), Ending.OOM),
        (over(trailer(0, oom=1)), Ending.PASSED),
        (ended(trailer(0), 0), Ending.KILLED),
        (ended(trailer(1), 1), Ending.KILLED),
        (ended(b"HEAL-READY\nHEAL-START\n", 137), Ending.KILLED),
        (ended(b"HEAL-READY\nHEAL-START\n", 137, oom=True), Ending.OOM),
        (ended(b"HEAL-READY\nHEAL-PATCH-REJECTED\n", 93), Ending.PATCH_REJECTED),
        (ended(b"HEAL-READY\nHEAL-START\nHEAL-PATCH-REJECTED\n", 93), Ending.KILLED),
        (ended(b"HEAL-TREE-FAILED full=100\n", 91), Ending.DISK_FULL),
        (ended(b"", 137, stopped=Stop.CANCELLED), Ending.CANCELLED),
        (ended(b"", 137, stopped=Stop.DEADLINE), Ending.TIMEOUT),
        (ended(trailer(0), 137, stopped=Stop.OUTPUT), Ending.OUTPUT_LIMIT),
    ],
)
def test_endings(life: Ended, ending: Ending) -> None:
    """Every way a container can end has its own name, and only an undisputed exit code 0 is green."""
    verdict = result(life, Limits(wall_s=10), EVIDENCE)
    assert verdict.ending is ending
    assert verdict.green == (ending is Ending.PASSED)


@pytest.mark.parametrize(
    ("life", "never"),
    [
        (ended(b"HEAL-READY\n", 92), True),
        (ended(b"", 137, oom=True), True),
        (ended(b"HEAL-READY\nHEAL-START\n", 137), False),
        (ended(b"HEAL-READY\nHEAL-PATCH-REJECTED\n", 93), False),
        (ended(b"HEAL-TREE-FAILED full=100\n", 91), False),
        (ended(b"HEAL-READY\n", 137, stopped=Stop.CANCELLED), False),
    ],
)
def test_a_container_that_died_before_the_command(life: Ended, never: bool) -> None:
    """Told apart from one that the command, its patch, its tree or we ended: only then it may be run again."""
    assert never_began(life) is never


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_last_word_ends_a_stream(size: int) -> None:
    """Whatever the pieces, what comes before the mark is kept, the mark and what follows are not."""
    capture = Capture(1000, 1000)
    channel = _Channel(capture, b"OVER 1\n")
    for piece in (b"one OVE OVER 2\nOVER 1\nthree"[at : at + size] for at in range(0, 1000, size)):
        channel.feed(piece)
    channel.end()
    assert capture.bytes() == b"one OVE OVER 2\n"
    assert channel.over


def test_what_looks_like_the_last_word_is_kept() -> None:
    """A stream that ends within what could have been the mark loses nothing."""
    capture = Capture(1000, 1000)
    channel = _Channel(capture, b"OVER 1\n")
    channel.feed(b"one OVER")
    assert capture.bytes() == b"one "
    channel.end()
    assert capture.bytes() == b"one OVER"


def test_a_tree_that_cannot_be_unpacked_is_our_error() -> None:
    """A broken archive with room for it was sent by us: not the candidate's fault."""
    with pytest.raises(SandboxError, match="unpacked"):
        result(ended(b"HEAL-TREE-FAILED full=3\n", 91), Limits(), EVIDENCE)


def test_the_engine_side_keeps_the_contract() -> None:
    """DockerSandbox is a Sandbox by type (mypy holds it), and making one touches no engine."""
    made: Sandbox = DockerSandbox("unix:///nowhere.sock", "tests")
    assert [finding.ok for finding in made.doctor()] == [False]


def test_the_contract_imports_no_docker() -> None:
    """Reading the contract, or the policy, costs no import of the docker SDK."""
    code = "import sys, sandbox.spec, sandbox.errors, sandbox.policy; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
