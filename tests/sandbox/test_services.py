"""Every promise about the services of a job, on the real engine: they answer, nothing leaves, nothing is shared."""

from __future__ import annotations

import io
import tarfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Thread
from typing import Any, cast

import pytest

from sandbox import policy
from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.errors import Cancelled, ServiceFailed, ServiceMissing
from sandbox.images.build import build, resolve
from sandbox.reaper import reap
from sandbox.service_images import _PULLED, Resolved, ServiceImages, _tag
from sandbox.services import stand_up
from sandbox.spec import Ending, Health, Limits, Plan, Service, Step
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
SMALL = Limits(wall_s=30, memory=256 << 20)
ECHO = "example.invalid/echo:1"
DATABASE = Service(
    "postgres", "postgres:16", {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "word", "POSTGRES_DB": "shop"}, (5432,),
    ((15432, 5432),), Health("pg_isready -U app", interval_s=10),
)  # fmt: skip
CACHE = Service("cache", "docker.io/library/redis:7-alpine", ports=(6379,))
MIGRATE = """
import psycopg, redis
with psycopg.connect("postgresql://app:word@localhost/shop") as base:
    base.execute("create table rows (who text)")
    base.execute("insert into rows values ('set-up')")
redis.Redis("cache").set("who", "set-up")
"""
LOOK = """
import os, psycopg, redis, socket, sys
for place in ("localhost:5432", "postgres:5432", "localhost:15432"):
    with psycopg.connect(f"postgresql://app:word@{place}/shop") as base:
        print(place, *(row[0] for row in base.execute("select who from rows order by who")))
        base.execute("insert into rows values (%s)", (sys.platform,))
for host in ("localhost", "cache"):
    print(redis.Redis(host).getset("who", "check").decode())
try:
    psycopg.connect("postgresql://app:wrong@127.0.0.1/shop")
except psycopg.OperationalError as error:
    print("password" in str(error))
print(os.listdir("/sys/class/net"))
for where in ("1.1.1.1", "203.0.113.1", "172.17.0.1", "169.254.169.254"):
    try:
        socket.create_connection((where, 53), 2)
    except OSError as error:
        print(error)
"""
SEEN = (
    """localhost:5432 set-up
postgres:5432 linux set-up
localhost:15432 linux linux set-up
set-up
check
True
['lo']
"""
    + "[Errno 101] Network is unreachable\n" * 4
)
ECHOING = """
FROM {base}
USER root
RUN mkdir -p /store && touch /store/from-image
COPY start /start
VOLUME /store
LABEL heal.owner={owner}
ENTRYPOINT ["/start"]
"""
START = """#!/bin/sh
# As the official images do it: root owns the data to another user and becomes that user.
set -e
chown -R 999:999 /store /run
ls /store
cd /store
sleep "${LATE:-0}"
[ -z "$DIES" ] || { echo "I cannot go on"; exit 4; }
touch /run/started
exec setpriv --reuid 999 --regid 999 --clear-groups python3 -c '
import os, socketserver
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        word = self.rfile.readline().decode().strip()
        if word == "die":
            print("told to die", flush=True); os._exit(3)
        if word: open(word, "w").close()
        self.wfile.write(repr((os.getuid(), sorted(os.listdir(".")))).encode())
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("", 7000), Answer).serve_forever()'
"""


def says(word: str) -> str:
    return f"exec 3<>/dev/tcp/echo/7000; echo {word} >&3; cat <&3; echo"


def made(engine: Engine, name: str, dockerfile: str) -> None:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for path, data in (("Dockerfile", dockerfile.encode()), ("start", START.encode())):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    context.seek(0)
    engine.build(context, name, {}, False)


@pytest.fixture(scope="module")
def silent(sandbox: DockerSandbox, engine: Engine) -> Iterator[DockerSandbox]:
    """A sandbox that asks one registry, which does not answer."""
    made = DockerSandbox(
        None, sandbox.owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS,
        registries=("example.invalid",),
    )  # fmt: skip
    yield made
    made.close()
    assert not left(engine, sandbox.owner)


@pytest.fixture(scope="module")
def prepared(silent: DockerSandbox, engine: Engine) -> DockerEnvironment:
    """PostgreSQL and Redis from our own images, with rows from set-up in both."""
    build(engine, STATE, ("service-postgres", "service-redis"))
    setup = (Step("install", "pip install -q 'psycopg[binary]' redis"), Step("migrate", MIGRATE, "python {0}"))
    return silent.prepare(Plan("python", setup, Step("check", "true"), services=(DATABASE, CACHE)), tree())


