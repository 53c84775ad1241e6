"""The services of a job: read from the workflow, refused with a sentence, and never handed to an engine as written."""

from __future__ import annotations

import pytest

from sandbox.spec import Fidelity, Health, Plan, Service
from tests.workers.recipe.test_plans import job, make
from workers.domain import Outcome
from workers.errors import Stop

USUAL = """
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    strategy: {matrix: {postgres: [16]}}
    env: {PGPASSWORD: word}
    services:
      postgres:
        image: postgres:${{ matrix.postgres }}
        env:
          POSTGRES_USER: app
          POSTGRES_PASSWORD: ${{ env.PGPASSWORD }}
        ports: ["15432:5432"]
        options: >-
          --health-cmd "pg_isready -U app"
          --health-interval 10s --health-timeout=5s --health-retries 5
      redis:
        image: redis
        ports: [6379/tcp]
        options: --name cache --memory=1g
    steps:
      - run: pip install -r requirements.txt
      - run: python manage.py migrate
      - name: Tests
        run: pytest -q
        env: {PORT: "${{ job.services.redis.ports['6379'] }}", DB: "${{ job.services.postgres.ports[5432] }}"}
"""
LOG = """##[group]Run pip install -r requirements.txt
\x1b[36;1mpip install -r requirements.txt\x1b[0m
shell: /usr/bin/bash -e {0}
##[endgroup]
##[group]Run python manage.py migrate
\x1b[36;1mpython manage.py migrate\x1b[0m
shell: /usr/bin/bash -e {0}
##[endgroup]
##[group]Run pytest -q
\x1b[36;1mpytest -q\x1b[0m
shell: /usr/bin/bash -e {0}
env:
  PGPASSWORD: word
  PORT: 49153
  DB: 15432
##[endgroup]
E   assert 1 == 2
##[error]Process completed with exit code 1.
"""


def with_service(text: str, steps: str = "run: pytest") -> Plan:
    return make(job(steps, f"runs-on: ubuntu-latest\n    services: {{{text}}}"))


def test_services_are_part_of_the_recipe() -> None:
    """Image, environment, ports and health, expressions included; the fidelity is lowered and says why."""
    found = make(USUAL, log=LOG)
    assert found.services == (
        Service(
            "postgres", "postgres:16", {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "word"}, (5432,), ((15432, 5432),),
            Health("pg_isready -U app", 10, 5, 5, 0),
        ),
        Service("redis", "redis", {}, (6379,)),
    )  # fmt: skip
    assert found.fidelity is Fidelity.CLOSE
    assert "the job's services run beside it here: postgres:16, redis" in found.notes
    assert "service 'redis': the options --name --memory are left out" in found.notes
    assert [step.script for step in found.setup] == ["pip install -r requirements.txt", "python manage.py migrate"]


@pytest.mark.parametrize("log", ["", LOG], ids=["from the file", "from the log"])
def test_a_port_given_by_chance_is_the_services_own_here(log: str) -> None:
    """`job.services.redis.ports['6379']`: GitHub's machine had 49153 that day, here it is the port itself."""
    found = make(USUAL, log=log)
    step = next(step for step in (found.check, *found.after) if step.name == "Tests")
    assert (step.env["PORT"], step.env["DB"]) == ("6379", "15432")


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("db: {image: '${{ needs.a.outputs.b }}'}", "'db' has an image that only GitHub knows"),
        ("db: {image: postgres, env: {A: '${{ needs.a.outputs.b }}'}}", "'db' needs needs.a.outputs.b for A"),
        ("db: {image: postgres, options: --privileged}", "'db' needs the container option --privileged"),
        ("db: {image: postgres, options: -v /:/host}", "'db' needs the container option -v"),
        ("db: {image: postgres, options: --network=host}", "'db' needs the container option --network"),
        ("db: {image: postgres, options: '--health-cmd \"x'}", "an open quote"),
        ("db: {image: postgres, options: --health-cmd}", "--health-cmd without a value"),
        ("db: {image: postgres, options: --health-cmd x --health-interval soon}", "the time span 'soon'"),
        ("db: {image: postgres, options: --health-cmd x --health-retries many}", "no number"),
        ("db: {image: postgres, volumes: ['/var/run/docker.sock:/x']}", "'db' has `volumes`"),
        ("db: {image: postgres, entrypoint: sh}", "'db' has `entrypoint`"),
        ("db: {image: postgres, ports: ['8000-8010:8000-8010']}", "the port '8000-8010:8000-8010'"),
        ("db: {image: postgres, ports: ['0:99999']}", "the port '0:99999'"),
        ("a: {image: postgres}, b: {image: 'postgres:15', ports: ['5433:5432']}", "'a' and 'b' both need port 5432"),
        ("a: {image: x/y, ports: [80]}, b: {image: x/z, ports: ['80:8080']}", "'a' and 'b' both need port 80"),
    ],
)
def test_what_a_service_cannot_have_is_refused_in_a_sentence(service: str, words: str) -> None:
    """Before anything is spent; an option that is not understood is never passed on."""
    with pytest.raises(Stop, match=words) as stop:
        with_service(service)
    assert stop.value.outcome is Outcome.UNSUPPORTED


def test_secrets_are_empty_and_said_so() -> None:
    """A password that is a secret is empty for job and service alike: both must be content with that."""
    password = "POSTGRES_PASSWORD: '${{ secrets.DB }}'"
    found = with_service(f"db: {{image: postgres, env: {{{password}}}, credentials: {{username: u, password: p}}}}")
    assert found.services[0].env == {"POSTGRES_PASSWORD": "", "POSTGRES_HOST_AUTH_METHOD": "trust"}
    assert "service 'db' uses secrets.DB for POSTGRES_PASSWORD, which is empty here" in found.notes
    assert "service 'db' has credentials for its registry, which are not used here" in found.notes


def test_the_other_ways_to_write_a_service() -> None:
    """A service without an image is none; an image alone, a command, variables among the options."""
    found = with_service(
        "none: {image: ''}, a: memcached, b: {image: 'docker://r/s', command: [serve, -x], options: -e A=b --env=C=d}"
    )
    assert found.services == (
        Service("a", "memcached"),
        Service("b", "r/s", {"A": "b", "C": "d"}, command=("serve", "-x")),
    )
    assert "service 'none' has no image in this job: it is not started, as on GitHub" in found.notes
    assert with_service("a: {image: redis, options: --health-cmd x --no-healthcheck}").services[0].health is None


def test_later_steps_start_where_set_up_ended() -> None:
    """What the failing step leaves in a service is not there for those after it: that is said."""
    found = with_service("db: postgres", "run: pytest one\nrun: pytest two")
    assert found.after
    assert any("as set-up left them" in note for note in found.notes)
