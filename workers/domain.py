"""The nouns everything in `workers` speaks: ids, outcomes, failures, candidates, verdicts. Values only, no I/O.

Names follow the field: head SHA, check run, candidate patch, plausible patch, regression, fingerprint.
Durations are seconds, money is US dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NewType

from sandbox.spec import Plan, Result, Step
from workers.logs.model import JobLog

RunId = NewType("RunId", str)
Sha = NewType("Sha", str)


class Outcome(StrEnum):
    """How a run ends: a closed set, exactly one per run. Each has a message, a story test and a row in the docs."""

    FIXED = "FIXED"
    UNCONFIRMED = "UNCONFIRMED"  # proven in the sandbox, but the repository's own CI is red on our branch
    NO_FIX_FOUND = "NO_FIX_FOUND"
    NOT_REPRODUCED = "NOT_REPRODUCED"
    QUESTION = "QUESTION"  # a bug report that no failing test could be made of: what is missing was asked
    FLAKY = "FLAKY"
    INFRASTRUCTURE = "INFRASTRUCTURE"
    BASE_ALREADY_RED = "BASE_ALREADY_RED"
    UNSUPPORTED = "UNSUPPORTED"
    REFUSED_BY_POLICY = "REFUSED_BY_POLICY"
    OVER_BUDGET = "OVER_BUDGET"
    HEAD_MOVED = "HEAD_MOVED"
    DUPLICATE = "DUPLICATE"
    DISABLED = "DISABLED"
    CANCELLED = "CANCELLED"
    CRASHED = "CRASHED"


class Rerun(StrEnum):
    """What came of asking CI to run the failed jobs once more."""

    ASKED = "asked"
    AGAIN = "again"  # they were run again before, by whomever: never twice for one workflow run
    REFUSED = "refused"  # the installation may not, or the workflow run is too old or still at work
    NONE = "none"  # there is no CI to ask


class StageName(StrEnum):
    """The stages of a run, in order. `verify` may repeat, once per candidate."""

    ADMIT = "admit"
    CHECKOUT = "checkout"
    BASE = "base"
    WITNESS = "witness"
    REPRODUCE = "reproduce"
    DIAGNOSE = "diagnose"
    BLAME = "blame"
    LOCATE = "locate"
    PROPOSE = "propose"
    VERIFY = "verify"
    PUBLISH = "publish"
    FOLLOW = "follow"


class FailureClass(StrEnum):
    """What kind of failure it is; decides which fixers apply."""

    FORMAT = "format"
    LINT = "lint"
    TYPE = "type"
    SYNTAX = "syntax"
    IMPORT = "missing_import"
    DEPENDENCY = "dependency"  # a package that is not installed
    RESOLUTION = "dependency_resolution"  # no set of versions fits, or the lock file is not of its manifest
    BUILD = "build"  # a compiler or linker, or the tool that calls it
    TEST = "test_failure"
    ERROR = "test_error"  # a test raised something other than an assertion
    SNAPSHOT = "snapshot_drift"  # a snapshot or a generated file is not what would be generated now
    PERMISSION = "missing_secret"  # a secret is empty, or a credential may not do this
    TIMEOUT = "timeout"
    OOM = "out_of_memory"
    FLAKY = "flaky"
    NETWORK = "network"
    INFRASTRUCTURE = "infrastructure"  # the runner, or a machine or service behind it
    BASE_RED = "base_already_red"
    WORKFLOW = "workflow"  # the job's own configuration: an unknown command, option, key or action
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """The class of a verified patch: high is proposed, medium is a labelled draft, low is told but not proposed."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Aim(StrEnum):
    """What a run is for. Every aim goes through the same stages and ends in the same outcomes."""

    CHECK = "check"  # a red check of a branch or of a pull request
    ISSUE = "issue"  # a bug report: a failing test that shows it is written first
    REVISE = "revise"  # a review of our own pull request asks for something else
    AGAIN = "again"  # CI on our own branch is red with a failure of its own
    REBASE = "rebase"  # the base moved on and our pull request does not fit onto it any more


