"""Runs many small attacks in one container: each in a process of its own, its answer a line of JSON.

An attack is Python source. It is refused when it raises an OSError, and what it gets is the name of the error; when it
does not, it got through, and what it gets is the value of `got`.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.environments import DockerSandbox
from sandbox.errors import SetupFailed
from sandbox.spec import Limits, Plan, Step
from tests.sandbox.trees import tree

LIMITS = Limits(wall_s=60, memory=256 << 20, cpus=2.0, pids=128, workspace=32 << 20, tmp=32 << 20)
_DRIVER = """
import ctypes, errno, fcntl, json, os, platform, signal, socket, stat, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"
def call(x86, arm, *arguments):
    "A system call by its number on x86-64 and on arm64."
    result = libc.syscall(x86 if X86 else arm, *arguments)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
def put(path, data):
    "Writes without a buffer, so that a refusal is seen."
    os.write(os.open(path, os.O_WRONLY), data)
def named(error):
    return errno.errorcode.get(error.errno, str(error)) if error.errno else type(error).__name__
for name, source in json.load(open(sys.argv[1])).items():
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(10)
        scope = {**globals(), "got": None}
        try:
            exec(source, scope)
            answer = ["through", repr(scope["got"])]
        except OSError as error:
            answer = ["refused", named(error)]
        except BaseException as error:
            answer = ["broken", repr(error)]
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    answer = os.read(reading, 65536).decode()
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    print(json.dumps([name, *(json.loads(answer) if answer else ["died", str(status)])]), flush=True)
"""


def in_check(environment: DockerEnvironment, attacks: Mapping[str, str]) -> dict[str, str]:
    """What each attack got in a check, as "refused EPERM" or "through <value>"."""
    files = {"attacks.json": json.dumps(dict(attacks)), "driver.py": _DRIVER}
    result = environment.run(Step("attack", "python driver.py attacks.json"), tree(files), limits=LIMITS)
    assert result.green, result.output.text
    return _answers(result.output.text)


def in_set_up(sandbox: DockerSandbox, attacks: Mapping[str, str]) -> dict[str, str]:
    """The same in a set-up step, which ends with an error so that nothing of it is kept."""
    files = {"attacks.json": json.dumps(dict(attacks)), "driver.py": _DRIVER}
    recipe = Plan("python", (Step("attack", "python driver.py attacks.json; exit 9"),), Step("check", "true"),
                  trust=uuid.uuid4().hex)  # fmt: skip
    with pytest.raises(SetupFailed) as caught:
        sandbox.prepare(recipe, tree(files))
    assert caught.value.exit_code == 9, caught.value.log
    return _answers(caught.value.log)


def _answers(text: str) -> dict[str, str]:
    lines = [json.loads(line) for line in text.splitlines() if re.match(r'^\["', line)]
    return {name: f"{kind} {detail}" for name, kind, detail in lines}
