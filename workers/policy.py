"""What a patch may not do, whoever proposed it: leave its scope, touch what is protected, or cheat the check.

A rule looks at the diff and the files alone. It names itself and quotes the line, so a person can judge it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile, zip_longest

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchedFile, PatchSet

from workers import absences
from workers.domain import Diagnosis, FailureClass
from workers.globs import matches
from workers.ports import SourceTree
from workers.repo_config import Paths, Policy

_TEST = re.compile(r"(^|/)(tests?|testing|spec|__tests__)/|(^|/)(test_[^/]*|[^/]*_test|[^/]*\.(test|spec))\.\w+$")
_CI = (
    ".github/**",
    ".gitlab-ci.yml",
    ".circleci/**",
    ".travis.yml",
    "azure-pipelines.yml",
    "Jenkinsfile",
    ".buildkite/**",
    ".drone.yml",
    ".woodpecker/**",
    ".woodpecker.yml",
    ".pre-commit-config.yaml",
)
_SETTINGS = (
    "**/conftest.py",
    "**/pytest.ini",
    "**/.pytest.ini",
    "**/tox.ini",
    "**/noxfile.py",
    "**/setup.cfg",
    "**/.coveragerc",
    "**/ruff.toml",
    "**/.ruff.toml",
    "**/mypy.ini",
    "**/.mypy.ini",
    "**/.flake8",
    "**/.isort.cfg",
    "**/.pylintrc",
    "**/Makefile",
    "**/Dockerfile",
    "**/.eslintrc*",
    "**/eslint.config.*",
    "**/jest.config.*",
    "**/vitest.config.*",
    "**/codecov.yml",
    "**/.codecov.yml",
    "**/pip.conf",
    "**/uv.toml",
    "**/.npmrc",
    "**/.yarnrc",
    "**/.yarnrc.yml",
    "**/.pypirc",
    "**/.cargo/config",
    "**/.cargo/config.toml",
    "**/pip.ini",
    "**/poetry.toml",
    "**/.condarc",
    "**/.pnpmrc",
    "**/.pnpmfile.*",
    "**/bunfig.toml",
    "**/.yarn/**",
    "**/.mvn/**",
    "**/gradle-wrapper.properties",
    "**/init.gradle*",
    "**/nuget.config",
    "**/.bundle/config",
    "**/.gemrc",
    "**/go.env",
    "**/.gitmodules",
    "**/.netrc",
    "**/.curlrc",
    "**/.wgetrc",
)
"""Where packages are asked for counts, too: another index is other code."""
_HIJACKS = (
    "**/*.pth",
    "**/sitecustomize.py",
    "**/usercustomize.py",
    ".git/**",
    "**/.git/**",
    ".githooks/**",
    ".husky/**",
)
_DEPENDENCIES = (
    "**/*requirements*.txt",
    "**/*constraints*.txt",
    "**/*requirements*.lock",
    "**/requirements/**",
    "**/*requirements*.in",
    "**/pyproject.toml",
    "**/setup.py",
    "**/setup.cfg",
    "**/Pipfile",
    "**/environment.yml",
    "**/environment.yaml",
    "**/package.json",
    "**/Cargo.toml",
    "**/go.mod",
    "**/go.work",
    "**/pom.xml",
    "**/build.gradle",
    "**/build.gradle.kts",
    "**/libs.versions.toml",
    "**/Gemfile",
    "**/composer.json",
    "**/*.csproj",
)
"""What lists the packages that a project needs."""
_GENERATED = (".venv/**", "node_modules/**", "**/__pycache__/**", "**/*.pyc", "**/.pytest_cache/**", "**/*.egg-info/**")
_TOOL_SECTION = re.compile(r"^\s*\[tool\.(pytest|ruff|mypy|coverage|black|isort|flake8|pylint|tox)\b")

# Rules on added lines, in every file.
_ADDED: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "skips a test",
        re.compile(
            r"@(?:unittest|pytest\.mark)\.(?:skip|skipIf|skipUnless|skipif|xfail|expectedFailure)\b"
            r"|\bpytest\.(?:skip|xfail|importorskip)\(|\bself\.skipTest\(|\braise\s+(?:unittest\.)?SkipTest\b"
            r"|\b(?:it|test|describe)\.(?:skip|only|todo)\(|\bt\.Skip\w*\(|#\[ignore\]"
        ),
    ),
    (
        "silences a checker",
        re.compile(
            r"#\s*(?:(?:ruff:\s*|flake8:\s*)?noqa|type:\s*ignore|mypy:\s|pyright:\s|pylint:\s*disable|nosec"
            r"|pyre-(?:ignore|fixme)|pytype:\s*disable|lint:\s*ignore|pragma:\s*no\s*(?:cover|branch)"
            r"|fmt:\s*(?:off|skip)|isort:\s*skip)"
            r"|eslint-disable|@ts-(?:ignore|nocheck|expect-error)|//\s*nolint|#\[allow\(",
            re.IGNORECASE,
        ),
    ),
    (
        "ignores an exit code",
        re.compile(r"\|\|\s*(?:true|:|exit 0)(?:\s|$|[\"'])|\bcontinue-on-error\b|\bset \+e\b"),
    ),
    (
        "looks whether it is being tested",
        re.compile(
            r"\bPYTEST_\w+|\bsys\.modules\b.*\b(?:pytest|unittest)\b"
            r"|[\"'](?:pytest|unittest|_pytest)[\"']\s+(?:not\s+)?in\s+sys\.modules"
            r"|(?:environ|getenv)\b.*[\"'](?:CI|GITHUB_\w+|PYTEST\w*|TOX\w*|HEAL\w*)[\"']"
            r"|\bprocess\.env\.(?:CI|NODE_ENV|JEST\w*)\b"
        ),
    ),
    (
        "ends the process",
        re.compile(
            r"\bos\._exit\s*\(|\bsys\.exit\s*\((?!main\(\)\)\s*$)|\bos\.abort\s*\(|\bos\.kill\s*\("
            r"|\braise\s+SystemExit\b(?!\(main\(\)\)\s*$)"
            r"|(?<![.\w])(?:quit|exit)\s*\("
        ),
    ),
    (
        "takes packages from elsewhere",
        re.compile(
            r"--(?:extra-)?index-url[ =]\S{0,300}|--find-links[ =]\S{0,300}|--trusted-host[ =]\S{0,300}"
            r"|^\s*(?:@[\w-]{1,100}:)?registry\s*=.{0,300}|^\s*(?:extra-)?index-url\s*=.{0,300}"
        ),
    ),
    (
        "compares equal to anything",
        re.compile(r"\bassertTrue\(\s*True\s*\)|^\s*assert\s+True\b|\bdef\s+__(?:eq|ne)__\s*\(.*:\s*return\s+True\b"),
    ),
    (
        "replaces parts of the test's tools",
        re.compile(r"\b(?:pytest|unittest|_pytest)(?:\.\w+)+\s*=[^=]|\b(?:time|random|builtins)\.\w+\s*=[^=]"),
    ),
)
_ASSERT = re.compile(
    r"^\s*(?:assert\b|self\.assert\w+\(|self\.fail\(|with\s+pytest\.raises\b|with\s+self\.assertRaises\w*\(|expect\()"
)
_TEST_DEF = re.compile(r"^\s*(?:async\s+)?def\s+test\w*\s*\(|^\s*class\s+Test\w*\b|^\s*(?:it|test)\(")
_MODES = re.compile(r"^(?:old mode|new mode|new file mode (?!100644)|deleted file mode 1[26]0000)\b.*$", re.MULTILINE)
_LINK = re.compile(r"^(?:new file mode|new mode|index [0-9a-f]+\.\.[0-9a-f]+) 1[26]0000$", re.MULTILINE)
_BINARY = re.compile(r"^(?:GIT binary patch|Binary files .* differ)$", re.MULTILINE)
_DOCUMENTS = (".md", ".rst", ".adoc")
"""What may speak of tricks: nothing in them is run but examples, and those have a rule of their own."""
_BLOCK = 40
"""Lines of a handler that are looked at for its `raise`."""
_NO_PATHS = Paths()


@dataclass(frozen=True)
class Violation:
    """A broken rule: its name, the file, the line (0 when it is about the file) and the quoted line."""

    rule: str
    path: str
    line: int
    quote: str


def review(
    patch: str, tree: SourceTree, diagnosis: Diagnosis, policy: Policy, paths: Paths = _NO_PATHS
) -> list[Violation]:
    """Everything in the patch that must not be there, in the order of the diff. Empty means allowed."""
    try:
        files = PatchSet(patch)
    except (UnidiffParseError, ValueError, IndexError, AttributeError) as error:
        return [Violation("is no readable diff", "", 0, str(error)[:200])]
    special = _special(patch)
    if not files and not special:
        return [Violation("changes nothing", "", 0, "")]
    found = [*special, *_size(files, policy)]
    for file in files:
        found += _file(file, tree, diagnosis, policy)
        found += [
            Violation("changes an ignored path", path, 0, glob)
            for path in _names(file)
            if (glob := matches(path, paths.ignore))
        ]
    return list(dict.fromkeys(found))


def names(patch: str) -> frozenset[str]:
    """The paths that the diff is about, as these rules read it: what they do not see they cannot judge."""
    return frozenset(_name(file) for file in PatchSet(patch))


def added_lines(patch: str) -> dict[str, frozenset[int]]:
    """The numbers of the new lines by path, counted in the file after the patch. The patch has to be git's own."""
    return {
        _name(file): frozenset(line.target_line_no or 0 for hunk in file for line in hunk if line.is_added)
        for file in PatchSet(patch)
    }


