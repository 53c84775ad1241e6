"""The schema and the example are made from the model, and an editor judges as the worker does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from workers import strict_yaml
from workers.repo_config import ConfigError, RepoConfig, fields, parse
from workers.repo_config.bounds import Bounds
from workers.repo_config.reading import read
from workers.repo_config.schema import example, schema
from workers.tables import dig

EXAMPLE = Path(__file__).parents[3] / "deploy" / "heal.example.yml"

ACCEPTED = [
    "{}",
    "mode: push",
    "mode: push\npublish: push",
    "mode: off",
    "environment: {timeout: 600}",
    "environment: {timeout: 90s}",
    "environment: {timeout: 60m}",
    "environment: {timeout: 1h}",
    "environment: {memory: 4}",
    "environment: {memory: 1.5}",
    "environment: {memory: 1536m}",
    "environment: {memory: 4G}",
    "environment: {image: auto, setup: null}",
    "environment: {services: {postgres: 'postgres:16'}}",
    "environment: {services: {postgres: {image: 'postgres:16', env: {A: b}, ports: [5432]}}}",
    "environment: {network: [API.example.org, '*.example.net']}",
    "verify: {full_job: no, command: auto}",
    "policy: {allow_test_edits: Yes, max_lines: 1}",
    "limits: {usd_per_day: 0, usd_per_run: 0.5}",
    "pr: {reviewers: [a, org/team], signoff: on}",
    "paths: {ignore: ['vendor/**']}",
]
REFUSED = [
    "mode: pull",
    "mode: push\npublish: stacked",
    "version: 2",
    "nothing: 1",
    "policy: {max_flies: 1}",
    "policy: 3",
    "environment: {timeout: 5}",
    "environment: {timeout: 2h}",
    "environment: {timeout: 61m}",
    "environment: {timeout: 3601s}",
    "environment: {timeout: '600'}",
    "environment: {memory: 17g}",
    "environment: {memory: 1023m}",
    "environment: {memory: 0.5}",
    "environment: {cpus: 3}",
    "environment: {network: [localhost]}",
    "environment: {services: {1bad: 'postgres:16'}}",
    "environment: {services: {pg: {env: {A: b}}}}",
    "environment: {services: {pg: {image: x, volumes: []}}}",
    "environment: {services: {pg: ''}}",
    "environment: {env: {PORT: 1}}",
    "verify: {full_job: maybe}",
    "verify: {full_job: 1}",
    "limits: {attempts: '4'}",
    "limits: {usd_per_run: -1}",
    "triggers: {workflows: ci.yml}",
    "triggers: {workflows: ['']}",
    "pr: {labels: [1]}",
    "instructions: " + "x" * 2001,
]


@pytest.fixture(scope="module")
def editor() -> Draft202012Validator:
    """What an editor does with the schema."""
    return Draft202012Validator(schema())


def value(text: str) -> Any:
    """The text as the worker's own reader has it."""
    return strict_yaml.load(text, max_bytes=70_000, max_aliases=0).value


@pytest.mark.parametrize("text", ACCEPTED)
def test_both_accept(editor: Draft202012Validator, text: str) -> None:
    """What the worker takes, an editor does not underline."""
    parse(text)
    assert list(editor.iter_errors(value(text))) == []


@pytest.mark.parametrize("text", REFUSED)
def test_both_refuse(editor: Draft202012Validator, text: str) -> None:
    """What the worker refuses, an editor underlines."""
    with pytest.raises(ConfigError):
        parse(text)
    assert list(editor.iter_errors(value(text)))


@pytest.mark.parametrize("model", [RepoConfig, Bounds])
def test_the_schema_is_one_and_says_all(model: type[RepoConfig] | type[Bounds]) -> None:
    """It is valid JSON Schema 2020-12, and every key has a description; of heal.yml also a default."""
    made = schema(model)
    Draft202012Validator.check_schema(made)
    for leaf in fields.leaves(model):
        home = made
        for name in leaf.path[:-1]:
            home = made["$defs"][home["properties"][name]["$ref"].rpartition("/")[2]]
        key = home["properties"][leaf.path[-1]]
        assert key["description"]
        assert "default" in key


def test_every_key_is_in_the_example() -> None:
    """Nothing can be added and stay undocumented."""
    written = yaml.safe_load(example())
    for leaf in fields.leaves(RepoConfig):
        assert dig(written, *leaf.path) is not None


def test_the_example_that_is_given_away_is_this_one() -> None:
    """It is what `heal config schema --example` prints, and it can be used."""
    assert EXAMPLE.read_text() == example()
    assert parse(example()).environment.timeout == 600


def test_the_policy_has_no_key_that_bounds_nothing() -> None:
    """Every bound has a setting that it bounds."""
    known = {leaf.name for leaf in fields.leaves(RepoConfig)} | {"require_config"}
    assert {leaf.name for leaf in fields.leaves(Bounds)} <= known
    assert read("mode: propose", Bounds).of("publish") == "stacked"
