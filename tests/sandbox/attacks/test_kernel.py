"""The kernel from inside: what a process may not ask of it, in the check as user 1000, in set-up as root."""

from __future__ import annotations

import json

import pytest

from sandbox import policy, seccomp
from sandbox.checks import DockerEnvironment
from sandbox.environments import DockerSandbox
from sandbox.spec import Limits
from tests.sandbox.attacks.inside import in_check, in_set_up

CALLS = {
    "mount": "call(165, 40, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "umount": "call(166, 39, b'/proc', 2)",
    "pivot_root": "call(155, 41, b'/tmp', b'/tmp')",
    "chroot": "os.chroot('/tmp')",
    "open_tree": "call(428, 428, -100, b'/', 1)",
    "fsopen": "call(430, 430, b'tmpfs', 0)",
    "mount_setattr": "call(442, 442, -100, b'/', 0, 0, 0)",
    "unshare a user namespace": "call(272, 97, 0x10000000)",
    "unshare a mount namespace": "call(272, 97, 0x20000)",
    "clone into a new user namespace": "call(56, 220, 0x10000000 | 17, 0, 0, 0, 0)",
    "clone into a new network namespace": "call(56, 220, 0x40000000 | 17, 0, 0, 0, 0)",
    "clone3": "call(435, 435, 0, 0)",
    "setns": "call(308, 268, os.open('/proc/self/ns/net', os.O_RDONLY), 0)",
    "add_key": "call(248, 217, b'user', b'x', b'y', 1, -3)",
    "request_key": "call(249, 218, b'user', b'x', 0, -3)",
    "keyctl": "call(250, 219, 0, -3, 1)",
    "bpf": "call(321, 280, 0, 0, 0)",
    "perf_event_open": "call(298, 241, ctypes.create_string_buffer(128), 0, -1, -1, 0)",
    "userfaultfd": "call(323, 282, 1)",
    "io_uring_setup": "call(425, 425, 4, ctypes.create_string_buffer(256))",
    "name_to_handle_at": "call(303, 264, -100, b'/etc/hosts', ctypes.create_string_buffer(256), ctypes.byref("
    "ctypes.c_int()), 0)",
    "open_by_handle_at": "call(304, 265, -100, ctypes.create_string_buffer(256), 0)",
    "fanotify_init": "call(300, 262, 0, 0)",
    "init_module": "call(175, 105, 0, 0, b'')",
    "finit_module": "call(313, 273, 0, b'', 0)",
    "delete_module": "call(176, 106, b'x', 0)",
    "kexec_load": "call(246, 104, 0, 0, 0, 0)",
    "kexec_file_load": "call(320, 294, -1, -1, 0, 0, 0)",
    "reboot": "call(169, 142, 0xfee1dead, 672274793, 0x89abcdef, 0)",
    "settimeofday": "time.clock_settime(time.CLOCK_REALTIME, 0)",
    "adjtimex": "call(159, 171, ctypes.create_string_buffer(256))",
    "sethostname": "call(170, 161, b'x', 1)",
    "setdomainname": "call(171, 162, b'x', 1)",
    "kernel log": "call(103, 116, 3, ctypes.create_string_buffer(4096), 4096)",
    "acct": "call(163, 89, b'/tmp/acct')",
    "swapon": "call(167, 224, b'/tmp/swap', 0)",
    "quotactl": "call(179, 60, 0, 0, 0, 0)",
    "a memory layout without chance": "call(135, 92, 0x40000)",
    "memory policy": "call(238, 237, 0, 0, 0)",
    "pidfd_getfd": "call(438, 438, os.pidfd_open(1), 1, 0)",
    "a real-time schedule": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))",
    "more open files": "call(160, 164, 7, struct.pack('QQ', 1 << 20, 1 << 20))",
    "core dumps": "call(160, 164, 4, struct.pack('QQ', 1 << 20, 1 << 20))",
    "before the others in line": "os.nice(-5)",
}
SOCKETS = {
    "a raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "frames of a network": "socket.socket(17, socket.SOCK_RAW, 0)",
    "the kernel's ciphers": "socket.socket(38, socket.SOCK_SEQPACKET, 0)",
    "the hypervisor": "socket.socket(40, socket.SOCK_STREAM, 0)",
    "bluetooth": "socket.socket(31, socket.SOCK_RAW, 1)",
    "packet filters by netlink": "socket.socket(16, socket.SOCK_RAW, 12)",
    "audit by netlink": "socket.socket(16, socket.SOCK_RAW, 9)",
}
FILES = {
    "sysrq": "put('/proc/sysrq-trigger', b'b')",
    "kernel memory": "got = open('/proc/kcore', 'rb').read(64); got or [].append(os.stat('/nothing'))",
    "kernel timers": "got = open('/proc/timer_list').read(64); got or [].append(os.stat('/nothing'))",
    "core pattern": "put('/proc/sys/kernel/core_pattern', b'|/bin/sh')",
    "a path for module loading": "put('/proc/sys/kernel/modprobe', b'/tmp/x')",
    "an out-of-memory score of its own": "put('/proc/self/oom_score_adj', b'-1000')",
    "sysfs": "put('/sys/kernel/uevent_helper', b'/tmp/x')",
    "a control group's agent": "got = [put(os.path.join(d, 'release_agent'), b'/tmp/x') for d, _, f in "
    "os.walk('/sys/fs/cgroup') if 'release_agent' in f]; got or os.stat('/nothing')",
    "a control group of its own": "os.mkdir('/sys/fs/cgroup/memory/x' if os.path.isdir('/sys/fs/cgroup/memory') else "
    "'/sys/fs/cgroup/x')",
    "its own memory limit": "put('/sys/fs/cgroup/memory/memory.limit_in_bytes' if os.path.isdir('/sys/fs/cgroup/memory"
    "') else '/sys/fs/cgroup/memory.max', b'99999999999')",
    "a user map": "put('/proc/self/uid_map', b'0 0 4294967295')",
    "a disk": "os.mknod('/tmp/disk', 0o600 | stat.S_IFBLK, os.makedev(8, 0)); os.open('/tmp/disk', os.O_RDONLY)",
    "the memory device": "os.mknod('/tmp/mem', 0o600 | stat.S_IFCHR, os.makedev(1, 1)); os.open('/tmp/mem', 0)",
    "a FUSE device": "os.open('/dev/fuse', os.O_RDWR)",
    "the kernel's messages": "os.open('/dev/kmsg', os.O_RDONLY)",
    "a virtual machine": "os.open('/dev/kvm', os.O_RDWR)",
    "the engine's socket": "os.stat('/var/run/docker.sock')",
    "the engine's files": "os.listdir('/var/lib/docker')",
}
AS_USER = {
    "root's user": "os.setuid(0)",
    "root's group": "os.setgroups([0])",
    "a file of root": "open('/etc/shadow').read()",
    "the system": "put('/usr/bin/git', b'x')",
    "the reporter": "put('/opt/heal/plugins/heal_report.py', b'x')",
    "the first script": "put('/opt/heal/heal-init', b'x')",
    "the environment": "put('/env/bin/python3', b'x')",
    "bytecode of the environment": "os.makedirs('/env/lib/python3.11/site-packages/__pycache__/x')",
    "the first process by a signal": "os.kill(1, 9); time.sleep(0.2); got = open('/proc/1/stat').read().split()[2]; "
    "got in 'SD' and os.stat('/nothing')",
    "the first process, stopped": "os.kill(1, 19); time.sleep(0.2); got = open('/proc/1/stat').read().split()[2]; "
    "got in 'SD' and os.stat('/nothing')",
    "the first process, traced": "call(101, 117, 16, 1, 0, 0)",
    "the first process's output": "put('/proc/1/fd/1', b'\\nHEAL-END rc=0 peak=1 full=1\\n')",
    "an output of ours in any process": "mine = {os.readlink(f'/proc/self/fd/{n}') for n in (1, 2, writing)}; "
    "folders = [f'/proc/{pid}/fd/' for pid in os.listdir('/proc') if pid.isdigit()]; "
    "links = [os.readlink(d + n) for d in folders if os.access(d, os.R_OK) for n in os.listdir(d)]; "
    "got = [link for link in links if link.startswith('pipe') and link not in mine]; got or os.stat('/nothing')",
    "the first process's memory": "open('/proc/1/mem', 'rb').read(1)",
    "the first process's variables": "open('/proc/1/environ').read()",
    "the first process's root": "os.listdir('/proc/1/root/')",
    "the shell of the first process": "open('/opt/heal/sh', 'rb').read(1)",
    "a set-user-id program": "subprocess.run(['/tmp/none'] if not os.path.exists('/bin/su') else ['/bin/su', '-c', "
    "'id -u'], check=False, stdin=subprocess.DEVNULL); got = [s for s in open('/proc/self/status') if s.startswith("
    "'NoNewPrivs')]; '1' in got[0] and os.stat('/nothing')",
}
AS_ROOT = {
    "another user's process, traced": "child = os.fork() or (os.setuid(1000), time.sleep(5), os._exit(0)); "
    "time.sleep(0.2); call(101, 117, 16, child, 0, 0)",
    "a file's capability": "os.setxattr('/usr/bin/env', 'security.capability', bytes.fromhex("
    "'0100000200002000000000000000000000000000'))",
}
ORDINARY = {
    "tracing a child": "child = os.fork() or (libc.ptrace(0, 0, 0, 0), os.kill(os.getpid(), 19), os._exit(7)); "
    "got = os.WIFSTOPPED(os.waitpid(child, 0)[1]) and libc.ptrace(17, child, 0, 0) == 0",
    "interfaces": "got = [name for _, name in socket.if_nameindex()] == ['lo']",
    "a server and its client": "server = socket.create_server(('127.0.0.1', 0)); "
    "socket.create_connection(server.getsockname()); got = bool(server.accept())",
    "a named pipe": "os.mkfifo('/tmp/fifo'); got = stat.S_ISFIFO(os.stat('/tmp/fifo').st_mode)",
    "memory with a descriptor": "got = os.write(os.memfd_create('x'), b'abc') == 3",
    "shared memory and a semaphore": "import multiprocessing as many; from multiprocessing import shared_memory; "
    "block = shared_memory.SharedMemory(create=True, size=4096); block.close(); block.unlink(); "
    "got = many.Semaphore(2).acquire(timeout=1)",
    "threads": "import threading; made = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(20)]; "
    "[one.start() for one in made]; [one.join() for one in made]; got = True",
    "a process of its own": "got = subprocess.run(['git', '--version'], capture_output=True).returncode == 0",
}
DANGEROUS = """
    mount umount2 pivot_root chroot unshare setns clone3 open_tree fsopen fsmount move_mount open_by_handle_at
    bpf keyctl add_key request_key perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
    kexec_load kexec_file_load init_module finit_module delete_module reboot swapon acct quotactl syslog
    settimeofday clock_settime adjtimex iopl ioperm modify_ldt fanotify_init socketcall pidfd_getfd
"""
REFUSALS = {"EPERM", "EACCES", "EROFS", "ENOSYS", "ENOENT", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ENXIO", "ENODEV"}


def through(answers: dict[str, str]) -> dict[str, str]:
    """The attacks that were not refused by one of the errors that mean no."""
    return {name: answer for name, answer in answers.items() if answer.removeprefix("refused ") not in REFUSALS}


@pytest.mark.fault(37)
@pytest.mark.engine
def test_the_check_gets_nothing_of_the_kernel(bare: DockerEnvironment) -> None:
    """As user 1000 every call, socket family, kernel file and device is refused, and the first process is sealed."""
    attacks = {**CALLS, **SOCKETS, **FILES, **AS_USER}
    answers = in_check(bare, attacks)
    assert answers.keys() == attacks.keys()
    assert through(answers) == {}


@pytest.mark.fault(37)
@pytest.mark.engine
def test_set_up_gets_no_more(sandbox: DockerSandbox) -> None:
    """Root with five capabilities gets nothing more from the kernel than user 1000 does."""
    attacks = {**CALLS, **SOCKETS, **FILES, **AS_ROOT}
    answers = in_set_up(sandbox, attacks)
    assert answers.keys() == attacks.keys()
    assert through(answers) == {}


@pytest.mark.engine
def test_what_tests_need_goes_on(bare: DockerEnvironment) -> None:
    """A debugger's hold on its own child, sockets, pipes, shared memory, semaphores and threads are all there."""
    answers = in_check(bare, ORDINARY)
    assert {name: got for name, got in answers.items() if got != "through True"} == {}


def test_the_profile_denies_by_default() -> None:
    """What is not named is refused, and nothing that leads out of a container is named."""
    profile = json.loads(seccomp.profile())
    assert profile["defaultAction"] == seccomp.REFUSE
    names = {name for rule in profile["syscalls"] if rule["action"] == seccomp.ALLOW for name in rule["names"]}
    assert names & set(DANGEROUS.split()) == set()
    assert {"ptrace", "read", "execve", "futex", "mknodat", "socket", "clone"} <= names


def test_every_container_has_the_profile() -> None:
    """Check, set-up, probe and proxy are all under the profile, and the evidence names it by its digest."""
    labels = policy.Labels("o", "r", "check", "k", 0)
    made = (policy.check_container("i", "v", {}, Limits(), labels), policy.setup_container("i", "v", Limits(), labels),
            policy.probe_container("i", ["true"], "n", labels), policy.proxy_container("i", [], labels))  # fmt: skip
    for settings in made:
        assert f"seccomp={seccomp.profile()}" in settings["security_opt"]
        assert "no-new-privileges" in settings["security_opt"]
        assert settings["ipc_mode"] == settings["cgroupns"] == "private"
        assert not {"privileged", "devices", "pid_mode", "uts_mode", "volumes", "ports"} & settings.keys()
        limits = {limit["Name"]: limit["Hard"] for limit in settings["ulimits"]}
        assert limits.keys() == {"nproc", "nofile", "core", "fsize"}
        assert limits["nproc"] == 16 * settings["pids_limit"]
    assert any(seccomp.digest() in flag for flag in policy.flags(made[0]))
    assert max(map(len, policy.flags(made[0]))) < 600
