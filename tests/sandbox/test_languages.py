"""Each language's whole cycle in its image: set-up brings packages, the check goes red and green without network."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable

import pytest

from sandbox.engine import Engine
from sandbox.environments import DockerSandbox
from sandbox.images.build import build, resolve
from sandbox.images.sources import Sources
from sandbox.languages import BY_KEY
from sandbox.spec import Ending, Limits, Plan, Result, Step, Tree
from tests.sandbox.conftest import CA_BUNDLE, STATE
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
LIMITS = Limits(wall_s=120)
Cycle = Callable[..., tuple[Result, Result]]


@pytest.fixture
def cycle(engine: Engine, sandbox: DockerSandbox) -> Cycle:
    """Makes the language's image and an environment, runs the check without and with the patch."""

    def run(language: str, setup: list[str], check: str, files: Tree, patch: bytes) -> tuple[Result, Result]:
        build(engine, STATE, [language], Sources(ca_bundle=CA_BUNDLE))
        steps = tuple(Step(script.split("\n")[0], script) for script in setup)
        step = Step("check", check)
        environment = sandbox.prepare(Plan(language, steps, step, trust="tests"), files)
        return environment.run(step, files, limits=LIMITS), environment.run(step, files, patch, limits=LIMITS)

    return run


def change(files: dict[str, str], path: str, old: str, new: str) -> bytes:
    """The patch that puts `new` in the place of `old` in one file."""
    before, after = files[path], files[path].replace(old, new)
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), f"a/{path}", f"b/{path}")
    return "".join(lines).encode()


MS = "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="
NODE = {
    "package.json": json.dumps(
        {"name": "adder", "version": "1.0.0", "scripts": {"test": "node --test"}, "dependencies": {"ms": "2.1.3"}}
    ),
    "package-lock.json": json.dumps(
        {
            "name": "adder",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "packages": {
                "": {"name": "adder", "version": "1.0.0", "dependencies": {"ms": "2.1.3"}},
                "node_modules/ms": {
                    "version": "2.1.3",
                    "resolved": "https://registry.npmjs.org/ms/-/ms-2.1.3.tgz",
                    "integrity": MS,
                },
            },
        }
    ),
    "adder.js": "module.exports = (a, b) => a - b;\n",
    "adder.test.js": "const test = require('node:test');\nconst assert = require('node:assert');\n"
    "const ms = require('ms');\nconst add = require('./adder');\n"
    "test('adds', () => assert.equal(add(ms('1s'), 2), 1002));\n",
}


def test_node(cycle: Cycle) -> None:
    """npm ci and global tools from the registry; npm test offline, red and then green; pnpm by corepack."""
    setup = ["npm ci", "npm install --global semver@7.7.2"]
    check = "semver 1.2.3 && npx --no-install semver 1.2.3 && npm test"
    patch = change(NODE, "adder.js", "a - b", "a + b")
    red, green = cycle("node", setup, check, tree(NODE), patch)
    assert (red.ending, green.ending) == (Ending.FAILED, Ending.PASSED), red.output.text + green.output.text
    assert "not ok 1 - adds" in red.output.text or "✖ adds" in red.output.text


def test_node_other_package_managers(cycle: Cycle) -> None:
    """pnpm and Yarn come in the version that package.json names, and run scripts offline."""
    for manager in ("pnpm@9.15.9", "yarn@1.22.22"):
        name = manager.split("@")[0]
        package = {**json.loads(NODE["package.json"]), "packageManager": manager}
        files = tree({**NODE, "package.json": json.dumps(package)})
        patch = change(NODE, "adder.js", "a - b", "a + b")
        red, green = cycle("node", [f"{name} install"], f"{name} --version && {name} test", files, patch)
        assert (red.ending, green.ending) == (Ending.FAILED, Ending.PASSED), red.output.text + green.output.text
        assert manager.split("@")[1] in green.output.text


GO = {
    "go.mod": "module example.com/adder\n\ngo 1.20\n\nrequire example.com/one v1.0.0\n",
    "adder.go": "package adder\n\nfunc Add(a, b int) int {\n\treturn a - b\n}\n",
    "adder_test.go": """package adder

import (
\t"testing"

\t"example.com/one"
)

func TestAdd(t *testing.T) {
\tif got := Add(one.One(), 2); got != 3 {
\t\tt.Fatalf("got %d", got)
\t}
}
""",
}
GO_INDEX = """
folder=/tmp/index/example.com/one/@v
mkdir -p $folder && cd $folder
printf 'module example.com/one\\n' >v1.0.0.mod
printf '{"Version":"v1.0.0"}' >v1.0.0.info
python - <<'END'
import zipfile
with zipfile.ZipFile("v1.0.0.zip", "w") as module:
    module.writestr("example.com/one@v1.0.0/go.mod", "module example.com/one\\n")
    module.writestr("example.com/one@v1.0.0/one.go", "package one\\n\\nfunc One() int { return 1 }\\n")
END
"""


def test_go(cycle: Cycle) -> None:
    """Modules and compiled packages of set-up serve the check offline, where the cache can be written to as well."""
    index = {"GOPROXY": "file:///tmp/index", "GONOSUMDB": "example.com"}
    exports = "".join(f"export {name}={value}\n" for name, value in index.items())
    setup = [GO_INDEX, f"{exports}go mod tidy && go test -count=1 -run '^$' ./..."]
    patch = change(GO, "adder.go", "a - b", "a + b")
    red, green = cycle("go", setup, "go vet ./... && go test ./...", tree(GO), patch)
    assert (red.ending, green.ending) == (Ending.FAILED, Ending.PASSED), red.output.text + green.output.text
    assert "--- FAIL: TestAdd" in red.output.text


