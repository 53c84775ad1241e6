"""Environments with test runners in them, made once."""

from __future__ import annotations

import hashlib

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.images.build import build
from sandbox.images.sources import Sources
from sandbox.spec import Limits, Plan, Result, Step
from tests.sandbox.conftest import CA_BUNDLE, STATE
from tests.sandbox.trees import tree

LIMITS = Limits(wall_s=120)


def ran(environment: DockerEnvironment, script: str, files: dict[str, str], **env: str) -> Result:
    """The command on these files, as a commit of their own: containers that wait hold the files of one commit."""
    commit = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()  # noqa: S324 - a name
    return environment.run(Step("check", script, env=env), tree(files, commit), limits=LIMITS)


def statuses(result: Result) -> dict[str, str]:
    return {test.id: test.status for test in result.tests}


@pytest.fixture(scope="session")
def with_node(engine: Engine, sandbox: DockerSandbox) -> DockerEnvironment:
    """jest, mocha, vitest, and programs that are no test runners, from npm's index."""
    build(engine, STATE, ["node"], Sources(ca_bundle=CA_BUNDLE))
    install = Step("install", "npm install --no-save --silent jest@30 mocha@11 vitest@4 eslint@9 typescript@5")
    return sandbox.prepare(Plan("node", (install,), Step("check", "npm test"), trust="tests"), tree(NODE))


@pytest.fixture(scope="session")
def with_python(sandbox: DockerSandbox) -> DockerEnvironment:
    """pytest, and what starts it: tox, nox."""
    install = Step("install", "python -m pip install -q pytest tox nox")
    return sandbox.prepare(Plan("python", (install,), Step("check", "pytest"), trust="tests"), tree())


NODE = {"package.json": '{"name": "sample", "version": "1.0.0", "scripts": {"hello": "node hello.js"}}'}
