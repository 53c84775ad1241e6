"""Secrets are planted everywhere a run comes by, and looked for everywhere it leaves something: none may be found."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.installation import SETTING
from tests.model.answers import search_replace
from tests.model.process import Model
from tests.model.replies import text
from tests.processes import Process, free_port
from tests.story.canaries import Watch, files_of, leaks, log_of, own, plant, rows
from tests.story.theatre import HEAL, OWNER, Theatre
from tests.workers.store.servers import PostgresServer, postgresql_server

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis, pytest.mark.postgres]

REPO = f"{OWNER}/canaries"
AS_DATA = {
    ("delivery", "body"),
    *(("run", name) for name in ("case", "job", "branch", "key")),
    *(("change", name) for name in ("job", "target", "patch")),
}
"""What a run works with is stored as it is: the delivery as GitHub sent it, the branch, the job, the patch that a later
round starts from."""


@dataclass
class Scene:
    """The finished story: everything that can be looked at."""

    theatre: Theatre
    run: dict[str, Any]
    ours: dict[str, str]
    others: dict[str, str]
    watch: Watch
    pages: dict[str, bytes]
    prompts: list[str]
    tmp: Path
    database: PostgresServer
    commands: dict[str, bytes]


class Guarded(Theatre):
    """A theatre whose worker reaches Redis with a password."""

    redis_password = ""

    def start_worker(self, **more: str) -> None:
        url = self.redis_url.replace("redis://", f"redis://default:{self.redis_password}@")
        super().start_worker(HEAL_REDIS_URL=url, **more)


def noting_git(folder: Path) -> Path:
    """A `git` for the worker's PATH that writes down how it was started and then becomes the real one."""
    notes, stand_in = folder / "gits", folder / "bin" / "git"
    notes.mkdir()
    stand_in.parent.mkdir()
    started = f"{{ printf '%s\\0' git \"$@\"; printf '\\1'; cat /proc/$$/environ; }} > {notes}/$$"
    stand_in.write_text(f'#!/bin/sh\n{started}\nexec {shutil.which("git")} "$@"\n')
    stand_in.chmod(0o755)
    return notes


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One run from the red job to the confirmed pull request, watched all the time."""
    folder = tmp_path_factory.mktemp("canaries")
    tmp = folder / "tmp"
    tmp.mkdir()
    ours, others = own(), plant()
    notes = noting_git(folder)
    with (
        postgresql_server(password=ours["database password"]) as database,
        Model() as model,
        Watch(ours, str(folder)) as watch,
    ):
        extra = {**SETTING, "HEAL_MODEL": f"record:{folder / 'tape.jsonl'}:openai:test-model",
                 "HTTPS_PROXY": f"http://heal:{ours['proxy password']}@127.0.0.1:{free_port()}",
                 "OPENAI_API_KEY": ours["model key"], "OPENAI_BASE_URL": model.url, "TMPDIR": str(tmp),
                 "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}  # fmt: skip
        model.script([text(answer(others))] * 3)
        theatre = Guarded(folder, folder / "state", extra, sweep_seconds=0.5, database_url=database.url)
        theatre.redis_password = ours["redis password"]
        with theatre:
            ours["webhook secret"] = theatre.app.webhook_secret
            ours["app key"] = theatre.app.private_key.splitlines()[2]
            guarded = guarded_receiver(theatre, ours)
            try:
                run = play(theatre, others, ours["model key"])
                watch.read_gits(notes)
                commands = said_by_commands(theatre, run["id"])
                pages = {**seen(theatre, run), **seen_without(database, theatre)}
                yield Scene(theatre, run, ours, others, watch, pages, model.prompts(), tmp, database, commands)
            finally:
                guarded.stop()


def answer(c: dict[str, str]) -> str:
    """The model's fix, with a key in its prose."""
    fixed = '    first, last = name.upper().split()\n    return f"{first[0]}. {last}"'
    return search_replace("names.py", "    return name", fixed).replace("The cause", f"The key {c['answer']} and cause")