@dataclass(frozen=True)
class Remark:
    """One thing a person said about our pull request: in a review's text, or at a line of the diff.

    `comment_id` is 0 for the review's own text; `line` counts from 1 in the new file, and is None too when the line is
    not part of the change any more. `thread` is the comment that began the thread, the only one that takes replies.
    """

    author: str
    body: str
    comment_id: int = 0
    review_id: int = 0
    path: str = ""
    line: int | None = None
    start_line: int | None = None
    """The first of several lines that `line` is the last of."""
    thread: int = 0


@dataclass(frozen=True)
class Said:
    """An answer to a remark that asks for words, by the remark's place among those of the run."""

    remark: int
    text: str
    model: str | None = None
    """Who said so; None: it is read off the evidence."""


@dataclass(frozen=True)
class Ours:
    """The pull request of ours that a run goes on with, as it stood when the run was opened.

    `patch` is all that it changes, as a unified diff against `onto`, the commit it was made for. `runs` counts the
    runs that have written to it so far. What was pushed to a pull request of theirs has their branch as its target.
    """

    pull_request: int
    branch: str
    commit: Sha
    target: str
    onto: Sha
    patch: str
    run: RunId
    runs: int = 1


class Change(StrEnum):
    """What kind of change a candidate says it is. Another than EDIT is said by fixers of ours only and proven on the
    files before it is believed (`workers.granted`)."""

    EDIT = "edit"
    LOCK = "lock"  # lock files as the repository's own tool writes them, and nothing else
    REQUIREMENT = "requirement"  # one package more in the list of those that are needed, and nothing else
    BOUND = "bound"  # one package kept from one release, and nothing else
    PACKAGE = "package"  # empty `__init__.py` files of folders that an import names, and nothing else
    MODE = "mode"  # one script made executable that a shell was not allowed to run, and nothing else
    GENERATED = "generated"  # files as the repository's own generator writes them, and nothing else


@dataclass(frozen=True)
class Lesson:
    """What people made of an earlier fix of ours for the same failure: merged (`accepted`), or closed unmerged or
    called wrong. `words` are theirs: data, never instructions to Heal. `target` is the branch that the fix went to,
    `change` what kind it said to be."""

    number: int
    accepted: bool
    patch: str
    words: str = ""
    who: str = ""
    target: str = ""
    change: Change = Change.EDIT


@dataclass(frozen=True)
class Experience:
    """What people made of earlier fixes for a failure, in this repository: newest first."""

    rejected: tuple[Lesson, ...] = ()
    accepted: tuple[Lesson, ...] = ()
    similar: tuple[Lesson, ...] = ()
    """Merged fixes of failures that look alike, at most two, also of other repositories of the installation: what a
    model may be shown, and perhaps does not apply. Empty unless the operator wants models to see them."""


@dataclass(frozen=True)
class Case:
    """What a run is about. Ids are GitHub's; a local run has id 0 and its path in `repo`.

    `run_id` of Actions and `job` may be empty (other CI, local). `pull_request` is the number, when the red
    commit is the head of one. `fork` says that the head lives in another repository.
    """

    run: RunId
    repo: str
    repo_id: int
    installation_id: int
    head_sha: Sha
    branch: str
    job: str = ""
    job_id: int = 0
    actions_run_id: int = 0
    attempt: int = 1
    workflow_path: str = ""
    pull_request: int | None = None
    fork: bool = False
    requested_by: str | None = None
    check: str | None = None
    """A command given by the person; beats every recipe."""
    aim: Aim = Aim.CHECK
    issue: int | None = None
    """The number of the bug report, of an ISSUE run."""
    ours: Ours | None = None
    """What a REVISE, AGAIN or REBASE run goes on with."""
    remarks: tuple[Remark, ...] = ()
    """What a REVISE run was asked to change. Words of strangers: data, never instructions to Heal."""
    hint: str = ""
    """What the person who asked added (`/heal retry hint="..."`)."""
    image: str = ""
    """The image that the person who asked named, instead of the plan's."""
    model: str | None = None
    """The model that a maintainer asked for, instead of the installation's."""
    budget_usd: float | None = None
    """What a maintainer lets this run spend, within the operator's own ceiling."""
    trusted_sha: Sha | None = None
    """The commit of a fork that somebody with write access named in `/heal <sha>`."""


