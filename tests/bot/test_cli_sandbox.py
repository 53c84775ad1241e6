"""`heal sandbox`: what the engine keeps, and making room, as a person asks for it."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli_sandbox import age, show, size, size_of
from sandbox.environments import DockerSandbox
from sandbox.inventory import Item
from sandbox.reaper import remove_all
from sandbox.spec import Plan, Step
from tests.bot.command import heal
from tests.sandbox.trees import tree


def test_sizes_and_ages() -> None:
    """Sizes are decimal and read back; ages are told in their largest unit."""
    assert [size(0), size(1500), size(20 * 10**9)] == ["0 B", "1.5 kB", "20.0 GB"]
    assert [size_of("5GB"), size_of("500 MB"), size_of("2GiB"), size_of("-")] == [5 * 10**9, 5 * 10**8, 2 << 30, None]
    assert [age(30), age(7200), age(7 * 24 * 3600)] == ["just now", "2 hours ago", "7 days ago"]


def test_the_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each thing with its size and last use, then the sum; with several engines each under its address."""
    item = Item("environment", "k" * 64, "debian, octo/shop", 1500, time.time() - 7200, False, "volume")
    show({"unix:///a.sock": [item, replace(item, kind="tree", in_use=True)], "tcp://b:2376": []}, as_json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "unix:///a.sock"
    assert f"environment {'k' * 12} debian, octo/shop 1.5 kB 2 hours ago" in lines
    assert f"tree {'k' * 12} debian, octo/shop 1.5 kB in use" in lines
    assert [line for line in lines if "kept" in line] == ["2 kept, 3.0 kB", "0 kept, 0 B"]


@pytest.mark.engine
def test_sandbox_ls_and_prune(tmp_path: Path) -> None:
    """What is kept is listed with its size and last use, and removed when asked for; another installation's is not."""
    name = f"tests-{uuid.uuid4().hex[:12]}"
    sandbox = DockerSandbox(None, name, state_dir=tmp_path)
    try:
        key = sandbox.prepare(Plan("debian", (), Step("check", "true"), trust=name), tree()).key
        (item,) = map(json.loads, heal("sandbox", "ls", "--json", HEAL_INSTALLATION=name).stdout.splitlines())
        assert (item["key"], item["about"], item["in_use"]) == (key, f"debian, {name}", False)
        other = heal("sandbox", "prune", "--all", HEAL_INSTALLATION=f"{name}-other")
        assert (other.returncode, other.stderr) == (0, "freed 0 B, 0 B kept\n")
        assert "removed environment" not in heal("sandbox", "prune", HEAL_INSTALLATION=name).stderr  # it is recent
        done = heal("sandbox", "prune", "--all", HEAL_INSTALLATION=name)
        assert done.stderr.startswith(f"removed environment {key[:12]} (debian, {name}), ")
        assert not sandbox.engine.volumes(f"heal.owner={name}")
    finally:
        remove_all(sandbox.engine, name)
        sandbox.engine.close()


def test_sandbox_refuses_what_it_cannot_do() -> None:
    """A size that is none, two limits at once, and an engine that is away are one line each."""
    wrong = heal("sandbox", "prune", "--to", "much")
    assert (wrong.returncode, wrong.stderr) == (2, "heal: --to: much is no size; write it as 5GB or 500MB\n")
    assert heal("sandbox", "prune", "--all", "--to", "1GB").returncode == 2
    away = heal("sandbox", "ls", HEAL_DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert away.returncode == 3
    assert away.stderr.startswith("heal: no container engine answers at unix:///nonexistent/docker.sock")
    assert heal("sandbox", "ls", HEAL_SANDBOX_CAP="much").returncode == 2
