"""Each language's whole cycle in its image: set-up brings packages, the check goes red and green without network."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.images.build import build
from sandbox.images.sources import Sources
from sandbox.spec import Ending, Limits, Plan, Result, Step, Tree
from tests.sandbox.conftest import CA_BUNDLE, STATE
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
LIMITS = Limits(wall_s=120)
Cycle = Callable[..., tuple[Result, Result]]


@pytest.fixture
def cycle(engine: Engine, sandbox: DockerSandbox) -> Cycle:
    """Makes the language's image and an environment, runs the check without and with the patch."""

    def run(language: str, setup: list[str], check: str, files: Tree, patch: bytes) -> tuple[Result, Result]:
        build(engine, STATE, [language], Sources(ca_bundle=CA_BUNDLE))
        steps = tuple(Step(script.split("\n")[0], script) for script in setup)
        step = Step("check", check)
        environment = sandbox.prepare(Plan(language, steps, step, trust="tests"), files)
        return environment.run(step, files, limits=LIMITS), environment.run(step, files, patch, limits=LIMITS)

    return run


def diff(path: str, old: str, new: str) -> bytes:
    return f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old}\n+{new}\n".encode()


MS = "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="
NODE = {
    "package.json": json.dumps(
        {"name": "adder", "version": "1.0.0", "scripts": {"test": "node --test"}, "dependencies": {"ms": "2.1.3"}}
    ),
    "package-lock.json": json.dumps(
        {
            "name": "adder",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "packages": {
                "": {"name": "adder", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}},
                "node_modules/ms": {
                    "version": "2.1.3",
                    "resolved": "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz",
                    "integrity": MS,
                },
            },
        }
    ),
    "adder.js": "module.exports = (a, b) => a - b;\n",
    "adder.test.js": "const test = require('node:test');\nconst assert = require('node:assert');\n"
    "const ms = require('ms');\nconst add = require('./adder');\n"
    "test('adds', () => assert.equal(add(ms('1s'), 2), 1002));\n",
}


def test_node(cycle: Cycle) -> None:
    """npm ci and global tools from the registry; npm test offline, red and then green; pnpm by corepack."""
    setup = ["npm ci", "npm install --global semver@7.7.2"]
    check = "semver 1.2.3 && npx --no-install semver 1.2.3 && npm test"
    patch = diff("adder.js", "module.exports = (a, b) => a - b;", "module.exports = (a, b) => a + b;")
    red, green = cycle("node", setup, check, tree(NODE), patch)
    assert (red.ending, green.ending) == (Ending.FAILED, Ending.PASSED), red.output.text + green.output.text
    assert "not ok 1 - adds" in red.output.text or "✖ adds" in red.output.text


def test_node_other_package_managers(cycle: Cycle) -> None:
    """pnpm and Yarn come in the version that package.json names, and run scripts offline."""
    for manager in ("pnpm@9.15.9", "yarn@1.22.22"):
        name = manager.split("@")[0]
        package = {**json.loads(NODE["package.json"]), "packageManager": manager}
        files = tree({**NODE, "package.json": json.dumps(package)})
        patch = diff("adder.js", "module.exports = (a, b) => a - b;", "module.exports = (a, b) => a + b;")
        red, green = cycle("node", [f"{name} install"], f"{name} --version && {name} test", files, patch)
        assert (red.ending, green.ending) == (Ending.FAILED, Ending.PASSED), red.output.text + green.output.text
        assert manager.split("@")[1] in green.output.text
