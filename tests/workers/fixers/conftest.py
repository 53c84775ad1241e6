"""One environment with pytest and ruff on the real engine for the whole session; everything it made is removed."""

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
def environment() -> Iterator[DockerEnvironment]:
    """Python with pytest and ruff."""
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    engine = Engine()
    build(engine, STATE, CORE)
    sandbox = DockerSandbox(None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    install = Step("install", "python -m pip install -q pytest ruff")
    yield sandbox.prepare(Plan("python", (install,), Step("check", "pytest -q")), MemoryTree({"README": ""}).tar())
    sandbox.close()
    remove_all(engine, owner)
    engine.close()
