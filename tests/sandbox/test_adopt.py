"""Images that a repository names: pulled from a real registry, made usable, used; or refused with the reason."""

from __future__ import annotations

import io
import secrets
import shutil
import tarfile
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sandbox.engine import Engine
from sandbox.engine_errors import translated
from sandbox.environments import DockerSandbox
from sandbox.errors import Cancelled, ImageMissing, PullFailed
from sandbox.images.build import own_files, resolve
from sandbox.pulls import pull
from sandbox.reaper import remove_all
from sandbox.references import parse
from sandbox.service_images import _PULLED, ServiceImages, _tag
from sandbox.spec import Ending, Limits, Plan, Service, Step
from tests.processes import Process, free_port, listens
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine

FOREIGN = """
FROM {base}
RUN rm -rf /opt/heal /env /ws /heal && sed -i '/:1000:/d' /etc/passwd /etc/group && apt-get purge -y -qq procps
ENV GREETING='a "quoted" $word' PATH=/opt/tool/bin:/usr/local/bin:/usr/bin:/bin
RUN mkdir -p /opt/tool/bin /data && printf '#!/bin/sh\\necho the tool\\n' >/opt/tool/bin/tool
RUN chmod 755 /opt/tool/bin/tool
VOLUME /data
USER nobody
HEALTHCHECK CMD true
ENTRYPOINT ["/bin/false"]
"""


@dataclass
class Registry:
    """A registry on loopback: what is pushed there is pulled by name."""

    port: int
    process: Process

    def name(self, path: str) -> str:
        return f"127.0.0.1:{self.port}/{path}"


