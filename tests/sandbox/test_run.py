"""Every promise of `Environment.run`, on the real engine."""

from __future__ import annotations

import threading

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.engine import Engine
from sandbox.spec import Ending, Limits, Result, Step
from tests.sandbox.trees import ADDER, FIX, tree

pytestmark = pytest.mark.engine
SMALL = Limits(wall_s=20, memory=96 << 20, cpus=1.0, pids=64, workspace=16 << 20, tmp=16 << 20)


def shell(env: DockerEnvironment, script: str, limits: Limits = SMALL, **files: str) -> Result:
    return env.run(Step("check", script), tree(files), limits=limits)


def test_exit_code_passes_through(bare: DockerEnvironment) -> None:
    """A command's own exit code is the result's, and neither streams nor codes are mixed up."""
    result = shell(bare, "echo out; echo err >&2; exit 3")
    assert (result.ending, result.exit_code) == (Ending.FAILED, 3)
    assert result.output.text == "out\nerr\n"
    assert not result.green


def test_a_passing_command_is_green(bare: DockerEnvironment) -> None:
    """Exit code 0 is PASSED, with the evidence that makes it checkable."""
    result = shell(bare, "true")
    assert result.green
    assert result.evidence.image == bare.image
    assert result.evidence.environment == bare.key
    assert "network_mode=none" in result.evidence.flags
    assert result.peak_memory > 0


def test_a_step_stops_at_its_first_failing_line(bare: DockerEnvironment) -> None:
    """The script runs as a file under `bash -e`, as on GitHub's runner."""
    result = shell(bare, "false\necho never")
    assert result.exit_code == 1
    assert "never" not in result.output.text


def test_step_shell_env_and_workdir(bare: DockerEnvironment) -> None:
    """The step's shell, environment and working directory are used, odd characters included."""
    step = Step("check", "import os; print(os.getcwd(), os.environ['ODD'])", "python {0}", {"ODD": "a 'b' $c"}, "sub")
    result = bare.run(step, tree({"sub/file": ""}), limits=SMALL)
    assert result.output.text == "/ws/sub a 'b' $c\n"


def test_unknown_command_is_127(bare: DockerEnvironment) -> None:
    """A shell that is not there is the untrusted side's failure, not ours."""
    result = bare.run(Step("check", "", "no-such-shell {0}"), tree(), limits=SMALL)
    assert (result.ending, result.exit_code) == (Ending.FAILED, 127)


def test_patch_is_applied_and_reports_tests(with_pytest: DockerEnvironment) -> None:
    """Red without the patch, green with it, and the tests are named both times."""
    step = Step("check", "python -m pytest -q")
    red = with_pytest.run(step, tree(ADDER))
    green = with_pytest.run(step, tree(ADDER), FIX)
    assert (red.ending, red.exit_code, red.count("failed"), red.count("passed")) == (Ending.FAILED, 1, 1, 1)
    assert (green.ending, green.exit_code, green.count("passed")) == (Ending.PASSED, 0, 2)
    assert "assert -1 == 3" in next(test for test in red.tests if test.status == "failed").message
    assert red.evidence.patch != green.evidence.patch


@pytest.mark.parametrize(
    "patch",
    [
        FIX.replace(b"return a - b", b"return a * b"),
        b"not a patch at all",
        FIX.replace(b"adder.py", b".git/hooks/pre-commit"),
        b"--- /dev/null\n+++ b/../outside\n@@ -0,0 +1 @@\n+x\n",
    ],
    ids=["context differs", "garbage", "git directory", "outside"],
)
def test_patch_that_does_not_fit_is_rejected(bare: DockerEnvironment, patch: bytes) -> None:
    """A patch that does not apply, or leaves the tree, ends the run before the command."""
    result = bare.run(Step("check", "echo ran"), tree(ADDER), patch, SMALL)
    assert (result.ending, result.exit_code) == (Ending.PATCH_REJECTED, None)
    assert "ran" not in result.output.text


def test_inputs_are_readable(bare: DockerEnvironment) -> None:
    """Extra files arrive under /heal/in by name, in folders too."""
    step = Step("check", "cat /heal/in/a /heal/in/deep/b")
    result = bare.run(step, tree(), limits=SMALL, inputs={"a": b"one ", "deep/b": b"two"})
    assert result.output.text == "one two"


def test_report_of_the_command_comes_back(bare: DockerEnvironment) -> None:
    """What a command leaves in $HEAL_REPORT comes back byte for byte, up to the limit."""
    limits = Limits(wall_s=20, memory=96 << 20, report=1000)
    assert shell(bare, "printf 'a\\0b' >$HEAL_REPORT").report == b"a\0b"
    assert len(shell(bare, "head -c 5000 /dev/zero >$HEAL_REPORT", limits).report) == 1000


