"""The seams of the worker: what stages and fixers may ask of the world. Each has two implementations today.

Files       a source tree; one with a patch applied
SourceTree  bare mirror of a clone; tests' in-memory tree
Lineage     the mirror's history; tests' list of trees
Forge       GitHub; a local checkout (`heal fix`)
Journal     the database ledger; memory (`heal fix`); beside a run's own memory it has the repository's
Fixer       what the tools mend, static, search, llm, agent
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from sandbox.spec import Environment, Plan, Tree
from workers.domain import (
    Attempt,
    Blame,
    Candidate,
    Case,
    Commit,
    Confidence,
    Diagnosis,
    Experience,
    Finding,
    How,
    IssueReport,
    JobReport,
    Lead,
    Lesson,
    Ours,
    Past,
    Published,
    Remark,
    Reproduction,
    Rerun,
    RunId,
    Sha,
    Sighting,
    Since,
    Usage,
    Witness,
)
from workers.repo_config import RepoConfig

T = TypeVar("T")


class Files(Protocol):
    """Files to be read. Paths are POSIX, relative to the root."""

    def paths(self) -> Sequence[str]: ...

    def read(self, path: str) -> bytes | None:
        """The content, or None when there is no such regular file."""


class SourceTree(Files, Protocol):
    """The files of the head commit, read from the bare mirror."""

    sha: Sha

    def tar(self) -> Tree: ...

    def diff(self, edits: Mapping[str, bytes | None]) -> str:
        """The unified diff from this tree to one with the edits (None deletes), made by git."""

    def apply(self, patch: str) -> Mapping[str, bytes | None]:
        """The changed files after the patch; raises `workers.patch.PatchError` when it does not apply exactly."""


class Lineage(Protocol):
    """The first-parent history from a green commit to a red one, oldest first, both included."""

    @property
    def commits(self) -> Sequence[Commit]: ...

    def tree(self, at: int) -> SourceTree:
        """The files of the commit at a position."""

    def diff(self, before: int, after: int) -> str:
        """What changed between two positions, text files only and cut to a readable size."""


class Once(Protocol):
    """Runs a function once per run and key, and remembers its JSON-able answer across restarts."""

    def __call__(self, key: str, kind: type[T], compute: Callable[[], T]) -> T: ...


@dataclass(frozen=True)
class Revision:
    """What a REVISE run goes on from: a change of ours, and what people said about it.

    `wanted` are the places of the remarks that ask for another change; `reasoning` and `confidence` are the change's as
    it stands, `spent` is what the model cost in this run so far.
    """

    ours: Ours
    remarks: tuple[Remark, ...]
    wanted: tuple[int, ...]
    reasoning: str = ""
    confidence: Confidence = Confidence.MEDIUM
    spent: Usage = field(default_factory=Usage)


@dataclass
class Batch:
    """Candidates that may be tried at once, `size` of them; `tried` says how many were, None that nobody knows."""

    size: int
    tried: int | None = None


def unbounded(wanted: int) -> AbstractContextManager[Batch]:
    """A batch as it is where no budget is kept."""
    return nullcontext(Batch(wanted))


@dataclass(frozen=True)
class Workbench:
    """What a fixer may use. It has no way to GitHub and no way to the host's files."""

    tree: SourceTree
    diagnosis: Diagnosis
    reproduction: Reproduction
    environment: Environment
    config: RepoConfig
    once: Once
    blame: Blame = field(default_factory=Blame)
    """The commits that may have brought the failure: what they changed is a clue."""
    experience: Experience = field(default_factory=Experience)
    """What people made of earlier fixes for it: what they rejected is not proposed again."""
    keep: str = ""
    """The patch of an earlier round, which mends another failure: it must not be taken back to mend this one."""
    revision: Revision | None = None
    """Set when a change of ours is made anew, because of a review."""
    note: str = ""
    """`Admission.note`: why the repository is only observed, where its file does not say so itself."""
    hint: str = ""
    """What the person who asked added: data, as everything that people write."""
    issue: IssueReport | None = None
    """The bug report that the run is for."""
    witness: Witness | None = None
    """The test that shows it, which is the check."""
    attempts: tuple[Attempt, ...] = ()
    """What was tried in this run, by every fixer."""
    prepared: Callable[[Plan], Environment] | None = None
    """Makes the environment of another plan for the same files: its set-up has the package indexes. Raises as
    `sandbox.spec.Sandbox.prepare`."""
    batch: Callable[[int], AbstractContextManager[Batch]] = unbounded
    """Sets room for so many candidates aside while they are tried; the batch may be smaller. Raises
    `Stop(OVER_BUDGET)` where there is no room."""
    since: Callable[[], Since] = Since
    """What CI installed otherwise when the job was last green; asked of CI once in a run, when it is called."""

    @property
    def spent(self) -> Usage:
        """What the run paid a model before the first candidate."""
        return self.witness.usage if self.witness else Usage()