@pytest.fixture(scope="module")
def echo(sandbox: DockerSandbox, engine: Engine) -> Service:
    """A service whose image a registry once gave: it starts as root, owns its volume to another user and becomes it."""
    text = ECHOING.format(base=resolve("debian"), owner=sandbox.owner)
    made(engine, ECHO, text)
    engine.tag(ECHO, _PULLED, _tag(ECHO, engine.image_id(ECHO)))
    return Service("echo", ECHO, ports=(7000,))


def left(engine: Engine, owner: str) -> list[str]:
    """What of services is on the engine."""
    roles = ("service", "pause", "keep")
    label = f"heal.owner={owner}"
    containers = [labels["heal.role"] for labels in engine.containers(label).values()]
    volumes = [volume.labels["heal.role"] for volume in engine.volumes(label)]
    return [role for role in (*containers, *volumes) if role in roles]


def cancelled() -> Event:
    event = Event()
    event.set()
    return event


def found(engine: Engine, service: Service) -> tuple[Resolved, ...]:
    return ServiceImages(engine, ("example.invalid",)).resolve((service,))


def test_services_answer_and_nothing_leaves(prepared: DockerEnvironment) -> None:
    """At localhost, at their names and at the published port, with what set-up left in them; there is no way out."""
    result = prepared.run(Step("check", LOOK, "python {0}"), tree(), limits=SMALL)
    assert result.ending is Ending.PASSED, result.output.text
    assert result.output.text == SEEN
    assert "Debian's PostgreSQL 15 takes the place of postgres:16" in "\n".join(prepared.notes)


def test_candidates_do_not_share_rows(prepared: DockerEnvironment) -> None:
    """Two runs at the same time, and one after them, each find what set-up left and nothing of each other."""
    step = Step("check", LOOK, "python {0}")
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: prepared.run(step, tree(), limits=SMALL), range(2)))
    after = prepared.run(step, tree(), limits=SMALL)
    assert [result.output.text for result in (*both, after)] == [SEEN] * 3


def test_an_image_that_is_not_ours(silent: DockerSandbox, echo: Service) -> None:
    """It is used as the workflow names it, becomes another user under our limits, and its volume is what is kept."""
    late = replace(echo, env={"LATE": "1"}, health=Health("test -e /run/started", interval_s=0.2))
    plan = Plan("debian", (Step("use", says("left")),), Step("check", "true"), services=(late,))
    environment = silent.prepare(plan, tree())
    assert environment.notes == ()
    for _ in range(2):
        result = environment.run(Step("check", says("mine")), tree(), limits=SMALL)
        assert result.output.text == "(999, ['from-image', 'left', 'mine'])\n"


def tell_when_it_has_ended(engine: Engine, key: str) -> None:
    """Once the engine knows that the service has ended, the check has `/tmp/known`."""
    client, deadline = engine.client(), time.monotonic() + 60

    def of(role: str, **more: str) -> list[Any]:
        labels = [f"heal.key={key}", f"heal.role={role}"]
        return list(client.containers.list(all=True, ignore_removed=True, filters={"label": labels, **more}))

    while not of("service", status="exited") and time.monotonic() < deadline:
        time.sleep(0.05)
    for check in of("check", status="running"):
        check.exec_run(["touch", "/tmp/known"])


def test_a_service_that_dies_is_told_with_its_log(silent: DockerSandbox, echo: Service, engine: Engine) -> None:
    """Before it is ready it is our failure; during the check a note, because the check may have brought it about."""
    dying = replace(echo, env={"DIES": "1"})
    with pytest.raises(ServiceFailed, match="'echo' ended with exit code 4") as caught:
        silent.prepare(Plan("debian", (), Step("check", "true"), services=(dying,)), tree())
    assert "I cannot go on" in caught.value.log
    environment = silent.prepare(Plan("debian", (), Step("check", "true"), services=(echo,)), tree())
    known = "until test -e /tmp/known; do sleep 0.05; done"
    teller = Thread(target=tell_when_it_has_ended, args=(engine, environment.key))
    teller.start()
    result = environment.run(Step("check", f"{says('die')}; {known}; exit 7"), tree(), limits=SMALL)
    teller.join()
    assert (result.ending, result.exit_code) == (Ending.FAILED, 7)
    assert "service 'echo' ended with exit code 3" in result.notes[0]
    assert "told to die" in result.notes[0]


