"""One sandbox on the real engine for the whole session, and one environment in it with pytest and ruff."""

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
from sandbox.reaper import remove_all
from sandbox.spec import Plan, Step
from tests.workers.fixers.trees import MemoryTree

STATE = Path(__file__).resolve().parents[3] / ".heal"
PRIVATE_HOSTS = ("pypi.org", "files.pythonhosted.org")  # as a middlebox on the way to the index may answer for them
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[DockerSandbox]:
    """Everything that it made is removed."""
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    engine = Engine()
    build(engine, STATE, CORE)
    made = DockerSandbox(None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    yield made
    made.close()
    remove_all(engine, owner)
    engine.close()


@pytest.fixture(scope="session")
def environment(sandbox: DockerSandbox) -> DockerEnvironment:
    """Python with pytest and ruff."""
    install = Step("install", "python -m pip install -q pytest ruff")
    return sandbox.prepare(Plan("python", (install,), Step("check", "pytest -q")), MemoryTree({"README": ""}).tar())
