"""`heal config`: what is wrong with a file and how it is right, what counts on GitHub, and the schema."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.bot.command import HEAL, environment, heal
from tests.hub.process import AppKeys, Hub
from workers.repo_config.schema import example, schema

pytestmark = pytest.mark.process


def test_all_problems_with_their_corrections(tmp_path: Path) -> None:
    """Exit code 1, every problem in one go with its place, and below it how it is right; also as JSON."""
    file = tmp_path / "heal.yml"
    file.write_text("mode: propose\npolicy:\n  max_flies: 3\nlimits: {attempts: 99}\n")
    done = heal("config", "check", file)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f'{file}:3:3 policy.max_flies - unknown key. Did you mean "max_files"?')
    assert lines[1:3] == ["    policy:", "      max_files: 3"]
    assert lines[3] == f"{file}:4:10 limits.attempts - expected a number between 1 and 20, got 99"
    told = json.loads(heal("config", "check", file, "--json").stdout)
    assert (told["valid"], [one["line"] for one in told["problems"]]) == (False, [3, 4])


def test_standard_input_and_a_right_file() -> None:
    """`-` reads standard input; a file that can be used is exit code 0."""
    done = subprocess.run(
        [HEAL, "config", "check", "-"], input=example(), env=environment(), capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "The file can be used.\n")


def test_what_is_no_file_is_wrong_use(tmp_path: Path) -> None:
    """Exit code 2 and one line."""
    done = heal("config", "check", tmp_path / "none.yml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("none.yml is no file")


def test_the_policy_has_a_check_and_a_schema_of_its_own(tmp_path: Path) -> None:
    """`--policy` is about the operator's file."""
    file = tmp_path / "policy.yml"
    file.write_text("require_config: true\nlimits: {usd_per_day: 5}\n")
    assert heal("config", "check", "--policy", file).returncode == 0
    assert heal("config", "check", file).returncode == 1
    assert json.loads(heal("config", "schema").stdout) == schema()
    assert "require_config" in json.loads(heal("config", "schema", "--policy").stdout)["properties"]


@pytest.fixture
def keys(hub: Hub) -> AppKeys:
    """A repository with a file, and the App on it."""
    hub.create_repo("octo/shop", files={".github/heal.yml": "limits: {attempts: 12}\nmode: push\n"}, private=True)
    return hub.create_app(account="octo")


def test_what_counts_and_who_decided_it(hub: Hub, keys: AppKeys, tmp_path: Path) -> None:
    """Every value with its layer, and what was overruled; also as JSON."""
    policy = tmp_path / "policy.yml"
    policy.write_text("limits: {attempts: 6}\n")
    key = tmp_path / "key.pem"
    key.write_text(keys.private_key)
    key.chmod(0o600)
    more = {
        "HEAL_APP_ID": str(keys.app_id),
        "HEAL_PRIVATE_KEY_FILE": str(key),
        "HEAL_GITHUB_API_URL": hub.api_url,
        "HEAL_POLICY_FILE": str(policy),
    }
    done = heal("config", "show", "octo/shop", **more)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines["limits.attempts"].endswith("6  (operator, overruled: 12)")
    assert lines["publish"].endswith("push  (repository)")
    assert lines["limits.rounds"].endswith("2  (default)")
    told = json.loads(heal("config", "show", "octo/shop", "--json", **more).stdout)
    assert told["values"]["limits.attempts"] == {"value": 6, "decided_by": "operator", "wanted": 12}
    assert heal("config", "show", "octo/other", **more).returncode == 2


def test_showing_needs_the_apps_key() -> None:
    """Exit code 2 and what to set."""
    done = heal("config", "show", "octo/shop")
    assert done.returncode == 2
    assert "HEAL_APP_ID" in done.stderr