@pytest.mark.fault(35)
def test_timeout_kills_what_ignores_term(bare: DockerEnvironment) -> None:
    """At the time limit everything dies, even what ignores TERM, and the output until then stays."""
    script = "echo before; trap '' TERM; (trap '' TERM; setsid sleep infinity) & while :; do sleep 1; done"
    result = shell(bare, script, Limits(wall_s=1, memory=96 << 20))
    assert result.ending is Ending.TIMEOUT
    assert result.output.text == "before\n"


@pytest.mark.fault(33)
def test_memory_limit(bare: DockerEnvironment) -> None:
    """A command that needs more memory than it may have ends as OOM."""
    result = shell(bare, "exec python -c 'x = bytearray(1 << 30)'")
    assert result.ending is Ending.OOM


def test_oom_of_a_child_that_nobody_minds(bare: DockerEnvironment) -> None:
    """A child killed for its memory while the command exits 0 is a note, not a verdict."""
    result = shell(bare, "python -c 'x = bytearray(1 << 30)' || true")
    assert result.ending is Ending.PASSED
    assert any("memory" in note for note in result.notes)


@pytest.mark.fault(32)
def test_fork_bomb(bare: DockerEnvironment) -> None:
    """A fork bomb hits the limit on processes and is over at the time limit at the latest."""
    result = shell(bare, "bomb() { bomb | bomb & }; bomb; sleep infinity", Limits(wall_s=2, memory=96 << 20, pids=64))
    assert result.ending in (Ending.TIMEOUT, Ending.FAILED, Ending.KILLED)


def test_output_is_capped_and_counted(bare: DockerEnvironment) -> None:
    """Of long output the beginning and the end are kept in whole lines, and the bytes between are counted."""
    limits = Limits(wall_s=20, memory=96 << 20, output_head=1000, output_tail=1000)
    result = shell(bare, "echo first; seq 100000; echo last", limits)
    assert result.ending is Ending.PASSED
    assert result.output.text.startswith("first\n")
    assert result.output.text.endswith("last\n")
    total = len("first\nlast\n") + sum(len(f"{n}\n") for n in range(1, 100001))
    dropped = result.output.dropped
    kept = result.output.text.replace(f"\n[... {dropped} bytes left out ...]\n", "")
    assert len(kept) + dropped == total
    assert 0 <= dropped - (total - 2000) < 2 * len("100000\n")


def test_output_flood_is_ended(bare: DockerEnvironment) -> None:
    """Endless output kills the container at its own limit, long before the time is over."""
    result = shell(bare, "yes", Limits(wall_s=120, memory=96 << 20, output_kill=4 << 20))
    assert result.ending is Ending.OUTPUT_LIMIT


@pytest.mark.fault(34, 67)
def test_disk_full(bare: DockerEnvironment) -> None:
    """Filling the workspace ends at its size and is told apart from a failure."""
    result = shell(bare, "head -c 64M /dev/zero >big")
    assert result.ending is Ending.DISK_FULL


def test_tree_larger_than_the_workspace(bare: DockerEnvironment) -> None:
    """A commit that does not fit into the workspace is DISK_FULL, not our crash."""
    result = shell(bare, "true", Limits(wall_s=20, memory=96 << 20, workspace=1 << 20), big="x" * (2 << 20))
    assert result.ending is Ending.DISK_FULL


@pytest.mark.fault(36)
def test_no_network(bare: DockerEnvironment) -> None:
    """In the check phase there is no network but the loopback."""
    script = (
        "import os, socket\nprint(os.listdir('/sys/class/net'))\n"
        "try:\n    socket.create_connection(('1.1.1.1', 53), 2)\nexcept OSError as error:\n    print(error)\n"
    )
    result = bare.run(Step("check", script, "python {0}"), tree(), limits=SMALL)
    assert result.output.text == "['lo']\n[Errno 101] Network is unreachable\n"


def test_no_privilege(bare: DockerEnvironment) -> None:
    """User 1000, no capability in any set, no way to new privileges, namespaces or mounts."""
    result = shell(bare, "id -u; grep -E '^(Cap|NoNewPrivs)' /proc/self/status; unshare -r true || echo refused")
    lines = result.output.text.splitlines()
    assert lines[0] == "1000"
    assert [line.split()[1] for line in lines[1:7]] == ["0" * 16] * 5 + ["1"]
    assert lines[-1] == "refused"


def test_file_systems_are_frozen(bare: DockerEnvironment) -> None:
    """The root file system and the environment are read-only; scratch is writable and may hold programs."""
    script = (
        "touch /etc/x /env/x /usr/x && exit 9\ncp /bin/true /tmp/true && /tmp/true && touch $HOME/x $RUNNER_TEMP/x ./x"
    )
    result = shell(bare, script.replace("&& exit 9", "2>/dev/null && exit 9 || true"))
    assert result.ending is Ending.PASSED, result.output.text


