"""The system calls a sandboxed process may make, as a profile in the engine's JSON: what is not named here is refused.

It is the engine's own default taken further, so that it does not depend on the engine's age: no io_uring, no kernel
keyrings, no BPF, no new namespaces or mounts with whatever capabilities, and of the kernel's socket families only those
that tests of ordinary software use. Debuggers and leak sanitizers keep what they need; 32-bit programs do not run.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

ALLOW, REFUSE = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
_EPERM, _ENOSYS, _EPROTONOSUPPORT, _EAFNOSUPPORT = 1, 38, 93, 97

_ALLOWED = {
    "files": """
        open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock ioctl
        read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek readahead
        sendfile sendfile64 splice tee vmsplice copy_file_range fallocate
        fadvise64 fadvise64_64 arm_fadvise64_64 sync syncfs fsync fdatasync
        sync_file_range sync_file_range2 arm_sync_file_range truncate truncate64 ftruncate ftruncate64 cachestat
        stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64
        access faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd chdir fchdir umask
        mkdir mkdirat rmdir link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 mknod mknodat
        chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32
        utime utimes utimensat utimensat_time64 futimesat
        getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat
        setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
        inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
        io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64
    """,
    "waiting": """
        poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 pause
        epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4
        futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue restart_syscall membarrier rseq
        get_robust_list set_robust_list
    """,
    "memory": """
        brk mmap mmap2 munmap mremap mprotect msync madvise mincore mlock mlock2 mlockall munlock munlockall mseal
        memfd_create map_shadow_stack pkey_alloc pkey_free pkey_mprotect
    """,
    "processes": """
        fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid
        getpgid getpgrp setpgid getsid setsid set_tid_address set_thread_area get_thread_area set_tls arch_prctl prctl
        getpriority setpriority ioprio_get ioprio_set sched_yield sched_getaffinity sched_setaffinity
        sched_getattr sched_setattr sched_getparam sched_setparam sched_getscheduler sched_setscheduler
        sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64
        getrlimit ugetrlimit setrlimit prlimit64 getrusage times sysinfo uname getcpu getrandom
        ptrace process_vm_readv process_vm_writev uretprobe pidfd_open pidfd_send_signal breakpoint cacheflush
        landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp
    """,
    "signals": """
        kill tkill tgkill sigaltstack sigprocmask sigreturn rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
        rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
    """,
    "users": """
        getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32
        getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
        setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32
        capget capset
    """,
    "clocks": """
        time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 nanosleep
        clock_nanosleep clock_nanosleep_time64 alarm getitimer setitimer
        timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
        timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
    """,
    "sockets": """
        socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
        send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64
    """,
    "messages between processes": """
        pipe pipe2 ipc shmget shmat shmctl shmdt semget semop semctl semtimedop semtimedop_time64
        msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_notify mq_getsetattr
        mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64
    """,
}

_ARCHITECTURES = ("SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64")
"""Not their 32-bit halves: there sockets come by `socketcall`, whose arguments a filter cannot see. A 32-bit program
dies of SIGSYS."""
_FAMILIES = {"unix": 1, "inet": 2, "inet6": 10}
_NETLINK, _ROUTE = 16, 0
_NAMESPACES = 0x7E020000
"""Every flag of clone that makes a namespace. clone3 hides its flags in memory, so it is not there at all: the C
library then falls back to clone."""
_PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
"""Plain Linux, 32-bit, both with UNAME26, and asking; none that weakens the layout of memory."""


def syscalls() -> frozenset[str]:
    """The names that are allowed without a condition on their arguments."""
    return frozenset(name for names in _ALLOWED.values() for name in names.split())


@functools.cache
def profile() -> str:
    """The profile as the JSON text that the engine takes after `seccomp=`."""
    return json.dumps(
        {
            "defaultAction": REFUSE,
            "defaultErrnoRet": _EPERM,
            "archMap": [{"architecture": architecture, "subArchitectures": []} for architecture in _ARCHITECTURES],
            "syscalls": [_rule(sorted(syscalls()), ALLOW), *_conditional()],
        },
        separators=(",", ":"),
    )


def digest() -> str:
    """What names this profile in the evidence of a result."""
    return hashlib.sha256(profile().encode()).hexdigest()[:16]


def _conditional() -> Iterator[dict[str, Any]]:
    yield _rule(["clone"], ALLOW, _when(0, "SCMP_CMP_MASKED_EQ", _NAMESPACES, 0))
    yield _rule(["clone3"], REFUSE, errno=_ENOSYS)
    for value in _PERSONALITIES:
        yield _rule(["personality"], ALLOW, _when(0, "SCMP_CMP_EQ", value))
    for family in range(_NETLINK):
        allowed = family in _FAMILIES.values()
        condition = _when(0, "SCMP_CMP_EQ", family)
        yield _rule(["socket"], ALLOW, condition) if allowed else _rule(["socket"], REFUSE, condition, _EAFNOSUPPORT)
    yield _rule(["socket"], REFUSE, _when(0, "SCMP_CMP_GT", _NETLINK), _EAFNOSUPPORT)
    # A list of network interfaces comes by netlink. Other protocols of it answer as on a kernel without them:
    # useradd, for one, gives up on any other refusal of the audit protocol.
    netlink = _when(0, "SCMP_CMP_EQ", _NETLINK)
    yield _rule(["socket"], ALLOW, [*netlink, *_when(2, "SCMP_CMP_EQ", _ROUTE)])
    yield _rule(["socket"], REFUSE, [*netlink, *_when(2, "SCMP_CMP_NE", _ROUTE)], _EPROTONOSUPPORT)


def _rule(
    names: Sequence[str], action: str, args: Sequence[dict[str, Any]] = (), errno: int | None = None
) -> dict[str, Any]:
    rule: dict[str, Any] = {"names": list(names), "action": action, "args": list(args)}
    return rule if errno is None else {**rule, "errnoRet": errno}


def _when(index: int, operator: str, value: int, second: int = 0) -> list[dict[str, Any]]:
    return [{"index": index, "value": value, "valueTwo": second, "op": operator}]
