"""The faults Heal has to stand: what each is, what is expected then, and which tests show it.

A test names the faults it is a proof of with `@pytest.mark.fault(...)`; `tests/FAULTS.md` is written from the marks,
which are read without importing a test: `python -m tests.faults --write`.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE / "FAULTS.md"
_NOT_OURS = ("repos",)
"""Folders of sample repositories: their tests are data."""


@dataclass(frozen=True)
class Fault:
    """One row: what comes in or breaks, and what Heal does then."""

    group: str
    fault: str
    expected: str


@dataclass(frozen=True)
class Proof:
    """A test function, and the first sentence of its promise."""

    path: str
    name: str
    promise: str

    @property
    def id(self) -> str:
        return f"{self.path}::{self.name}"


def _rows(group: str, *pairs: tuple[str, str]) -> list[Fault]:
    return [Fault(group, fault, expected) for fault, expected in pairs]


FAULTS: Mapping[int, Fault] = dict(
    enumerate(
        [
            *_rows(
                "webhook",
                ("no signature, an empty, short, SHA-1 or upper-case one", "401, nothing stored, counted"),
                ("a signature that is not ASCII", "401, never a server error"),
                ("a body with one byte changed, or the same JSON written anew", "401"),
                ("a delivery again, same id and body", "told to be a duplicate; still one run"),
                ("a delivery id again with another body", "the first is kept, the second counted apart"),
                (
                    "26 MB, a size that lies, chunks without an end",
                    "413 or cut off at 25 MB; memory does not grow with it",
                ),
                ("500 bodies and 500 heads that stall", "408 after 5 s; the others are answered meanwhile"),
                (
                    "the old secret while it is changed, and afterwards",
                    "taken while it is set, refused once it is not",
                ),
                ("1,000 bad signatures a second", "refused cheaply; good deliveries are answered meanwhile"),
                ("other methods, paths and media types", "405, 404, 415"),
            ),
            *_rows(
                "payload",
                (
                    "no JSON, no UTF-8, endless depth, a million keys",
                    "accepted, since it was signed; its row says what is wrong; nothing is tried for ever",
                ),
                ("fields that are missing or null, unknown events and actions", "ignored with the reason"),
                (
                    "ids as text, negative or too large; names with NUL, direction marks, emoji",
                    "validated or ignored; shown escaped",
                ),
                (
                    "a repository that was renamed, moved, archived, deleted before or in the run; its name taken",
                    "found by its id, or ended with the reason; whoever has the name gets nothing",
                ),
                (
                    "the App suspended or uninstalled in the middle",
                    "runs and errands end; GitHub is told and asked nothing more, tokens are ended",
                ),
                ("a pull request from a fork", "no secret, no push; runs only as far as the repository allows"),
                ("news of our own push, comment or check", "ignored; never a heal of our own branch by itself"),
                ("events late and out of order; a commit that is no head any more", "superseded, no pull request"),
                ("a hundred red jobs of one matrix", "one run"),
            ),
            *_rows(
                "git",
                ("branch names with spaces, quotes, leading dashes, 244 characters", "data, and the right result"),
                ("links out of the tree, `.git/` paths, traversal in a patch", "refused by a named gate"),
                (
                    "submodules, hooks, fsmonitor, filters, LFS of a hostile checkout",
                    "nothing runs, nothing outside is read",
                ),
                ("a repository that unfolds too far", "ended in bounded time, in words"),
                ("a red commit that is gone", "told as gone"),
                (
                    "CRLF, no last line end, binary files, renames, modes in a patch",
                    "applied to the byte, or refused",
                ),
                ("a push or a new base while the run works", "superseded, or made anew and proven again"),
            ),
            *_rows(
                "repository",
                (
                    "orders in logs, names, files, commits, titles, settings",
                    "data: no secret, no protected path, no new capability",
                ),
                (
                    "tests that forge the report or the verdict",
                    "the verdict is the exit code of a clean container, seen red again without the patch",
                ),
                ("a patch that weakens a test or silences a check", "refused by a named rule"),
                ("secrets in logs and files", "gone from logs, prompts, pull requests and events"),
                (
                    "a heal.yml that is invalid, huge, full of aliases or double keys",
                    "a message with its line; the repository is observed",
                ),
            ),
            *_rows(
                "sandbox",
                ("a fork bomb", "held by the limit on processes"),
                ("memory to the limit and beyond", "told as out of memory, not as a failed test"),
                ("a full disk, gigabytes of output, a million files", "limits of their own, and a visible cut"),
                (
                    "endless sleep, ignored signals, daemons",
                    "ended at the limit, nothing goes on",
                ),
                ("the internet, metadata services, DNS, our own servers", "not reachable from a check"),
                ("the engine's socket, mounts, ptrace, keyrings", "not reachable"),
                (
                    "an engine that restarts, images that cannot be had",
                    "told as infrastructure and tried again; no model is paid",
                ),
                (
                    "containers of a worker that was killed",
                    "removed within 60 s, elsewhere by their deadline",
                ),
            ),
            *_rows(
                "model",
                ("time out, 500, 429 with and without a wish, a cut stream", "bounded tries, then the run waits"),
                ("empty, garbled, cut off, refused answers", "a failed attempt, then the next idea"),
                ("a patch for a file or lines that are not there, 500 kB", "refused before any container"),
                ("orders, addresses, secrets, HTML in an answer", "data: never run, fetched or rendered"),
                ("a key that was revoked, no credit", "not asked for an hour, and said so"),
                ("an unknown price, a budget that runs out", "called unknown; stopped before the call"),
            ),
            *_rows(
                "GitHub",
                ("a token that ends in the middle", "a new one, once"),
                ("primary and secondary limits", "the run waits; others go on"),
                (
                    "404, 410, 422: it exists, it is gone, it is too long",
                    "found, updated or cut; never a second pull request",
                ),
                ("server errors for ten minutes", "the run waits and goes on, nothing twice"),
                ("a log that is gone, late, broken or a bomb", "bounded, told, done without"),
                ("protected branches, required signatures, rules", "refused with the rule's name"),
                ("people close, merge or push meanwhile", "the run ends, their branch is left alone"),
                ("the answer to a write is lost", "found and adopted"),
            ),
            *_rows(
                "queue",
                ("SIGKILL to child, worker, dispatcher, receiver at any point", "every run ends, effects once"),
                ("FLUSHALL, Redis away for ten minutes, Redis out of memory", "nothing lost; goes on by itself"),
                ("Redis frozen or half open", "the receiver does not notice; the worker consumes again"),
                ("fifty bells at once", "one driver"),
                ("a worker that slept past its lease", "fenced out: no write, no second pull request"),
                ("a run that kills its worker", "three claims, then buried and told"),
                (
                    "a clock that jumps",
                    "leases use the database's clock; where that one jumps, no run waits for longer than a lease",
                ),
                ("two releases side by side, an unknown stage", "left for the other release, not failed"),
            ),
            *_rows(
                "database",
                ("away when a delivery comes, in a stage, at publishing", "503; tried again; the effect is adopted"),
                ("locked for seconds, deadlock, serialization failure", "tried again, bounded"),
                (
                    "a migration cut off; a program older or newer than the schema",
                    "can be run again; refuses to start with the command to run",
                ),
                ("an hour-old backup", "no second pull request; missed deliveries are asked for"),
                ("a damaged SQLite file", "refuses to start and says what to restore"),
            ),
            *_rows(
                "disk",
                ("full: database, logs, sandbox", "503, wait, or infrastructure; recovers by itself"),
                ("a stored file missing or changed", "told as such, never given out"),
            ),
            *_rows(
                "pages",
                (
                    "markup in logs, diffs, names; forged forms, sessions, redirects",
                    "escaped, refused, same site only",
                ),
                ("another tenant's ids", "404"),
                ("live streams that are left, many at once, an id of the future", "no leak, a cap, the whole told"),
            ),
            *_rows(
                "command",
                (
                    "quoted, in code, edited, by a bot, by a reader, fifty a minute",
                    "ignored, refused in words, or over the limit",
                ),
            ),
            *_rows(
                "config",
                ("the organisation forbids what the repository asks for", "the stricter one, and who decided"),
            ),
            *_rows(
                "deployment",
                (
                    "SIGTERM in a stage; an upgrade with runs at work",
                    "leases given back, nothing lost, runs go on",
                ),
                (
                    "secrets that are missing, short, or files that others may read; a wrong App; a clock that is off",
                    "refuses to start, or the doctor says it: a line for each, with its repair",
                ),
            ),
        ],
        start=1,
    )
)

OPEN: Mapping[int, str] = {}
"""Rows of which something is not shown yet, and what. The aim is to have none."""


@cache
def proofs(root: Path = HERE) -> Mapping[int, Sequence[Proof]]:
    """The marked tests by row, in order of their files."""
    found: dict[int, list[Proof]] = defaultdict(list)
    for path in sorted(root.rglob("test_*.py")):
        relative = path.relative_to(root)
        if relative.parts[0] in _NOT_OURS:
            continue
        for proof, rows in _marked(ast.parse(path.read_bytes()), relative.as_posix()):
            for row in rows:
                found[row].append(proof)
    return found


def _marked(module: ast.Module, path: str) -> Iterator[tuple[Proof, list[int]]]:
    """By a test's own marks, and by `pytestmark` of its whole file."""
    whole = [
        row
        for node in module.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        for mark in (node.value.elts if isinstance(node.value, ast.List) else [node.value])
        for row in _numbers(mark)
    ]
    for node in module.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test_"):
            continue
        rows = [*whole, *(row for decorator in node.decorator_list for row in _numbers(decorator))]
        if rows:
            promise = (ast.get_docstring(node) or "").partition("\n\n")[0]
            yield Proof(path, node.name, " ".join(promise.split())), rows