@pytest.mark.fault(37)
def test_no_engine_and_no_secret_inside(bare: DockerEnvironment) -> None:
    """Neither the engine's socket nor anything of the host's files or environment is visible."""
    result = shell(bare, "find / -name docker.sock 2>/dev/null || true; grep ^/dev/ /proc/mounts; echo ===; env")
    mounts, _, variables = result.output.text.partition("===\n")
    places = {line.split()[1] for line in mounts.splitlines()}
    assert places <= {"/env", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/usr/sbin/docker-init"}
    assert "HEAL_REPORT=" in variables
    assert not any(line.startswith(("SSL_", "PIP_CERT", "AWS_")) for line in variables.splitlines())


def test_runs_do_not_see_each_other(bare: DockerEnvironment) -> None:
    """Every run is a fresh container: nothing of an earlier one is there."""
    shell(bare, "touch /tmp/left /ws/left /heal/left")
    assert shell(bare, "ls /tmp/left /ws/left /heal/left").output.text.count("No such file") == 3


def test_report_survives_a_dying_interpreter(with_pytest: DockerEnvironment) -> None:
    """Tests that had finished are reported although a later one ended the process."""
    files = {"test_die.py": "import os\n\n\ndef test_fine(): pass\n\n\ndef test_die(): os._exit(0)\n"}
    result = with_pytest.run(Step("check", "python -m pytest -q"), tree(files))
    assert result.exit_code == 0
    assert [(test.id, test.status) for test in result.tests] == [("test_die.py::test_fine", "passed")]


def test_report_with_workers_and_own_options(with_pytest: DockerEnvironment) -> None:
    """The reporter works under xdist, beside the step's own pytest options, and with another PYTHONPATH."""
    step = Step("check", "PYTHONPATH=src pytest", env={"PYTEST_ADDOPTS": "-n 2", "PYTHONPATH": "lib"})
    result = with_pytest.run(step, tree(ADDER), FIX)
    assert result.count("passed") == 2
    assert "2 workers" in result.output.text
    assert len(result.tests) == 2


def test_report_of_every_kind_of_test(with_pytest: DockerEnvironment) -> None:
    """Skips, expected failures, failing fixtures and files that cannot be imported have their own status."""
    text = (
        "import pytest\n\n@pytest.fixture\ndef broken():\n    raise ValueError('set-up')\n\n"
        "@pytest.fixture\ndef messy():\n    yield\n    raise ValueError('tear-down')\n\n"
        "@pytest.mark.skip(reason='later')\ndef test_skip(): pass\n\n"
        "@pytest.mark.xfail\ndef test_expected(): assert 0\n\ndef test_broken(broken): pass\n\n"
        "def test_messy(messy): pass\n\ndef test_worse(messy): assert 0\n"
    )
    files = {"test_kinds.py": text, "test_import.py": "import not_there\n"}
    step = Step("check", "pytest -q --continue-on-collection-errors")
    result = with_pytest.run(step, tree(files))
    assert {test.id.rpartition("::")[2]: test.status for test in result.tests} == {
        "test_skip": "skipped",
        "test_expected": "skipped",
        "test_broken": "error",
        "test_messy": "error",
        "test_worse": "failed",
        "test_import.py": "error",
    }


def test_cancel_ends_a_run(bare: DockerEnvironment, engine: Engine) -> None:
    """Setting the event kills the container, whatever its time limit, and nothing of it stays."""
    cancel = threading.Event()
    threading.Timer(0.7, cancel.set).start()
    before = set(engine.containers(f"heal.key={bare.key}"))
    limits = Limits(wall_s=600, memory=96 << 20)
    result = bare.run(Step("check", "trap '' TERM; sleep infinity"), tree(), limits=limits, cancel=cancel)
    assert result.ending is Ending.CANCELLED
    assert set(engine.containers(f"heal.key={bare.key}")) <= before


@pytest.mark.fault(28)
def test_the_first_process_cannot_be_killed(bare: DockerEnvironment) -> None:
    """Our script in the container goes on whatever the code under test does to it, and tells the truth."""
    result = shell(bare, "pkill -KILL -f /opt/heal/heal-init; kill -STOP 1; sleep 0.5; exit 3")
    assert (result.ending, result.exit_code) == (Ending.FAILED, 3)


def test_what_a_command_leaves_running_is_ended_before_the_report_is_read(bare: DockerEnvironment) -> None:
    """A process in a session of its own writes the report no more once the command has ended."""
    left = "(setsid sh -c 'while :; do echo later >$HEAL_REPORT; echo noise; done' &)"
    result = shell(bare, f"{left}; sleep 0.3; exit 3")
    assert (result.ending, result.exit_code) == (Ending.FAILED, 3)
    assert result.report in (b"later\n", b"")


def test_processor_time_is_measured(bare: DockerEnvironment) -> None:
    """The command's own, in seconds, that of its children included."""
    busy = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    assert shell(bare, f"python -c '{busy}'").cpu_s >= 0.5
    slept = shell(bare, "sleep 1")
    assert slept.cpu_s < slept.wall_s / 2


def test_hostile_names_stay_inside(bare: DockerEnvironment) -> None:
    """Symbolic links in the place of the report lead nowhere."""
    result = shell(bare, "ln -sf /etc/passwd $HEAL_REPORT")
    assert result.report == b""
