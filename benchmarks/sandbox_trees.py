"""How a commit's files get into a container, by their size: streamed, as an overlay on a prepared tree, by put_archive.

The overlay is measured for small trees too, which are streamed otherwise: its curve has to be flat.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import statistics
import tarfile
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from benchmarks.event import opened
from benchmarks.results import keep
from sandbox import policy, trees
from sandbox.archives import FileArchive
from sandbox.checks import DockerEnvironment
from sandbox.environments import DockerSandbox
from sandbox.prepared import Ground
from sandbox.protocol import caps, marks, message
from sandbox.spec import Limits, Plan, Step, Tree
from workers.bench.machine import describe

ROUNDS = 15
BAR_S = 0.5
BIG = (50, 2_000)
SIZES = ((1, 40), (10, 1_000), BIG, (100, 10_000), (250, 25_000), (500, 50_000))
"""Mebibytes and files. Up to the third a tree is streamed."""
_NOTHING = Step("nothing", "true")
_LIMITS = Limits(wall_s=300)
_PAUSE_S = 0.4  # what was destroyed in the background must not run into the next figure


@dataclass
class Figures:
    """Seconds by size of the tree: `prepare` once, the others for each container."""

    into: list[float] = field(default_factory=list)
    put: list[float] = field(default_factory=list)
    prepare: dict[tuple[int, int], float] = field(default_factory=dict)
    overlay: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    waiting: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    streamed: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    grown: int = 0
    """How many bytes the memory of this process grew over all of it."""


def measure(rounds: int = ROUNDS) -> Figures:
    """Every size in turn in every round, so that all see the same machine."""
    figures = Figures()
    held = {size: made(*size) for size in SIZES}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with opened() as sandbox:
        environment = sandbox.prepare(Plan("debian", (), _NOTHING), held[SIZES[0]])
        with overlays():
            for size, tree in held.items():
                figures.prepare[size] = _prepare(environment, tree)
        for count in range(rounds + 1):
            one = _round(sandbox, environment, held)
            if count:
                _add(figures, one)
    figures.grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    return figures


def made(mebibytes: int, files: int) -> Tree:
    """A tree of files that do not compress, a hundred or so in a folder, in a file of its own."""
    size, data = (mebibytes << 20) // files, os.urandom((mebibytes << 20) // files)
    with tempfile.TemporaryDirectory(prefix="heal-bench-") as folder:
        path = Path(folder) / "tar"
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
            for number in range(files):
                entry = tarfile.TarInfo(f"src/part{number // 100}/module{number}.txt")
                entry.size = size
                archive.addfile(entry, io.BytesIO(data))
        return Tree(uuid.uuid4().hex, FileArchive(path))


@contextmanager
def overlays() -> Iterator[None]:
    """Whatever its size, a tree is placed as an overlay."""
    with patch.object(trees, "STREAMED_FILES", -1):
        yield


def _prepare(environment: DockerEnvironment, tree: Tree) -> float:
    """What the first container with this tree takes longer than the second."""
    first, second = _cold(environment, tree), _cold(environment, tree)
    return first - second


def _round(sandbox: DockerSandbox, environment: DockerEnvironment, held: dict[tuple[int, int], Tree]) -> Figures:
    one = Figures([_into(sandbox, environment, held[BIG])], [_put(sandbox, environment, held[BIG])])
    for size, tree in held.items():
        if not trees.is_big(tree, Ground("", "", "")):
            one.streamed[size] = [_cold(environment, tree)]
        with overlays():
            one.overlay[size] = [_cold(environment, tree)]
            one.waiting[size] = [_waiting(environment, tree)]
    return one


def _add(figures: Figures, one: Figures) -> None:
    figures.into += one.into
    figures.put += one.put
    for all_of, more in ((figures.overlay, one.overlay), (figures.waiting, one.waiting),
                         (figures.streamed, one.streamed)):  # fmt: skip
        for size, seconds in more.items():
            all_of.setdefault(size, []).extend(seconds)


def _cold(environment: DockerEnvironment, tree: Tree) -> float:
    """From nothing to the verdict of a command that does nothing."""
    began = time.perf_counter()
    result = environment.run(_NOTHING, tree, None, _LIMITS)
    seconds = time.perf_counter() - began
    _must(result.green, result.output.text)
    time.sleep(_PAUSE_S)
    return seconds


def _waiting(environment: DockerEnvironment, tree: Tree) -> float:
    """The same in a container that waits with the tree in it."""
    environment.warm(tree, 1, _LIMITS)
    time.sleep(3 * _PAUSE_S)
    return _cold(environment, tree)


def _into(sandbox: DockerSandbox, environment: DockerEnvironment, tree: Tree) -> float:
    """The stream into a container that waits for it, until it waits for its command."""
    labels = policy.Labels(sandbox.owner, "bench", "check", "bench", time.time() + 600)
    settings = policy.check_container(environment.image, "", policy.check_environment(), _LIMITS, labels)
    life = sandbox.engine.begin({**settings, "mounts": []}, caps(_LIMITS), marks("bench"))
    try:
        time.sleep(_PAUSE_S)
        began = time.perf_counter()
        life.feed(trees.streamed(tree).feed)
        _must(life.ready(60), "the tree did not arrive")
        seconds = time.perf_counter() - began
        life.feed(message("END", b""))
    finally:
        life.remove()
    return seconds


def _put(sandbox: DockerSandbox, environment: DockerEnvironment, tree: Tree) -> float:
    """The engine's own way: the archive is unpacked into the container's root layer, so on its disk."""
    labels = policy.Labels(sandbox.owner, "bench", "check", "bench", time.time() + 600)
    settings = policy.check_container(environment.image, "", {}, _LIMITS, labels)
    client = sandbox.engine.client()
    container = client.containers.create(**{**settings, "mounts": [], "read_only": False})
    try:
        began = time.perf_counter()
        _must(container.put_archive("/opt", tree.archive[:]), "the engine refused the archive")
        return time.perf_counter() - began
    finally:
        sandbox.engine.remove_container(str(container.id))


def _must(held: bool, said: str) -> None:
    if not held:
        raise SystemExit(f"this measures something else than it says: {said[-800:]}")


def table(figures: Figures) -> str:
    """The figures as Markdown."""
    into, put = statistics.median(figures.into), statistics.median(figures.put)
    word = "holds" if into <= BAR_S else "**does not hold**"
    lines = [
        f"{BIG[0]} MB in {BIG[1]:,} files into a waiting container, {len(figures.into)} rounds: {into:.3f} s streamed, "
        f"{put:.3f} s by put_archive; the bar of {BAR_S} s {word}.",
        "",
        "| tree | prepared once | cold container, overlay | the same, streamed | waiting container, overlay |",
        "| --- | --- | --- | --- | --- |",
    ]
    for size in figures.overlay:
        cells = (f"{size[0]} MB, {size[1]:,} files", f"{figures.prepare[size]:.2f} s", _ms(figures.overlay[size]),
                 _ms(figures.streamed.get(size, [])), _ms(figures.waiting[size]))  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    small, large = (statistics.median(figures.overlay[size]) for size in (SIZES[0], SIZES[-1]))
    told = f"From the smallest to the largest a cold check by overlay takes {(large - small) * 1000:+.0f} ms; "
    return "\n".join([*lines, "", f"{told}the worker's memory grew by {figures.grown / 2**20:.0f} MiB at most."])


def _ms(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms ({min(seconds) * 1000:.0f})" if seconds else "-"


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox_trees", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    machine = describe()
    text = table(measure(parser.parse_args().rounds))
    print(text)
    keep("Sandbox: trees", f"On {machine}.\n\n{text}")


if __name__ == "__main__":
    main()
