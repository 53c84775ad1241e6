"""The red state, seen once: which lines each test executes, what was raised, and what the code handles at run time."""

from __future__ import annotations

import difflib
import inspect
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from .allowance import Allowance
from .children import answer
from .outcomes import Hung, Outcomes, alarm
from .project import Report, is_test, project_path
from .session import narrowed, session

CALLS, TYPES, NAMES = 12, 40, 80
"""Calls of one function that are looked into, types whose attributes are told, and attributes of one of them."""
KNOWN_S = 60.0
NOTHING_NEW = 200_000
"""Lines in a row that were all executed before, after which a test that is known to take long will show no other."""


class Tracer(Outcomes):
    """Which project lines each test executed, added up over failing and over passing tests."""

    def __init__(self, plan: dict[str, Any], wanted: set[str] | None = None) -> None:
        super().__init__(wanted)
        self.allowance = Allowance(plan["trace_s"])
        self.hang_s = float(plan.get("hang_s", KNOWN_S))
        self.known_green, self.known_slow = set(plan.get("passed", ())), set(plan.get("slow", ()))
        self.old = 0
        self.known: dict[str, str] = {}
        self.lines: dict[str, set[int]] = {}
        self.counts: dict[str, dict[int, list[int]]] = {}
        self.traced: list[str] = []
        self.exceptions: dict[str, dict[str, Any]] = {}
        self.live = Live()

    def _trace(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        name = frame.f_code.co_filename
        path = self.known.get(name)
        if path is None:
            path = project_path(name)
            path = "" if is_test(path) or path in self.test_files else path
            self.known[name] = path
        if not path:
            return None
        lines = self.lines.setdefault(path, set())
        lines.add(frame.f_lineno)
        watched = self.live.wants(path, frame)
        slow = self.traced[-1] in self.known_slow

        def local(inner: FrameType, event: str, _arg: Any) -> Any:
            if slow and event == "line":
                self.old = self.old + 1 if inner.f_lineno in lines else 0
                if self.old > NOTHING_NEW:
                    self.old = 0
                    raise Hung
            if event == "line":
                lines.add(inner.f_lineno)
            elif event == "return" and watched:
                self.live.see(path, inner)
            return local

        return local

    def began(self, name: str) -> None:
        self.lines, self.old = {}, 0
        if not self.allowance.over:
            self.traced.append(name)
            threading.settrace(self._trace)
            sys.settrace(self._trace)

    def finished(self, name: str) -> None:
        sys.settrace(None)
        threading.settrace(None)
        column = 0 if name in self.failed else 1 if name in self.passed else None
        if column is None:
            return
        for path, lines in self.lines.items():
            counts = self.counts.setdefault(path, {})
            for line in lines:
                counts.setdefault(line, [0, 0])[column] += 1

    def around(self, name: str) -> AbstractContextManager[object]:
        """A test that never ends is ended, the sooner the more of them there were; one known to pass is waited for."""
        return alarm(KNOWN_S if name in self.known_green else max(0.4, self.hang_s / 2 ** len(self.hung)))

    def raised(self, name: str, error: BaseException) -> None:
        super().raised(name, error)
        if isinstance(error, Hung):
            for frame, _ in walk(error.__traceback__):  # it may have been ended while it was looked at
                path = self.known.get(frame.f_code.co_filename)
                if path:
                    self.live.see(path, frame)
        self.exceptions.setdefault(name, described(error))


class Live:
    """What functions handle while they run: types of variables, attributes of those types, signatures of callables."""

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str], int] = {}
        self.types: dict[str, dict[str, dict[str, list[str]]]] = {}
        self.attributes: dict[str, list[str]] = {}
        self.signatures: dict[str, dict[str, list[str]]] = {}

    def wants(self, path: str, frame: FrameType) -> bool:
        """The first calls of each function are looked into."""
        key = (path, _place(frame))
        self.calls[key] = self.calls.get(key, 0) + 1
        return self.calls[key] <= CALLS

    def see(self, path: str, frame: FrameType) -> None:
        place = _place(frame)
        seen = self.types.setdefault(path, {}).setdefault(place, {})
        for name, value in list(frame.f_locals.items())[:NAMES]:
            kind = type(value).__name__
            kinds = seen.setdefault(name, [])
            if kind not in kinds and len(kinds) < 4:
                kinds.append(kind)
            if kind not in self.attributes and len(self.attributes) < TYPES:
                self.attributes[kind] = [attr for attr in dir(type(value)) if not attr.startswith("__")][:NAMES]
                self.attributes[kind] += [attr for attr in getattr(value, "__dict__", {}) if isinstance(attr, str)][:20]
        if self.calls.get((path, place)) == 1:
            self._callables(path, frame)

    def _callables(self, path: str, frame: FrameType) -> None:
        known = self.signatures.setdefault(path, {})
        for name in frame.f_code.co_names[:NAMES]:
            function = frame.f_globals.get(name)
            if name in known or not callable(function) or type(function).__name__ == "module":
                continue
            try:
                parameters = list(inspect.signature(function).parameters.values())[:12]
            except (TypeError, ValueError):
                continue
            plain = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
            known[name] = [f"{p.name}{'' if p.default is p.empty else '='}" for p in plain]


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_name}:{frame.f_code.co_firstlineno}"


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


def trace(plan: dict[str, Any], report: Report) -> None:
    """One row with everything known about the red state."""

    def run(wanted: set[str] | None, args: list[str]) -> dict[str, Any]:
        tracer = Tracer(plan, wanted)
        found = session(plan["runner"], args, tracer)
        live = tracer.live
        found.update(counts=tracer.counts, exceptions=tracer.exceptions, traced=tracer.traced, types=live.types)
        found.update(attributes=live.attributes, signatures=live.signatures)
        return found

    first = answer(lambda: run(None, plan["args"]), plan["budget_s"])
    missed = set(first.get("failed", ())) - set(first.get("traced", ())) - set(first.get("uncollected", ()))
    if missed:
        files = sorted({str(Path(first["rootdir"]) / name.split("::")[0]) for name in missed})
        again = answer(lambda: run(missed, narrowed(plan, files)), plan["budget_s"])
        for path, counts in again.get("counts", {}).items():
            have = first["counts"].setdefault(path, {})
            for line, (failing, passing) in counts.items():
                old = have.get(line, [0, 0])
                have[line] = [old[0] + failing, old[1] + passing]
    first.pop("traced", None)
    report.write(kind="trace", python=list(sys.version_info[:2]), runner=plan["runner"], **first)
