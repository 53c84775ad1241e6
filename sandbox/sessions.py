"""A working copy that lasts: one check container held open, in which commands run one after another as processes of
their own. After each of them git says how the files differ from the commit's.

Everything in here is the untrusted side's, git's own notes among it: what is read back is a text that somebody wrote.
The notes lie outside of the workspace, so no command meets a repository that the job would not have.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from sandbox import policy
from sandbox.archives import members
from sandbox.errors import Cancelled, EngineDown, NoSession, SandboxError
from sandbox.life import Ended
from sandbox.protocol import GRACE_S, tar
from sandbox.slots import Command, Slot
from sandbox.spec import Did, Ending, Limits, Output, Tree
from sandbox.stream import Caps, Stop

MOST_DIFF = 2 << 20
"""Bytes of a difference that is kept: who changes more than that was not mending anything."""
LONGEST = 20_000
"""Bytes of one command's script: it travels as an argument, quoted, and the kernel takes 128 KiB of one."""
_BEGIN_S, _SLACK_S = 240.0, 60.0
_OWN_BYTES = 64 << 10
_OUTPUT_HEAD, _OUTPUT_TAIL, _OUTPUT_KILL = 64 << 10, 192 << 10, 64 << 20
_DID = re.compile(rb"\nHEAL-DID rc=(\d{1,3}) kept=(\d{1,3}) left=(\d{1,6})\n\Z")
_BEGUN = b"HEAL-BEGUN\n"

_LEFT_BEHIND = ("__pycache__/", "*.pyc", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".hypothesis/", ".coverage",
                "node_modules/", ".venv/", ".tox/", ".nox/", "*.egg-info/", "target/", ".gradle/")  # fmt: skip
"""What tools leave behind, beside what the repository ignores itself: no part of a change, unless a commit has it."""
_PLAIN = "* -text !eol !filter !ident !working-tree-encoding !diff !merge"
"""Attributes that beat the repository's own: files are taken byte for byte."""

_NOTES = f"""
umask 022
theirs=$PATH PATH=/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin
notes() {{
  GIT_DIR={policy.SCRATCH}/base GIT_WORK_TREE={policy.WORKSPACE} HOME={policy.SCRATCH} GIT_CONFIG_NOSYSTEM=1 git \\
    -c core.hooksPath=/dev/null -c core.autocrlf=false -c core.fsmonitor=false -c core.compression=1 -c gc.auto=0 "$@"
}}
cd {policy.WORKSPACE} || exit 90
"""

_BEGIN = f"""{_NOTES}
until [ -e {policy.SCRATCH}/started ]; do sleep 0.02; done
git init -q --bare {policy.SCRATCH}/base >/dev/null && notes config core.bare false &&
  printf '%s\\n' '{_PLAIN}' >{policy.SCRATCH}/base/info/attributes &&
  printf '%s\\n' {" ".join(f"'{one}'" for one in _LEFT_BEHIND)} >{policy.SCRATCH}/base/info/exclude &&
  notes update-index -z --add --remove --stdin <{policy.SCRATCH}/in/paths &&
  notes add -A >/dev/null && notes write-tree >{policy.SCRATCH}/base/begun &&
  {{ [ ! -s {policy.SCRATCH}/in/patch ] || notes apply --whitespace=nowarn {policy.SCRATCH}/in/patch; }} &&
  echo HEAL-BEGUN
echo "$1" >&2
echo "$1"
"""

_DO = f"""{_NOTES}
(PATH=$theirs && exec timeout -k 5 -s KILL "$3" /bin/sh -c "$2" 1>&2 </dev/null)
rc=$?
cd {policy.WORKSPACE} && notes add -A >/dev/null 2>&1 &&
  notes diff --cached --binary --full-index --no-renames --no-ext-diff --no-textconv --no-color \\
    "$(cat {policy.SCRATCH}/base/begun)" 2>/dev/null
kept=$? over=$1
set -- /proc/[0-9]*
printf '\\nHEAL-DID rc=%s kept=%s left=%s\\n' "$rc" "$kept" "$#"
echo "$over" >&2
echo "$over"
"""