def guarded_receiver(theatre: Theatre, ours: dict[str, str]) -> Process:
    """A second receiver on the same database, with a dashboard token, an old webhook secret, and a wrong Redis."""
    env = {
        **theatre.bot_env,
        "HEAL_DASHBOARD_TOKEN": ours["dashboard token"],
        "HEAL_WEBHOOK_SECRET_PREVIOUS": ours["old secret"],
        "HEAL_OAUTH_CLIENT_ID": "Iv1.canary",
        "HEAL_OAUTH_CLIENT_SECRET": ours["client secret"],
        "HEAL_REDIS_URL": f"redis://:{ours['redis password']}@127.0.0.1:{free_port()}/0",
    }
    port = free_port()
    process = Process("guarded", [HEAL, "serve", "--port", str(port)], theatre.folder, env)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    process.wait_until(answers)
    with httpx.Client(base_url=url, trust_env=False) as client:
        for path in ("/", "/api/runs", "/metrics", "/readyz", "/login", "/login/github"):
            shown = client.get(path)
            assert leaks(str(shown.headers).encode() + shown.content, ours) == []
        for given in (ours["dashboard token"][:-1] + "!", ours["dashboard token"]):
            shown = client.post("/login", data={"token": given, "next": "/"})
            assert leaks(str(shown.headers).encode() + shown.content, ours) == []
        ours["session"] = client.cookies["heal_session"]
        assert client.get("/api/runs").status_code == 200
    return process


def play(theatre: Theatre, c: dict[str, str], key: str) -> dict[str, Any]:
    """The red job, the fix, the green CI on it."""
    theatre.hub.create_repo(REPO, files=files_of(c), message=f"Use {c['commit']}")
    branch = f"try-{c['branch']}"
    theatre.hub.push(REPO, {"more.txt": c["file content"]}, branch=branch, message=c["commit"], new_from="main")
    theatre.hub.finish_ci(
        REPO, branch=branch, job=f"test {c['job']}", log=log_of(c, key), steps=["Run actions/checkout@v4", c["step"]]
    )
    theatre.wait(
        lambda: next((run for run in theatre.runs_of(REPO) if run["state"] in ("parked", "done")), None), 90, ""
    )
    pull = theatre.wait_for_pull(REPO)
    theatre.hub.finish_ci(REPO, branch=pull["head"]["ref"], conclusion="success")
    return theatre.wait_for_run(REPO, 30)


def said_by_commands(theatre: Theatre, run: str) -> dict[str, bytes]:
    """What the commands of an operator print about the run and the installation."""
    asked = (["replay", run, "--json", "--prompts"], ["replay", run], ["lessons"])
    env = {**os.environ, **theatre.worker_env}
    started = {" ".join(one): subprocess.Popen([HEAL, *one], env=env, stdout=subprocess.PIPE) for one in asked}
    return {command: process.communicate(timeout=120)[0] for command, process in started.items()}


def seen(theatre: Theatre, run: dict[str, Any]) -> dict[str, bytes]:
    """All pages about the run."""
    paths = ("/", "/api/runs", f"/runs/{run['id']}", f"/api/runs/{run['id']}", f"/runs/{run['id']}/events", "/metrics")
    return {path: theatre.pages.get(path).content for path in paths}


def seen_without(database: PostgresServer, theatre: Theatre) -> dict[str, bytes]:
    """What is shown while the database is away. What the processes log then is read with their logs."""
    before = {log: log.stat().st_size for log in (theatre.receiver.log, theatre.worker.log)}
    database.stop()
    shown = {
        f"{path}, no database": theatre.pages.get(path).content for path in ("/readyz", "/", "/api/runs", "/metrics")
    }
    theatre.wait(lambda: {} if all(log.stat().st_size > size for log, size in before.items()) else None, 20, "logs")
    database.start()
    theatre.wait(lambda: {} if theatre.pages.get("/readyz").status_code == 200 else None, 30, "the database again")
    return shown


