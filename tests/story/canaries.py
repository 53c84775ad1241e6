"""Secrets to plant, the dresses they may come out in, and a watch over every process and container meanwhile."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import docker
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from sandbox.reaper import belongs
from tests.installation import NAME
from tests.story.scenes import CONFIG, PATH, PUZZLE, WORKFLOW

GIVEN = frozenset(
    {
        *("heal worker", "heal serve", "heal db", "heal replay", "heal lessons", "workers.errands.process"),
        *("git", "git-remote-http", "git-remote-https"),
    }
)
"""Processes that are given a secret by whoever starts them, each its own (`test_each_process_has_only_its_own`,
`Watch.read_gits`). What git starts to speak HTTP has git's environment."""
ADDRESSES = frozenset({"redis password", "proxy password", "database password"})
STAND_IN = re.compile(r"/bin/sh \S+/bin/git( |$)|cat /proc/\d+/environ$|sh -c ulimit ")
STARTER = re.compile(r"env -u .+ sh -c ulimit ")
FILE_BYTES, MOST_FOLDERS = 1 << 20, 200
INSTALLATION_TOKEN = re.compile(rb"ghs_[A-Za-z0-9._-]{20,}|eC1hY2Nlc3MtdG9rZW46[A-Za-z0-9+/=]{8,}")
"""The double mints real long tokens: as they are, and as git sends them."""


def token(prefix: str) -> str:
    """A made-up secret of a well-known shape."""
    return prefix + secrets.token_hex(20)


def own() -> dict[str, str]:
    """Secrets of the installation that the test chooses; the App's and the webhook's are the double's."""
    names = ("redis password", "dashboard token", "old secret", "client secret", "proxy password", "database password")
    return {"model key": f"mk/{secrets.token_hex(20)}+", **{name: secrets.token_hex(24) for name in names}}


def plant() -> dict[str, str]:
    """Secrets of other people, by the place they stand in."""
    shapes = ("ghp_", "gho_", "ghu_", "ghr_", "sk-", "sk-proj-", "glpat-", "xoxb-", "sk-ant-api03-", "github_pat_")
    places = (
        *("log line", "log colour", "log environment", "log script", "log error", "log json", "log pem", "log bearer"),
        *("log url", "source", "test", "output", "assertion", "stderr", "file name", "file content", "branch", "job"),
        *("step", "commit", "instructions", "workflow name", "docstring", "answer", "log split", "log far"),
    )
    planted = {place: token(shapes[n % len(shapes)]) for n, place in enumerate(places)}
    planted["log bearer"], planted["log url"] = secrets.token_hex(20), secrets.token_hex(12)
    planted["log pem"] = "MIIE" + secrets.token_hex(24)
    word, claims = secrets.token_hex(20), "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    return planted | {
        "log long token": f"ghs_123_{claims}{secrets.token_urlsafe(90)}",
        "log fine-grained": f"github_pat_{secrets.token_hex(11)}_{secrets.token_hex(29)}",
        "log aws id": "AKIA" + secrets.token_hex(8).upper(),
        "log aws key": f"aB{word}"[:40],
        "log azure": f"aB{word * 2}==",
        "log slack hook": f"aB{word}",
        "log npm": "npm_" + secrets.token_hex(18),
        "log npmrc": f"aB{word[::-1]}",
        "log pypi": "pypi-AgEIcHlwaS5vcmc" + secrets.token_hex(40),
        "log jwt": claims + secrets.token_hex(20),
        "log google": "GOCSPX-" + secrets.token_hex(14),
        "log docker": base64.b64encode(f"me:P{secrets.token_hex(16)}".encode()).decode(),
        "log basic": base64.b64encode(f"Me:{secrets.token_hex(16)}9".encode()).decode(),
    }


