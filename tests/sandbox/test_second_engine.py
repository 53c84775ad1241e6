"""An engine at another address: reached by TLS alone, with remapped users, with other runtimes, beside a first one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.errors import EngineDown, RuntimeUnknown
from sandbox.fleet import Fleet
from sandbox.inventory import inventory, prune
from sandbox.reaper import remove_all
from sandbox.spec import Ending, Limits, Plan, Step
from tests.bot.command import heal
from tests.sandbox.conftest import STATE
from tests.sandbox.second_engine import SecondEngine
from tests.sandbox.trees import ADDER, tree

pytestmark = pytest.mark.engine
SMALL = Limits(wall_s=60, memory=256 << 20)
KERNEL = Step("kernel", "cat /proc/version")


def plan(script: str, trust: str = "7:base") -> Plan:
    return Plan("debian", (Step("set up", script),), Step("check", "true"), trust=trust)


@pytest.fixture
def made(second: SecondEngine) -> Iterator[Callable[..., DockerSandbox]]:
    """Makes sandboxes on the second engine, all of one owner, of which nothing stays."""
    owner, open_ones = f"tests-{uuid.uuid4().hex[:12]}", []

    def make(runtime: str | None = None, fork_runtime: str | None = None) -> DockerSandbox:
        sandbox = DockerSandbox(
            second.host, owner, runtime, state_dir=STATE, setup_network="open", fork_runtime=fork_runtime,
            certificates=second.certificates,
        )  # fmt: skip
        open_ones.append(sandbox)
        return sandbox

    yield make
    for sandbox in open_ones:
        sandbox.close()
    engine = second.connect()
    remove_all(engine, owner)
    assert not engine.containers(f"heal.owner={owner}")
    assert not engine.volumes(f"heal.owner={owner}")
    engine.close()


def test_a_remote_engine_with_remapped_users(made: Callable[..., DockerSandbox]) -> None:
    """Everything a run needs works by TLS alone where root inside is nobody outside: set-up, a linked package cache,
    a patched check, doctor's probe, the inventory and making room."""
    sandbox = made()
    mapped = sandbox.prepare(
        plan("cat /proc/self/uid_map >/env/map; echo 1 >/env/.cache/one; id -u >/env/user"), tree()
    )
    shown = mapped.run(Step("show", "cat /env/map /env/user; id -u"), tree(), limits=SMALL).output.text.split()
    assert int(shown[1]) >= 100_000
    assert shown[3:] == ["0", "1000"]
    linked = sandbox.prepare(plan("ln /env/.cache/one /env/one"), tree())
    check = Step("check", "cat /env/one adder.py; touch new; ! touch /env/new")
    patch = b"--- a/adder.py\n+++ b/adder.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n"
    result = linked.run(check, tree(ADDER), patch, SMALL)
    assert (result.ending, "a + b" in result.output.text) == (Ending.PASSED, True)
    findings = {finding.what: finding for finding in sandbox.doctor()}
    assert findings["container engine"].ok
    assert findings["limits"].ok, findings["limits"].detail
    assert {item.kind for item in inventory(sandbox.engine, sandbox.owner)} == {"environment", "cache"}
    assert len(prune(sandbox.engine, sandbox.owner, 0, settle_s=0, idle_s=0).items) == 3


def test_without_its_certificate_nobody_gets_in(second: SecondEngine, tmp_path: Path) -> None:
    """A client that shows no certificate, or has none to show, is told so."""
    for certificates, why in ((None, "turns us away: .*HTTPS"), (tmp_path, "certificate")):
        stranger = Engine(second.host, certificates=certificates)
        with pytest.raises(EngineDown, match=why):
            stranger.version()
        stranger.close()


def test_runs_move_to_the_engine_that_answers(made: Callable[..., DockerSandbox], second: SecondEngine) -> None:
    """With one of two engines away, every domain's runs are on the other; doctor shows both by their addresses."""
    away = DockerSandbox("unix:///nonexistent/docker.sock", "tests", state_dir=STATE)
    fleet = Fleet([away, made()])
    for number in range(4):
        result = fleet.prepare(plan("true", f"{number}:base"), tree()).run(Step("check", "true"), tree(), limits=SMALL)
        assert result.green
    told = fleet.doctor()
    assert [finding.ok for finding in told if finding.what.startswith("unix:///nonexistent")] == [False]
    assert any(finding.ok for finding in told if finding.what == f"{second.host}: container engine")
    fleet.close()


def test_a_person_sees_every_engine(made: Callable[..., DockerSandbox], second: SecondEngine) -> None:
    """`heal sandbox` goes over all engines of the setting, and an address it cannot use is refused with the way out."""
    sandbox = made()
    key = sandbox.prepare(plan("true"), tree()).key
    both = {
        "HEAL_DOCKER_HOST": f"unix:///var/run/docker.sock, {second.host}",
        "HEAL_INSTALLATION": sandbox.owner,
        "HEAL_DOCKER_CERT_PATH": str(second.certificates),
    }
    listed = heal("sandbox", "ls", **both)
    assert listed.stdout.split().count("kept,") == 2, listed.stderr
    assert f"environment  {key[:12]}" in listed.stdout.partition(second.host)[2]
    pruned = heal("sandbox", "prune", "--all", **both)
    assert f"removed environment {key[:12]}" in pruned.stderr.partition(second.host)[2]
    refused = heal("sandbox", "ls", HEAL_DOCKER_HOST="ssh://elsewhere")
    assert refused.returncode == 2
    assert "ssh -nNT -L" in refused.stderr


def test_forks_run_on_a_kernel_of_their_own(made: Callable[..., DockerSandbox]) -> None:
    """With gVisor for forks, what comes from a fork meets its kernel in set-up and check, and the base meets ours."""
    sandbox = made(fork_runtime="runsc")
    base = sandbox.prepare(plan("cat /proc/version >/env/kernel"), tree())
    fork = sandbox.prepare(plan("cat /proc/version >/env/kernel", "7:fork:1"), tree(ADDER))
    show = Step("show", "cat /env/kernel /proc/version; echo bye; exit 3")
    ours, theirs = (environment.run(show, tree(ADDER), limits=SMALL) for environment in (base, fork))
    assert (ours.evidence.runtime, theirs.evidence.runtime) == ("default", "runsc")
    assert "Linux version 4.4.0" not in ours.output.text
    assert theirs.output.text.count("Linux version 4.4.0") == 2  # what gVisor says it is
    assert (theirs.ending, theirs.exit_code) == (Ending.FAILED, 3)
    assert theirs.output.text.endswith("bye\n")


def test_a_runtime_that_cannot_is_told(made: Callable[..., DockerSandbox]) -> None:
    """A runtime the engine does not know is told with those it knows; one that does not start, with its reason."""
    with pytest.raises(RuntimeUnknown, match=r"no runtime kata, it knows broken, .*runc, runsc"):
        made("kata").prepare(plan("true"), tree())
    with pytest.raises(
        RuntimeUnknown, match=r"the container runtime broken does not work on this engine: .*OCI runtime"
    ):
        made("broken").prepare(plan("true"), tree())
