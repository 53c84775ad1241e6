"""A test written by a model: what it is shown of a report and the repository, and how its answer is read.

The report is a stranger's text: cleaned, cut, and fenced by a nonce that depends on the report itself, so that nobody
could have written it into the report.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from workers import prompts
from workers.domain import IssueReport
from workers.fixers.context import cleaned, one_line, shown
from workers.globs import matches
from workers.llm.budgets import Purpose
from workers.llm.client import Client, Message
from workers.llm.talk import Budget, Talk
from workers.patch.envelope import blocks, variants
from workers.ports import Once, SourceTree
from workers.repo_config import RepoConfig
from workers.witness import place
from workers.witness.judge import Seen
from workers.witness.names import Names
from workers.witness.runner import Runner

_FILES, _TESTS, _REPORT, _OUTPUT, _PATHS = 24_000, 4_000, 12_000, 3_000, 120
_QUESTION = re.compile(r"^[ \t>*]{0,4}QUESTION:[ \t]*(\S[^\n]{4,600})$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w{2,60}")
_PATH = re.compile(r"[\w./-]{1,200}\.py\b")


@dataclass(frozen=True)
class Tester:
    """Who is asked, and what for at most."""

    __test__ = False  # no test class

    client: Client
    budget: Budget = field(default_factory=Budget)

    def talk(self, once: Once, config: RepoConfig) -> Talk:
        """The conversation of a run."""
        return Talk(self.client, self.budget, once, config.limits.usd_per_run, purpose=Purpose.TESTER)


@dataclass(frozen=True)
class Asked:
    """What a test is asked for: the report, the files it is about, the path and the runner of the test."""

    report: IssueReport
    tree: SourceTree
    names: Names
    path: str
    runner: Runner
    config: RepoConfig
    hint: str = ""

    @property
    def nonce(self) -> str:
        """The fence: no text of the report can hold the hash of itself."""
        seed = repr((self.tree.sha, self.report.title, self.report.texts, self.hint))
        return "DATA-" + hashlib.sha256(seed.encode(errors="replace")).hexdigest()[:16]

    def opening(self, level: float) -> list[Message]:
        """The first two turns, with a share of the full budgets."""
        fence, report = self.nonce, self.report
        paths, about = self._shown(self.tree.paths()), self._shown(about_files(report, self.names))
        share = int(_REPORT * level)
        task = prompts.render(
            "tester_task",
            nonce=fence,
            shown_paths=[one_line(path, fence, 200) for path in paths[:_PATHS]],
            path_count=len(paths),
            files=shown(self.tree, about, fence, int(_FILES * level)),
            tests=shown(self.tree, self._examples(about), fence, int(_TESTS * level)),
            title=one_line(report.title, fence, 250),
            body=cleaned(report.body, fence, share),
            comments=[
                {"author": one_line(one.author, fence, 60), "body": cleaned(one.body, fence, share // 4)}
                for one in report.comments[-6:]
            ],
            hint=cleaned(self.hint, fence, 1_000),
            path=one_line(self.path, fence, 200),
        )
        instructions = cleaned(self.config.instructions, fence, 2_000)
        system = prompts.render("tester_system", nonce=fence, runner=self.runner.value, instructions=instructions)
        return [Message("system", system), Message("user", task)]

    def feedback(self, seen: Seen) -> Message:
        """What was wrong with the last answer."""
        fence = self.nonce
        output = cleaned(seen.output, fence, _OUTPUT)
        return Message(
            "user", prompts.render("tester_feedback", nonce=fence, why=cleaned(seen.why, fence, 1_000), output=output)
        )

    def _shown(self, paths: Sequence[str]) -> list[str]:
        """Those that a model may see."""
        return [path for path in paths if not matches(path, self.config.paths.ignore)]

    def _examples(self, about: Sequence[str]) -> list[str]:
        """The tests of the files it is about, else the first of the repository."""
        known = self._shown(place.tests(self.tree))
        modules = frozenset(dotted for dotted, path in self.names.modules.items() if path in about)
        related = [path for path in known[:200] if modules & place.imports(self.tree.read(path) or b"")]
        return (related or known)[:2]


def about_files(report: IssueReport, names: Names) -> list[str]:
    """The repository's files that a report names, by their paths or by what they define, most named first."""
    text = "\n".join((report.title, *report.texts))
    counts: dict[str, int] = {}
    for path in _PATH.findall(text):
        for known in names.modules.values():
            if known.endswith(path.lstrip("./")) or path.endswith(known):
                counts[known] = counts.get(known, 0) + 3
    for word in dict.fromkeys(_WORD.findall(text)):
        for dotted in names.definitions.get(word, ())[:3]:
            counts[names.modules[dotted]] = counts.get(names.modules[dotted], 0) + 1
    return sorted(counts, key=lambda path: (-counts[path], path))


def read(answer: str) -> tuple[str, str]:
    """The test file in an answer, or else the one question it asks; both empty where there is neither."""
    for reading in variants(answer):
        found = [block.text for block in blocks(reading) if "def test" in block.text]
        if found:
            return max(found, key=len).strip("\n") + "\n", ""
        asked = _QUESTION.search(reading)
        head, mark, _ = asked[1].partition("?") if asked else ("", "", "")
        if mark:
            return "", f"{head.strip(' *')}?"
    return "", ""
