"""One owner label for the whole session: what carries it when the session ends is counted, then removed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.images.build import build
from sandbox.languages import CORE
from sandbox.networks import labelled
from sandbox.reaper import remove_all
from sandbox.spec import Plan, Step
from tests.sandbox.second_engine import SecondEngine, second_engine
from tests.sandbox.trees import ADDER, tree

STATE = Path(__file__).resolve().parents[2] / ".heal"
PRIVATE_HOSTS = ("pypi.org", "files.pythonhosted.org", "deb.debian.org", "registry.npmjs.org",
                 "registry.yarnpkg.com")  # fmt: skip
"""Where a middlebox answers for the package indexes, their names resolve to an address of the local network."""
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = Engine()
    build(engine, STATE, CORE)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def second(engine: Engine) -> Iterator[SecondEngine]:
    """An engine of its own beside the machine's, at a TLS address, with remapped users and other runtimes."""
    with second_engine(engine) as started:
        yield started


@pytest.fixture(scope="session")
def sandbox(engine: Engine) -> Iterator[DockerSandbox]:
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    made = DockerSandbox(None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    yield made
    made.close()
    containers = engine.containers(f"heal.owner={owner}").items()
    left = [name for name, labels in containers if labels["heal.role"] != "proxy"]
    left += labelled(engine, f"heal.owner={owner}")
    remove_all(engine, owner)
    volumes = engine.volumes(f"heal.owner={owner}")
    made.engine.close()
    assert not labelled(engine, f"heal.owner={owner}")
    assert not engine.containers(f"heal.owner={owner}")
    assert not left, f"containers and networks left behind: {left}"
    assert not volumes, f"volumes that could not be removed: {volumes}"


@pytest.fixture(scope="session")
def bare(sandbox: DockerSandbox) -> DockerEnvironment:
    """An environment without set-up: what the image holds."""
    return sandbox.prepare(Plan("python", (), Step("check", "true")), tree())


@pytest.fixture(scope="session")
def with_pytest(sandbox: DockerSandbox) -> DockerEnvironment:
    """An environment into which set-up installed pytest from the package index."""
    install = Step("install", "python -m pip install -q pytest pytest-xdist")
    return sandbox.prepare(Plan("python", (install,), Step("check", "pytest -q")), tree(ADDER))
