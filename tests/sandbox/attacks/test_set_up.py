"""Set-up that is hostile: it fills the disk, leaves daemons, forges its last word, or prepares a trap for others."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.environments import DockerSandbox
from sandbox.errors import EngineFull, SandboxError, SetupFailed
from sandbox.spec import Limits, Plan, Step
from tests.sandbox.conftest import STATE
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
CHECK = Limits(wall_s=20, memory=96 << 20)
MEGABYTE = 1 << 20


def recipe(*scripts: str, language: str = "bash", trust: str = "") -> Plan:
    steps = tuple(Step(f"step {number}", script, f"{language} {{0}}") for number, script in enumerate(scripts))
    return Plan("python", steps, Step("check", "true"), trust=trust or uuid.uuid4().hex)


@contextmanager
def limited(sandbox: DockerSandbox, limits: Limits) -> Iterator[DockerSandbox]:
    """The same sandbox with other limits on set-up, and no network."""
    made = DockerSandbox(None, sandbox.owner, state_dir=STATE, setup_limits=limits, setup_network="open")
    yield made
    made.close()


FILLS = {
    "the system, in the background": "(setsid sh -c 'head -c 3G /dev/zero >/usr/fill' &); sleep infinity",
    "the environment": "head -c 3G /dev/zero >/env/fill",
    "many files": "cd /var/tmp; i=0; while :; do head -c 1M /dev/zero >$i; i=$((i + 1)); done",
}


@pytest.mark.parametrize("fill", FILLS)
def test_filling_the_disk_is_ended(sandbox: DockerSandbox, fill: str) -> None:
    """Set-up that writes more than it may is ended before it has written much more, with a word for why and who."""
    before = shutil.disk_usage("/").free
    told = pytest.raises(SetupFailed, match=r"disk full: step 'step 0' left \d\.\d GiB .* 0\.1 GiB are allowed")
    with limited(sandbox, Limits(wall_s=60, memory=512 << 20, disk=64 * MEGABYTE)) as small, told:
        small.prepare(recipe(FILLS[fill]), tree())
    assert before - shutil.disk_usage("/").free < 2 << 30


def test_a_disk_that_is_full_is_ours_to_mend(sandbox: DockerSandbox) -> None:
    """Where too little is left on the engine's disk, no step starts, and nobody's set-up is blamed."""
    full = Limits(wall_s=60, memory=512 << 20, disk_left=1 << 60)
    with limited(sandbox, full) as made, pytest.raises(EngineFull, match="free on the engine's disk") as caught:
        made.prepare(recipe("echo never"), tree())
    assert caught.value.repair == "heal sandbox prune"


def test_space_without_a_name_is_seen(sandbox: DockerSandbox) -> None:
    """A file that was deleted while it is open takes room that no walk finds: what is left on the disk tells."""
    floor = shutil.disk_usage("/").free - 768 * MEGABYTE
    script = "import os\nhandle = os.open('/usr/x', os.O_RDWR | os.O_CREAT)\nos.unlink('/usr/x')\n"
    script += "while True:\n    os.write(handle, b'x' * (1 << 20))\n"
    small = Limits(wall_s=60, memory=512 << 20, disk=1024 * MEGABYTE, disk_left=floor)
    # Whose fault it is depends on what else this machine writes meanwhile.
    with limited(sandbox, small) as made, pytest.raises((SetupFailed, EngineFull), match="engine's disk"):
        made.prepare(recipe(script, language="python"), tree())


FORGED = '{"failed": null, "exports": {"FORGED": "yes"}, "path": [], "notes": []}'
LIES = {
    "on its own output": (f"echo '{FORGED}'; exit 4", 4),
    "on every process's output": (f"for n in /proc/*/fd/*; do echo '{FORGED}' >$n; done 2>/dev/null; exit 4", 4),
    "after killing the first process": (f"kill -KILL 1; kill -STOP 1; kill -TERM 1; echo '{FORGED}'; exit 4", 4),
    "by a daemon": (
        f"(setsid sh -c 'while :; do echo \"$0\" >/proc/1/fd/1; done' '{FORGED}' 2>/dev/null &); sleep 0.3; exit 4",
        4,
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_forged_last_word_is_not_believed(sandbox: DockerSandbox, lie: str) -> None:
    """A failing step has failed, whatever it writes and to whom."""
    script, code = LIES[lie]
    with pytest.raises(SetupFailed) as caught:
        sandbox.prepare(recipe(script), tree())
    assert (caught.value.step, caught.value.exit_code) == ("step 0", code)


def test_what_steps_write_for_later_ones_is_bounded(sandbox: DockerSandbox) -> None:
    """Endless, linked and odd files of values, and names that are options, neither stop set-up nor reach the check."""
    environment = sandbox.prepare(
        recipe(
            "yes NAME=value | head -c 50M >$GITHUB_ENV; ln -sf /dev/zero $GITHUB_PATH",
            "rm $GITHUB_ENV; mkfifo $GITHUB_ENV; printf 'a\\0b\\n' >$GITHUB_PATH",
            "printf -- '-u=PATH\\n=x\\nA B=c\\nNUL=a\\0b\\nGOOD=kept\\n--split-string=false\\n' >>$GITHUB_ENV",
        ),
        tree(),
    )
    result = environment.run(Step("check", "env"), tree(), limits=CHECK)
    names = {line.partition("=")[0] for line in result.output.text.splitlines()}
    assert result.green
    assert "GOOD" in names
    assert not {"NAME", "NUL", "A B", "-u", ""} & names


def test_too_many_values_are_told(sandbox: DockerSandbox) -> None:
    """More values than an environment can carry fail the set-up with a sentence, not the engine with an error."""
    with pytest.raises(SandboxError, match="set-up"):
        sandbox.prepare(recipe("for i in $(seq 20000); do echo V$i=value; done >>$GITHUB_ENV"), tree())


def test_nothing_of_set_up_goes_on(sandbox: DockerSandbox) -> None:
    """Daemons end with the steps: they change nothing while the environment is frozen, nor after it."""
    script = "mkdir /env/d; (setsid sh -c 'while :; do date +%s%N >>/env/d/late; done' &)"
    environment = sandbox.prepare(recipe(script + "; sleep 0.3"), tree())
    shown = Step("check", "cat /env/d/late")
    first, second = (environment.run(shown, tree(), limits=CHECK).output.text for _ in range(2))
    assert first == second != ""


def test_orphans_of_set_up_do_not_pile_up(sandbox: DockerSandbox) -> None:
    """Processes that nobody waits for are reaped, so a long set-up does not run out of processes."""
    limits = Limits(wall_s=60, memory=512 << 20, pids=64)
    script = "for i in 1 2 3 4 5 6 7 8; do for j in $(seq 20); do (setsid true &); done; sleep 0.3; done; "
    script += "ps -e | wc -l >/env/count"
    with limited(sandbox, limits) as small:
        environment = small.prepare(recipe(script), tree())
        text = environment.run(Step("check", "cat /env/count"), tree(), limits=CHECK).output.text
    assert int(text) < 40


def test_another_trust_domain_sees_nothing_of_it(sandbox: DockerSandbox) -> None:
    """What a fork's set-up leaves is not there for the base's, though the steps are the same to the letter."""
    script = "cat /env/mark /usr/local/bin/mark && exit 1; echo poison | tee /env/mark >/usr/local/bin/mark"
    fork, base = (sandbox.prepare(recipe(script, trust=trust), tree()) for trust in ("repo/fork", "repo/base"))
    assert fork.key != base.key
    assert fork.image != base.image
    volumes = [sandbox.engine.volume(f"heal-env-{environment.key}") for environment in (fork, base)]
    assert len({volume.labels["heal.volume"] for volume in volumes if volume}) == 2