def is_test(path: str) -> bool:
    """The path looks like a test's."""
    return bool(_TEST.search(path))


def _file(file: PatchedFile, tree: SourceTree, diagnosis: Diagnosis, policy: Policy) -> Iterator[Violation]:
    for path in _names(file):
        yield from _scope(path, file, diagnosis, policy)
    path = _name(file)
    if file.is_added_file and not _may_be_new(path, diagnosis, policy):
        yield Violation("adds a file nobody asked for", path, 0, path)
    if is_test(path):
        yield from _weakened(file)
    if not path.lower().endswith(_DOCUMENTS):
        yield from _lines(file)
    if path.endswith(".py"):
        yield from _swallowed(file)
    if path.endswith(".toml"):
        yield from _sections(file, tree)


def _scope(path: str, file: PatchedFile, diagnosis: Diagnosis, policy: Policy) -> Iterator[Violation]:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or ":" in parts[0] or "\\" in path:
        yield Violation("leaves the repository", path, 0, path)
    named = diagnosis.cls in (FailureClass.FORMAT, FailureClass.LINT) and any(
        f.path == path for f in diagnosis.findings
    )
    if glob := matches(path, policy.protected_paths):
        yield Violation("changes a protected path", path, 0, glob)
    elif matches(path, _CI):
        yield Violation("changes the CI's own files", path, 0, path)
    if not policy.allow_dependency_changes and matches(path, _DEPENDENCIES):
        yield Violation("changes dependencies", path, 0, "policy.allow_dependency_changes")
    if matches(path, _HIJACKS):
        yield Violation("adds code that runs by itself", path, 0, path)
    if matches(path, _GENERATED):
        yield Violation("changes generated files", path, 0, path)
    if matches(path, _SETTINGS) and not named:
        yield Violation("changes the settings of the checks", path, 0, path)
    elif is_test(path) and not named and not policy.allow_test_edits:
        yield Violation("changes a test", path, 0, path)
    if is_test(path) and (file.is_removed_file or (file.is_rename and not is_test(_name(file)))):
        yield Violation("deletes a test", path, 0, path)


