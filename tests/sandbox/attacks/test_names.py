"""File names and folders nobody expects: in the tree, made by the check, and left by set-up."""

from __future__ import annotations

import io
import tarfile
import uuid

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.environments import DockerSandbox
from sandbox.spec import Ending, Limits, Plan, Step, Tree
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
LIMITS = Limits(wall_s=60, memory=192 << 20, cpus=2.0, pids=64, workspace=32 << 20, tmp=32 << 20)
ODD = (
    "new\nline",
    "-rf",
    "*",
    "a b",
    "$(touch x)",
    "`x`",
    "tab\t",
    "q'\"",
    "\\",
    "back\\nslash",
    "\x1b[2J",
    "\udcff\udcfe",
    "é",
)
MAKE = """
import os
odd = {odd!r}
for name in odd:
    open(name, "w").close()
deep = 0
while deep < 4000:
    os.mkdir("d" * 10)
    os.chdir("d" * 10)
    deep += 1
print("made", deep)
"""


def odd_tree() -> Tree:
    """A commit with every odd name, and one 4,000 characters deep."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in (*ODD, "/".join(["d" * 99] * 40)):
            entry = tarfile.TarInfo(name)
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"odd"))
    return Tree("0" * 40, buffer.getvalue())


def test_odd_names_in_the_tree(bare: DockerEnvironment) -> None:
    """Names with newlines, escapes, options and broken UTF-8, and paths 4,000 long, arrive as they are."""
    script = "import os\nprint(sorted(os.listdir(b'.')))\nprint(sum(len(f) for _, _, f in os.walk('.')))\n"
    result = bare.run(Step("attack", script, "python {0}"), odd_tree(), limits=LIMITS)
    assert result.green, result.output.text
    names, count = result.output.text.splitlines()
    assert count == str(len(ODD) + 1)
    for name in ODD:
        assert repr(name.encode("utf-8", "surrogateescape")) in names


def test_odd_names_made_by_the_check(bare: DockerEnvironment) -> None:
    """A check that makes odd names and a folder 40,000 characters deep ends like any other, and nothing stays."""
    result = bare.run(Step("attack", MAKE.format(odd=ODD), "python {0}"), tree(), limits=LIMITS)
    assert (result.ending, result.output.text) == (Ending.PASSED, "made 4000\n")


def test_odd_names_left_by_set_up(sandbox: DockerSandbox) -> None:
    """What set-up leaves under odd names returns in the check; endless folders stop neither freezing nor removal."""
    script = MAKE.format(odd=ODD) + "os.chdir('/env')\n" + MAKE.format(odd=ODD)
    recipe = Plan("python", (Step("make", script, "python {0}"),), Step("check", "true"), trust=uuid.uuid4().hex)
    environment = sandbox.prepare(recipe, tree())
    show = Step("check", "import os; print(sorted(os.listdir(b'.')), sorted(os.listdir(b'/env')))", "python {0}")
    result = environment.run(show, tree(), limits=LIMITS)
    for name in ODD:
        assert result.output.text.count(repr(name.encode("utf-8", "surrogateescape"))) == 2, name


def test_a_commit_that_looks_like_a_repository(sandbox: DockerSandbox) -> None:
    """Its configuration is not git's when the patch is applied: no filter of its runs, the patch arrives."""
    config = '[core]\n\tbare = false\n\tworktree = .\n[filter "x"]\n\tclean = true\n\tsmudge = true\n'
    files = {"HEAD": "ref: refs/heads/main\n", "objects/x": "", "refs/x": "", "config": config,
             ".gitattributes": "*.txt filter=x\n", "a.txt": "a\n"}  # fmt: skip
    environment = sandbox.prepare(Plan("debian", (), Step("check", "true")), tree(files))
    patch = b"--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n+b\n"
    assert environment.run(Step("check", "grep b a.txt"), tree(files), patch).green