def test_a_waiting_container_has_its_services_up(silent: DockerSandbox, echo: Service, engine: Engine) -> None:
    """What is started ahead of need is ready with its services, and is used once."""
    environment = silent.prepare(Plan("debian", (), Step("check", "true"), services=(echo,)), tree())
    environment.warm(tree(), 1, SMALL)
    places = silent._pool._places
    deadline = time.monotonic() + 30
    while not (places and all(place.made.is_set() for place in places)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    before = set(engine.containers(f"heal.key={environment.key}"))
    first = environment.run(Step("check", says("one") + "; hostname"), tree(), limits=SMALL)
    second = environment.run(Step("check", says("two")), tree(), limits=SMALL)
    assert len(before) == 3, "the check, its service and the pause container"
    assert first.output.text == "(999, ['from-image', 'one'])\nheal-job\n"
    assert second.output.text == "(999, ['from-image', 'two'])\n"


def test_a_service_that_is_never_ready(sandbox: DockerSandbox, echo: Service, engine: Engine) -> None:
    """Waiting has an end, which names the service, and nothing of it stays."""
    labels = policy.Labels(sandbox.owner, uuid.uuid4().hex, "check", "never", time.time() + 60)
    sick = found(engine, replace(echo, health=Health("false", 0.1, retries=3)))
    with pytest.raises(ServiceFailed, match="'echo' was not ready after"):
        stand_up(engine, sick, labels, patience=0.5)
    with pytest.raises(Cancelled):
        stand_up(engine, sick, labels, cancel=cancelled())
    made(engine, "example.invalid/broken:1", f'FROM {ECHO}\nENTRYPOINT ["/missing"]\n')
    with pytest.raises(ServiceFailed, match="'echo' ended with exit code 127") as caught:
        stand_up(engine, (replace(sick[0], image=engine.image_id("example.invalid/broken:1")),), labels)
    assert "/missing" in caught.value.log
    assert not engine.containers("heal.key=never")
    assert not engine.volumes("heal.key=never")


def test_services_are_locked_in_and_reaped(sandbox: DockerSandbox, echo: Service, engine: Engine) -> None:
    """A service has its limits, no way out, a root it cannot write, and a size it cannot grow beyond; what a worker
    that died left of it is removed by the reaper of another."""
    labels = policy.Labels(sandbox.owner, uuid.uuid4().hex, "check", "locked", time.time() + 20)
    small = Limits(memory=64 << 20, workspace=1 << 20)
    companions = stand_up(engine, found(engine, echo), labels, limits=small)
    try:
        roles = {labels["heal.role"]: name for name, labels in engine.containers("heal.key=locked").items()}
        script = "touch /x; head -c 2M /dev/zero >/store/big; grep NoNewPrivs /proc/1/status; ls /sys/class/net"
        service = engine.client().containers.get(roles["service"])
        said, refused = cast(tuple[bytes, bytes], service.exec_run(["sh", "-c", script], demux=True).output)
        assert b"Read-only file system" in refused
        assert b"No space left on device" in refused
        assert said == b"NoNewPrivs:\t1\nlo\n"
        assert len(engine.volumes("heal.key=locked")) == 4
        reap(engine, sandbox.owner, time.time() + 60)
        assert not engine.containers("heal.key=locked")
        assert not engine.volumes("heal.key=locked")
    finally:
        companions.release()


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("example.invalid/unknown:1", "cannot be pulled.*none of the sandbox's own images can take its place"),
        ("heal-sandbox/debian:latest", "does not ask"),
        ("other.invalid/x:1", "does not ask"),
        ("postgres:16 --privileged", "is no image reference"),
    ],
)
def test_a_service_without_an_image_is_refused(silent: DockerSandbox, engine: Engine, image: str, why: str) -> None:
    """Before anything is spent, with a sentence that names it; the sandbox's own images are nobody's service."""
    before = engine.containers(f"heal.owner={silent.owner}")
    with pytest.raises(ServiceMissing, match=f"service 'thing'.*{why}"):
        silent.prepare(Plan("debian", (), Step("check", "true"), services=(Service("thing", image),)), tree())
    assert not set(engine.containers(f"heal.owner={silent.owner}")) - set(before)


def test_what_lies_on_the_engine_is_not_given_out(engine: Engine, echo: Service) -> None:
    """An image that no registry gave under this name is refused though the engine has it: it may be another's."""
    engine.tag(ECHO, "example.invalid/private", "1")
    with pytest.raises(ServiceMissing, match="cannot be pulled"):
        found(engine, replace(echo, image="example.invalid/private:1"))
