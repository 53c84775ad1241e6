"""The other commands: how a process of theirs ends, help without weight, the doctor's word, images, database,
settings, deliveries."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.bot.command import ROOT, environment, heal, process
from tests.bot.conftest import Site
from tests.bot.deliveries import PAYLOADS, SECRET
from tests.hub.process import Hub

COMMANDS = [
    "",
    "fix",
    "serve",
    "worker",
    "doctor",
    "images",
    "images build",
    "images list",
    "config",
    "config check",
    "config show",
    "config schema",
    "db",
    "db upgrade",
    "deliver",
    "replay",
    "settings",
]
pytestmark = pytest.mark.process

HEAVY = ("docker", "openai", "github", "celery", "sqlalchemy", "fastapi", "pydantic", "rich")


def test_the_version_is_the_packages() -> None:
    """`heal --version` prints one line for people and for reports of errors."""
    done = heal("--version")
    assert (done.returncode, done.stdout) == (0, f"heal {version('heal-bot')}\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("config", "schema"), 0),
        (("config", "check", "{file}"), 1),
        (("pause", "--all", "--for", "ever"), 2),
        (("sandbox", "ls"), 3),
    ],
)
def test_a_process_ends_as_its_command_does(arguments: tuple[str, ...], code: int, tmp_path: Path) -> None:
    """The exit code and both streams of the installed program are those of the command, each of the four ways."""
    file = tmp_path / "heal.yml"
    file.write_text("mode: nothing\n")
    typed = [argument.format(file=file) for argument in arguments]
    more = {"HEAL_DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    done, same = process(*typed, **more), heal(*typed, **more)
    assert (done.returncode, done.stdout, done.stderr) == (same.returncode, same.stdout, same.stderr)
    assert done.returncode == code
    assert bool(done.stdout) is (code in {0, 1})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """Each command explains itself in lines of at most 80 characters, and every option says what it is for."""
    done = heal(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage: heal" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not re.search(r"^  .*\.\.\.$", done.stdout, re.MULTILINE), "a description in a list is cut off"
    assert not re.search(r"^  -[^ ]+( [A-Z]+)?$", done.stdout, re.MULTILINE), "an option without a word about it"


def test_help_imports_nothing_heavy() -> None:
    """`heal --help` loads no engine, model, GitHub, queue or database library."""
    code = (
        "import sys; from bot.cli import app\n"
        "try:\n    app(['--help'])\n"
        f"finally:\n    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Usage:" in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.engine
def test_doctor_when_all_is_there(tmp_path: Path) -> None:
    """Everything needed is there: exit code 0, a line per finding, `ok` or a warning with its repair."""
    done = heal("doctor")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert all(line.startswith(("ok    ", "warn  ", "      repair: ")) for line in lines)
    assert any("container engine: unix:///var/run/docker.sock, API " in line for line in lines)
    found = {line[6:].partition(":")[0] for line in lines if not line.startswith(" ")}
    assert {"git", "container engine", "image python", "limits", "model"} <= found
    assert all(after.startswith("      repair: ") for line, after in pairwise(lines) if line.startswith("warn"))


@pytest.mark.fault(75)
def test_doctor_when_things_are_missing(tmp_path: Path) -> None:
    """A dead engine, Redis, database and key each have a line with the command that repairs it, and an object as JSON;
    exit code 3."""
    dead = {
        "HEAL_DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "HEAL_APP_ID": "7",
        "HEAL_PRIVATE_KEY_FILE": str(tmp_path / "no.pem"),
        "HEAL_REDIS_URL": "redis://127.0.0.1:1/0",
        "HEAL_DATABASE_URL": "postgresql+psycopg://heal:hidden@127.0.0.1:1/heal",
    }
    done = heal("doctor", **dead)
    assert done.returncode == 3
    for what in ("container engine", "GitHub App", "database", "redis"):
        assert re.search(rf"^MISS  {what}: .+\n      repair: .+$", done.stdout, re.MULTILINE), what
    assert "hidden" not in done.stdout + done.stderr
    told = {one["what"]: one for one in json.loads(heal("doctor", "--json", **dead).stdout)}
    assert told["git"]["ok"]
    assert (told["redis"]["ok"], bool(told["redis"]["repair"])) == (False, True)


@pytest.mark.fault(75)
@pytest.mark.parametrize(
    ("given", "mode", "said"),
    [
        ({}, 0o600, "needs HEAL_APP_ID and HEAL_PRIVATE_KEY_FILE"),
        ({"HEAL_PRIVATE_KEY_FILE": "{key}"}, 0o600, "needs HEAL_APP_ID and HEAL_PRIVATE_KEY_FILE"),
        ({"HEAL_APP_ID": "7", "HEAL_PRIVATE_KEY_FILE": "{key}"}, 0o644, "chmod 600"),
        ({"HEAL_APP_ID": "7", "HEAL_PRIVATE_KEY_FILE": "{key}"}, 0o600, "no private key in PEM"),
        ({"HEAL_APP_ID": "7", "HEAL_PRIVATE_KEY_FILE": "{key}.gone"}, 0o600, "cannot be read"),
    ],
)
def test_a_worker_without_a_key_does_not_start(tmp_path: Path, given: dict[str, str], mode: int, said: str) -> None:
    """It claims no run that it could only spoil: one line says what to set, and shows no key."""
    key = tmp_path / "app.pem"
    key.write_text("-----BEGIN RSA PRIVATE KEY-----\nMIIEhalf")
    key.chmod(mode)
    done = heal("worker", **{name: value.replace("{key}", str(key)) for name, value in given.items()})
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "MIIEhalf" not in done.stderr


@pytest.fixture
def app(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """An App's settings, on a machine where nothing else answers."""
    keys = hub.create_app()
    pem = tmp_path / "app.pem"
    pem.write_text(keys.private_key)
    pem.chmod(0o600)
    return {
        "HEAL_APP_ID": str(keys.app_id),
        "HEAL_PRIVATE_KEY_FILE": str(pem),
        "HEAL_GITHUB_API_URL": hub.api_url,
        "HEAL_DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "HEAL_REDIS_URL": "redis://127.0.0.1:1/0",
        "HEAL_DATABASE_URL": f"sqlite:///{tmp_path / 'heal.db'}",
    }


