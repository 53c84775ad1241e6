"""Secrets are planted everywhere a run comes by, and looked for everywhere it leaves something: none may be found."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from tests.installation import SETTING
from tests.model.answers import search_replace
from tests.model.process import Model
from tests.model.replies import text
from tests.processes import Process, free_port
from tests.story.scenes import CONFIG, PATH, PUZZLE, WORKFLOW
from tests.story.theatre import HEAL, OWNER, Theatre

pytestmark = [pytest.mark.story, pytest.mark.engine, pytest.mark.redis]

REPO = f"{OWNER}/canaries"
INSTALLATION_TOKEN = re.compile(rb"ghs_[A-Za-z0-9._-]{20,}|eC1hY2Nlc3MtdG9rZW46[A-Za-z0-9+/=]{8,}")
"""The double mints real long tokens: as they are, and as git sends them."""


def token(prefix: str) -> str:
    """A made-up secret of a well-known shape."""
    return prefix + secrets.token_hex(20)


def plant() -> dict[str, str]:
    """Secrets of other people, by the place they stand in."""
    shapes = ("ghp_", "gho_", "ghu_", "ghr_", "sk-", "sk-proj-", "glpat-", "xoxb-", "sk-ant-api03-", "github_pat_")
    places = (
        *("log line", "log colour", "log environment", "log script", "log error", "log json", "log pem", "log bearer"),
        *("log url", "source", "test", "output", "assertion", "stderr", "file name", "file content", "branch", "job"),
        *("step", "commit", "instructions", "workflow name", "docstring", "answer"),
    )
    planted = {place: token(shapes[n % len(shapes)]) for n, place in enumerate(places)}
    planted["log bearer"], planted["log url"] = secrets.token_hex(20), secrets.token_hex(12)
    planted["log pem"] = "MIIE" + secrets.token_hex(24)
    return planted


def log_of(c: dict[str, str]) -> str:
    """What CI wrote: a red unittest and keys in every usual dress."""
    stamp = "2026-11-21T04:00:00.0000000Z "
    lines = (
        "##[group]Run python -m unittest", "\x1b[36;1mpython -m unittest\x1b[0m", "shell: /usr/bin/bash -e {0}",
        "env:", f"  TOKEN: {c['log environment']}", "##[endgroup]", f"using {c['log line']}",
        f"\x1b[31m{c['log colour']}\x1b[0m", f"+ curl -H 'X: {c['log script']}'", f'{{"key": "{c["log json"]}"}}',
        f"-----BEGIN RSA PRIVATE KEY-----\n{stamp}{c['log pem']}\n{stamp}-----END RSA PRIVATE KEY-----",
        f"Authorization: Bearer {c['log bearer']}", f"postgres://app:{c['log url']}@db/app",
        *(f"FAIL: {name} (test_names.BadgeTest.{name})" for name in ("test_another", "test_badge")),
        f"AssertionError: 'ada lovelace' != 'A. LOVELACE' : {c['log error']}", "FAILED (failures=2)",
        "##[error]Process completed with exit code 1.",
    )  # fmt: skip
    return "".join(f"{stamp}{line}\n" for line in lines)


def files_of(c: dict[str, str]) -> dict[str, str]:
    """A repository whose every corner holds a key."""
    tests = PUZZLE["test_names.py"].replace(
        '        self.assertEqual(badge("ada lovelace"), "A. LOVELACE")',
        f'        print("{c["output"]}")\n        print("{c["stderr"]}", file=__import__("sys").stderr)\n'
        f'        self.assertEqual(badge("ada lovelace"), "A. LOVELACE", "{c["assertion"]}")  # {c["test"]}',
    )
    workflow = WORKFLOW.replace("  test:\n", f"  test:\n    name: test {c['job']}\n", 1)
    return {
        PATH: workflow.replace("name: CI", f"name: CI {c['workflow name']}").replace(
            "name: Test", f"name: {c['step']}"
        ),
        "names.py": PUZZLE["names.py"].replace("as a badge shows it.", c["docstring"]) + f"\n\nKEY = '{c['source']}'\n",
        "test_names.py": tests,
        f"keys/{c['file name']}.txt": c["file content"],
        CONFIG: f"instructions: use {c['instructions']}\n",
    }


@dataclass
class Watch:
    """Looks at every process and container while the story runs, and keeps what was wrong about them."""

    ours: dict[str, str]
    place: str
    found: list[str] = field(default_factory=list)
    gits: int = 0
    sweepers: int = 0
    boxes: set[str] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._threads = [threading.Thread(target=work) for work in (self._processes, self._containers)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def read_gits(self, notes: Path) -> None:
        """What the stand-in for git wrote down about each start of git: arguments and environment."""
        for note in notes.iterdir():
            argv, _, environ = note.read_bytes().partition(b"\x01")
            if argv == b"git\0version\0":  # GitPython asks once when it is imported: no repository is near
                continue
            self.gits += 1
            held = b"\0".join(v for v in environ.split(b"\0") if not v.startswith(b"GIT_CONFIG_VALUE_0="))
            self.found += [f"git's argv: {name}" for name in leaks(argv, self.ours)]
            self.found += [f"git's environment: {name}" for name in leaks(held, self.ours)]

    def _processes(self) -> None:
        while not self._over.wait(0.04):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    argv = (folder / "cmdline").read_bytes()
                    environ = (folder / "environ").read_bytes() if b"workers.sweeper" in argv else b""
                except OSError:  # gone already
                    continue
                self._judge(argv, environ)

    def _judge(self, argv: bytes, environ: bytes) -> None:
        self.found += [f"argv: {name}" for name in leaks(argv, self.ours)]
        if b"workers.sweeper" in argv and self.place.encode() in environ:
            self.sweepers += 1
            known = {name: value for name, value in self.ours.items() if name != "redis password"}
            self.found += [f"sweeper's environment: {name}" for name in leaks(environ, known)]

    def _containers(self) -> None:
        engine = docker.from_env()
        while not self._over.wait(0.05):
            for box in engine.api.containers(all=True):
                if box["Id"] in self.boxes:
                    continue
                try:
                    seen = json.dumps(engine.api.inspect_container(box["Id"])).encode()
                except docker.errors.APIError:  # gone already
                    continue
                self.boxes.add(box["Id"])
                self.found += [f"container: {name}" for name in leaks(seen, self.ours)]
        engine.close()


def leaks(data: bytes, canaries: dict[str, str]) -> list[str]:
    """The names of the canaries that sing in the data, in any dress they travel in."""
    found = [name for name, value in canaries.items() if any(form in data for form in forms(value))]
    return found + (["an installation token"] if INSTALLATION_TOKEN.search(data) else [])


def forms(value: str) -> Iterator[bytes]:
    """A secret as it is, in base64, and the middle of it, which a cut may leave."""
    yield value.encode()
    yield base64.b64encode(value.encode())[:-4]
    yield value[len(value) // 3 :].encode()


def rows(database: Path) -> Iterator[tuple[str, str, bytes]]:
    """Every value of every table: (table, column, value); compressed ones unfolded."""
    with sqlite3.connect(database) as connection:
        connection.row_factory = sqlite3.Row
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - our own tables
                for column in row.keys():  # noqa: SIM118 - a Row is no mapping
                    value = row[column]
                    data = value if isinstance(value, bytes) else str(value).encode()
                    yield table, column, zlib.decompress(data) if column == "body" else data


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
    ours = {name: secrets.token_hex(24) for name in ("model key", "redis password", "dashboard token", "old secret")}
    others = plant()
    notes = noting_git(folder)
    with Model() as model, Watch(ours, str(folder)) as watch:
        extra = {**SETTING, "HEAL_MODEL": "openai:test-model", "OPENAI_API_KEY": ours["model key"],
                 "OPENAI_BASE_URL": model.url, "TMPDIR": str(tmp),
                 "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}  # fmt: skip
        model.script([text(answer(others))] * 3)
        theatre = Guarded(folder, folder / "state", extra, sweep_seconds=0.5)
        theatre.redis_password = ours["redis password"]
        with theatre:
            ours["webhook secret"] = theatre.app.webhook_secret
            ours["app key"] = theatre.app.private_key.splitlines()[2]
            guarded = guarded_receiver(theatre, ours)
            try:
                run = play(theatre, others)
                watch.read_gits(notes)
                yield Scene(theatre, run, ours, others, watch, seen(theatre, run), model.prompts(), tmp)
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
        for path in ("/", "/api/runs", "/metrics", "/readyz", "/login"):
            assert leaks(client.get(path).content, ours) == []
        for given in (ours["dashboard token"][:-1] + "!", ours["dashboard token"]):
            shown = client.post("/login", data={"token": given, "next": "/"})
            assert leaks(str(shown.headers).encode() + shown.content, ours) == []
        assert client.get("/api/runs").status_code == 200
    return process


def play(theatre: Theatre, c: dict[str, str]) -> dict[str, Any]:
    """The red job, the fix, the green CI on it."""
    theatre.hub.create_repo(REPO, files=files_of(c), message=f"Use {c['commit']}")
    branch = f"try-{c['branch']}"
    theatre.hub.push(REPO, {"more.txt": c["file content"]}, branch=branch, message=c["commit"], new_from="main")
    theatre.hub.finish_ci(
        REPO, branch=branch, job=f"test {c['job']}", log=log_of(c), steps=["Run actions/checkout@v4", c["step"]]
    )
    theatre.wait(
        lambda: next((run for run in theatre.runs_of(REPO) if run["state"] in ("parked", "done")), None), 90, ""
    )
    pull = theatre.wait_for_pull(REPO)
    theatre.hub.finish_ci(REPO, branch=pull["head"]["ref"], conclusion="success")
    return theatre.wait_for_run(REPO, 30)


def seen(theatre: Theatre, run: dict[str, Any]) -> dict[str, bytes]:
    """All pages about the run."""
    paths = ("/", "/api/runs", f"/runs/{run['id']}", f"/api/runs/{run['id']}", f"/runs/{run['id']}/events", "/metrics")
    return {path: httpx.get(theatre.url + path, timeout=10, trust_env=False).content for path in paths}


def test_the_story_went_as_told(scene: Scene) -> None:
    """At least 25 canaries were planted, the model mended the check, and git and containers were seen at work."""
    assert scene.run["outcome"] == "FIXED", scene.run
    assert len(scene.ours) + len(scene.others) >= 25
    assert [a["fixer"] for a in scene.theatre.run(scene.run["id"])["attempts"] if a["accepted"]] == ["llm"]
    assert scene.watch.gits
    assert scene.watch.sweepers
    assert scene.watch.boxes
    assert scene.prompts


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
def test_no_page_shows_a_secret(scene: Scene) -> None:
    """The list, the run, its JSON, its events and the figures are redacted."""
    everybody = {**scene.ours, **scene.others}
    for page, shown in scene.pages.items():
        assert leaks(shown, everybody) == [], page


@pytest.mark.fault(30)
def test_no_log_of_ours_holds_a_secret(scene: Scene) -> None:
    """What receiver, worker and sweeper wrote while they worked."""
    for process in ("receiver", "worker", "guarded", "migrate"):
        written = (scene.theatre.folder / f"{process}.log").read_bytes()
        assert leaks(written, {**scene.ours, **scene.others}) == [], process


@pytest.mark.fault(30)
def test_the_database_holds_no_secret(scene: Scene) -> None:
    """No row and no byte of its files holds a secret of ours; keys of others stand only in names a run works with."""
    database = scene.theatre.folder / "heal.db"
    for part in database.parent.glob("heal.db*"):
        assert leaks(part.read_bytes(), scene.ours) == [], part.name
    read_by_people = {name: value for name, value in scene.others.items() if name in TOLD}
    found: dict[str, set[str]] = {}
    for table, column, value in rows(database):
        canaries = scene.ours if (table, column) in AS_DATA else {**scene.ours, **read_by_people}
        if table != "stage_result" and (table, column) not in AS_DATA:
            canaries = {**canaries, **scene.others}
        if loud := leaks(value, canaries):
            found.setdefault(f"{table}.{column}", set()).update(loud)
    assert found == {}


TOLD = ("output", "assertion", "stderr", "log line", "log colour", "log json", "log error", "log pem")
"""What only people read, of what a resumed run finds again."""


def test_no_file_is_left_behind_with_a_secret(scene: Scene) -> None:
    """Mirrors hold no token, and of the worker's temporary folders only the pool's own is left while it runs."""
    for path in (*(scene.theatre.folder / "state").rglob("*"), *scene.tmp.rglob("*")):
        if path.is_file():
            assert leaks(path.read_bytes(), scene.ours) == [], path
    assert [path.name for path in scene.tmp.iterdir() if not path.name.startswith("pymp-")] == []


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
    done = subprocess.run([HEAL, *command], env=env, capture_output=True, timeout=30)
    assert done.returncode != 0
    assert leaks(done.stdout + done.stderr, ours) == []
