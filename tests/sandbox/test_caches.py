"""Package caches: shared by the set-ups of one trust domain, linked from instead of copied, seen by nobody else."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.errors import SetupFailed
from sandbox.images.build import build
from sandbox.images.sources import Sources
from sandbox.reaper import remove_all
from sandbox.spec import Limits, Plan, Step
from tests.sandbox.conftest import CA_BUNDLE, PRIVATE_HOSTS, STATE
from tests.sandbox.test_languages import GO, GO_INDEX, NODE
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
SMALL = Limits(wall_s=20, memory=96 << 20)
LOOK = "ls -A /env/.cache 2>/dev/null | tr '\\n' ' ' >/env/seen"


@pytest.fixture(scope="module")
def offline(engine: Engine) -> Iterator[DockerSandbox]:
    """A sandbox whose set-up needs no proxy, because nothing here asks the network."""
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    made = DockerSandbox(None, owner, state_dir=STATE, setup_network="open")
    yield made
    made.close()
    remove_all(engine, owner)
    assert not engine.volumes(f"heal.owner={owner}")
    assert not engine.containers(f"heal.owner={owner}")


def seen(sandbox: DockerSandbox, trust: str, script: str, show: str = "cat /env/seen", image: str = "debian") -> str:
    """What a check prints after a set-up with this script."""
    environment = sandbox.prepare(Plan(image, (Step("set up", script),), Step("check", "true"), trust=trust), tree())
    return environment.run(Step("show", show), tree(), limits=SMALL).output.text


def test_a_domain_shares_its_cache_and_nobody_else_does(offline: DockerSandbox) -> None:
    """What a set-up leaves in the cache, the next of the same trust domain can link into its environment; another
    domain's starts empty; and no check sees a cache."""
    fill = "echo wheel >/env/.cache/wheel; ln /env/.cache/wheel /env/installed"
    assert seen(offline, "base", fill, "cat /env/installed; test ! -e /env/.cache && echo none") == "wheel\nnone\n"
    linked = "ln /env/.cache/wheel /env/installed; stat -c %h /env/installed >/env/seen"
    assert seen(offline, "base", linked) == "3\n"  # cache, the first environment, this one
    assert seen(offline, "fork:1", LOOK) == ""


def test_a_poisoned_cache_stays_where_it_is(offline: DockerSandbox) -> None:
    """Whatever a set-up makes of its cache, folder or not, neither the engine's files nor another domain is reached,
    and the next set-up of the same domain has a folder to write to."""
    for poison in ("ln -s / /env/.cache", "echo file >/env/.cache", "mkfifo /env/.cache", "chown -R 1000 /env"):
        seen(offline, "evil", f"rm -rf /env/.cache; {poison}", "true")
        assert seen(offline, "evil", f"{LOOK}; mkdir -p /env/.cache/again # {poison}") == ""
    seen(offline, "evil", "ln -s / /env/.cache/host; chmod 0 /env/.cache", "true")
    assert seen(offline, "evil", LOOK) == "again host "
    assert seen(offline, "good", LOOK) == ""


def test_set_ups_at_the_same_time(offline: DockerSandbox) -> None:
    """One gets the cache, the other an empty one; both end well, and the cache is there for the next."""
    seen(offline, "busy", "echo 1 >/env/.cache/one", "true")
    scripts = [f"sleep 5; {LOOK} # {number}" for number in range(2)]
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda script: seen(offline, "busy", script), scripts)) == ["", "one "]
    assert "one" in seen(offline, "busy", f"{LOOK} # after")


def test_the_image_brings_its_own_environment(offline: DockerSandbox) -> None:
    """Beside the lent cache /env holds what the image has there, and a failing set-up gives the cache back."""
    assert seen(offline, "python", "pip --version >/env/seen; touch /env/.cache/mark", image="python").startswith(
        "pip "
    )
    assert seen(offline, "python", f"touch /env/.cache/second; {LOOK}", image="python") == "bytecode mark second "


def test_npm_installs_again_without_asking(engine: Engine, sandbox: DockerSandbox) -> None:
    """What `npm ci` downloaded once it takes from the cache, as its own `--offline` shows."""
    build(engine, STATE, ["node"], Sources(ca_bundle=CA_BUNDLE))
    trust = f"npm-{uuid.uuid4().hex}:base"
    for script in ("npm ci", "npm ci --offline"):
        made = Plan("node", (Step("install", script),), Step("check", "true"), trust=trust)
        environment = sandbox.prepare(made, tree(NODE))
        assert environment.run(Step("show", "node -e 'require(\"ms\")'"), tree(NODE), limits=SMALL).green


def test_go_takes_modules_from_the_cache(engine: Engine, offline: DockerSandbox) -> None:
    """A module that one set-up downloaded is there for the next, although the index is not."""
    build(engine, STATE, ["go"], Sources(ca_bundle=CA_BUNDLE))
    files = tree(GO)
    index = {"GOPROXY": "file:///tmp/index", "GONOSUMDB": "example.com", "GOFLAGS": "-mod=mod"}
    for script in (f"({GO_INDEX})\ngo mod download example.com/one", "go mod download example.com/one"):
        offline.prepare(Plan("go", (Step("get", script),), Step("check", "true"), env=index, trust="go:base"), files)
    with pytest.raises(SetupFailed):
        offline.prepare(Plan("go", (Step("get", script),), Step("check", "true"), env=index, trust="go:fork:1"), files)


def test_packages_are_linked_and_compiled_once(engine: Engine) -> None:
    """A changed lock file costs what changed: what uv linked before is linked again, and so is its bytecode."""
    owner = f"tests-{uuid.uuid4().hex[:12]}"
    sandbox = DockerSandbox(None, owner, ca_bundle=CA_BUNDLE, state_dir=STATE, private_hosts=PRIVATE_HOSTS)
    site = "/env/lib/python3*/site-packages"
    try:
        show = (
            f"cd {site}; stat -c '%h %n' idna/core.py idna/__pycache__/core.*.pyc; python -c 'import idna, iniconfig'"
        )
        first = "pip install -q uv; uv pip install -q idna==3.10 iniconfig==2.0.0"
        other = "pip install -q uv; uv pip install -q idna==3.10 iniconfig==2.1.0"
        lines = seen(sandbox, "repo", first, show, "python").splitlines()
        assert [line.split()[0] for line in lines] == ["2", "2"]  # this environment, and the cache
        lines = seen(sandbox, "repo", other, show, "python").splitlines()
        assert [line.split()[0] for line in lines] == ["3", "3"]
    finally:
        sandbox.close()
        remove_all(engine, owner)
