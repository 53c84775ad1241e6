"""The tripwires of the hostile repositories are real: plain tools spring them. In a container, never here."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Limits, Step, Tree
from tests.sandbox.conftest import bare, engine, sandbox
from tests.workers.git.hostile import HOSTILE
from tests.workers.git.hostile.ground import CANARY, laid, template

__all__ = ["bare", "engine", "sandbox"]
pytestmark = pytest.mark.engine

PORT = 9418
WITH_TRIPWIRE = [one for one in HOSTILE if one.control]

_SPRING = '''
import json, os, pathlib, socket, subprocess, tarfile
tarfile.open("hostile.tar").extractall("/")
grounds = json.loads(pathlib.Path("controls.json").read_text())
ear = socket.create_server(("127.0.0.1", {port}))
ear.settimeout(0)
who = {{f"GIT_{{role}}_{{part}}": "x@y" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}}
env = {{"PATH": os.environ["PATH"], "HOME": "/tmp", **who}}
for name, root, control, fires in grounds:
    child = subprocess.Popen(["sh", "-c", control], cwd=f"{{root}}/source", env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    called, out = False, b""
    for _ in range(40):
        try:
            ear.accept()[0].close()
            called = True
        except BlockingIOError:
            pass
        if os.path.lexists(f"{{root}}/trap"):
            break
        try:
            out = child.communicate(timeout=0.25)[0]
            break
        except subprocess.TimeoutExpired:
            continue
    child.kill()
    sprung = {{"trap": os.path.lexists(f"{{root}}/trap"), "canary": {canary!r} in out, "call": called}}[fires]
    print("SPRUNG" if sprung else "QUIET", name, "" if sprung else out[-300:])
'''  # fmt: skip


@pytest.mark.fault(22)
def test_every_tripwire_can_be_sprung(bare: DockerEnvironment, tmp_path: Path) -> None:
    """Each attack that has one works on plain git and a plain shell: nothing in it is there for show."""
    made = tmp_path / "made"
    template(made)
    packed = io.BytesIO()
    controls = []
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number, hostile in enumerate(WITH_TRIPWIRE):
            root = tmp_path / str(number)
            laid(made, root, PORT, hostile)
            archive.add(root)
            controls.append((hostile.name, str(root), hostile.control, hostile.fires))
    files = {
        "hostile.tar": packed.getvalue(),
        "controls.json": json.dumps(controls).encode(),
        "spring.py": _SPRING.format(port=PORT, canary=CANARY).encode(),
    }
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    ran = bare.run(Step("spring", "python3 spring.py"), Tree("0" * 40, whole.getvalue()), limits=Limits(wall_s=120))
    told = [line for line in ran.output.text.splitlines() if line.startswith(("SPRUNG", "QUIET"))]
    assert len(told) == len(WITH_TRIPWIRE), ran.output.text[-3000:]
    quiet = [line for line in told if line.startswith("QUIET")]
    assert not quiet, "\n".join(quiet)