def files_in(folder: Path) -> list[Path]:
    """The regular files below a folder that others change meanwhile."""
    found = (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
    return [path for path in found if os.path.isfile(path)]  # noqa: PTH113 - it raises nothing when a folder has gone


def test_the_story_went_as_told(scene: Scene) -> None:
    """At least 40 canaries were planted, the model mended the check, and every place was looked into at work."""
    assert scene.run["outcome"] == "FIXED", scene.run
    assert len({*scene.ours.values(), *scene.others.values()}) >= 40
    assert [a["fixer"] for a in scene.theatre.run(scene.run["id"])["attempts"] if a["accepted"]] == ["llm"]
    assert scene.watch.gits
    assert scene.watch.sweepers
    assert scene.watch.boxes
    assert scene.watch.children >= {"heal worker", "heal serve", "workers.errands.process", "workers.sweeper"}
    assert scene.watch.files >= {"environ", "names.py"}
    assert scene.prompts


def test_every_canary_would_be_heard(scene: Scene) -> None:
    """In each of its dresses, in the middle of other text; and a token of the double's as well."""
    everybody = {**scene.ours, **scene.others}
    for name, value in everybody.items():
        packed = base64.b64encode(f"user:{value}".encode()).decode()
        for dress in (value, value[len(value) // 3 :], quote(value, safe=""), packed):
            assert name in leaks(f"a log <{dress}> line".encode(), everybody), name
    assert leaks(b"ghs_" + b"x1" * 40, {}) == ["an installation token"]


def test_no_process_and_no_container_carries_a_secret(scene: Scene) -> None:
    """No argument list, no environment of git or of the sweeper, and no container holds a secret of ours."""
    assert set(scene.watch.found) == set()


def test_each_process_has_only_its_own(scene: Scene) -> None:
    """The receiver has no key of the App or the model; the worker has no webhook secret and no dashboard token."""
    bot, worker = (str(env) for env in (scene.theatre.bot_env, scene.theatre.worker_env))
    assert "PRIVATE_KEY" not in bot
    assert leaks(bot.encode(), {name: scene.ours[name] for name in ("model key", "app key")}) == []
    kept = Path(f"/proc/{scene.theatre.worker.pid}/environ").read_bytes()
    assert "SECRET" not in worker
    assert leaks(kept, {name: scene.ours[name] for name in ("webhook secret", "dashboard token", "app key")}) == []


@pytest.mark.fault(30)
def test_nothing_posted_holds_a_secret(scene: Scene) -> None:
    """Titles, bodies, comments, check runs, annotations, branches and commit messages of ours hold nobody's secret."""
    everybody = {**scene.ours, **scene.others}
    state = scene.theatre.hub.repo(REPO)
    (pull,) = scene.theatre.pulls(REPO)
    texts = {
        "pull request": [pull["title"], pull["body"], pull["head"]["ref"], pull["labels"]],
        "check runs": [[check["output"], check["annotations"]] for check in scene.theatre.checks(REPO)],
        "comments": [comment["body"] for comment in scene.theatre.said(REPO)],
        "commit": [state["commits"][pull["head"]["sha"]]["message"]],
    }
    for what, said in texts.items():
        assert leaks(json.dumps(said).encode(), everybody) == [], what
    assert scene.theatre.checks(REPO)


@pytest.mark.fault(30)
def test_no_prompt_holds_a_secret(scene: Scene) -> None:
    """The model saw the failure, and not one of the keys around it."""
    assert leaks("\n".join(scene.prompts).encode(), {**scene.ours, **scene.others}) == []
    assert "A. LOVELACE" in scene.prompts[0]


@pytest.mark.fault(30)
def test_no_command_and_no_message_tells_a_secret(scene: Scene) -> None:
    """What an operator's commands print, what is recorded of the model, and what went through Redis, from its own
    journal: nobody's secret."""
    everybody = {**scene.ours, **scene.others}
    for command, printed in scene.commands.items():
        assert leaks(printed, everybody) == [], command
    tape = (scene.theatre.folder / "tape.jsonl").read_bytes()
    bells = b"".join(file.read_bytes() for file in files_in(scene.theatre.folder) if file.suffix == ".aof")
    assert leaks(tape, everybody) == []
    assert leaks(bells, everybody) == []
    # That they were read at all:
    assert scene.run["id"].encode() in bells
    assert b"A. LOVELACE" in tape
    assert all(b"names.py" in scene.commands[f"replay {scene.run['id']}{more}"] for more in ("", " --json --prompts"))


@pytest.mark.fault(30)
def test_no_page_shows_a_secret(scene: Scene) -> None:
    """The list, the run, its JSON, its events and the figures are redacted."""
    everybody = {**scene.ours, **scene.others}
    for page, shown in scene.pages.items():
        assert leaks(shown, everybody) == [], page


@pytest.mark.fault(30)
def test_no_log_of_ours_holds_a_secret(scene: Scene) -> None:
    """What receiver, worker and sweeper wrote while they worked."""
    for process in ("receiver", "worker", "guarded"):
        written = (scene.theatre.folder / f"{process}.log").read_bytes()
        assert leaks(written, {**scene.ours, **scene.others}) == [], process


@pytest.mark.fault(30)
def test_the_database_holds_no_secret(scene: Scene) -> None:
    """No row and no byte of its files, its log of changes among them, holds a secret of ours; keys of others stand only
    in names a run works with."""
    run_is_there = False
    for part in files_in(scene.database.folder):
        with suppress(FileNotFoundError):  # the database goes on, and lets go of files that it needs no more
            held = part.read_bytes()
            assert leaks(held, scene.ours) == [], part
            run_is_there |= scene.run["id"].encode() in held
    assert run_is_there
    read_by_people = {name: value for name, value in scene.others.items() if name in TOLD}
    found: dict[str, set[str]] = {}
    for table, column, value in rows(scene.database.url):
        canaries = scene.ours if (table, column) in AS_DATA else {**scene.ours, **read_by_people}
        if table != "stage_result" and (table, column) not in AS_DATA:
            canaries = {**canaries, **scene.others}
        if loud := leaks(value, canaries):
            found.setdefault(f"{table}.{column}", set()).update(loud)
    assert found == {}


TOLD = (
    *("output", "assertion", "stderr", "log line", "log colour", "log json", "log error", "log pem", "log bearer"),
    *("log split", "log far", "log long token", "log fine-grained", "log aws id", "log aws key", "log azure"),
    *("log npm", "log slack hook", "log npmrc", "log pypi", "log jwt", "log google", "log docker", "log basic"),
)
"""What only people read, of what a resumed run finds again."""


def test_no_file_is_left_behind_with_a_secret(scene: Scene) -> None:
    """Mirrors hold no token, and of the worker's temporary folders only the pool's own is left while it runs."""
    for path in (*files_in(scene.theatre.folder / "state"), *files_in(scene.tmp)):
        with suppress(FileNotFoundError):  # the worker goes on
            assert leaks(path.read_bytes(), scene.ours) == [], path
    assert [path.name for path in scene.tmp.iterdir() if not path.name.startswith("heal-tmp-")] == []
    assert [path.name for path in scene.tmp.glob("heal-tmp-*/*") if not path.name.startswith("pymp-")] == []


def test_every_token_was_revoked(scene: Scene) -> None:
    """Every token of the story was for its one repository, and works no more."""
    minted = scene.theatre.hub.tokens()
    assert minted
    assert all(token["revoked"] and token["repos"] == [REPO] for token in minted)


@pytest.mark.parametrize("command", [["db", "upgrade"], ["doctor"], ["worker"]], ids=" ".join)
def test_a_process_that_cannot_start_tells_no_secret(command: list[str], tmp_path: Path) -> None:
    """Addresses of a database and a Redis that are not there are told without their passwords."""
    ours = {name: secrets.token_hex(12) for name in ("database", "redis", "model", "key")}
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HEAL_")},
        "HEAL_STATE_DIR": str(tmp_path),
        "HEAL_DATABASE_URL": f"postgresql://heal:{ours['database']}/x@127.0.0.1:{free_port()}/heal",
        "HEAL_REDIS_URL": f"redis://:{ours['redis']}@127.0.0.1:{free_port()}/0",
        "OPENAI_API_KEY": ours["model"],
        "HEAL_PRIVATE_KEY": f"-----BEGIN RSA PRIVATE KEY-----\n{ours['key']}",
        "HEAL_DOCKER_HOST": "unix:///nowhere/docker.sock",
        **({"HEAL_SLOTS": "many"} if command == ["worker"] else {}),
    }
    done = subprocess.run([HEAL, *command], env=env, capture_output=True, timeout=120)
    assert done.returncode != 0
    assert leaks(done.stdout + done.stderr, ours) == []