class Fixer(Protocol):
    """A source of candidate patches."""

    @property
    def name(self) -> str: ...

    def applies(self, diagnosis: Diagnosis) -> bool: ...

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The next candidate given what this fixer tried before in this run, or None when it has no more."""


@dataclass(frozen=True)
class Admission:
    """What the forge knows before anything is run. `target` is the branch a fix is proposed against."""

    config: RepoConfig
    default_branch: str
    target: str
    head_is_current: bool
    own_branch: bool = False
    """The red branch is one of ours (`heal/...`): never healed recursively."""
    archived: bool = False
    fork: bool = False
    """The red commit is the head of a pull request from another repository, even if the event did not say so."""
    pull_request: int | None = None
    """The open pull request whose head is red, when there is one."""
    note: str = ""
    """Why less is done here than the repository's file asks for, as a sentence; empty where nothing holds back."""


class Light(StrEnum):
    """What CI says of one job on one commit."""

    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"  # not run, not over, or skipped


class CI(StrEnum):
    """Where the repository's own CI stands on a commit of ours, or why nobody waits for it any more."""

    PENDING = "pending"
    GREEN = "green"
    RED = "red"
    NONE = "none"  # no check has shown itself
    MERGED = "merged"  # people took the fix already
    MOVED = "moved"  # the branch went on from our commit: by us, or on a branch of theirs
    LEFT = "left"  # a person pushed to a branch of ours: it is theirs now


@dataclass(frozen=True)
class Signal:
    """What one check of CI says of a commit of ours: a check run, or a status of an older CI.

    `light` is UNKNOWN while it is not over, GREEN also for what was skipped. `below` is what the same check says of
    the branch that the fix goes to. `job` is the red job as a run would be opened for it; None where it has no log.
    """

    name: str
    light: Light
    url: str = ""
    below: Light = Light.UNKNOWN
    job: Case | None = None


@dataclass(frozen=True)
class Checks:
    """What the real CI says of a commit of ours, all together and one by one, in order of name."""

    state: CI
    signals: tuple[Signal, ...] = ()

    @property
    def red(self) -> tuple[Signal, ...]:
        """Those that failed."""
        return tuple(signal for signal in self.signals if signal.light is Light.RED)


@dataclass(frozen=True)
class Base:
    """The branch that a pull request goes to, and what CI says of the same job there.

    `head` is what the branch points to and GitHub merges the pull request into for its tests, `fork_point` where the
    pull request left the branch. `job` is the red job of `head` as a run would be opened for it, when it is red there.
    """

    branch: str
    head: Sha
    head_light: Light
    fork_point: Sha
    fork_light: Light
    job: Case | None = None


@dataclass(frozen=True)
class Origin:
    """How a commit came into the repository: its pull request and the login of its author, as far as there are any."""

    pull_request: int | None = None
    login: str = ""


@dataclass(frozen=True)
class Wish:
    """What a fix asks of the place it goes to, before its words are made."""

    how: How
    target: str
    branch: str
    """What the names of all branches of ours for this job begin with."""
    signoff: bool = False