@dataclass(frozen=True)
class IssueReport:
    """A bug report, as people wrote it: bounded, without secrets, hidden characters and hidden comments. Data, never
    instructions to Heal.

    `number` is 0 for a report that is no issue (`heal fix --report`). `comments` are those of people, oldest first.
    """

    number: int
    title: str
    body: str
    author: str = ""
    labels: tuple[str, ...] = ()
    comments: tuple[Remark, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The body and the comments."""
        return (self.body, *(comment.body for comment in self.comments))


@dataclass(frozen=True)
class Finding:
    """One thing a tool complained about. `line` counts from 1."""

    message: str
    path: str | None = None
    line: int | None = None
    test: str | None = None
    rule: str | None = None


@dataclass(frozen=True)
class JobReport:
    """What CI said: the failed job's name, its log (bounded and without secrets, see `workers.logs`; may be empty) and
    the workflow file's text."""

    name: str
    log: JobLog = field(default_factory=JobLog)
    workflow: str | None = None
    workflow_path: str = ""
    steps: tuple[tuple[str, str], ...] = ()
    """(step name, conclusion) in order, as the job API gives them."""
    url: str = ""
    others: tuple[str, ...] = ()
    """Names of the other jobs that failed in the same attempt."""
    started_at: str = ""
    """When it began, as an ISO date; of a local run the date of the commit. Empty when nobody knows."""
    annotations: tuple[Finding, ...] = ()
    """What the check run points at, asked for when the log does not say what failed."""


@dataclass(frozen=True)
class Moved:
    """A package of Python that CI had in another version before, by its normal name."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Since:
    """What CI installed otherwise than in the last green run of the job, by the logs of both. `green_at` and `red_at`
    are the days of the two runs, as far as they are known."""

    moved: tuple[Moved, ...] = ()
    green_at: str = ""
    red_at: str = ""


@dataclass(frozen=True)
class Suspect:
    """A place where the cause may be, and why it is looked for there. `line` counts from 1; None is the whole file.

    `score` is the weight of the reasons together, 0 and up; it means something beside other suspects only.
    """

    path: str
    line: int | None = None
    reasons: tuple[str, ...] = ()
    score: float = 0.0

    @property
    def place(self) -> str:
        """`path:line`, or the path alone."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong: class, the tool that said so, its findings, and the places to suspect, likeliest first.

    `fingerprint` is equal for the same failure on another day: numbers, paths' roots and times are masked.
    """

    cls: FailureClass
    tool: str
    fingerprint: str
    findings: tuple[Finding, ...]
    summary: str
    excerpt: str
    suspects: tuple[Suspect, ...] = ()
    evidence: tuple[str, ...] = ()
    """The line or the finding that decided the class, as it was printed."""


@dataclass(frozen=True)
class Sighting:
    """How one test fared in identical runs of one commit: how often it ran, and how often it was red."""

    test: str
    executions: int
    red: int

    @property
    def unsteady(self) -> bool:
        """Red and green on the same commit."""
        return 0 < self.red < self.executions


@dataclass(frozen=True)
class Past:
    """What earlier runs saw of a test that was unsteady in at least one of them: its executions there and the red
    ones, in how many runs it was unsteady, and when first (seconds since 1970)."""

    test: str
    executions: int
    red: int
    unsteady: int
    since: float


@dataclass(frozen=True)
class Reproduction:
    """The failure, again: the plan, the first red run and how many of the identical reruns were red."""

    plan: Plan
    before: Result
    reruns: int
    red_reruns: int
    order: tuple[str, ...] = ()
    """Tests that are red in every run, and green when the suite runs in reverse order."""
    past: tuple[Past, ...] = ()
    """Of the red tests, those that were unsteady in earlier runs."""


@dataclass(frozen=True)
class Commit:
    """One commit of a branch. `author` is the name in the commit and `at` its date (ISO 8601), as its author wrote
    them; `login` is GitHub's word for who that is, empty where it was not asked."""

    sha: Sha
    parents: tuple[Sha, ...] = ()
    author: str = ""
    at: str = ""
    subject: str = ""
    login: str = ""


@dataclass(frozen=True)
class Blame:
    """Which commit of the branch brought the failure, as far as it was found out.

    `suspects` are the commits that may have, oldest first, at most `MOST_SUSPECTS` of `count`; when there is only one
    it is the culprit. All of them came after `good`, which was green.
    """

    good: Sha = Sha("")
    suspects: tuple[Commit, ...] = ()
    count: int = 0
    pull_request: int | None = None
    """The pull request that brought the culprit."""
    diff: str = ""
    """What the suspects changed together, cut to what is worth reading."""
    span: int = 0
    """How many commits came between `good`, itself left out, and the red one, itself included."""
    runs: int = 0
    """How many runs of the check on other commits it took to say so."""
    note: str = ""
    """Why nothing closer can be said, as a sentence for people; empty when the culprit is known for certain."""

    @property
    def culprit(self) -> Commit | None:
        """The one commit that brought the failure; None when several may have."""
        return self.suspects[0] if self.count == 1 and self.suspects else None


MOST_SUSPECTS = 10


@dataclass(frozen=True)
class Lead:
    """The run on the base branch that a run which ended as BASE_ALREADY_RED points to, and what it knows so far."""

    run: RunId
    outcome: str = ""
    pull_request: int | None = None
    """The fix that it proposes."""
    blame: Blame | None = None


@dataclass(frozen=True)
class Usage:
    """What a candidate cost. `cost_usd` is None when the model's price is unknown, never a guess."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0

    def plus(self, other: Usage) -> Usage:
        """Both together; the cost is unknown when that of either is."""
        known = self.cost_usd is not None and other.cost_usd is not None
        cost = (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None
        return Usage(self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens, cost)


@dataclass(frozen=True)
class Answers:
    """What is answered to the questions of a review, and what it cost."""

    said: tuple[Said, ...] = ()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Candidate:
    """A candidate patch: a unified diff with a/ and b/ prefixes that applies to the head commit's tree."""

    fixer: str
    patch: str
    reasoning: str
    confidence: Confidence
    model: str | None = None
    usage: Usage = Usage()
    alternatives: int = 0
    """Other plausible patches that were seen and not chosen."""
    title: str = ""
    """What the patch does, as an imperative of a few words; empty when the fixer cannot say it."""
    error: str = ""
    """Set when the fixer's answer could not be made into a patch: counts as a tried and rejected candidate."""
    unasked: bool = False
    """With `error`: the fixer could not ask its model, and the others went on without it."""
    meets: tuple[int, ...] = ()
    """Of a REVISE run's remarks, those that it changes the code for, by their places."""
    said: tuple[Said, ...] = ()
    """What is said to remarks that it changes nothing for."""
    change: Change = Change.EDIT
    dispute: str = ""
    """With `error`: why a model holds that the failing test itself is wrong, with the line it quotes. An opinion, which
    ends the search for a fix."""


REVIEW = "review"
"""The gate at which a second look rejects a model's patch."""


@dataclass(frozen=True)
class Suite:
    """The repository's whole test command, and how it ended without any fix, the new test included."""

    step: Step
    before: Result


@dataclass(frozen=True)
class Coverage:
    """Of the `lines` changed lines of Python that do something, the tests of the failing command executed all but the
    `missed` ones (path and line in the patched file). `elsewhere` are changed files whose lines were not looked at.
    `sidelined` are statements that the patch put behind a condition which no test of the suite ever met: to the tests
    they are deleted."""

    lines: int
    missed: tuple[tuple[str, int], ...] = ()
    elsewhere: tuple[str, ...] = ()
    sidelined: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What verification found. `rejected_by` names the gate, empty when the candidate is accepted."""

    accepted: bool
    rejected_by: str = ""
    why: str = ""
    after: Result | None = None
    reverse_red: bool = False
    """Without the patch, in the same environment and after the green run, the check was red again."""
    regressions: tuple[str, ...] = ()
    reruns: int = 0
    later_steps: tuple[tuple[str, bool], ...] = ()
    """The job's steps after the failing one, with the patch: (name, green)."""
    suite: Result | None = None
    """The repository's whole test command with the patch, where the check is only a part of it."""
    beside: Suite | None = None
    """What `suite` is compared with."""
    checkers: tuple[str, ...] = ()
    """The repository's linters and type checkers that find nothing new in the changed files."""
    unchecked: tuple[str, ...] = ()
    """Those that the repository configures and that could not look, because they are not installed or failed."""
    covered: Coverage | None = None
    """Which changed lines tests executed; None where that was not seen."""
    usage: Usage = Usage()
    """What a second look at the patch cost."""

    @property
    def sidelined(self) -> tuple[tuple[str, int], ...]:
        """What the patch in effect deletes, see `Coverage`."""
        return self.covered.sidelined if self.covered else ()


@dataclass(frozen=True)
class Witness:
    """A new test file that shows a bug report: red in `runs` of `runs` runs on the unchanged files, for the reason that
    the report states.

    `patch` is the file as a unified diff to the commit; `plan` runs it alone. `model` wrote it, or nobody: then it was
    made of the report's own example.
    """

    path: str
    text: str
    patch: str
    plan: Plan
    runs: int
    suite: Suite | None = None
    model: str | None = None
    usage: Usage = Usage()

    def owns(self, test: str) -> bool:
        """The test is one of this file's, by pytest's name or by unittest's."""
        return test.startswith(self.path) or PurePosixPath(self.path).stem in test.split(".")


@dataclass(frozen=True)
class Attempt:
    """A candidate with its verdict, kept also when rejected."""

    candidate: Candidate
    verdict: Verdict

    @property
    def usage(self) -> Usage:
        """What the candidate and the second look at it cost."""
        return self.candidate.usage.plus(self.verdict.usage)

    @property
    def ran(self) -> bool:
        """It was good enough to be run in the sandbox, whatever came of it there."""
        return self.verdict.after is not None

    @property
    def confidence(self) -> Confidence:
        """The class that the fixer gave it, unless the tests say no more for it than for deleting what it guards."""
        return Confidence.LOW if self.verdict.sidelined else self.candidate.confidence

    @property
    def held(self) -> bool:
        """Verified, and known well enough to be proposed: a low-class patch that is green is told, not proposed."""
        return self.verdict.accepted and self.confidence is not Confidence.LOW


class How(StrEnum):
    """In which form a fix reaches people."""

    PULL = "pull"  # a pull request of ours: against the red branch, or stacked onto the head of theirs
    PUSH = "push"  # a commit on the head branch of their pull request
    SUGGEST = "suggest"  # one review with suggestion blocks
    COMMENT = "comment"  # the patch in a comment, with the command that applies it


@dataclass(frozen=True)
class Published:
    """Where the fix went. For a local run only `branch` or nothing is set.

    `pull_request` is ours, or theirs when the fix was pushed, suggested or told there (`how`).
    """

    pull_request: int | None = None
    url: str = ""
    branch: str = ""
    commit: str = ""
    at: float = 0.0
    """When, in seconds since the epoch."""
    how: How = How.PULL
    target: str = ""
    """The branch it goes to."""
    note: str = ""
    """Why it is not in the form that the repository asked for, as a sentence for people."""
    onto: Sha = Sha("")
    """The commit that `patch` is against."""
    patch: str = ""
    """All that the change does by now, as a unified diff: of every run that wrote to it, not of the last one alone."""


@dataclass(frozen=True)
class Report:
    """Everything a run found out, for messages, `--json` and the run page."""

    case: Case
    outcome: Outcome
    detail: str
    job: JobReport | None = None
    reproduction: Reproduction | None = None
    diagnosis: Diagnosis | None = None
    attempts: tuple[Attempt, ...] = ()
    published: Published | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    """What the outcome's message needs beyond the detail (a log, counts), as text."""
    blame: Blame | None = None
    follow_up: Case | None = None
    """The red job of the base branch that has to be healed instead of this one."""
    lead: Lead | None = None
    """The run for `follow_up`."""
    witness: Witness | None = None
    """The test that shows a bug report."""

    @property
    def confidence(self) -> Confidence | None:
        """The class of the accepted candidate."""
        return self.accepted.confidence if self.accepted else None

    @property
    def accepted(self) -> Attempt | None:
        """The attempt that is proposed, if any."""
        return next((attempt for attempt in self.attempts if attempt.held), None)
