"""Hosts that a check may reach: both words are needed, and nothing more is opened than they name."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.grants import within
from sandbox.networks import labelled
from sandbox.reaper import remove_all
from sandbox.spec import Ending, Limits, Plan, Result, Step
from tests.sandbox.conftest import CA_BUNDLE, STATE
from tests.sandbox.trees import tree

SMALL = Limits(wall_s=30, memory=256 << 20)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("api.example.org", True), ("other.example.org", False), ("a.example.net", True), ("example.net", False),
        ("*.example.net", True), ("*.a.example.net", True), ("*.example.org", False), ("*.net", False),
        ("badexample.net", False), ("*.badexample.net", False),
    ],
)  # fmt: skip
def test_within(host: str, covered: bool) -> None:
    """A host is covered by its own name or a suffix above it; a suffix only by the same or a wider one."""
    assert within(host, ("api.example.org", "*.example.net")) is covered


@pytest.fixture(scope="module")
def granting(sandbox: DockerSandbox) -> Iterator[DockerSandbox]:
    """A sandbox whose operator grants checks one host."""
    made = DockerSandbox(None, sandbox.owner, ca_bundle=CA_BUNDLE, state_dir=STATE, check_hosts=("pypi.org",))
    yield made
    made.close()


def check(sandbox: DockerSandbox, script: str, *network: str, warm: int = 0) -> Result:
    step = Step("check", script)
    environment = sandbox.prepare(Plan("python", (), step, network=network), tree())
    if warm:
        environment.warm(tree(), warm, SMALL)
        limit = time.monotonic() + 30
        while environment.waiting(tree(), SMALL) < warm and time.monotonic() < limit:
            time.sleep(0.05)
    return environment.run(step, tree(), limits=SMALL)


@pytest.mark.engine
@pytest.mark.parametrize("warm", [0, 1])
def test_exactly_the_granted_host_answers(granting: DockerSandbox, engine: Engine, warm: int) -> None:
    """With both words the host answers by HTTPS, waiting container or not; another one is denied and named, and names
    are looked up by nobody. The evidence says what could be reached."""
    hosts = ("pypi.org", "telemetry.example.org")
    seen = check(
        granting, "curl -sSf -o /dev/null -w '%{http_code}\\n' https://pypi.org/simple/pip/", *hosts, warm=warm
    )
    assert seen.green, seen.output.text
    assert seen.evidence.network == ("pypi.org",)
    assert "egress=pypi.org" in seen.evidence.flags
    assert not any(flag == "network_mode=none" for flag in seen.evidence.flags)
    assert seen.notes == ("HEAL_CHECK_HOSTS of this installation does not grant the check telemetry.example.org",)
    denied = check(granting, "curl -sS https://telemetry.example.org/", *hosts)
    assert (denied.ending, denied.asked) == (Ending.NETWORK_DENIED, ("telemetry.example.org",))
    unproxied = check(granting, "curl --noproxy '*' -sS https://pypi.org/", *hosts)
    assert (unproxied.ending, unproxied.asked) == (Ending.NETWORK_DENIED, ("pypi.org",))
    fails = "curl -sS https://telemetry.example.org/ || true; echo 'ValueError: bad'; exit 1"
    assert check(granting, fails, *hosts).ending is Ending.FAILED


@pytest.mark.engine
def test_one_word_is_not_enough(granting: DockerSandbox, sandbox: DockerSandbox) -> None:
    """Without the operator's word, or without the repository's, there is no network device but the loopback, in
    waiting containers of the same environment too."""
    for made, network in ((granting, ()), (sandbox, ("pypi.org",))):
        seen = check(made, "ls /sys/class/net; env | grep -i _proxy || true; curl -sS https://pypi.org/", *network)
        assert seen.output.text.split() == ["lo", *["curl:", "(6)", "Could", "not", "resolve", "host:", "pypi.org"]]
        assert (seen.ending, seen.asked) == (Ending.NETWORK_DENIED, ("pypi.org",))
        assert seen.evidence.network == ()
        assert "network_mode=none" in seen.evidence.flags


@pytest.mark.engine
def test_the_network_goes_with_the_check(sandbox: DockerSandbox, engine: Engine) -> None:
    """Of a check's network nothing stays, whether its container was used, only waited, or was ended."""
    owner = f"{sandbox.owner}-goes"
    made = DockerSandbox(None, owner, state_dir=STATE, check_hosts=("pypi.org",))
    environment = made.prepare(Plan("python", (), Step("check", "true"), network=("pypi.org",)), tree())
    environment.warm(tree(), 1, SMALL)
    environment.run(Step("check", "true"), tree(), limits=SMALL)
    assert environment.run(Step("check", "sleep 60"), tree(), limits=Limits(wall_s=0.5)).ending is Ending.TIMEOUT
    made.close()
    left = labelled(engine, f"heal.owner={owner}")
    remove_all(engine, owner)
    assert not left


@pytest.mark.engine
def test_a_session_has_no_way_out(granting: DockerSandbox) -> None:
    """The two words are for the check: what a model wants to be run in its environment reaches nothing."""
    plan = Plan("python", (), Step("check", "true"), network=("pypi.org",))
    session = granting.prepare(plan, tree()).session(plan.check, tree(), limits=SMALL)
    seen = session.run("ls /sys/class/net; env | grep -i ^https*_proxy", 20)
    session.close()
    assert seen.output.text == "lo\n"
