"""The shipped images, built and run for real: they start under compose.yaml's hardening, without root or secrets."""

from __future__ import annotations

import contextlib
import io
import re
import tarfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest
import yaml
from docker.models.containers import Container
from docker.models.images import Image

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
CONTEXT = (
    "bot", "workers", "sandbox", "pyproject.toml", "uv.lock", "README.md", "LICENSE", "Dockerfile", "deploy/pins/uv.txt"
)  # fmt: skip
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
OFFICIAL = "python:3.11-slim-bookworm"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
HARDENED: dict[str, Any] = {
    **{name: COMPOSE["x-hardened"][name] for name in ("cap_drop", "security_opt", "read_only", "user")},
    "tmpfs": {**dict.fromkeys(COMPOSE["x-hardened"]["tmpfs"], ""), "/var/lib/heal": "uid=10001"},
    "detach": True,
}
"""What compose.yaml says of every service of ours; its volume is a folder in memory here."""


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="module")
def images(engine: docker.DockerClient) -> Iterator[dict[str, Image]]:
    """Both targets, from the sandbox's own base where no registry is. In the end all that was made is removed."""
    mine = uuid.uuid4().hex[:12]
    bases = [tag for image in engine.images.list("heal-sandbox/rootfs") for tag in image.tags]
    context, base = build_context(), bases[0] if bases else OFFICIAL
    made: list[str] = []
    try:
        yield {
            target: build(engine, context, target, base, f"heal-test-{target}:{mine}", made)
            for target in ("bot", "worker")
        }
    finally:
        for target in ("worker", "bot"):
            if engine.images.list(f"heal-test-{target}:{mine}"):
                engine.images.remove(f"heal-test-{target}:{mine}", force=True)
        for layer in reversed(made):
            with contextlib.suppress(
                docker.errors.ImageNotFound, docker.errors.APIError
            ):  # gone with its child, or used
                if not engine.images.get(layer).tags:
                    engine.images.remove(layer)


def build_context() -> bytes:
    """What `docker build .` would send, with this machine's certificates in deploy/ca."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in CONTEXT:
            archive.add(ROOT / name, name, filter=lambda entry: None if "__pycache__" in entry.name else entry)
        archive.add(CA_BUNDLE.resolve(), "deploy/ca/host.crt")
    return buffer.getvalue()


def build(engine: docker.DockerClient, context: bytes, target: str, base: str, tag: str, made: list[str]) -> Image:
    """Build one target; the ids of the steps' images are added to `made`."""
    lines = engine.api.build(
        fileobj=io.BytesIO(context), custom_context=True, dockerfile="Dockerfile", tag=tag, target=target,
        buildargs={"BASE": base}, rm=True, forcerm=True, decode=True,
    )  # fmt: skip
    said = [str(line.get("stream") or line.get("error") or "") for line in lines]
    made += re.findall(r" ---> ([0-9a-f]{12})\n", "".join(said))
    found = engine.images.list(tag)
    assert found, "".join(said)[-4000:]
    return found[0]


@pytest.fixture
def run(engine: docker.DockerClient) -> Iterator[Any]:
    """Runs a container under the hardening of compose.yaml."""
    running: list[Container] = []

    def start(image: Image, command: list[str], **more: Any) -> Container:
        container: Container = engine.containers.run(image.id or "", command, **{**HARDENED, **more})
        running.append(container)
        return container

    yield start
    for container in running:
        container.remove(force=True, v=True)


def ended(container: Container) -> str:
    """Wait for the end; what it printed."""
    code = container.wait(timeout=60)["StatusCode"]
    printed = container.logs().decode()
    assert code == 0, printed
    return printed


def test_the_commands_start(images: dict[str, Image], run: Any) -> None:
    """`heal --help` in the receiver's image, `heal worker --help` and git in the worker's."""
    assert "Usage: heal" in ended(run(images["bot"], ["--help"]))
    assert "Usage: heal worker" in ended(run(images["worker"], ["worker", "--help"]))
    assert re.match(r"git version \d", ended(run(images["worker"], ["--version"], entrypoint="git")))


def test_the_receiver_gets_healthy(images: dict[str, Image], run: Any) -> None:
    """A new database is migrated, the receiver serves, and the health check of compose.yaml passes inside."""
    script = "heal db upgrade && exec heal serve --host 0.0.0.0 --port 8080"
    environment = {"HEAL_WEBHOOK_SECRET": "s" * 32}
    container = run(images["bot"], ["-c", script], entrypoint="sh", environment=environment)
    check = COMPOSE["services"]["bot"]["healthcheck"]["test"][1:]
    deadline = time.monotonic() + 120
    while container.exec_run(check).exit_code != 0:
        container.reload()
        assert container.status == "running", container.logs().decode()
        assert time.monotonic() < deadline, container.logs().decode()
        time.sleep(0.2)


@pytest.mark.parametrize("target", ["bot", "worker"])
def test_no_root_and_no_secret(images: dict[str, Image], run: Any, target: str) -> None:
    """The user is 10001 in its own group with no power at all and nowhere to write but its folders; no variable or file
    is a secret, and no Git history is inside."""
    config = images[target].attrs["Config"]
    assert config["User"] == "10001"
    assert not [name for name in config["Env"] if re.search("SECRET|TOKEN|PASSWORD|API_KEY|PRIVATE", name)]
    script = (
        "id -u; id -g; cd /; "
        "grep -hE '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status | cut -f 2; "
        "for place in / /opt/heal /usr/bin /etc; do touch $place/x 2>/dev/null && echo wrote $place; done; "
        "find / -xdev \\( -name '*.pem' -o -name '*.key' -o -name '.env' -o -name '.git' -o -name '*.sqlite' \\) "
        "-not -path '/proc/*' -not -path '/etc/ssl/*' -not -path '/usr/lib/ssl/*' "
        "-not -path '*/certifi/*' -not -path '*/pip/_vendor/*' 2>/dev/null"
    )
    assert ended(run(images[target], ["-c", script + "; true"], entrypoint="sh")).split() == [
        "10001", "10001", "0" * 16, "0" * 16, "1"
    ]  # fmt: skip