def log_of(c: dict[str, str], key: str) -> str:
    """What CI wrote: a red unittest and keys in every usual dress, a key of ours among them."""
    stamp = "2026-11-21T04:00:00.0000000Z "
    lines = (
        "##[group]Run python -m unittest", "\x1b[36;1mpython -m unittest\x1b[0m", "shell: /usr/bin/bash -e {0}",
        "env:", f"  TOKEN: {c['log environment']}", "##[endgroup]", f"using {c['log line']}",
        f"\x1b[31m{c['log colour']}\x1b[0m", f"+ curl -H 'X: {c['log script']}'", f'{{"key": "{c["log json"]}"}}',
        f"-----BEGIN RSA PRIVATE KEY-----\n{stamp}{c['log pem']}\n{stamp}-----END RSA PRIVATE KEY-----",
        f"Authorization: Bearer {c['log bearer']}", f"postgres://app:{c['log url']}@db/app",
        f"push with {c['log long token']}", f"GH={c['log fine-grained']}", f"id {c['log aws id']}",
        f"AWS_SECRET_ACCESS_KEY={c['log aws key']}", f"AccountName=x;AccountKey={c['log azure']};EndpointSuffix=y",
        f"curl https://hooks.slack.com/services/T0/B0/{c['log slack hook']}", f"publish {c['log npm']}",
        f"//registry.npmjs.org/:_authToken={c['log npmrc']}", f"twine -p {c['log pypi']}", f"jwt={c['log jwt']}",
        f"client {c['log google']}", f'{{"auths": {{"ghcr.io": {{"auth": "{c["log docker"]}"}}}}}}',
        f"authorization: basic {c['log basic']}", f"{'x' * 9000} {c['log far']}",
        f"{c['log split'][:9]}\x1b[0m{c['log split'][9:]}", f"model key {key}",
        f"auth {base64.b64encode(f'user:{key}'.encode()).decode()}", f"https://x/?key={quote(key, safe='')}",
        *(f"FAIL: {name} (test_names.BadgeTest.{name})" for name in ("test_another", "test_badge")),
        f"AssertionError: 'ada lovelace' != 'A. LOVELACE' : {c['log error']}", "FAILED (failures=2)",
        "##[error]Process completed with exit code 1.",
    )  # fmt: skip
    return "".join(f"{stamp}{line}\n" for line in lines)


