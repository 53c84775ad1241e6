"""Images are made once per content, and what cannot be made is said with what is missing."""

from __future__ import annotations

import io
import subprocess
import tarfile
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.engine import Engine, Image
from sandbox.errors import ImageMissing, SandboxError
from sandbox.images.build import _content_hash, build, resolve
from sandbox.images.sources import Sources
from sandbox.images.stock import outdated, stock
from sandbox.images.wheels import download
from sandbox.languages import BY_KEY, CORE, JAVA, NODE
from tests.sandbox.asked import requests_of
from tests.sandbox.conftest import STATE


@pytest.mark.engine
def test_nothing_changed_nothing_built(engine: Engine) -> None:
    """Building again asks the engine once per image and changes nothing; the references are what keys name."""
    lines: list[str] = []
    asked = requests_of(engine)
    references = build(engine, STATE, CORE, progress=lines.append)
    assert [method for method, _ in asked] == ["GET"] * len(CORE)
    assert len(lines) == len(CORE)
    assert all("up to date" in line for line in lines)
    for language, reference in zip(CORE, references, strict=True):
        assert engine.image_id(resolve(language)) == engine.image_id(reference)


@pytest.mark.engine
def test_images_bring_no_volume_of_their_own(engine: Engine) -> None:
    """No image declares a volume: each container would get an unlabelled one that nobody removes."""
    for language in CORE:
        config = engine.client().images.get(resolve(language)).attrs["Config"]
        assert not config.get("Volumes")


def test_unknown_language(tmp_path: Path) -> None:
    """A language without an image is refused with those there are."""
    with pytest.raises(SandboxError, match="python, debian"):
        build(Engine(), tmp_path, ["cobol"])


@pytest.mark.engine
def test_no_tool_to_make_the_image(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without registry and without debootstrap it is ImageMissing, with what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    sources = Sources(bases=(), mirror="http://mirror.invalid/debian")
    with pytest.raises(ImageMissing) as caught:
        build(engine, tmp_path, ["debian"], sources, fresh=True)
    assert "debootstrap" in caught.value.repair


@pytest.mark.engine
def test_an_image_says_what_it_holds(engine: Engine) -> None:
    """The labels name the language, the versions as the tools print them, and the base it stands on."""
    labels = engine.client().images.get(resolve("python")).labels
    assert labels["heal.language"] == "python"
    assert labels["heal.toolchain"].startswith("Python 3.11.")
    assert engine.has_image(labels["heal.base"])
    python = stock(engine)[0]
    assert (python.state, python.toolchain) == ("ready", labels["heal.toolchain"])


def test_what_an_image_stands_on_is_in_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """With another package under it, it is another image: a worker never takes the one without."""
    before = resolve("java")
    monkeypatch.setitem(BY_KEY, "java", replace(JAVA, packages=(*JAVA.packages, "gradle")))
    _content_hash.cache_clear()
    try:
        assert resolve("java") != before
    finally:
        _content_hash.cache_clear()


def test_a_tool_may_say_more_than_its_version(tmp_path: Path) -> None:
    """Whoever prints on after the line that is kept is read to its end: a broken pipe would stand in the label."""
    for tool, lines in (("javac", "javac 17.0.21"), ("mvn", "Apache Maven 3.8.7\n" + "more\n" * 50_000)):
        (tmp_path / tool).write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\necho ended >>{tmp_path}/ended\n")
        (tmp_path / tool).chmod(0o755)
    asked = ["bash", "-c", JAVA.shows]
    said = subprocess.run(asked, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    assert said.stdout == "Java 17.0.21, Apache Maven 3.8.7\n"
    assert (tmp_path / "ended").read_text() == "ended\n" * 2


@pytest.mark.engine
def test_a_failing_build_says_its_last_lines(engine: Engine) -> None:
    """What the engine's builder printed last stands in the one line that people read."""
    context = io.BytesIO()
    dockerfile = f"FROM {resolve('debian')}\nRUN echo no such package; exit 7\n".encode()
    with tarfile.open(fileobj=context, mode="w") as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(dockerfile)
        archive.addfile(entry, io.BytesIO(dockerfile))
    context.seek(0)
    with pytest.raises(SandboxError, match=r"cannot be built.*no such package"):
        engine.build(context, "heal-sandbox/failing:test", {})


def image(number: int, base: str = "", made: float = 100) -> Image:
    return Image(f"sha256:{number}", (), 1, made, {"heal.base": base})


def test_only_what_nobody_needs_is_removed() -> None:
    """This version's images and all they stand on stay; so does what is in use or young. Images go before layers."""
    named = {
        resolve("node"): image(1, "heal-sandbox/base-node:now"),
        "heal-sandbox/base-node:now": image(2, "heal-sandbox/tools:now"),
        "heal-sandbox/tools:now": image(3, "heal-sandbox/rootfs:now"),
        "heal-sandbox/rootfs:now": image(4),
        "heal-sandbox/rootfs:old": image(5),
        "heal-sandbox/base-node:old": image(6, "heal-sandbox/tools:now"),
        "heal-sandbox/node:old": image(7, "heal-sandbox/base-node:old"),
        "heal-sandbox/go:used": image(8),
        "heal-sandbox/go:young": image(9, made=300),
    }
    gone = outdated(named, {"sha256:8"}, before=200)
    assert gone == ["heal-sandbox/node:old", "heal-sandbox/base-node:old", "heal-sandbox/rootfs:old"]


@pytest.mark.parametrize("page", ["<html>nothing</html>", '<a href="/files/{file}#sha256=0">{file}</a>'])
def test_a_toolchain_that_is_not_the_known_one_is_refused(page: str, tmp_path: Path) -> None:
    """An index without the wheel, or with other bytes under its name, gives no image and leaves no file."""
    wheel = NODE.wheel
    assert wheel is not None
    links = page.format(file=wheel.file).encode()

    class Index(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"other bytes" if "/files/" in self.path else links
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Tests print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sources = Sources(index=f"http://127.0.0.1:{server.server_port}/simple")
        with pytest.raises(SandboxError, match=r"does not have|not the file we know"):
            download(wheel, tmp_path, sources, lambda _: None)
        server.shutdown()
    assert not list((tmp_path / "images").iterdir())
