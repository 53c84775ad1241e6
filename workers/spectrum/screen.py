"""Runs inside the sandbox, in the project's own interpreter (3.8 or later), with nothing but the standard library.

`trace` runs the tests once and says which lines failing and passing tests executed; `lines` says which lines of some
files a green run executed, imports included; `screen` runs candidates against the failing tests first and then all of
them. Every session is a forked child that imports the project anew.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import json
import os
import resource
import select
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

ROOT = Path.cwd().resolve()
NOISE = ("site-packages", "dist-packages", ".venv", "venv", ".tox", ".nox", ".git", "node_modules")
SLACK_BYTES = 1 << 30


def project_path(filename: str) -> str:
    """The path inside the project, or an empty string for everything else."""
    try:
        relative = Path(filename).resolve().relative_to(ROOT)
    except (ValueError, OSError):
        return ""
    if relative.suffix != ".py" or any(part in NOISE for part in relative.parts):
        return ""
    return relative.as_posix()


def is_test(path: str) -> bool:
    """Test code is neither suspected nor changed."""
    name = path.rsplit("/", 1)[-1]
    folders = path.split("/")[:-1]
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py" or "tests" in folders


class Report:
    """JSON lines, each complete, so that a killed container still leaves what was found."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115 - open for the whole process

    def write(self, **row: Any) -> None:
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()


# -- plug-ins for one pytest session ----------------------------------------------------------------------------------


class Outcomes:
    """Which tests passed and failed; optionally only some tests, optionally stopping at the first failure."""

    def __init__(self, wanted: set[str] | None = None, stop: bool = False) -> None:
        self.wanted, self.stop = wanted, stop
        self.failed: dict[str, float] = {}
        self.passed: dict[str, float] = {}
        self.session: Any = None
        self.rootdir = ""

    def pytest_sessionstart(self, session: Any) -> None:
        self.session = session
        self.rootdir = str(session.config.rootpath if hasattr(session.config, "rootpath") else session.config.rootdir)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if self.wanted is not None:
            files = {name for name in self.wanted if "::" not in name}
            items[:] = [i for i in items if i.nodeid in self.wanted or i.nodeid.split("::")[0] in files]

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._fail(report.nodeid, 0.0)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._fail(report.nodeid, report.duration)
        elif report.when == "call" and report.passed and report.nodeid not in self.failed:
            self.passed[report.nodeid] = report.duration

    def _fail(self, name: str, seconds: float) -> None:
        self.failed[name] = seconds
        self.passed.pop(name, None)
        if self.stop and self.session is not None:
            self.session.shouldstop = "a test failed"