def findings(settings: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What the doctor found, by what it looked at."""
    return {one["what"]: one for one in json.loads(heal("doctor", "--json", **settings).stdout)}


@pytest.mark.fault(75)
@pytest.mark.parametrize(
    ("seconds", "ok", "warns", "said"),
    [
        (0, True, False, r"GitHub's"),
        (5, True, False, r"GitHub's"),
        (40, True, True, r"(\d+) s behind GitHub's"),
        (-40, True, True, r"(\d+) s ahead of GitHub's"),
        (300, False, False, r"(\d+) s behind GitHub's: more than the 60 s .+"),
        (-300, False, False, r"(\d+) s ahead of GitHub's: more than the 60 s .+"),
    ],
)
def test_doctor_compares_clocks(hub: Hub, app: dict[str, str], seconds: int, ok: bool, warns: bool, said: str) -> None:
    """A clock that is some seconds off GitHub's is a warning, one that spoils signatures is an error; both say by how
    much, which way, and how it is set right. The App's key is not blamed for it."""
    hub.disagree(seconds)
    started = time.monotonic()
    found = findings(app)
    took = time.monotonic() - started
    clock = found["clock"]
    assert (clock["ok"], clock["warning"]) == (ok, warns)
    told = re.fullmatch(said, clock["detail"])
    assert told, clock["detail"]
    # The least that the answer proves: GitHub leaves out fractions of a second, and the answer was under way.
    assert all(abs(seconds) - 2 - took <= int(by) <= abs(seconds) for by in told.groups())
    assert ("NTP" in clock["repair"]) == (warns or not ok)
    assert found["GitHub App"]["ok"]


@pytest.mark.fault(75)
@pytest.mark.parametrize(
    ("wrong", "what", "said"),
    [
        ({"HEAL_APP_ID": "999999"}, "GitHub App", "GitHub does not accept the key of 999999: 401 "),
        ({"HEAL_PRIVATE_KEY_FILE": "{folder}/other.pem"}, "GitHub App", "401 A JSON web token could not be decoded"),
        ({"HEAL_PRIVATE_KEY_FILE": "{folder}/torn.pem"}, "GitHub App", "no private key in PEM"),
        ({"HEAL_GITHUB_API_URL": "http://127.0.0.1:1/api/v3"}, "GitHub", "does not answer: ConnectionError"),
    ],
)
def test_doctor_asks_github(
    hub: Hub, app: dict[str, str], tmp_path: Path, wrong: dict[str, str], what: str, said: str
) -> None:
    """An id and a key that are not one App's, a key that is none, and a GitHub that does not answer are told as that,
    with the repair; the key is not shown."""
    other = hub.create_app("other").private_key
    for name, text in (("other", other), ("torn", other[:200])):
        (tmp_path / f"{name}.pem").write_text(text)
        (tmp_path / f"{name}.pem").chmod(0o600)
    found = findings(app | {name: value.replace("{folder}", str(tmp_path)) for name, value in wrong.items()})
    assert not found[what]["ok"]
    assert said in found[what]["detail"]
    assert found[what]["repair"]
    assert other[40:80] not in str(found)


@pytest.mark.fault(75)
@pytest.mark.parametrize(
    ("wrong", "seconds", "status", "said"),
    [
        ({}, 0, 0, "run: heal db upgrade"),
        ({}, 0, 502, "run: heal db upgrade"),
        ({"HEAL_GITHUB_API_URL": "http://127.0.0.1:1/api/v3"}, 0, 0, "run: heal db upgrade"),
        ({"HEAL_APP_ID": "999999"}, 0, 0, "set HEAL_APP_ID and HEAL_PRIVATE_KEY_FILE to those of one App"),
        ({}, 300, 0, "timedatectl set-ntp true"),
    ],
    ids=["all is right", "GitHub is in trouble", "GitHub is away", "another id", "five minutes apart"],
)
def test_a_worker_that_github_refuses_does_not_start(
    hub: Hub, app: dict[str, str], wrong: dict[str, str], seconds: int, status: int, said: str
) -> None:
    """One line says what to do. An outage of GitHub is no reason, for runs wait: what is asked next is the schema."""
    hub.disagree(seconds)
    if status:
        hub.fail_requests("/app$", times=1, status=status)
    done = heal("worker", **(app | wrong))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith(said)
    assert done.stderr.count("\n") == 1
    assert bool(status) == any(one["status"] == 502 for one in hub.requests())


@pytest.mark.engine
def test_images_build_says_what_there_is() -> None:
    """The references are printed; with --quiet and nothing to do, nothing is; an unknown language is refused."""
    done = heal("images", "build", "python")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"heal-sandbox/python:[0-9a-f]{16}\n", done.stdout)
    unknown = heal("images", "build", "cobol")
    assert unknown.returncode == 3
    assert unknown.stderr.startswith(
        "heal: no sandbox image for 'cobol'; there are python, debian, node, go, java, rust"
    )


