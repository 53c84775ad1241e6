"""The set-up step that keeps every package a tool has installed as a wheel, for tools that install again in each run.

tox builds and installs the project anew, nox makes its environments anew: in the check, which has no network, pip and
uv then find in one folder what they found on the index before, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.spec import Step

PLACE = "/env/wheelhouse"

OFFERED: Mapping[str, str] = {
    "PIP_FIND_LINKS": PLACE,
    "PIP_NO_INDEX": "1",
    "UV_FIND_LINKS": PLACE,
}
"""What a check is told about the folder."""

_SCRIPT = """\
import subprocess, sys, tomllib
from pathlib import Path

PLACE = "%(place)s"
wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", PLACE]


def built_with():
    try:
        project = tomllib.loads(Path("pyproject.toml").read_text())
    except (OSError, ValueError):
        return ["setuptools", "wheel"]
    return project.get("build-system", {}).get("requires", ["setuptools", "wheel"])


def installed():
    for settings in Path(".").glob(".[tn]ox/*/pyvenv.cfg"):
        listed = [sys.executable, "-m", "pip", "--python", str(settings.parent), "freeze", "--all"]
        frozen = subprocess.run(listed, capture_output=True, text=True).stdout
        yield from (line for line in frozen.splitlines() if "==" in line and not line.startswith(("-e", "#")))


def keep(*wanted):
    return subprocess.run([*wheel, *wanted]).returncode == 0


Path(PLACE).mkdir(parents=True, exist_ok=True)
keep(*built_with())
listed = sorted({*installed()})
if listed and not keep("--no-deps", *listed):  # two environments may hold two versions of one
    for one in listed:
        keep("--no-deps", one)
"""


def keep() -> Step:
    """The step. It never fails: what could not be kept is missed by the check, which says so."""
    return Step("packages for the check", _SCRIPT % {"place": PLACE}, "python3 {0}")