RUST = {
    "Cargo.toml": """[package]
name = "adder"
version = "1.0.0"
edition = "2021"

[dependencies]
one = "1"
""",
    "src/lib.rs": """pub fn add(a: u32, b: u32) -> u32 {
    a * b
}

#[test]
fn adds() {
    assert_eq!(add(one::one(), 2), 3);
}
""",
}
RUST_INDEX = """
mkdir -p .cargo /env/index/index/3/o
printf '[source.crates-io]\\nreplace-with = "mine"\\n\\n[source.mine]\\nlocal-registry = "/env/index"\\n' \\
  >.cargo/config.toml
python - <<'END'
import hashlib, io, json, pathlib, tarfile
index, files = pathlib.Path("/env/index"), {
    "Cargo.toml": '[package]\\nname = "one"\\nversion = "1.0.0"\\nedition = "2021"\\n',
    "src/lib.rs": "pub fn one() -> u32 { 1 }\\n",
}
with tarfile.open(index / "one-1.0.0.crate", "w:gz") as crate:
    for name, text in files.items():
        entry = tarfile.TarInfo(f"one-1.0.0/{name}")
        entry.size = len(text)
        crate.addfile(entry, io.BytesIO(text.encode()))
digest = hashlib.sha256((index / "one-1.0.0.crate").read_bytes()).hexdigest()
line = {"name": "one", "vers": "1.0.0", "deps": [], "cksum": digest, "features": {}, "yanked": False}
(index / "index/3/o/one").write_text(json.dumps(line))
END
"""


def test_rust(cycle: Cycle) -> None:
    """Crates and the target folder of set-up serve the check offline, and only what the patch changes is compiled."""
    setup = [RUST_INDEX, "cargo fetch && cargo test --no-run"]
    patch = change(RUST, "src/lib.rs", "a * b", "a + b")
    red, green = cycle("rust", setup, "cargo fmt --check && cargo test --locked", tree(RUST), patch)
    assert (red.ending, green.ending) == (Ending.FAILED, Ending.PASSED), red.output.text + green.output.text
    assert "test adds ... FAILED" in red.output.text
    assert "Compiling adder" in green.output.text
    assert "Compiling one" not in green.output.text


JAVA = {
    "pom.xml": """<project>
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>org.example</groupId><artifactId>parent</artifactId><version>1</version><relativePath/></parent>
  <artifactId>adder</artifactId>
  <packaging>pom</packaging>
</project>
""",
    "parent.xml": """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId><artifactId>parent</artifactId><version>1</version>
  <packaging>pom</packaging>
</project>
""",
    "Adder.java": """class Adder {
    static int add(int a, int b) {
        return a - b;
    }

    public static void main(String[] arguments) {
        if (add(1, 2) != 3) {
            throw new AssertionError("got " + add(1, 2));
        }
    }
}
""",
}


def test_java(cycle: Cycle) -> None:
    """What Maven keeps in set-up it finds in the check and may write beside; Java trusts the host's authorities."""
    setup = [
        "folder=/env/m2/org/example/parent/1; mkdir -p $folder; cp parent.xml $folder/parent-1.pom",
        "keytool -list -keystore /heal/ca.jks -storepass changeit | grep -q trustedCertEntry",
    ]
    check = "mvn -o -q validate && mkdir /tmp/m2/org/other && javac -d /tmp/out Adder.java && java -cp /tmp/out Adder"
    patch = change(JAVA, "Adder.java", "a - b", "a + b")
    red, green = cycle("java", setup, check, tree(JAVA), patch)
    assert (red.ending, green.ending) == (Ending.FAILED, Ending.PASSED), red.output.text + green.output.text
    assert "AssertionError: got -1" in red.output.text


USUAL = ("awk bash cat cc curl find git grep head jq make patch pkg-config ps python python3 pip sed sh sort stat tail "
         "tar timeout unzip xz zip /opt/heal/bin/sudo /opt/heal/python")  # fmt: skip
TOOLS = {
    "python": "",
    "node": "node npm npx corepack pnpm yarn",
    "go": "go gofmt",
    "rust": "cargo rustc rustfmt",
    "java": "java javac jar mvn",
}


@pytest.mark.parametrize("language", TOOLS)
def test_what_jobs_take_for_granted_is_there(language: str, engine: Engine, sandbox: DockerSandbox) -> None:
    """The tools of a runner and the language's own are on the path; the check runs as a user who has a home."""
    script = f"for tool in {USUAL} {TOOLS[language]}; do command -v $tool >/dev/null || echo no $tool; done\n"
    script += 'python -c "import ssl, venv, sqlite3"; id -u; echo "$HOME"; getent passwd 1000 | cut -d: -f6'
    build(engine, STATE, [language], Sources(ca_bundle=CA_BUNDLE))
    step = Step("look", script)
    result = sandbox.prepare(Plan(language, (), step), tree()).run(step, tree(), limits=LIMITS)
    assert result.output.text.split("\n") == ["1000", "/tmp/home", "/tmp/home", ""]
    config = engine.image_config(resolve(language))
    assert not config.get("Volumes")  # each container would get an unlabelled one that nobody removes
    assert not config.get("Healthcheck")


def test_a_second_language_in_an_image(cycle: Cycle) -> None:
    """What the planner adds to another language's image works in the check: Node and Go beside Python."""
    check = "node --version && npm --version && go version && python adder.py"
    files = {"adder.py": "assert 1 - 2 == 3\n"}
    patch = change(files, "adder.py", "1 - 2", "1 + 2")
    red, green = cycle("python", [BY_KEY["node"].added, BY_KEY["go"].added], check, tree(files), patch)
    assert (red.ending, green.ending) == (Ending.FAILED, Ending.PASSED), red.output.text + green.output.text
    assert "v24.19.0" in green.output.text
    assert "go1.27.3" in green.output.text
