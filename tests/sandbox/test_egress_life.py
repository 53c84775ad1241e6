"""The proxy's life and its clients' networks, on the real engine: made once, never shared, gone when their time is."""

from __future__ import annotations

import ipaddress
import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox import networks, policy
from sandbox.egress import WINDOW_S, Allowed, Egress
from sandbox.engine import Engine
from sandbox.errors import EngineBusy
from sandbox.reaper import reap, remove_all

pytestmark = pytest.mark.engine


@pytest.fixture
def egress(engine: Engine) -> Iterator[Egress]:
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    egress = Egress(engine, owner, Allowed(("pypi.org",)))
    yield egress
    egress.close()
    remove_all(engine, owner)
    assert not networks.labelled(engine, f"heal.owner={owner}")


def labels(egress: Egress, lives_s: float = 600) -> policy.Labels:
    return policy.Labels(egress._owner, uuid.uuid4().hex, "setup", "key", time.time() + lives_s)


def test_workers_that_ask_at_once_share_one_proxy(egress: Egress, engine: Engine) -> None:
    """Of several workers that make the proxy at the same time one wins; the others use it and leave nothing, and each
    client has a network of its own. When the clients are gone, so are the networks."""
    owner = egress._owner
    workers = [egress, *(Egress(Engine(), owner, Allowed(("pypi.org",))) for _ in range(2))]
    with ThreadPoolExecutor(8) as pool:
        gates = list(pool.map(lambda worker: worker.open(labels(worker)), [*workers, *workers, egress, egress]))
    assert len({gate.proxy for gate in gates}) == 1
    assert set(engine.containers(f"heal.owner={owner}")) == {gates[0].proxy}
    subnets = [ipaddress.ip_network(gate.network.subnet) for gate in gates]
    assert set(networks.labelled(engine, f"heal.owner={owner}")) == {gate.network.name for gate in gates}
    assert not any(one.overlaps(other) for one in subnets for other in subnets if one is not other)
    for gate in gates:
        egress.shut(gate)
    for worker in workers:
        worker.close()
    for worker in workers[1:]:
        worker._engine.close()
    assert not networks.labelled(engine, f"heal.owner={owner}")


def test_networks_find_room_beside_others(egress: Egress, engine: Engine) -> None:
    """A taken subnet is answered with another try, and a pool without room with an error that passes, not a hang."""
    pool = ipaddress.IPv4Network("198.51.100.0/26")
    marks = labels(egress).as_dict()
    with ThreadPoolExecutor(4) as several:
        names = [f"heal-net-{marks['heal.run']}-{number}" for number in range(4)]
        made = list(several.map(lambda name: networks.create(engine, name, marks, pool), names))
    assert {one.subnet for one in made} == {f"198.51.100.{start}/28" for start in (0, 16, 32, 48)}
    with pytest.raises(EngineBusy, match="no free subnet"):
        networks.create(engine, "heal-net-none", marks, pool)


def test_another_allow_list_another_proxy(egress: Egress, engine: Engine) -> None:
    """A changed allow-list makes a new proxy; the old one's clients keep theirs."""
    first = egress.proxy()
    other = Egress(engine, egress._owner, Allowed(("pypi.org", "more.example.org")))
    assert other.proxy() != first
    assert egress.proxy() == first
    other.close()


def test_a_dead_proxy_is_replaced(egress: Egress, engine: Engine) -> None:
    """A proxy that has ended, or was removed, is made again, and the next client gets the new one."""
    first = egress.open(labels(egress))
    engine.client().containers.get(first.proxy).kill()
    second = egress.open(labels(egress))
    assert second.proxy != first.proxy
    assert set(engine.containers(f"heal.owner={egress._owner}")) == {second.proxy}


def test_a_late_client_leaves_nothing(egress: Egress, engine: Engine) -> None:
    """A gate that is shut after everything was closed, as a cancelled run may do, is removed nevertheless."""
    gate = egress.open(labels(egress))
    egress.close()
    egress.shut(gate)
    assert not networks.labelled(engine, f"heal.owner={egress._owner}")


def test_made_aside_ahead_of_need(egress: Egress, engine: Engine) -> None:
    """Asked to start, it does not wait; the client that comes meanwhile waits for that proxy and makes none."""
    with egress._making:  # no proxy can be made while this is held
        egress.start()
    gate = egress.open(labels(egress))
    assert set(engine.containers(f"heal.owner={egress._owner}")) == {gate.proxy}


def test_the_reaper_takes_a_proxy_only_when_its_time_is_over(egress: Egress, engine: Engine) -> None:
    """For a whole window after the last set-up it may serve, the reaper leaves it; then it goes."""
    now = time.time()
    proxy = egress.proxy()
    owner = egress._owner
    assert reap(engine, owner, now + WINDOW_S - 60).containers == 0
    assert egress.proxy() == proxy
    assert reap(engine, owner, now + 2 * WINDOW_S + 60).containers == 1


def test_the_reaper_takes_the_networks_of_dead_workers(egress: Egress, engine: Engine) -> None:
    """A network whose client's time is over goes, though the living proxy is still on it; the others stay."""
    dead, alive = egress.open(labels(egress, -10)), egress.open(labels(egress))
    reaped = reap(engine, egress._owner)
    assert (reaped.containers, reaped.networks) == (0, 1)
    assert set(networks.labelled(engine, f"heal.owner={egress._owner}")) == {alive.network.name}
    on = engine.client().containers.get(alive.proxy).attrs["NetworkSettings"]["Networks"]
    assert set(on) == {"bridge", alive.network.name}
    assert dead.proxy == alive.proxy


def test_the_proxy_is_bound_by_its_container(egress: Egress, engine: Engine) -> None:
    """The running proxy has no capability and does not route for its clients."""
    container = engine.client().containers.get(egress.proxy())
    script = "grep -E '^(CapBnd|NoNewPrivs)' /proc/1/status; cat /proc/sys/net/ipv4/ip_forward; id -u"
    seen = container.exec_run(["sh", "-c", script]).output
    assert isinstance(seen, bytes)
    assert seen.decode().split() == ["CapBnd:", "0" * 16, "NoNewPrivs:", "1", "0", "1000"]
    assert json.loads(container.logs().decode().splitlines()[0]) == {"ready": 3128}
