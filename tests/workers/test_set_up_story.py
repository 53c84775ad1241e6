"""What a recipe's set-up has to bring, on the real engine: tools that install by themselves, versions, and time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from threading import Event

import pytest

from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.images.build import build
from sandbox.languages import CORE
from sandbox.reaper import remove_all
from sandbox.spec import Limits, Plan, Result
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from tests.sandbox.trees import tree
from tests.workers.recipe.test_plans import case, job
from tests.workers.recipe.trees import MemoryTree
from workers import logs, pins, recipe
from workers.domain import JobReport
from workers.repo_config import RepoConfig
from workers.stages.reproduce import prepare

pytestmark = pytest.mark.engine
PROJECT = {
    "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    '[project]\nname = "adder"\nversion = "1"\n[tool.setuptools]\npackages = ["adder"]\n'
    '[dependency-groups]\ndev = ["pytest"]\n',
    "adder/__init__.py": "def add(a, b):\n    return a - b\n",
    "tests/test_adder.py": "import unittest\n\nfrom adder import add\n\n\nclass TestAdd(unittest.TestCase):\n"
    "    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n",
    "tox.ini": "[tox]\nenvlist = py311\n[testenv]\ndeps = iniconfig\nchangedir = tests\ncommands =\n"
    "  python -m unittest\n",
    "noxfile.py": "import nox\n\n\n@nox.session\ndef tests(session):\n    session.install('iniconfig')\n"
    "    session.install('.')\n    session.chdir('tests')\n    session.run('python', '-m', 'unittest')\n",
}
MENDED = b"""\
--- a/adder/__init__.py
+++ b/adder/__init__.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DockerSandbox]:
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    engine = Engine()
    build(engine, STATE, CORE)
    made = DockerSandbox(None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    yield made
    made.close()
    remove_all(engine, owner)
    engine.close()


def planned(steps: str, files: dict[str, str], log: str = "", started_at: str = "") -> Plan:
    report = JobReport("test", logs.parse(log), job(steps), started_at=started_at)
    return recipe.plan(report, MemoryTree(files), RepoConfig(), case())


def tried(sandbox: DockerSandbox, plan: Plan, files: dict[str, str], patch: bytes | None = None) -> tuple[Result, Plan]:
    environment, really = prepare(sandbox, plan, tree(files), Event())
    return environment.run(really.check, tree(files), patch, limits=Limits(wall_s=120)), really


@pytest.mark.timeout(400)  # twenty seconds of one core, of which a busy machine gives little
def test_tools_that_install_again_in_each_run_do_so_without_network(sandbox: DockerSandbox) -> None:
    """tox and nox build and install the patched project anew, from what the set-up has kept."""
    plan = planned('run: pip install -q tox nox\nrun: "tox -q\\nnox"', PROJECT)
    green, _ = tried(sandbox, plan, PROJECT, MENDED)
    assert green.green, green.output.text
    assert green.output.text.count("Ran 1 test") == 2  # without the patch none would


def test_what_uv_runs_is_there_without_network(sandbox: DockerSandbox) -> None:
    """`uv run` makes no environment in the check, `uvx` and installed tools find theirs."""
    check = "uv run pytest -q\\nuvx --from iniconfig python -c pass\\nrst2html5 --version"
    plan = planned(f'run: pip install -q uv && uv tool install -q docutils\nrun: "{check}"', PROJECT)
    green, _ = tried(sandbox, plan, PROJECT, MENDED)
    assert green.green, green.output.text


def test_another_node_is_brought(sandbox: DockerSandbox) -> None:
    """The job's own version comes from the package index, with its own npm."""
    build(sandbox.engine, STATE, ["node"])
    plan = planned('{uses: actions/setup-node@v4, with: {node-version: 18}}\nrun: "node --version; npm --version"', {})
    result, _ = tried(sandbox, plan, {"a": ""})
    assert result.output.text.startswith("v18.")
    assert result.green, result.output.text


def test_packages_are_those_of_ci(sandbox: DockerSandbox) -> None:
    """By the log where it prints them, else by the day of the run."""
    install, check = "pip install -q iniconfig", "pip list | grep iniconfig"
    log = (
        f"##[group]Run {install}\n\x1b[36;1m{install}\x1b[0m\n##[endgroup]\nSuccessfully installed iniconfig-1.1.1\n"
        f"##[group]Run {check}\n\x1b[36;1m{check}\x1b[0m\n##[endgroup]\n##[error]Process completed with exit code 1."
    )
    steps = f"run: {install}\nrun: {check}"
    by_log, _ = tried(sandbox, planned(steps, {}, log), {"a": ""})
    by_day, _ = tried(sandbox, planned(steps, {}, started_at="2024-06-01T10:00:00Z"), {"a": ""})
    assert [found.output.text.split()[1] for found in (by_log, by_day)] == ["1.1.1", "2.0.0"]


def test_where_the_day_of_the_run_cannot_be_had_todays_packages_stand_in(sandbox: DockerSandbox) -> None:
    """The set-up is made once more, without the pin, and the plan says so."""
    plan = planned("run: pip install -q iniconfig\nrun: python -c 'import iniconfig'", {}, started_at="2000-01-01")
    result, really = tried(sandbox, plan, {"a": ""})
    assert result.green
    assert really.notes[-1] == "the set-up failed with the packages of the day of the run: they are of today"
    assert pins.without(really, really.setup[-1].name) is None
