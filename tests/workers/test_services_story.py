"""A red job with services, healed: from its workflow file to a fix that is proven beside PostgreSQL and Redis."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from threading import Event

import pytest

from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.images.build import build
from sandbox.reaper import remove_all
from sandbox.spec import Tree
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from tests.sandbox.trees import tree
from tests.workers.made import MemoryTree, case
from tests.workers.test_pipeline import MemoryForge, OneIdea
from workers.domain import Case, JobReport, Outcome
from workers.pipeline import Parts, drive
from workers.ports import SourceTree
from workers.store.memory import MemoryJournal

WORKFLOW = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    env: {PGPASSWORD: word}
    services:
      postgres:
        image: postgres:15
        env: {POSTGRES_PASSWORD: word}
        ports: ["5433:5432"]
        options: --health-cmd pg_isready --health-interval 10s --health-timeout 5s --health-retries 5
      redis: {image: "redis:7", ports: [6379]}
    steps:
      - uses: actions/checkout@v4
      - run: pip install -r requirements.txt
      - run: python migrate.py
      - name: Tests
        run: python -m pytest -q
        env: {REDIS: "redis://localhost:${{ job.services.redis.ports['6379'] }}/0"}
"""
FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "requirements.txt": "pytest\npsycopg[binary]\nredis\n",
    "migrate.py": "import psycopg\n\nwith psycopg.connect('postgresql://postgres@localhost:5433/postgres') as base:\n"
    "    base.execute('create table sums (value int)')\n    base.execute('insert into sums values (0)')\n",
    "tests/test_calc.py": "import os\n\nimport psycopg\nimport redis\n\nfrom calc import add\n\n\ndef test_add():\n"
    "    with psycopg.connect('postgresql://postgres@postgres/postgres') as base:\n"
    "        base.execute('insert into sums values (%s)', (add(1, 2),))\n"
    "        rows = [row[0] for row in base.execute('select value from sums order by value')]\n"
    "    assert redis.Redis.from_url(os.environ['REDIS']).incr('runs') == 1\n"
    "    assert rows == [0, 3]\n",
}
STEPS = (("Run pip install -r requirements.txt", "success"), ("Run python migrate.py", "success"), ("Tests", "failure"))


class ShopTree(MemoryTree):
    """The files above, as an archive too."""

    def __init__(self) -> None:
        super().__init__({path: text.encode() for path, text in FILES.items()})

    def tar(self) -> Tree:
        return tree(FILES, self.sha)


class ShopForge(MemoryForge):
    """A forge with the red job above."""

    def job(self, case: Case) -> JobReport:
        return JobReport("test", workflow=WORKFLOW, steps=STEPS)

    def tree(self, case: Case) -> SourceTree:
        return ShopTree()


@pytest.fixture
def sandbox() -> Iterator[DockerSandbox]:
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    engine = Engine()
    build(engine, STATE, ("python", "debian", "service-postgres", "service-redis"))
    made = DockerSandbox(
        None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS, registries=("example.invalid",)
    )
    yield made
    made.close()
    left = {labels["heal.role"] for labels in engine.containers(f"heal.owner={owner}").values()} - {"proxy"}
    remove_all(engine, owner)
    engine.close()
    assert not left


@pytest.mark.engine
def test_a_red_job_with_services_is_healed(sandbox: DockerSandbox) -> None:
    """Rows of the migration are there in every run, rows of other runs are in none; the proof says what stood in."""
    forge = ShopForge()
    report = drive(case(), Parts(forge, sandbox, (OneIdea(),), MemoryJournal(), Event()))
    assert report.outcome is Outcome.FIXED, report.detail
    assert report.reproduction is not None
    assert [test.id for test in report.reproduction.before.tests] == ["tests/test_calc.py::test_add"]
    assert "assert [-1, 0] == [0, 3]" in report.reproduction.before.output.text
    assert "Debian's PostgreSQL 15 takes the place of postgres:15" in forge.published[0].body
    assert "Debian's Redis 7.0 takes the place of redis:7" in forge.published[0].body