def _special(patch: str) -> list[Violation]:
    """What unidiff does not show: binary contents, links, modes."""
    rules = (("holds binary data", _BINARY), ("makes a link or submodule", _LINK), ("changes a file's mode", _MODES))
    found = []
    for part in re.split(r"(?m)^(?=diff --git )", patch):
        header = part.split("\n@@ ", 1)[0]  # a quoted line of a file is no header
        name = re.match(r"diff --git a/(.*) b/", header)
        for rule, pattern in rules:
            if match := pattern.search(header):
                found.append(Violation(rule, name[1] if name else "", 0, match[0]))
    return found


def _size(files: PatchSet, policy: Policy) -> list[Violation]:
    found = []
    if len(files) > policy.max_files:
        found.append(Violation("changes too many files", "", 0, f"{len(files)} files, {policy.max_files} allowed"))
    lines = sum(file.added + file.removed for file in files)
    if lines > policy.max_lines:
        found.append(Violation("changes too many lines", "", 0, f"{lines} lines, {policy.max_lines} allowed"))
    return found


def _lines(file: PatchedFile) -> Iterator[Violation]:
    """Rules on added lines. A line that only moved or was laid out anew was there before, so it is no trick."""
    removed = [_squeezed(line.value) for hunk in file for line in hunk if line.is_removed]
    for hunk in file:
        for line in hunk:
            if not line.is_added:
                continue
            for rule, pattern in _ADDED:
                match = pattern.search(line.value)
                if match and not any(_squeezed(match[0]) in old for old in removed):
                    yield Violation(rule, _name(file), line.target_line_no or 0, line.value.strip()[:200])


