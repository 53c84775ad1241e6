"""Starts a second Docker engine beside the machine's: own folders, own containerd, a named bridge of its own, on a
loopback address by TLS, with remapped users, and with the runtimes gVisor (from Debian) and one that never works.

A second engine without a bridge of its own deletes the first one's; one that manages packet filters rewrites the first
one's rules: this one has the former and does not do the latter, so its containers reach no network.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine import Engine
from sandbox.errors import EngineDown
from sandbox.images.build import resolve
from tests.processes import free_port

_ADDRESS = "10.213.77.1/24"
_START_S, _STOP_S = 60, 60


@dataclass(frozen=True)
class SecondEngine:
    """Where it listens, and the folder of a client's certificates."""

    host: str
    certificates: Path

    def connect(self) -> Engine:
        return Engine(self.host, certificates=self.certificates)


@contextmanager
def second_engine(first: Engine) -> Iterator[SecondEngine]:
    """While this lasts it runs and has the `debian` image of the first."""
    folder = Path(tempfile.mkdtemp(prefix="second-engine-", dir="/var/tmp"))
    folder.chmod(0o711)  # remapped users have to come through
    bridge = f"heal-{folder.name[-8:].lower().replace('_', 'x')}"
    certificates = _certificates(folder / "tls")
    host = f"tcp://127.0.0.1:{free_port()}"
    _write_settings(folder, certificates, bridge, host)
    _run("ip", "link", "add", "name", bridge, "type", "bridge")
    try:
        _run("ip", "address", "add", _ADDRESS, "dev", bridge)
        _run("ip", "link", "set", bridge, "up")
        with (folder / "log").open("wb") as log:
            daemon = subprocess.Popen(["dockerd", "--config-file", folder / "daemon.json"], stdout=log, stderr=log)
        try:
            started = SecondEngine(host, certificates)
            _await(started, daemon, folder / "log")
            _copy_image(first, started)
            yield started
        finally:
            daemon.terminate()
            daemon.wait(_STOP_S)
    finally:
        _run("ip", "link", "delete", bridge)
        shutil.rmtree(folder)


def _write_settings(folder: Path, certificates: Path, bridge: str, host: str) -> None:
    runsc = _unpacked(folder / "debian", "runsc") / "usr/bin/runsc"
    settings = {
        "hosts": [host],
        "data-root": str(folder / "data"),
        "exec-root": str(folder / "exec"),
        "pidfile": str(folder / "pid"),
        "bridge": bridge,
        "iptables": False,
        "ip-forward": False,
        "ip-masq": False,
        "userns-remap": "default",
        "shutdown-timeout": 2,
        "tlsverify": True,
        "tlscacert": str(certificates / "ca.pem"),
        "tlscert": str(certificates / "server.pem"),
        "tlskey": str(certificates / "server-key.pem"),
        "runtimes": {
            "runsc": {"path": str(runsc), "runtimeArgs": ["--network=none", "--platform=ptrace"]},
            "broken": {"path": "/bin/false"},
        },
    }
    (folder / "daemon.json").write_text(json.dumps(settings))


def _await(started: SecondEngine, daemon: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        asking = started.connect()
        try:
            asking.version()
        except EngineDown:
            assert daemon.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        else:
            return
        finally:
            asking.close()


def _copy_image(first: Engine, started: SecondEngine) -> None:
    reference, second = resolve("debian"), started.connect()
    try:
        saved = first.client().images.get(reference).save(named=reference)
        second.client().images.load(saved)  # type: ignore[arg-type]  # an iterator will do, as its documentation says
    finally:
        second.close()


def _certificates(folder: Path) -> Path:
    """An authority, a server's certificate, and a client's under the names that Docker's own clients use."""
    folder.mkdir()
    key = ("-newkey", "rsa:2048", "-nodes")
    _run("openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=authority", "-keyout", "ca-key.pem", "-out",
         "ca.pem", folder=folder)  # fmt: skip
    for name, out in (("server", "server"), ("client", "cert")):
        use = f"extendedKeyUsage={name}Auth\n" + ("subjectAltName=IP:127.0.0.1\n" if name == "server" else "")
        (folder / f"{name}.ext").write_text(use)
        secret = "key.pem" if name == "client" else "server-key.pem"
        _run("openssl", "req", *key, "-subj", f"/CN={name}", "-keyout", secret, "-out", f"{name}.csr", folder=folder)
        _run("openssl", "x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
             "-CAcreateserial", "-extfile", f"{name}.ext", "-out", f"{out}.pem", folder=folder)  # fmt: skip
    return folder


def _unpacked(folder: Path, package: str) -> Path:
    """A Debian package's files, without installing it."""
    folder.mkdir()
    try:
        _run("apt-get", "download", package, folder=folder)
    except AssertionError:
        _run("apt-get", "update", folder=folder)
        _run("apt-get", "download", package, folder=folder)
    (archive,) = folder.glob("*.deb")
    _run("dpkg", "-x", str(archive), str(folder))
    return folder


def _run(*command: str, folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