@pytest.fixture(scope="module")
def registry(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Of what was pulled from it nothing stays on the engine."""
    folder = tmp_path_factory.mktemp("registry")
    port = free_port()
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
    )
    process = Process("registry", [shutil.which("docker-registry") or "", "serve", str(config)], folder)
    process.wait_until(lambda: listens(port))
    yield Registry(port, process)
    process.stop()
    for image in engine.images(f"127.0.0.1:{port}/*/*"):
        for name in image.names:
            assert engine.remove_image(name)


@pytest.fixture(scope="module")
def pushed(engine: Engine, registry: Registry) -> str:
    """A Debian image of somebody else's making, strange in every setting, that lies only on the registry."""
    name = registry.name("some/foreign:1")
    _push(engine, name, FOREIGN.format(base=resolve("debian")))
    return name


@pytest.fixture(scope="module")
def sandbox(engine: Engine, registry: Registry) -> Iterator[DockerSandbox]:
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    made = DockerSandbox(
        None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS,
        registries=(f"127.0.0.1:{registry.port}",),
    )  # fmt: skip
    yield made
    remove_all(engine, owner)
    left = made.engine.client().images.list(filters={"label": f"heal.owner={owner}"})
    made.engine.close()
    assert not left


def _push(engine: Engine, name: str, dockerfile: str, files: dict[str, bytes] | None = None) -> None:
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for path, data in {"Dockerfile": dockerfile.encode(), **(files or {})}.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    context.seek(0)
    engine.build(context, name, {})
    repository, _, tag = name.rpartition(":")
    with translated():
        for line in engine.client().api.push(repository, tag, stream=True, decode=True, auth_config={}):
            assert "error" not in line, line
    _forget(engine, name)


def _forget(engine: Engine, name: str) -> None:
    with translated():
        engine.client().images.remove(name, force=True)


def test_an_image_of_others_serves_both_phases(sandbox: DockerSandbox, pushed: str) -> None:
    """Its tools and variables are there, its user, entry point and volume are not, and our processes run in it."""
    setup = Step("install", "echo built > /env/built; id -u; sudo true; ps > /dev/null")
    plan = Plan(pushed, (setup,), Step("check", 'tool; cat /env/built; echo "$GREETING"; id -u; ls -d /data'))
    environment = sandbox.prepare(plan, tree({"a.txt": "a"}))
    result = environment.run(plan.check, tree({"a.txt": "a"}))
    assert result.ending is Ending.PASSED, result.output.text
    assert result.output.text.splitlines() == ["the tool", "built", 'a "quoted" $word', "1000", "/data"]
    config = sandbox.engine.image_config(environment.image)
    assert not config.get("Volumes")
    assert not environment.run(Step("fill", "touch /data/x"), tree({"a.txt": "a"})).green


def test_it_is_made_once(sandbox: DockerSandbox, engine: Engine, pushed: str) -> None:
    """A second sandbox asks the registry again and makes nothing anew; without the registry's word it takes none."""
    first = sandbox.prepare(Plan(pushed, (), Step("check", "true")), tree())
    other = DockerSandbox(None, sandbox.owner, state_dir=STATE, registries=(parse(pushed).registry,))
    assert other.prepare(Plan(pushed, (), Step("check", "true")), tree()).image == first.image
    other.engine.close()


def test_what_lies_on_the_engine_is_not_given_out(engine: Engine, sandbox: DockerSandbox, registry: Registry) -> None:
    """An image the registry does not give is refused though the engine has one of that name: it may be another's."""
    secret = registry.name("private/app:1")
    repository, _, tag = secret.rpartition(":")
    engine.tag(resolve("debian"), repository, tag)
    try:
        with pytest.raises(PullFailed, match=r"cannot be pulled: .*(unknown|not found)"):
            sandbox.prepare(Plan(secret, (), Step("check", "true")), tree())
    finally:
        _forget(engine, secret)


def test_a_services_image_is_pulled_too(engine: Engine, pushed: str) -> None:
    """As the workflow names it, with its own user and the volumes that it declares."""
    service = Service("thing", pushed, ports=(80,))
    asks = (parse(pushed).registry,)
    (first,) = ServiceImages(engine, asks).resolve((service,))
    assert (first.own, first.root, first.data, first.note) == (False, False, ("/data",), "")
    assert first.image == engine.image_id(pushed)
    _forget(engine, f"{_PULLED}:{_tag(str(parse(pushed)), first.image)}")
    _forget(engine, pushed)


@pytest.mark.parametrize("name", ["heal-sandbox/environment:latest", "10.1.2.3:5000/x", "docker.io/library/python"])
def test_other_registries_are_not_asked(sandbox: DockerSandbox, name: str) -> None:
    """A name on a registry that is not allowed is refused at once, with the setting that would allow it."""
    with pytest.raises(ImageMissing, match="does not ask") as caught:
        sandbox.prepare(Plan(name, (), Step("check", "true")), tree())
    assert "HEAL_IMAGE_REGISTRIES" in caught.value.repair


def test_an_image_without_a_shell_is_refused(engine: Engine, sandbox: DockerSandbox, registry: Registry) -> None:
    """What cannot be made usable says so, and leaves no half-made image."""
    name = registry.name("some/empty:1")
    _push(engine, name, "FROM scratch\nCOPY file /file\n", {"file": b"x"})
    with pytest.raises(ImageMissing, match="cannot be used"):
        sandbox.prepare(Plan(name, (), Step("check", "true")), tree())


def test_an_image_without_tools_or_package_manager_is_refused(
    engine: Engine, sandbox: DockerSandbox, registry: Registry
) -> None:
    """The sentence names the tools it lacks."""
    name = registry.name("some/bare:1")
    keep = "rm -rf /usr/bin/git /usr/bin/apt* /usr/bin/dpkg*"
    _push(engine, name, f"FROM {resolve('debian')}\nRUN {keep}\n")
    with pytest.raises(ImageMissing, match="lacks git and has no package manager"):
        sandbox.prepare(Plan(name, (), Step("check", "true")), tree())


def test_a_registry_that_does_not_answer(engine: Engine) -> None:
    """Nobody listens: the registry's failure is told in one line."""
    name = f"127.0.0.1:{free_port()}/x:1"
    with pytest.raises(PullFailed, match="connection refused") as caught:
        pull(engine, parse(name))
    assert "\n" not in str(caught.value)


def test_too_large_and_cancelled(engine: Engine, registry: Registry) -> None:
    """An image beyond the limit is broken off, and so is one that nobody waits for any more."""
    name = registry.name("some/large:1")
    _push(engine, name, "FROM scratch\nCOPY file /file\n", {"file": secrets.token_bytes(12 << 20)})
    before = set(threading.enumerate())
    with pytest.raises(PullFailed, match="larger than 0 MiB"):
        pull(engine, parse(name), limit=1000)
    for thread in set(threading.enumerate()) - before:  # nobody goes on listening, so the engine does not go on
        thread.join()
    assert not engine.has_image(name)
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        pull(engine, parse(name), cancelled)
    assert not engine.has_image(name)


def test_no_credentials_of_ours_are_sent(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's log-ins are not used for what a repository names."""
    sent: list[object] = []

    def asked(*_: object, **options: object) -> list[object]:
        sent.append(options.get("auth_config"))
        return []

    monkeypatch.setattr(engine.client().api, "pull", asked)
    pull(engine, parse("ghcr.io/some/app"))
    assert sent == [{}]


def test_our_files_are_the_images_files() -> None:
    """What an adopted image gets is what our own images have."""
    with tarfile.open(fileobj=io.BytesIO(own_files())) as archive:
        names = archive.getnames()
    assert {"heal-init", "heal-setup", "plugins/heal_report.py", "bin/sudo"} <= set(names)


def test_an_image_whose_programs_fill_the_disk(engine: Engine, registry: Registry, sandbox: DockerSandbox) -> None:
    """Making a foreign image fit runs its programs: what they write is bounded, and the refusal says so."""
    name = registry.name("some/greedy:1")
    greedy = b"#!/bin/sh\nwhile :; do cat /dev/zero; done >/var/tmp/fill\n"
    recipe = f"FROM {resolve('debian')}\nUSER root\nCOPY head /usr/bin/head\n"
    _push(engine, name, recipe, {"head": greedy})
    small = DockerSandbox(
        None, sandbox.owner, state_dir=STATE, setup_network="open", registries=(f"127.0.0.1:{registry.port}",),
        setup_limits=Limits(wall_s=60, memory=512 << 20, disk=64 << 20),
    )  # fmt: skip
    with pytest.raises(ImageMissing, match="wrote more than 64 MiB to the engine's disk"):
        small.prepare(Plan(name, (), Step("check", "true")), tree())
    small.close()
    _forget(engine, name)