def _weakened(file: PatchedFile) -> Iterator[Violation]:
    """Fewer assertions or fewer tests than before, whatever replaced them."""
    for rule, pattern in (("removes an assertion", _ASSERT), ("deletes a test", _TEST_DEF)):
        gone = [line for hunk in file for line in hunk if line.is_removed and pattern.search(line.value)]
        new = [line for hunk in file for line in hunk if line.is_added and pattern.search(line.value)]
        if len(gone) > len(new):
            yield Violation(rule, _name(file), gone[0].source_line_no or 0, gone[0].value.strip()[:200])


def _swallowed(file: PatchedFile) -> Iterator[Violation]:
    """A broad `except`, or any that does nothing where more than an absence can be told, that the patch brings in."""
    for hunk in file:
        lines = [line for line in hunk if not line.is_removed]
        for number, (line, following) in enumerate(zip_longest(lines, lines[1:])):
            if line.is_added and (match := re.match(r"\s*except\b\s*(.*?)\s*:\s*(.*)$", line.value.rstrip("\n"))):
                broad = not match[1] or re.search(r"\b(?:Base)?Exception\b", match[1])
                body = match[2] or (following.value.strip() if following else "")
                after = [one.value for one in lines[number + 1 : number + 1 + _BLOCK]]
                idle = re.fullmatch(r"(?:pass|\.\.\.|continue)(?:\s*#.*)?", body)
                absent = absences.written([one.value for one in lines[max(0, number - 2) : number]], line.value)
                if (idle and not absent) or (broad and not _raises(line.value, after)):
                    yield Violation("swallows errors", _name(file), line.target_line_no or 0, line.value.strip()[:200])


def _raises(handler: str, after: list[str]) -> bool:
    """The handler's block ends in a `raise`, and nothing in it leaves otherwise."""
    depth = len(handler) - len(handler.lstrip())
    block = list(takewhile(lambda text: not text.strip() or len(text) - len(text.lstrip()) > depth, after))
    said = [text for text in block if text.strip()]
    if not said or any(re.match(r"\s*(?:return|continue|break)\b", text) for text in said):
        return False
    inner = re.match(r"\s*", said[0])
    return inner is not None and re.match(rf"{inner[0]}raise\b", said[-1]) is not None


def _sections(file: PatchedFile, tree: SourceTree) -> Iterator[Violation]:
    """In pyproject.toml only what lies in a checking tool's own section is a setting of the checks."""
    old = (tree.read(_plain(file.source_file)) or b"").decode(errors="replace").split("\n")
    for hunk in file:
        section = next(
            (text for text in reversed(old[: max(0, hunk.source_start - 1)]) if text.lstrip().startswith("[")), ""
        )
        for line in hunk:
            if line.value.lstrip().startswith("["):
                section = line.value
            if not line.is_context and line.value.strip() and _TOOL_SECTION.match(section):
                number = line.target_line_no or line.source_line_no or 0
                yield Violation("changes the settings of the checks", _name(file), number, line.value.strip()[:200])


def _may_be_new(path: str, diagnosis: Diagnosis, policy: Policy) -> bool:
    """A missing module or its `__init__.py` may be added; a test where tests may be edited."""
    wanted = diagnosis.cls in (FailureClass.IMPORT, FailureClass.DEPENDENCY) and path.endswith((".py", ".txt", ".toml"))
    return wanted or (is_test(path) and policy.allow_test_edits)


def _names(file: PatchedFile) -> list[str]:
    """Both names of a file that was renamed, else its one."""
    return [path for path in dict.fromkeys((_plain(file.source_file), _plain(file.target_file))) if path]


def _name(file: PatchedFile) -> str:
    return _plain(file.target_file) or _plain(file.source_file)


def _plain(path: str) -> str:
    """A path as the tree has it: without git's quotes around anything but ASCII, and without the side's letter."""
    if len(path) > 1 and path[0] == path[-1] == '"':
        shown = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
        parts = re.findall(r"\\([0-7]{3})|\\(.)|([^\\]+)", path[1:-1])
        raw = b"".join(
            bytes([int(octal, 8) & 255])
            if octal
            else bytes([shown.get(one, ord(one[0]) & 255)])
            if one
            else text.encode()
            for octal, one, text in parts
        )
        path = raw.decode("utf-8", "replace")
    return "" if path == "/dev/null" else re.sub(r"^[ab]/", "", path, count=1)


def _squeezed(text: str) -> str:
    return "".join(text.split())