@dataclass(frozen=True)
class Ground:
    """What a fix has to fit into: the answer to a `Wish`. People are written as commits name them.

    `branch` is that of the open pull request for this job; where there is none, a new one, because a branch of ours
    serves one pull request. `closed` are those that were opened for this commit before, with the commits they held.
    `subjects` are those of the newest commits, newest first.
    """

    branch: str
    closed: tuple[tuple[int, Sha], ...] = ()
    subjects: tuple[str, ...] = ()
    asked_by: str = ""
    signed_by: str = ""
    hunks: Mapping[str, str] = field(default_factory=dict)
    """Of a pull request that is to get suggestions: what it changes itself, per path as GitHub shows it."""


@dataclass(frozen=True)
class Suggestion:
    """A comment with a suggestion block on the lines `start` to `end` (counted from 1, both included) of a file."""

    path: str
    start: int
    end: int
    body: str


@dataclass(frozen=True)
class Proposal:
    """A verified fix, ready to be shown. All texts are final: escaped, redacted, within GitHub's limits.

    `body` is the pull request's, or the review's that holds the suggestions. `key` names the fix, so that nobody is
    shown it twice.
    """

    branch: str
    target: str
    title: str
    body: str
    commit_message: str
    draft: bool
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    max_open: int = 100
    """No new pull request is opened where so many of ours are open."""
    closed: tuple[tuple[int, Sha], ...] = ()
    """Earlier pull requests for this commit, with what they held: a fix that people closed is not opened again."""
    how: How = How.PULL
    suggestions: tuple[Suggestion, ...] = ()
    ours: Ours | None = None
    """The pull request of ours that gets another commit."""
    note: str = ""
    key: str = ""
    first: First | None = None
    """A commit of its own below the fix."""


@dataclass(frozen=True)
class First:
    """New files that a pull request brings in a commit below the fix, so that it can be checked out without it."""

    files: Mapping[str, bytes]
    message: str


@dataclass(frozen=True)
class Button:
    """A button of the check run. GitHub takes 20 characters of label and identifier, 40 of description."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True)
class Notice:
    """What people are told about a run. Texts are final Markdown: escaped, redacted, cut to GitHub's limits.

    `final` closes the check run; its conclusion is always neutral, a helper must never block a merge.
    """

    title: str
    summary: str
    text: str = ""
    comment: str | None = None
    annotations: tuple[Finding, ...] = ()
    final: bool = False
    check: bool = True
    """Whether it is shown as a check run, too."""
    buttons: tuple[Button, ...] = ()
    """At most three; GitHub shows them once the check run is closed."""


@dataclass(frozen=True)
class Reply:
    """What is said to a remark. `text` is final Markdown; `solved` closes the thread that the remark stands in."""

    remark: Remark
    text: str
    solved: bool = False


class Forge(Protocol):
    """Where a run comes from and where its result goes. Every effect is found again before it is made twice.

    Raises `workers.errors.Stop` for final refusals (gone, forbidden) and `Retryable` for trouble that passes.
    """

    def admission(self, case: Case) -> Admission: ...

    def job(self, case: Case) -> JobReport:
        """What CI said of the case's red job. Also asked for another red job than the run's own."""

    def issue(self, case: Case) -> IssueReport:
        """The bug report of an ISSUE run."""

    def tree(self, case: Case) -> SourceTree:
        """Fetch the pinned commit into the mirror and give a view of it."""

    def base(self, case: Case) -> Base | None:
        """Where the case's pull request goes to; None when it has none."""

    def last_green(self, case: Case) -> Sha | None:
        """The newest commit of the case's branch before the red one on which CI had this job green, as far as a few
        questions tell."""

    def green_job(self, case: Case) -> JobReport | None:
        """What CI said of the same job in the newest run on the case's branch before the red one in which it was green,
        also of the red commit itself, else on the branch that it goes to; None when nobody knows of one."""

    def lineage(self, case: Case, good: Sha) -> Lineage | None:
        """The history from a green commit to the red one; None when the one did not come before the other, or too long
        ago to be read."""

    def origin(self, case: Case, sha: Sha) -> Origin:
        """What brought a commit of the case's branch."""

    def tell(self, case: Case, notice: Notice, published: Published | None = None) -> None:
        """Write the notice into the one check run `heal` of the head commit and, when it has a comment, into the
        one sticky comment: on the case's pull request, else on the published one, else nowhere."""

    def reply(self, case: Case, replies: Sequence[Reply]) -> None:
        """Say each reply once: in the thread of its remark, or beside the pull request for a review's own text."""

    def ground(self, case: Case, wish: Wish) -> Ground:
        """What a fix has to fit into, asked right before it is published."""

    def publish(self, case: Case, tree: SourceTree, patch: str, proposal: Proposal) -> Published:
        """Show the fix in the proposal's form, once: a commit and the one pull request of this case, a commit on the
        branch of theirs, or a review. A comment is told by `tell`; for it this only looks once more at the head."""

    def ci(self, case: Case, published: Published) -> Checks:
        """The real CI on our commit. Raises `Stop(CANCELLED)` when people closed the pull request."""

    def rerun(self, case: Case) -> Rerun:
        """Have CI run the failed jobs of the case's workflow run once more, if this was their first attempt."""

    def confirm(self, case: Case, published: Published, body: str, ready: bool, labels: tuple[str, ...] = ()) -> None:
        """Write the real CI's answer into our pull request, with more labels, and take it out of draft when it is
        ready. A pull request of somebody else's is left as it is."""

    def withdraw(self, case: Case, words: str) -> None:
        """Close the pull request that the case goes on with and say why; its branch goes too if nobody else pushed."""