class Tracer(Outcomes):
    """Which project lines each test executed, added up over failing and over passing tests."""

    def __init__(self, seconds: float, wanted: set[str] | None = None) -> None:
        super().__init__(wanted)
        self.until = time.monotonic() + seconds
        self.known: dict[str, str] = {}
        self.lines: dict[str, set[int]] = {}
        self.counts: dict[str, dict[int, list[int]]] = {}
        self.traced: list[str] = []
        self.exceptions: dict[str, dict[str, Any]] = {}

    def _trace(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        name = frame.f_code.co_filename
        path = self.known.get(name)
        if path is None:
            path = project_path(name)
            path = "" if is_test(path) else path
            self.known[name] = path
        if not path:
            return None
        lines = self.lines.setdefault(path, set())
        lines.add(frame.f_lineno)

        def local(inner: FrameType, _event: str, _arg: Any) -> Any:
            lines.add(inner.f_lineno)
            return local

        return local

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.lines = {}
        if time.monotonic() < self.until:
            self.traced.append(nodeid)
            threading.settrace(self._trace)
            sys.settrace(self._trace)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        sys.settrace(None)
        threading.settrace(None)
        column = 0 if nodeid in self.failed else 1 if nodeid in self.passed else None
        if column is None:
            return
        for path, lines in self.lines.items():
            counts = self.counts.setdefault(path, {})
            for line in lines:
                counts.setdefault(line, [0, 0])[column] += 1

    def pytest_exception_interact(self, node: Any, call: Any) -> None:
        if call.excinfo is not None:
            self.exceptions.setdefault(node.nodeid, described(call.excinfo.value))


def described(error: BaseException) -> dict[str, Any]:
    """An exception as plain values, with the project's frames and the names that were there instead."""
    while error.__cause__ is not None and type(error).__name__ == "CollectError":
        error = error.__cause__
    frames, last = [], None
    for frame, line in walk(error.__traceback__):
        path = project_path(frame.f_code.co_filename)
        if path:
            frames.append([path, line, frame.f_code.co_name])
            last = frame
    if isinstance(error, SyntaxError) and error.filename:
        frames.append([project_path(error.filename), error.lineno or 0, "<module>"])
    message = str(error)[:500]
    names = near(error, last)
    return {"type": type(error).__name__, "message": message, "frames": frames[-30:], "near": names}


def walk(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def near(error: BaseException, frame: FrameType | None) -> list[str]:
    """Names like the missing one, from the live object, module or frame."""
    name = getattr(error, "name", None)
    have: set[str] = set()
    if isinstance(error, AttributeError) and hasattr(error, "obj"):
        have = set(dir(error.obj))
    elif isinstance(error, NameError) and frame is not None:
        name = name or str(error).split("'")[1::2][0] if "'" in str(error) else name
        have = {*frame.f_locals, *frame.f_globals, *dir(__builtins__)}
    elif isinstance(error, ImportError) and "cannot import name" in str(error):
        module = sys.modules.get(str(name or ""))
        name = str(error).split("'")[1]
        have = set(dir(module)) if module else set()
    return difflib.get_close_matches(str(name), sorted(have), n=4, cutoff=0.6) if name else []


# -- children ------------------------------------------------------------------------


def override(texts: dict[str, bytes]) -> None:
    """Let imports see other texts for some files; the work tree stays as it is."""
    from importlib.machinery import SourceFileLoader

    original = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        path = str(Path(self.get_filename(fullname)).resolve())
        if path in texts:
            return compile(texts[path], path, "exec", dont_inherit=True)
        return original(self, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


class Child:
    """One forked session: it answers one JSON object through a pipe or is killed with all its processes."""

    def __init__(self, work: Callable[[], dict[str, Any]], limit: float) -> None:
        self.read, write = os.pipe()
        self.started = time.monotonic()
        self.until = self.started + limit
        self.data = b""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setpgid(0, 0)
                os.close(self.read)
                quiet()
                answer = json.dumps(work()).encode()
                os.set_blocking(write, True)
                while answer:
                    answer = answer[os.write(write, answer) :]
            finally:
                os._exit(0)
        os.close(write)

    def poll(self) -> dict[str, Any] | None:
        """The answer, an empty object when it died or ran too long, None while it runs."""
        if not select.select([self.read], [], [], 0)[0]:
            if time.monotonic() < self.until:
                return None
            self.end()
            return {"timeout": True}
        chunk = os.read(self.read, 1 << 16)
        if chunk:
            self.data += chunk
            return None
        self.end()
        try:
            answer = json.loads(self.data)
        except ValueError:
            return {"crash": True}
        answer["seconds"] = time.monotonic() - self.started
        return dict(answer)

    def end(self) -> None:
        for kill in (os.killpg, os.kill):
            try:
                kill(self.pid, signal.SIGKILL)
            except OSError:
                continue
        os.close(self.read)
        os.waitpid(self.pid, 0)


def quiet() -> None:
    """Nothing the tests print is wanted, and a candidate may not eat the container's memory."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    ceiling = pages * resource.getpagesize() + SLACK_BYTES
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or ceiling < hard:
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))


def session(args: list[str], plugin: Outcomes) -> dict[str, Any]:
    import pytest

    code = pytest.main([*args, "-p", "no:cacheprovider"], plugins=[plugin])
    return {"code": int(code), "failed": plugin.failed, "passed": plugin.passed, "rootdir": plugin.rootdir}


def wait(child: Child) -> dict[str, Any]:
    while True:
        answer = child.poll()
        if answer is not None:
            return answer
        select.select([child.read], [], [], 0.2)


# -- warm imports --------------------------------------------------------------------


def installed() -> list[str]:
    """The modules of installed packages that are loaded, in the order they came."""
    return [
        name
        for name, module in list(sys.modules.items())
        if any(f"/{part}/" in str(getattr(module, "__file__", "")) for part in ("site-packages", "dist-packages"))
    ]


def preload(names: list[str]) -> bool:
    """Import them here, so that no child has to. False when that started a thread: forks would be unsafe then.

    pytest's plug-ins are left to pytest, which rewrites them as it loads them.
    """
    points: Any = metadata.entry_points()
    group = points.select(group="pytest11") if hasattr(points, "select") else points.get("pytest11", ())
    plugins = {str(point.value).partition(":")[0].split(".")[0] for point in group}
    for name in names:
        if name.split(".")[0] not in plugins and name not in sys.modules:
            with contextlib.suppress(BaseException):  # what cannot be imported here is imported there
                importlib.import_module(name)
    return len(list(Path("/proc/self/task").iterdir())) == 1


# -- trace ---------------------------------------------------------------------------


def trace(plan: dict[str, Any], report: Report) -> None:
    """One row with everything known about the red state."""

    def run(wanted: set[str] | None, args: list[str]) -> dict[str, Any]:
        tracer = Tracer(plan["trace_s"], wanted)
        answer = session(args, tracer)
        answer.update(counts=tracer.counts, exceptions=tracer.exceptions, traced=tracer.traced)
        return answer

    first = wait(Child(lambda: run(None, plan["args"]), plan["budget_s"]))
    missed = (
        set(first.get("failed", ()))
        - set(first.get("traced", ()))
        - {n for n in first.get("failed", ()) if "::" not in n}
    )
    if missed:
        args = [*plan["options"], *sorted({str(Path(first["rootdir"]) / name.split("::")[0]) for name in missed})]
        again = wait(Child(lambda: run(missed, args), plan["budget_s"]))
        for path, counts in again.get("counts", {}).items():
            have = first["counts"].setdefault(path, {})
            for line, (failing, passing) in counts.items():
                old = have.get(line, [0, 0])
                have[line] = [old[0] + failing, old[1] + passing]
    first.pop("traced", None)
    report.write(kind="trace", python=list(sys.version_info[:2]), **first)


# -- lines ---------------------------------------------------------------------------


def lines(plan: dict[str, Any], report: Report) -> None:
    """One row with the lines of the plan's files that were executed, from before the first import to the end."""
    wanted = {str((ROOT / path).resolve()): path for path in plan["files"]}
    known: dict[str, set[int] | None] = {}
    seen: dict[str, set[int]] = {path: set() for path in plan["files"]}

    def trace_calls(frame: FrameType, _event: str, _arg: Any) -> Any:
        name = frame.f_code.co_filename
        if name not in known:
            path = wanted.get(str(Path(name).resolve()))
            known[name] = seen[path] if path is not None else None
        executed = known[name]
        if executed is None:
            return None
        executed.add(frame.f_lineno)

        def local(inner: FrameType, _event: str, _arg: Any) -> Any:
            executed.add(inner.f_lineno)
            return local

        return local

    def run() -> dict[str, Any]:
        threading.settrace(trace_calls)
        sys.settrace(trace_calls)
        answer = session(plan["args"], Outcomes())
        sys.settrace(None)
        return {**answer, "lines": {path: sorted(found) for path, found in seen.items()}}

    report.write(kind="lines", **wait(Child(run, plan["budget_s"])))


# -- screen --------------------------------------------------------------------------


class Screen:
    """The pool: candidates wait, run against the failing tests, and survivors against everything."""

    def __init__(self, plan: dict[str, Any], report: Report) -> None:
        self.plan, self.report = plan, report
        self.waiting: deque[dict[str, Any]] = deque(plan["candidates"])
        self.survivors: deque[dict[str, Any]] = deque()
        self.running: dict[int, tuple[Child, dict[str, Any], bool]] = {}
        self.failing = set(plan["failing"])
        self.passing = set(plan["passing"])
        self.end = self.until = time.monotonic() + plan["budget_s"]
        self.tried = self.plausible = self.enough = 0
        self.quick_s = 2.0
        self.modules: list[str] = []

    def control(self) -> bool:
        """Without any change the failing tests must fail, alone too."""
        answer = wait(Child(lambda: {**self._quick({}), "modules": installed()}, self.plan["quick_s"] * 4 + 10))
        self.quick_s = 1.5 + 4 * answer.get("seconds", self.plan["quick_s"])
        self.modules = [str(name) for name in answer.get("modules", ()) if name not in sys.modules]
        return bool(answer.get("failed")) or "failed" not in answer

    def warmed(self) -> bool:
        """Import what every session needs only once. False when the failing tests do not fail the same way then."""
        return not self.modules or (preload(self.modules) and self.control())

    def run(self) -> str:
        while self.running or self.survivors or self.waiting:
            now = time.monotonic()
            if now > self.end or (now > self.until and self.tried >= self.enough):
                break
            self._fill()
            for pid, (child, candidate, full) in list(self.running.items()):
                answer = child.poll()
                if answer is not None:
                    del self.running[pid]
                    self._judge(candidate, full, answer)
            select.select([child.read for child, _, _ in self.running.values()], [], [], 0.05)
        complete = not (self.running or self.survivors or self.waiting)
        for child, _, _ in self.running.values():
            child.end()
        return "all" if complete else "grace" if self.plausible and self.tried >= self.enough else "budget"

    def _fill(self) -> None:
        while len(self.running) < self.plan["procs"] and (self.survivors or self.waiting):
            full = bool(self.survivors)
            candidate = self.survivors.popleft() if full else self.waiting.popleft()
            limit = self.plan["full_s"] * 3 + 5 if full else self.quick_s
            child = Child(self._work(candidate, full), limit * (4 if candidate.get("again") else 1))
            self.running[child.pid] = (child, candidate, full)

    def _work(self, candidate: dict[str, Any], full: bool) -> Callable[[], dict[str, Any]]:
        def work() -> dict[str, Any]:
            texts = {}
            for path, splices in candidate["edits"].items():
                data = (ROOT / path).read_bytes()
                for start, end, text in sorted(splices, reverse=True):
                    data = data[:start] + text.encode() + data[end:]
                texts[str((ROOT / path).resolve())] = data
            return self._full(texts) if full else self._quick(texts)

        return work

    def _quick(self, texts: dict[str, bytes]) -> dict[str, Any]:
        override(texts)
        files = sorted({str(Path(self.plan["rootdir"]) / name.split("::")[0]) for name in self.failing})
        return session([*self.plan["options"], *files], Outcomes(self.failing, stop=True))

    def _full(self, texts: dict[str, bytes]) -> dict[str, Any]:
        override(texts)
        return session(self.plan["args"], Outcomes())

    def _judge(self, candidate: dict[str, Any], full: bool, answer: dict[str, Any]) -> None:
        if answer.get("timeout") and not candidate.get("again"):
            # The machine may have been busy: once more, after all others and with more time.
            (self.survivors if full else self.waiting).append({**candidate, "again": True})
            return
        self.tried += not full
        passed, failed = set(answer.get("passed", ())), set(answer.get("failed", ()))
        wanted = {name for name in self.failing if "::" in name}
        green = "failed" in answer and not failed and bool(passed) and wanted <= passed
        if not full:
            if green:
                self.survivors.append(candidate)
            return
        broken = self.passing - passed
        if green and not broken:
            self.plausible += 1
            self.enough = self.enough or self.tried + self.plan["grace_n"]
            self.until = min(self.until, time.monotonic() + self.plan["grace_s"])
            self.report.write(kind="plausible", id=candidate["id"], fixed=len(passed - self.passing))
        else:
            self.report.write(kind="regression", id=candidate["id"], broken=sorted(broken | failed)[:5])


def main() -> int:
    """Entry point: `screen.py PLAN`, the report goes to $HEAL_REPORT."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    report = Report(os.environ.pop("HEAL_REPORT"))
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.chdir(plan["folder"])
    sys.path[0:1] = [str(Path.cwd())] if plan["cwd_on_path"] else []
    try:
        import pytest  # noqa: F401
    except ImportError:
        report.write(kind="error", message="pytest is not installed in the project's environment")
        return 1
    if plan["mode"] == "trace":
        trace(plan, report)
        return 0
    if plan["mode"] == "lines":
        lines(plan, report)
        return 0
    screen = Screen(plan, report)
    if not screen.control():
        report.write(kind="error", message="the failing tests pass when they run alone")
        return 1
    if "HEAL_COLD" not in os.environ and not screen.warmed():
        again = {**os.environ, "HEAL_COLD": "1", "HEAL_REPORT": report.path}
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, *sys.argv], again)  # noqa: S606 - this very file once more
    report.write(kind="done", stopped=screen.run(), tried=screen.tried)
    return 0


if __name__ == "__main__":
    sys.exit(main())
