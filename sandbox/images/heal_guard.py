"""What the first process of a set-up container does for its own safety and for the engine's disk.

Set-up may write to the root file system and to /env, which lie on the engine's own disk, where nothing has a quota.
So the process that no step can kill, stop or trace looks at that disk while they run. Standard library only.
"""

import contextlib
import ctypes
import os
import signal
import stat
import subprocess
import threading
import time

PLACES = ("/", "/env")
TICK_S = 0.1
PR_SET_DUMPABLE = 4
FREE_FILES_PERCENT = 5
FILES_LIMIT = 2_000_000


def seal():
    """Let no step look into this process, which has the same user; returns where only this process can write.

    Standard output is taken away from every child: what a step's process has open, other steps' processes can write to.
    """
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    said = os.dup(1)  # not inherited
    os.dup2(2, 1)
    return os.fdopen(said, "w")


class Guard:
    """Ends the set-up, and with it the container, when it takes more of the disk or the clock than it may.

    `over` is called with "limit" or "floor" and the bytes that set-up wrote, when all other processes are dead.
    """

    def __init__(self, seconds, limit, floor, over):
        self.ends, self.limit, self.floor, self.over = time.monotonic() + seconds, limit, floor, over
        self.began = time.time()
        self.spawning, self.children, self.tripped = threading.RLock(), set(), threading.Event()
        self.reaping = True
        self.before = self._free()

    def start(self):
        """Look once, at once: a disk that is full already is nobody's fault here; then go on looking."""
        if self._below_floor():
            self._trip("floor")
        for watch in (self._watch, self._weigh):
            threading.Thread(target=watch, daemon=True).start()

    def run(self, argv, **options):
        """As subprocess.run, for the exit code, while this process also reaps the orphans of others."""
        with self.spawning:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **options)
            self.children.add(process.pid)
        code = process.wait()
        with self.spawning:
            self.children.discard(process.pid)
        if self.tripped.is_set():
            time.sleep(60)  # the watch ends this process
        return code

    def rest(self):
        """The steps are over: nothing of them goes on while their work is kept, and what starts now is ours."""
        with self.spawning:
            self.clear()
            self.reaping = False

    def done(self):
        """The work is kept: from here on nothing is ended any more, unless it is being ended already."""
        with self.spawning:
            self.tripped.set()

    def clear(self):
        """End every process but this one."""
        gone = time.monotonic() + 5
        while time.monotonic() < gone:
            try:
                os.kill(-1, signal.SIGKILL)
            except ProcessLookupError:
                return
            time.sleep(TICK_S / 10)
            self._reap()

    def _watch(self):
        while True:
            time.sleep(TICK_S)
            if self.reaping:
                self._reap()
            if self._below_floor():
                self._trip("floor")
            if time.monotonic() > self.ends:
                os._exit(137)

    def _weigh(self):
        """Where the disk has lost more than set-up may take, see whether it was set-up: a walk, so only then."""
        while not self.tripped.wait(TICK_S):
            lost, lost_files = self._lost(self.before)
            if lost <= self.limit and lost_files <= FILES_LIMIT:
                continue
            written, files = self._written()
            if written > self.limit or files > FILES_LIMIT:
                self._trip("limit")
            time.sleep(1)  # it was somebody else: do not walk without a pause

    def _trip(self, why):
        with self.spawning:
            if self.tripped.is_set():
                return
            self.tripped.set()
            low = self._free()
            self.clear()
            freed = -self._lost(low)[0]  # of files that had no name any more
            self.over(why, self._written()[0] + max(0, freed))
            os._exit(96)

    def _reap(self):
        with self.spawning:
            while True:
                try:
                    ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                except ChildProcessError:
                    return
                if ended is None or ended.si_pid in self.children:
                    return
                os.waitpid(ended.si_pid, os.WNOHANG)

    def _free(self):
        seen = [os.statvfs(place) for place in PLACES]
        return [(place.f_bavail * place.f_frsize, place.f_favail) for place in seen]

    def _below_floor(self):
        for place in PLACES:
            seen = os.statvfs(place)
            if seen.f_bavail * seen.f_frsize < self.floor:
                return True
            if seen.f_files and seen.f_favail * 100 < seen.f_files * FREE_FILES_PERCENT:
                return True
        return False

    def _lost(self, before):
        """How many bytes and files less are free than before, where most are."""
        now = self._free()
        return [max(before[place][kind] - now[place][kind] for place in range(len(now))) for kind in (0, 1)]

    def _written(self):
        """Bytes and files that were made or changed since the beginning, on the two places' own file systems."""
        size = files = 0
        linked = set()
        for place in PLACES:
            device = os.lstat(place).st_dev
            folders = [place]
            while folders:
                for entry in _entries(folders.pop()):
                    seen = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(seen.st_mode):
                        folders += [entry.path] if seen.st_dev == device else []
                    elif seen.st_ctime >= self.began - 1 and (seen.st_dev, seen.st_ino) not in linked:
                        linked |= {(seen.st_dev, seen.st_ino)} if seen.st_nlink > 1 else set()
                        size += seen.st_blocks * 512
                        files += 1
        return size, files


def _entries(folder):
    """What is in a folder, passing over what goes away meanwhile."""
    try:
        with os.scandir(folder) as found:
            for entry in found:
                with contextlib.suppress(OSError):
                    entry.stat(follow_symlinks=False)  # kept by the entry
                    yield entry
    except OSError:
        return