class History(Protocol):
    """What the runs of a repository saw of its tests."""

    def past(self, tests: Sequence[str]) -> tuple[Past, ...]:
        """Of these tests, those that were unsteady in an earlier run, most unsteady first."""

    def sighted(self, seen: Sequence[Sighting]) -> None:
        """Keep how tests fared in this run; what was kept of it before is replaced."""


class Memory(Protocol):
    """What Heal has done in the repository before, and what became of it."""

    def experience(self, fingerprint: str) -> Experience:
        """What people made of earlier fixes for this failure."""

    def similar(self, diagnosis: Diagnosis) -> tuple[Lesson, ...]:
        """What people merged for failures that look like this one, here or elsewhere in the installation."""

    def made(self, sha: Sha) -> bool:
        """The commit is the newest of a change of ours."""

    def ours(self) -> Ours | None:
        """What this run has published, as a next run would go on with it; None where nothing is kept."""

    def answered(self, ci: CI) -> None:
        """Keep what the real CI says of what this run has published."""

    def held(self, run: RunId) -> Candidate | None:
        """The candidate that an earlier run has proposed."""


class Journal(History, Memory, Protocol):
    """The memory of one run and of its repository's tests, fenced: every call raises `LeaseLost` once another worker
    has taken the run over, and `Stop(CANCELLED | HEAD_MOVED)` once somebody has cancelled it."""

    def recall(self, stage: str, n: int, kind: type[T]) -> T | None:
        """The stored answer of a finished stage, or None."""

    def record(self, stage: str, n: int, value: object, seconds: float) -> None:
        """Store a stage's answer (a dataclass of `workers.domain`, kept as JSON). A checkpoint."""

    def seconds(self) -> Mapping[str, float]:
        """How long each recorded stage took so far, repeats added up; `once:` and `say:` are left out."""

    def publishing(self) -> None:
        """From now on a push to the case's branch may be this run's own, so news of one does not end it."""

    def event(self, kind: str, title: str, **data: object) -> None:
        """Append to the run's timeline. `data` is small and JSON-able."""

    def lead_to(self, case: Case) -> Lead | None:
        """The run for another red job that has to be healed first, opened unless there is one already; None where runs
        cannot be opened (`heal fix`)."""

    def guard(self) -> None:
        """Return while the lease is held and nobody cancelled. Called before every effect."""
