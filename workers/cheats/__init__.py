"""What a patch does to the files, seen as before and after: tricks that the text of a diff can hide.

`workers.policy` reads lines; here syntax trees, tables and names are compared, so another spelling is the same trick.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from sandbox.spec import Plan
from workers import absences
from workers.cheats import code, copied, kept, languages, lookups, manifests, proofs
from workers.domain import Diagnosis, FailureClass
from workers.policy import Violation, is_test
from workers.ports import SourceTree
from workers.syntax import parsed

_BY_ITSELF = re.compile(
    r"(^|/)(sitecustomize|usercustomize|conftest|heal_report|heal_unittest)\.py$|\.pth$", re.IGNORECASE
)
_SETTINGS = re.compile(
    r"(^|/)(\.?pytest\.(ini|toml)|tox\.(ini|toml)|setup\.cfg|conftest\.py|noxfile\.py|tasks\.py|dodo\.py|fabfile\.py"
    r"|justfile|taskfile\.ya?ml|gnumakefile|makefile|dockerfile|docker-compose\S*\.ya?ml|compose\.ya?ml|\.gitattributes"
    r"|\.gitmodules|\.envrc?|\.python-version|\.tool-versions|runtime\.txt|\.coveragerc|pyrightconfig\.json"
    r"|\.?bandit\.?\w*|\.rspec|phpunit\.xml\S*|karma\.conf\.\w+|\.mocharc\.\w+|\.nycrc\S*|\.npmrc|pip\.conf|\.testr\.conf"
    r"|cargo\.lock|\S+\.mk|\.golangci\.\w+|\.prettierrc\S*|\.\w+ignore|biome\.jsonc?|\.?oxlintrc\.json|tslint\.json"
    r"|\.stylelint\S*|\.rubocop\S*|\.?clippy\.toml|\.?rustfmt\.toml|rust-toolchain\S*|\.nvmrc|\.node-version|deno\.jsonc?"
    r"|checkstyle\S*\.xml|spotbugs\S*\.xml|sonar-project\.properties|(playwright|cypress|babel|ava)\.config\.\w+"
    r"|\.babelrc\S*|\.swcrc|\.yamllint\S*|\.markdownlint\S*|\.editorconfig|\.shellcheckrc|phpstan\S*\.neon\S*)$",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"\.(sh|bash|zsh|bat|cmd|ps1|mk)$|(^|/)[^./]+$")
_TOOLS = frozenset(
    {"pytest", "_pytest", "pluggy", "xdist", "hypothesis", "mock", "nose", "coverage", "heal_report", "heal_unittest"}
)
_MAY_NEED = frozenset(
    {FailureClass.IMPORT, FailureClass.DEPENDENCY, FailureClass.RESOLUTION, FailureClass.BUILD, FailureClass.WORKFLOW}
)
"""Failures that a new package can be the cure of."""
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069]")


def review(
    edits: Mapping[str, bytes | None], tree: SourceTree, diagnosis: Diagnosis, plan: Plan, *, allow_test_edits: bool
) -> list[Violation]:
    """Every trick in the changed files (None: deleted). Empty means none was seen."""
    found: list[Violation] = []
    literals, answers = copied.of_tests(tree, diagnosis), copied.of_texts(tree, diagnosis)
    gone, own = _lost(edits, tree), _own(edits, tree)
    lost = sum(gone.values(), Counter[str]())
    for path, after in edits.items():
        before = tree.read(path)
        named = diagnosis.cls in (FailureClass.FORMAT, FailureClass.LINT) and path in {
            f.path for f in diagnosis.findings
        }
        found += _place(path, before, after, diagnosis, plan, named=named)
        if after is None:
            found.append(Violation("deletes a file", path, 0, path))
            continue
        found += _bytes(path, before or b"", after, named=named)
        found += manifests.review(path, before, after)
        found += _text(path, before or b"", after, edits_tests=allow_test_edits or named)
        if diagnosis.cls not in _MAY_NEED:
            found += manifests.added(path, before, after)
        if path.endswith((".py", ".pyi")):
            edits_tests = allow_test_edits or diagnosis.cls is not FailureClass.FORMAT
            moved = lost - gone.get(path, Counter())
            found += _python(path, before or b"", after, literals, moved, own, edits_tests=edits_tests)
        elif languages.kind_of(path) and not is_test(path):
            found += copied.of_lines(path, _decoded(before or b""), _decoded(after), answers)
    found += _shadows(edits, tree)
    return list(dict.fromkeys(found))


def _place(
    path: str, before: bytes | None, after: bytes | None, diagnosis: Diagnosis, plan: Plan, *, named: bool
) -> Iterator[Violation]:
    """Names that decide by themselves what is run, and odd ones."""
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in path):
        yield Violation("has a name that cannot be shown", ascii(path), 0, ascii(path))
    if _BY_ITSELF.search(path) and not named:
        yield Violation("adds code that runs by itself", path, 0, path)
    elif _SETTINGS.search(path) and not named:
        yield Violation("changes the settings of the checks", path, 0, path)
    if _SCRIPT.search(path) and not named and any(_runs(step.script, path) for step in (*plan.setup, plan.check)):
        yield Violation("changes the check itself", path, 0, path)
    if before is None and after is not None and is_test(path) and diagnosis.cls is FailureClass.FORMAT:
        yield Violation("adds a file nobody asked for", path, 0, path)


def _runs(script: str, path: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(PurePosixPath(path).name)}(?![\w.-])", script) is not None


def _bytes(path: str, before: bytes, after: bytes, *, named: bool) -> Iterator[Violation]:
    if before and not named and (b"\r\n" in before) != (b"\r\n" in after) and len(before.splitlines()) > 1:
        yield Violation("changes line ends", path, 0, path)
    new, old = (_HIDDEN.findall(data.decode("utf-8", "replace")) for data in (after, before))
    if len(new) > len(old):
        yield Violation("hides characters", path, 0, ascii(new[-1]))
    if before and not after.strip() and before.strip():
        yield Violation("deletes a file", path, 0, path)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _text(path: str, before: bytes, after: bytes, *, edits_tests: bool) -> Iterator[Violation]:
    """What is read as text, because it is no Python or because any file may hold it."""
    old, new = _decoded(before), _decoded(after)
    yield from languages.review(path, old, new)
    yield from proofs.review(path, old, new)
    if not edits_tests and not is_test(path) and proofs.tests_of(path, old) != proofs.tests_of(path, new):
        yield Violation("changes a test", path, 0, "tests written into the source file")


def _lost(edits: Mapping[str, bytes | None], tree: SourceTree) -> dict[str, Counter[str]]:
    """The calls to the network that each file of the patch loses: they may have moved to another."""
    lost: dict[str, Counter[str]] = {}
    for path, after in edits.items():
        if path.endswith(".py") and not is_test(path):
            old, new = parsed(tree.read(path) or b""), parsed(after or b"")
            if old is not None and new is not None:
                lost[path] = code.calls_out(old) - code.calls_out(new)
    return lost


def _own(edits: Mapping[str, bytes | None], tree: SourceTree) -> frozenset[str]:
    """The operations that code of the project has under the same name as Python; looked for where they matter."""
    if not any(
        absences.passes(after or b"") > absences.passes(tree.read(path) or b"") for path, after in edits.items()
    ):
        return frozenset()
    ours = (edits.get(path) or tree.read(path) or b"" for path in {*tree.paths(), *edits} if path.endswith(".py"))
    return absences.defined(ours)


def _python(
    path: str,
    before: bytes,
    after: bytes,
    literals: frozenset[str],
    moved: Counter[str],
    own: frozenset[str],
    *,
    edits_tests: bool,
) -> Iterator[Violation]:
    old, new = parsed(before), parsed(after)
    if new is None:
        if old is not None:
            yield Violation("is no Python any more", path, 0, path)
        return
    test = is_test(path)
    if old is None:  # what was no Python has nothing to be compared with: only the text's rules apply
        return
    yield from code.review(path, old, new, moved, own, test=test)
    if test:
        yield from kept.review(path, old, new)
        if not edits_tests and not kept.same(old, new):
            yield Violation("changes a test", path, 0, "a formatter does not change what a test means")
    else:
        yield from copied.review(path, old, new, literals)
        yield from lookups.review(path, old, new, literals)


def _shadows(edits: Mapping[str, bytes | None], tree: SourceTree) -> Iterator[Violation]:
    """A new module that stands in the way of one of Python's, of the test's tools, or of a declared dependency."""
    new = [path for path, after in edits.items() if after is not None and tree.read(path) is None]
    declared = manifests.declared(tree) if new else frozenset()
    for path in new:
        parts = PurePosixPath(path.removeprefix("src/").removeprefix("lib/")).parts
        module = parts[0].removesuffix(".py")
        known = any(name.startswith((f"{module}/", f"src/{module}/", f"lib/{module}/")) for name in tree.paths())
        if not path.endswith((".py", ".pyi")) or (len(parts) > 1 and known):
            continue
        if module in sys.stdlib_module_names or module in _TOOLS or module.lower().replace("_", "-") in declared:
            yield Violation("stands in the way of another module", path, 0, path)
