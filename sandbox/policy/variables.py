"""The environment variables of each phase: what GitHub's runner sets, where things lie, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from sandbox import languages
from sandbox.policy.container import ENVIRONMENT, SCRATCH, WORKSPACE
from sandbox.truststore import PASSWORD

CA_FILE = f"{SCRATCH}/ca.crt"
JAVA_CA_FILE = f"{SCRATCH}/ca.jks"
APT_FILE = f"{SCRATCH}/apt.conf"
APT_SETTINGS = b'APT::Get::Assume-Yes "true";\n'
"""As on GitHub's machines, where `apt-get install` asks nothing: here nobody could answer."""
_OPTIONS = ("MAVEN_OPTS", "GRADLE_OPTS", "JAVA_TOOL_OPTIONS")


def actions_environment() -> dict[str, str]:
    """What every step on GitHub's runner can rely on; no token among it."""
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": WORKSPACE,
        "GITHUB_ENV": f"{SCRATCH}/github/env",
        "GITHUB_PATH": f"{SCRATCH}/github/path",
        "GITHUB_OUTPUT": f"{SCRATCH}/github/output",
        "GITHUB_STEP_SUMMARY": f"{SCRATCH}/github/summary",
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": "X64",
        "RUNNER_TEMP": "/tmp/runner",  # noqa: S108 - a path in the container
        "RUNNER_TOOL_CACHE": f"{ENVIRONMENT}/tools",
        "PYTHONUSERBASE": f"{ENVIRONMENT}/home/.local",
        "PRE_COMMIT_HOME": f"{ENVIRONMENT}/home/.cache/pre-commit",
    }


def setup_environment(ca_bundle: bool, package_indexes: Mapping[str, str]) -> dict[str, str]:
    """Environment of the set-up phase: certificates where the host has its own, the host's package indexes."""
    return {
        **actions_environment(),
        **languages.setup_environment(),
        **(certificates() if ca_bundle else {}),
        **package_indexes,
        "APT_CONFIG": APT_FILE,
        "HOME": f"{ENVIRONMENT}/home",  # what set-up leaves at home stays with the environment
    }


def certificates() -> dict[str, str]:
    """What tells the tools about the host's own certificate authorities, in the file that lies at CA_FILE."""
    names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
             "GIT_SSL_CAINFO")  # fmt: skip
    return dict.fromkeys(names, CA_FILE)


def proxy_environment(url: str, services: Iterable[str] = ()) -> dict[str, str]:
    """What tells the tools about the egress proxy: pip, uv, npm, go, cargo, git, curl and apt read the first ones.

    The names of the job's `services` are asked directly.
    """
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {
        **dict.fromkeys((*names, *(name.lower() for name in names)), url),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(("localhost", "127.0.0.1", "::1", *services))),
        "NODE_USE_ENV_PROXY": "1",  # node's own fetch, since 24
    }


def java_environment(ca_bundle: bool, proxy_url: str | None) -> dict[str, str]:
    """The same for Java, which reads none of these: every virtual machine of the set-up phase takes these options."""
    options = [f"-Duser.home={ENVIRONMENT}/home"]  # it asks the user database, not $HOME
    if ca_bundle:
        options += [f"-Djavax.net.ssl.trustStore={JAVA_CA_FILE}", f"-Djavax.net.ssl.trustStorePassword={PASSWORD}"]
    if proxy_url is not None:
        address = urlsplit(proxy_url)
        for scheme in ("http", "https"):
            options += [f"-D{scheme}.proxyHost={address.hostname}", f"-D{scheme}.proxyPort={address.port}"]
        options.append("-Daether.connector.http.useSystemProperties=true")
    return {"JAVA_TOOL_OPTIONS": " ".join(options)}


def joined(ours: Mapping[str, str], theirs: Mapping[str, str], only_theirs: bool = False) -> dict[str, str]:
    """A job's variables over ours; of those that hold a list of options ours are kept behind the job's own.

    `only_theirs` leaves out what the job does not set.
    """
    glued = {
        name: f"{value} {ours[name]}" if name in _OPTIONS and ours.get(name) else value
        for name, value in theirs.items()
    }
    return glued if only_theirs else {**ours, **glued}


def check_environment() -> dict[str, str]:
    """Environment of the check phase, without the reporters' part; what differs from run to run comes with the run."""
    return {
        **actions_environment(),
        **languages.check_environment(),
        "HOME": "/tmp/home",  # noqa: S108 - a path in the container
    }