@dataclass
class DockerSession:
    """A `sandbox.spec.Session`. `runner` makes of a script the shell text that runs it with the step's variables."""

    slot: Slot
    runner: Callable[[str], str]
    limits: Limits
    cancel: Event | None

    @classmethod
    def begin(
        cls, slot: Slot, runner: Callable[[str], str], tree: Tree, patch: bytes, limits: Limits, cancel: Event | None
    ) -> DockerSession:
        """Open one in a container that has the tree's files. Whatever is raised, the container is discarded."""
        session = cls(slot, runner, limits, cancel)
        try:
            slot.hold(Command(b"exec sleep 2147483647\n", inputs=_inputs(tree, patch)), limits)
            session._start_notes()
        except BaseException:
            slot.discard()
            raise
        return session

    def run(self, script: str, seconds: float) -> Did:
        """As `sandbox.spec.Session.run`."""
        if len(script.encode(errors="replace")) > LONGEST or "\0" in script:
            raise ValueError("a script that cannot be an argument")
        try:
            ended = self._beside(_DO, (self.runner(script), f"{seconds:g}"), seconds + _SLACK_S)
        except (Cancelled, EngineDown):
            raise
        except SandboxError as error:  # the container has ended, or can take no other process
            return Did(Ending.KILLED, None, Output(""), 0.0, None, f"the container is gone: {error}")
        return did(ended, seconds, self.limits.pids // 2)

    def close(self) -> None:
        """Remove the container."""
        self.slot.discard()

    def _start_notes(self) -> None:
        """Have git note how the files are now, then apply the patch."""
        ended = self._beside(_BEGIN, (), _BEGIN_S)
        if _BEGUN not in ended.stdout:
            raise NoSession(f"no working copy can be kept: {ended.stderr.output().text.strip()[-500:]}")

    def _beside(self, script: str, arguments: Sequence[str], seconds: float) -> Ended:
        over = f"HEAL-OVER {uuid.uuid4().hex}"
        caps = Caps(MOST_DIFF + _OWN_BYTES, _OUTPUT_HEAD, _OUTPUT_TAIL, _OUTPUT_KILL)
        argv = ("/bin/sh", "-c", script, "heal", over, *arguments)
        ended = self.slot.beside(argv, caps, f"{over}\n".encode(), seconds + GRACE_S, self.cancel)
        if ended.stopped is Stop.CANCELLED:
            raise Cancelled("cancelled in the middle of a session")
        return ended


def did(ended: Ended, seconds: float, crowd: int) -> Did:
    """What the process said of the command, whose own time was `seconds`. Where more than `crowd` processes are left
    the next one would have no place beside them."""
    output, told = ended.stderr.output(), _DID.search(ended.stdout)
    if ended.stopped is Stop.OUTPUT:
        return Did(Ending.OUTPUT_LIMIT, None, output, ended.seconds, None, "it was ended for the mass of its output")
    if ended.stopped is not None:
        return Did(Ending.TIMEOUT, None, output, ended.seconds, None, "it could not be ended but with its container")
    if not ended.over or told is None:
        return Did(Ending.KILLED, None, output, ended.seconds, None, "the container ended with it")
    code, diff = int(told[1]), ended.stdout[: told.start()]
    timed_out = code == 137 and ended.seconds >= seconds
    ending = Ending.TIMEOUT if timed_out else Ending.PASSED if code == 0 else Ending.FAILED
    if told[2] != b"0" or len(diff) > MOST_DIFF:
        why = "the files cannot be compared any more" if told[2] != b"0" else "it changed too much to be kept"
        return Did(ending, code, output, ended.seconds, None, why)
    return Did(ending, code, output, ended.seconds, diff, spent=int(told[3]) > crowd)


def _inputs(tree: Tree, patch: bytes) -> bytes:
    """The names of the commit's files, ignored ones among them, and the patch."""
    names = [member.name for member in members(tree.archive) if member.is_welcome and member.kind not in (b"5", b"g")]
    return tar([("in/paths", b"".join(name + b"\0" for name in names)), ("in/patch", patch)])