def files_of(c: dict[str, str]) -> dict[str, str]:
    """A repository whose every corner holds a key. Its tests take their time, so that a container is seen at work."""
    tests = "__import__('time').sleep(0.2)\n" + PUZZLE["test_names.py"].replace(
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
    children: set[str] = field(default_factory=set)
    """What the processes were whose environments were read, beside those that are given a key of their own."""
    files: set[str] = field(default_factory=set)
    """What was read inside containers."""
    _over: threading.Event = field(default_factory=threading.Event)
    _judged: set[tuple[int, ...]] = field(default_factory=set)

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
            given = (b"GIT_CONFIG_VALUE_0=", b"HTTPS_PROXY=")
            held = b"\0".join(v for v in environ.split(b"\0") if not v.startswith(given))
            self.found += [f"git's argv: {name}" for name in leaks(argv, self.ours)]
            self.found += [f"git's environment: {name}" for name in leaks(held, self.ours)]

    def _processes(self) -> None:
        while not self._over.wait(0.04):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    argv, environ = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
                    same = argv == (folder / "cmdline").read_bytes()
                except OSError:  # gone already
                    continue
                if argv and same:  # else it is just becoming another program, whose environment that may be
                    self._judge(argv, environ)

    def _is_new(self, *held: bytes) -> bool:
        """Whether this was not judged yet, by the secrets there are now. Most looks see what the last one saw."""
        key = (len(self.ours), *map(hash, held))
        new = key not in self._judged
        self._judged.add(key)
        return new

    def _judge(self, argv: bytes, environ: bytes) -> None:
        if not self._is_new(argv, environ):
            return
        self.found += [f"argv: {name}" for name in leaks(argv, self.ours)]
        if self.place.encode() not in environ:
            return
        child = _called(argv)
        self.sweepers += child == "workers.sweeper"
        self.children.add(child)
        if child not in GIVEN:
            # Addresses are what a child is for, and they hold their passwords.
            secret = {name: value for name, value in self.ours.items() if name not in ADDRESSES}
            self.found += [f"environment of {child}, {argv[:200]!r}: {name}" for name in leaks(environ, secret)]

    def _containers(self) -> None:
        engine = docker.from_env()
        while not self._over.wait(0.05):
            for box in engine.api.containers(all=True):
                own = belongs(box["Labels"] or {}, NAME)
                if own or box["Id"] not in self.boxes:
                    with suppress(docker.errors.APIError):  # gone already
                        self._look(engine, box["Id"], own)
        engine.close()

    def _look(self, engine: docker.DockerClient, box: str, own: bool) -> None:
        """At what the engine says of a container; at each look into one of ours, which live for a second. To look into
        everybody's takes longer than that where others work at the same engine."""
        seen = engine.api.inspect_container(box)
        if own:
            self._inside(seen)
        if box not in self.boxes:
            self.boxes.add(box)
            self._told(seen)
            self._told(engine.api.diff(box) if own else None)

    def _told(self, what: object) -> None:
        self.found += [f"container: {name}" for name in leaks(json.dumps(what).encode(), self.ours)]

    def _inside(self, box: dict[str, Any]) -> None:
        """What stands in a container's own file systems and its processes' environments, seen from the host."""
        places = box["HostConfig"].get("Tmpfs") or ()  # all else is read-only, or the image's
        root = Path(f"/proc/{box['State']['Pid']}")
        if not box["State"]["Pid"]:
            return
        files = (path for place in places for path in _files(root / "root" / place.lstrip("/")))
        for path in (root / "environ", *files):
            try:
                held = path.read_bytes()[:FILE_BYTES]
            except OSError:  # gone already, or a device
                continue
            self.files.add(path.name)
            if not self._is_new(held):
                continue
            self.found += [f"file in a container: {name}" for name in leaks(held, self.ours)]


def _files(folder: Path) -> Iterator[Path]:
    """The regular files below a folder that others change meanwhile, a few hundred at most; links are not followed."""
    for parent, _, names in islice(os.walk(folder, onerror=None), MOST_FOLDERS):
        for name in names[:MOST_FOLDERS]:
            path = Path(parent) / name
            if os.path.isfile(path) and not path.is_symlink():  # noqa: PTH113 - it raises nothing when its container ends
                yield path


def _called(argv: bytes) -> str:
    """Which program of ours a process is: the module it was started as, or its command's name. The stand-in for git,
    what it writes git's environment down with, and the shell that becomes git are git; what takes the worker's
    environment away before that is still the worker."""
    words = [word for word in argv.decode(errors="replace").split("\0") if word]
    if STAND_IN.match(" ".join(words)):
        return "git"
    if STARTER.match(" ".join(words)):
        return "heal worker"
    if "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    names = [Path(word).name for word in words[:4]]
    at = next((n for n, name in enumerate(names[:-1]) if name == "heal"), None)
    return " ".join(names[:1] if at is None else names[at : at + 2])


def leaks(data: bytes, canaries: dict[str, str]) -> list[str]:
    """The names of the canaries that sing in the data, in any dress they travel in."""
    found = [name for name, value in list(canaries.items()) if any(form in data for form in forms(value))]
    return found + (["an installation token"] if INSTALLATION_TOKEN.search(data) else [])


def forms(value: str) -> Iterator[bytes]:
    """A secret as it is, quoted, in base64 at each place it may have in a longer text, and its end, after a cut."""
    yield value.encode()
    yield quote(value, safe="").encode()
    for before in (b"", b"x", b"xx"):
        yield base64.b64encode(before + value.encode())[4 * bool(before) : -4]
    yield value[len(value) // 3 :].encode()


def rows(database_url: str) -> Iterator[tuple[str, str, bytes]]:
    """Every value of every table: (table, column, value); compressed ones unfolded."""
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        for found in connection.execute(tables).fetchall():
            table = str(found["table_name"])
            for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))):
                for column, value in row.items():
                    data = value if isinstance(value, bytes) else str(value).encode()
                    yield table, column, zlib.decompress(data) if column == "body" else data
