"""Small pure-Python packages of the package index, each with one statement made wrong. Held out, as every release
has a seed of its own: nobody has seen these bugs before.

The packages are source archives, pinned by hash; they are read here, and run in the sandbox alone.
"""

from __future__ import annotations

import random
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import unified_diff
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.images.sources import Sources
from sandbox.images.wheels import download
from sandbox.languages import Wheel
from workers.bench.case import PYTEST, BenchCase
from workers.bench.identical import Identical
from workers.bench.mutate import Mutant, mutant
from workers.bench.values import luck
from workers.errors import UsageError

_SEEDS = 1_000_000
_BIGGEST, _MOST = 1 << 20, 400
_TEST_S = 10


@dataclass(frozen=True)
class Package:
    """A source archive: where its code and its tests lie, and the folder that has to be on the path."""

    name: str
    version: str
    sha256: str
    code: str
    tests: tuple[str, ...]
    path: str = "."

    @property
    def sdist(self) -> Wheel:
        """The file as the index has it."""
        return Wheel(self.name, self.version, f"{self.name}-{self.version}.tar.gz", self.sha256, "", "")


PACKAGES = (
    Package(
        "inflection", "0.5.1", "1a29730d366e996aaacffb2f1f1cb9593dc38e2ddd30c91250c6dde09ea9b417", "inflection",
        ("test_inflection.py",),
    ),
    Package(
        "cachetools", "8.0.2", "30ac523adfc118b51d2b2e7bad8a0ddb31370dfe2700c7f10ca224f36ccf81e0", "src/cachetools",
        ("tests",), "src",
    ),
    Package(
        "toolz", "1.2.0", "9667a038e9d6ecba37995e26cb2f59ec6420b6ad8dd9677de59db9b956b08490", "toolz",
        ("toolz/tests/test_itertoolz.py", "toolz/tests/test_dicttoolz.py", "toolz/tests/test_functoolz.py"),
    ),
    Package(
        "isodate", "0.7.2", "4cd1aa0f43ca76f4a6c6c0292a85f40b35ec2e43e315b59f06e6d32171a953e6", "src/isodate",
        ("tests",), "src",
    ),
    Package(
        "iniconfig", "2.3.1", "67f4b9c50da0dedf52af349e7749a80a9057a5031199791b906c3bb3ae878960", "src/iniconfig",
        ("testing",), "src",
    ),
)  # fmt: skip


def seed_of(release: str) -> int:
    """The seed of a release (`0.1.0`): the same wherever it is measured, and another one for the next, so that what was
    tuned to the bugs of one release meets others."""
    return int.from_bytes(sha256(f"mutants {release}".encode()).digest()[:8], "big") % _SEEDS


def own_seed() -> int:
    """That of the release which is installed here."""
    return seed_of(version("heal-bot"))


@dataclass(frozen=True)
class Mutants:
    """`workers.bench.case.Suite`: `count` mutants, as many of each package. `state` is where archives are kept.

    A mutant that no test kills ends as NOT_REPRODUCED, and counts for nothing.
    """

    state: Path
    count: int = 30
    seed: int = field(default_factory=own_seed)
    sources: Sources = field(default_factory=Sources)
    packages: tuple[Package, ...] = PACKAGES
    name: str = "mutants"
    in_sample: bool = False

    @property
    def options(self) -> Mapping[str, str]:
        """The number and the seed, and which packages they are drawn from."""
        drawn = ", ".join(f"{package.name} {package.version}" for package in self.packages)
        return {"count": str(self.count), "seed": str(self.seed), "packages": drawn}

    def cases(self) -> Iterator[BenchCase]:
        """Mutants of each package in turn. Raises `UsageError` when an archive cannot be had."""
        read = cache(lambda package: _files(self._archive(package)))
        known: set[tuple[str, bytes]] = set()
        rng = luck(self.seed)
        for at in range(self.count):
            package = self.packages[at % len(self.packages)]
            made = _drawn(package, read(package), rng, known)
            if made is not None:
                yield _case(package, read(package), made, at // len(self.packages) + 1)

    def _archive(self, package: Package) -> Path:
        try:
            return download(package.sdist, self.state, self.sources, lambda _: None)
        except SandboxError as error:
            raise UsageError(f"{error}; heal bench mutants needs the package index") from error


def _drawn(
    package: Package, files: Mapping[str, bytes], rng: random.Random, known: set[tuple[str, bytes]]
) -> Mutant | None:
    """A mutant that was not drawn before; larger files get more of them."""
    code = [path for path in files if path.startswith(f"{package.code}/") and _is_code(path, package)]
    for _ in range(20):
        path = rng.choices(code, [len(files[path]) for path in code])[0]
        made = mutant(path, files[path], rng)
        if made is not None and (path, made.data) not in known:
            known.add((path, made.data))
            return made
    return None


def _is_code(path: str, package: Package) -> bool:
    return path.endswith(".py") and not any(path.startswith(tests) for tests in package.tests) and "/tests/" not in path


def _case(package: Package, files: Mapping[str, bytes], made: Mutant, number: int) -> BenchCase:
    tests = " ".join(package.tests)
    path = f"PYTHONPATH={package.path} " if package.path != "." else ""
    return BenchCase(
        f"{package.name}/{number}",
        {**files, made.path: made.data},
        f"{path}python -m pytest -q --timeout={_TEST_S} {tests}",
        image="python",
        setup=PYTEST,
        group=package.name,
        gold=_restoring(made, files[made.path]),
        expect={"kind": made.kind, "place": f"{made.path}:{made.line}"},
        judge=Identical({made.path: files[made.path]}),
    )


def _restoring(made: Mutant, right: bytes) -> str:
    """The patch that takes the mutation back."""
    wrong, whole = (data.decode(errors="surrogateescape").splitlines(keepends=True) for data in (made.data, right))
    return "".join(unified_diff(wrong, whole, f"a/{made.path}", f"b/{made.path}"))


def _files(archive: Path) -> dict[str, bytes]:
    """The files of the archive below its one folder, read in memory. Raises `UsageError` for another file."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.partition("/")[2]
                content = tar.extractfile(member) if name and member.isreg() and member.size < _BIGGEST else None
                if content is not None and len(found) < _MOST:
                    found[name] = content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UsageError(f"{archive} is no source archive: {error}") from error
    return found