def _numbers(decorator: ast.expr) -> list[int]:
    """The rows of a `pytest.mark.fault(...)`."""
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "pytest.mark.fault":
        return []
    return [ast.literal_eval(argument) for argument in decorator.args]


def table(found: Mapping[int, Sequence[Proof]]) -> str:
    """`tests/FAULTS.md`."""
    tests = len({proof.id for shown in found.values() for proof in shown})
    lines = [
        "# Faults, and the tests that show what happens then",
        "",
        "Written by `python -m tests.faults --write` from the marks of the tests. Paths are below `tests/`.",
        "",
        f"{len(FAULTS) - len(OPEN)} of {len(FAULTS)} faults are wholly shown. {tests} tests show one or more.",
        "",
        "| # | where | fault | expected | shown by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for number, fault in FAULTS.items():
        shown = "<br>".join(f"`{proof.id}`" for proof in found.get(number, ()))
        if number in OPEN:
            shown = f"{shown}<br>" * bool(shown) + f"not shown yet: {OPEN[number]}"
        lines.append(f"| {number} | {fault.group} | {fault.fault} | {fault.expected} | {shown} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Exit code 1 when the table is not what the tests say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write tests/FAULTS.md instead of comparing it")
    now = table(proofs())
    if parser.parse_args().write:
        TABLE.write_text(now, encoding="utf-8")
        return 0
    return int(TABLE.read_text(encoding="utf-8") != now)


if __name__ == "__main__":
    sys.exit(main())
