"""`deploy/compose.yaml` and its examples: known settings only, nothing listens outside, the engine stands alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import table as bot_table
from workers.settings import table as worker_table

DEPLOY = Path(__file__).parents[2] / "deploy"
OURS = ("bot", "worker", "migrate", "images")
BOT = set(re.findall(r"\| `(\w+)` \|", bot_table()))
WORKER = set(re.findall(r"\| `(\w+)` \|", worker_table()))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, with its anchors resolved."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def named(example: str) -> set[str]:
    """The variables of an example file, those in comments too."""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (DEPLOY / example).read_text(), re.MULTILINE))


def test_every_variable_is_a_setting_of_its_part(compose: dict[str, Any]) -> None:
    """What a service gets, by file or by name, is something that service reads."""
    services = compose["services"]
    assert set(services["bot"]["environment"]) | named("bot.env.example") <= BOT
    assert set(services["worker"]["environment"]) | named("worker.env.example") <= WORKER
    assert set(services["migrate"]["environment"]) <= BOT & WORKER | {"HEAL_APP_ID", "HEAL_PUBLIC_URL"}
    assert set(services["images"]["environment"]) <= WORKER
    assert [services[name]["env_file"][0]["path"] for name in ("bot", "worker")] == ["bot.env", "worker.env"]


def test_secrets_stay_apart() -> None:
    """The receiver's file names no key of the App or a model, the worker's no webhook secret."""
    assert not named("bot.env.example") & {"OPENAI_API_KEY", "HEAL_PRIVATE_KEY", "HEAL_PRIVATE_KEY_FILE"}
    assert not named("worker.env.example") & {"HEAL_WEBHOOK_SECRET", "HEAL_DASHBOARD_TOKEN"}


def test_env_example_fills_in_the_file() -> None:
    """`.env` holds exactly the variables that compose.yaml interpolates."""
    wanted = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert named("env.example") == wanted


def test_nothing_reaches_the_host(compose: dict[str, Any]) -> None:
    """No service mounts a path of the host (its Docker socket least of all); ports are on loopback only."""
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"], f"{name} mounts {volume}"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} listens on {port}"


def test_every_service_is_hardened(compose: dict[str, Any]) -> None:
    """All but the engine run as a user, without capability or new privileges, on a root that cannot be written."""
    for name in compose["services"].keys() - {"engine"}:
        service = compose["services"][name]
        assert service["user"] == ("10001:10001" if name in OURS else "999")
        assert "/tmp" in service["tmpfs"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True
        assert not service.get("privileged")


def test_the_engine_stands_alone(compose: dict[str, Any]) -> None:
    """The engine has its own network, no TCP port, and one socket, which the worker's group may use."""
    services = compose["services"]
    engine, worker = services["engine"], services["worker"]
    assert engine["networks"] == ["sandbox"]
    assert not any("sandbox" in service.get("networks", []) for name, service in services.items() if name != "engine")
    assert "ports" not in engine
    command = engine["command"]
    assert [part for part in command if "://" in part] == [worker["environment"]["HEAL_DOCKER_HOST"]]
    assert command[command.index("--group") + 1] == "10001"
    assert "--userns-remap" in command
    shared = [volume for volume in engine["volumes"] if volume in worker["volumes"]]
    assert shared == ["engine-socket:/run/engine"]
    dockerfile = (DEPLOY.parent / "Dockerfile").read_text()
    assert "groupadd --gid 10001 heal" in dockerfile
    assert [name for name, service in services.items() if service.get("privileged")] == ["engine"]