@pytest.mark.engine
def test_images_list_shows_what_is_there() -> None:
    """A line per language with state, versions and base; what is absent comes with the command that makes it."""
    heal("images", "build", "python")
    listed = heal("images", "list")
    assert listed.returncode == 0, listed.stderr
    assert re.search(r"^python +ready +Python 3\.11\.\d+ ", listed.stdout, re.MULTILINE)
    (python, *others) = [json.loads(line) for line in heal("images", "list", "--json").stdout.splitlines()]
    assert (python["language"], python["state"]) == ("python", "ready")
    assert re.fullmatch(r"heal-sandbox/python:[0-9a-f]{16}", python["reference"])
    assert python["size"] > 100_000_000
    assert [image["language"] for image in others[:5]] == ["debian", "node", "go", "java", "rust"]


def test_db_upgrade(tmp_path: Path) -> None:
    """A new database gets the schema; a wrong, dead or forbidden address is one line."""
    url = f"sqlite:///{tmp_path / 'new' / 'heal.db'}"
    assert heal("db", "upgrade", HEAL_DATABASE_URL=url).returncode == 0
    assert (tmp_path / "new" / "heal.db").stat().st_size > 0
    assert heal("db", "upgrade", HEAL_DATABASE_URL="nonsense").returncode == 2
    dead = heal("db", "upgrade", HEAL_DATABASE_URL="postgresql+psycopg://heal:hidden@127.0.0.1:1/heal")
    assert dead.returncode == 3
    assert dead.stderr == "heal: the database at 127.0.0.1:1/heal cannot be used: OperationalError\n"
    assert heal("db", "upgrade", HEAL_DATABASE_URL="sqlite:////proc/none/heal.db").returncode == 3


def test_settings_table() -> None:
    """Every variable of the receiver and the worker is in the table, once per part."""
    done = heal("settings")
    assert done.returncode == 0
    receiver, worker = done.stdout.split("## Worker")
    for name in ("HEAL_WEBHOOK_SECRET", "HEAL_DATABASE_URL", "HEAL_DASHBOARD_TOKEN"):
        assert receiver.count(f"| `{name}` |") == 1
    for name in ("HEAL_APP_ID", "HEAL_DOCKER_HOST", "HEAL_INSTALLATION", "OPENAI_API_KEY"):
        assert worker.count(f"| `{name}` |") == 1


def test_deliver(serve: Callable[..., Site]) -> None:
    """A saved payload is posted as GitHub would post it; a wrong secret, a dead receiver, a missing file are told."""
    site = serve()
    payload = next(PAYLOADS.glob("check_run.*.json"))
    arguments = ("deliver", str(payload), "--event", "check_run", "--url")
    done = heal(*arguments, f"{site.url}/webhook", HEAL_WEBHOOK_SECRET=SECRET)
    assert (done.returncode, done.stdout[:4]) == (0, "202 "), done.stderr
    wrong = heal(*arguments, f"{site.url}/webhook", HEAL_WEBHOOK_SECRET="x" * 32)
    assert (wrong.returncode, wrong.stdout[:4]) == (1, "401 ")
    dead = heal(*arguments, "http://127.0.0.1:1/webhook", HEAL_WEBHOOK_SECRET=SECRET)
    assert dead.returncode == 3
    assert "start one with: heal serve" in dead.stderr
    unset = heal(*arguments, f"{site.url}/webhook")
    assert (unset.returncode, unset.stderr) == (2, "heal: HEAL_WEBHOOK_SECRET: Field required\n")
    assert heal("deliver", "nowhere.json", "--event", "push").returncode == 2
