"""The tables, one class each, every column explained. All times are seconds since 1970, UTC, by the database's clock.

One number type for time lets a lease be compared and extended inside one statement on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

BIG_ID = BigInteger().with_variant(Integer(), "sqlite")
"""A counting key: SQLite only counts by itself in a column of the type INTEGER."""

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class DeliveryState(StrEnum):
    """What became of a delivery."""

    NEW = "new"
    ROUTED = "routed"
    IGNORED = "ignored"
    ERROR = "error"


class ErrandState(StrEnum):
    """Where an errand stands. A `dead` one was given up, with its trouble in `error`."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class ChangeState(StrEnum):
    """What became of a fix of ours. `left`: a person took it over, and Heal keeps its hands off."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"
    LEFT = "left"


class InstallationState(StrEnum):
    """Where an installation of the App stands. Only an active one gets runs."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class RepoState(StrEnum):
    """Where a repository stands. `removed`: the App is not installed on it any more."""

    ACTIVE = "active"
    REMOVED = "removed"
    ARCHIVED = "archived"
    DELETED = "deleted"


class RunState(StrEnum):
    """Where a run stands. `waiting` is held back, `parked` waits for somebody else, `done` has an outcome."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"
    DONE = "done"


class Table(DeclarativeBase):
    """Root of all tables; constraints are named, so that batch migrations on SQLite can find them."""


Table.metadata.naming_convention = NAMES


class Delivery(Table):
    """The inbox: one signed webhook delivery, committed before GitHub gets its 202."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("target", "guid"),
        Index(None, "state", "next_at"),
        Index(None, "installation_id", "repo_id"),
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True, doc="order of arrival")
    target: Mapped[str] = mapped_column(String(64), doc="X-GitHub-Hook-Installation-Target-ID, '' when absent")
    guid: Mapped[str] = mapped_column(String(64), doc="X-GitHub-Delivery; the same again on redelivery")
    event: Mapped[str] = mapped_column(String(64), doc="X-GitHub-Event")
    state: Mapped[str] = mapped_column(String(16), doc="a DeliveryState")
    reason: Mapped[str] = mapped_column(Text, default="", doc="why it was ignored or could not be read")
    attempts: Mapped[int] = mapped_column(Integer, default=0, doc="how often a dispatcher has taken it")
    received_at: Mapped[float] = mapped_column(Double, doc="when the row was inserted")
    next_at: Mapped[float] = mapped_column(Double, doc="not taken again before this time")
    body: Mapped[bytes] = mapped_column(LargeBinary, doc="the raw body, compressed by zlib")
    sha256: Mapped[str] = mapped_column(String(64), doc="of the raw body, before compression")
    installation_id: Mapped[int] = mapped_column(BigInteger, default=0, doc="GitHub's id, 0 until it was routed")
    repo_id: Mapped[int] = mapped_column(BigInteger, default=0, doc="GitHub's id, 0 until it was routed or for none")


class Run(Table):
    """One try to heal one red job: the state machine that workers claim, fence and finish."""

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("key"),
        Index(None, "state", "next_ring"),
        Index(None, "repo_id", "published_branch"),
        Index(None, "repo_id", "branch"),
        Index(None, "repo_id", "pull_request"),
        Index(None, "created_at"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, doc="sortable by time of creation")
    key: Mapped[str] = mapped_column(String(255), doc="what makes two triggers the same run")
    state: Mapped[str] = mapped_column(String(16), doc="a RunState")
    outcome: Mapped[str | None] = mapped_column(String(32), doc="a domain.Outcome, once done")
    detail: Mapped[str] = mapped_column(Text, default="", doc="one or two sentences on the outcome, redacted")
    stage: Mapped[str] = mapped_column(String(64), default="", doc="the last checkpointed stage")
    fence: Mapped[int] = mapped_column(Integer, default=0, doc="grows with every claim; a writer must hold the newest")
    owner: Mapped[str | None] = mapped_column(String(128), doc="host:worker pid/process pid of the lease's holder")
    lease_until: Mapped[float | None] = mapped_column(Double, doc="the holder must have renewed before this time")
    claims: Mapped[int] = mapped_column(Integer, default=0, doc="claims since the last checkpoint: the poison count")
    tries: Mapped[int] = mapped_column(Integer, default=0, doc="retries since the last checkpoint")
    next_ring: Mapped[float | None] = mapped_column(Double, doc="due from this time on, while nobody runs it")
    rung_at: Mapped[float | None] = mapped_column(Double, doc="when the bell was last rung for it")
    cancel_outcome: Mapped[str | None] = mapped_column(String(32), doc="set when somebody asked to end it")
    cancel_detail: Mapped[str] = mapped_column(Text, default="", doc="who asked, or what happened")
    error: Mapped[str] = mapped_column(Text, default="", doc="the last trouble or crash, redacted")
    blame: Mapped[str] = mapped_column(String(32), default="", doc="the part the last retry was put down to")
    trigger: Mapped[str] = mapped_column(String(32), doc="delivery, command, cli ...")
    delivery_id: Mapped[int | None] = mapped_column(
        ForeignKey("delivery.id", ondelete="SET NULL"), doc="the delivery that opened it"
    )
    case: Mapped[str] = mapped_column(Text, doc="the domain.Case as JSON")
    repo: Mapped[str] = mapped_column(Text, doc="owner/name at the time")
    repo_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id, 0 for a local run")
    installation_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id, 0 for a local run")
    branch: Mapped[str] = mapped_column(Text, doc="the red branch")
    head_sha: Mapped[str] = mapped_column(String(64), doc="the red commit")
    job: Mapped[str] = mapped_column(Text, default="", doc="name of the red job, may be empty")
    pull_request: Mapped[int | None] = mapped_column(Integer, doc="the pull request whose head is red")
    aim: Mapped[str] = mapped_column(String(16), default="check", doc="a domain.Aim")
    issue: Mapped[int | None] = mapped_column(Integer, doc="the bug report that an ISSUE run is about")
    requested_by: Mapped[str] = mapped_column(
        Text, default="", doc="login of the person who asked, '' when an event did"
    )
    fingerprint: Mapped[str] = mapped_column(String(64), default="", doc="of the diagnosed failure, '' until then")
    published_branch: Mapped[str | None] = mapped_column(String(255), doc="our branch with the fix")
    published_pull_request: Mapped[int | None] = mapped_column(Integer, doc="our pull request")
    published_url: Mapped[str | None] = mapped_column(Text, doc="where people read our pull request")
    report: Mapped[str | None] = mapped_column(Text, doc="the domain.Report as JSON, redacted, once done")
    created_at: Mapped[float] = mapped_column(Double, doc="when the trigger was routed")
    started_at: Mapped[float | None] = mapped_column(Double, doc="the first claim")
    finished_at: Mapped[float | None] = mapped_column(Double, doc="when the outcome was written")


class StageResult(Table):
    """A checkpoint: what a finished stage answered. A resumed run reads it instead of working again."""

    __tablename__ = "stage_result"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(Text, primary_key=True, doc="stage, or a key of the story's own")
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, doc="counts repeats of the stage")
    fence: Mapped[int] = mapped_column(Integer, doc="the claim that wrote it")
    kind: Mapped[str] = mapped_column(String(64), doc="name of the stored type, for people")
    data: Mapped[str] = mapped_column(Text, doc="the value as JSON; bytes are base64")
    seconds: Mapped[float] = mapped_column(Double, doc="how long the stage took")
    finished_at: Mapped[float] = mapped_column(Double, doc="when it was stored")


class Attempt(Table):
    """A candidate patch with its verdict, kept also when rejected."""

    __tablename__ = "attempt"

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, doc="order of trying, from 0")
    fixer: Mapped[str] = mapped_column(String(64), doc="autofix, search, llm ...")
    model: Mapped[str | None] = mapped_column(String(128), doc="the model that wrote it, if one did")
    patch: Mapped[str] = mapped_column(Text, doc="unified diff, redacted for reading")
    reasoning: Mapped[str] = mapped_column(Text, doc="why the fixer thinks it is right, redacted")
    accepted: Mapped[bool] = mapped_column(doc="verified")
    rejected_by: Mapped[str] = mapped_column(String(64), default="", doc="the gate that refused it")
    why: Mapped[str] = mapped_column(Text, default="", doc="what the gate said, redacted")
    input_tokens: Mapped[int] = mapped_column(Integer, default=0, doc="tokens sent to the model")
    output_tokens: Mapped[int] = mapped_column(Integer, default=0, doc="tokens it answered with")
    cost_usd: Mapped[float | None] = mapped_column(Double, doc="None: the price is unknown")


class Event(Table):
    """The timeline. `id` grows within a run and is the Last-Event-ID of the live page."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "run_id", "id"),)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    at: Mapped[float] = mapped_column(Double, doc="when it was stored")
    kind: Mapped[str] = mapped_column(String(64), doc="for programs: stage, claim, retry, park, done ...")
    title: Mapped[str] = mapped_column(Text, doc="for people, redacted")
    data: Mapped[str] = mapped_column(Text, default="{}", doc="a small JSON object, redacted")


class TestSighting(Table):
    """How one red test fared in the identical runs of a run's commit: the history that tells chance from fault."""

    __test__ = False  # a table, not a test class
    __tablename__ = "test_sighting"
    __table_args__ = (Index(None, "repo_id", "digest"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True, doc="SHA-256 of the test's id")
    repo_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id, 0 for a local run")
    test: Mapped[str] = mapped_column(Text, doc="the runner's own name for it")
    executions: Mapped[int] = mapped_column(Integer, doc="how often it ran on the unchanged commit")
    red: Mapped[int] = mapped_column(Integer, doc="how many of these failed")
    unsteady: Mapped[int] = mapped_column(Integer, doc="1 when some failed and some did not, else 0")
    at: Mapped[float] = mapped_column(Double, doc="when it was stored")


class Errand(Table):
    """A short piece of work that needs the App's key but no sandbox: answering a command, a button, a review.

    Claimed and fenced like a run, by a process of its own beside each worker, so that it never waits for a run.
    """

    __tablename__ = "errand"
    __table_args__ = (
        UniqueConstraint("key"),
        Index(None, "state", "next_at"),
        Index(None, "repo_id", "sender_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(26), primary_key=True, doc="sortable by time of creation")
    key: Mapped[str] = mapped_column(String(255), doc="what makes two deliveries the same errand")
    kind: Mapped[str] = mapped_column(String(32), doc="an errands.model.Kind")
    state: Mapped[str] = mapped_column(String(16), doc="an ErrandState")
    payload: Mapped[str] = mapped_column(Text, doc="the errand's dataclass as JSON")
    repo: Mapped[str] = mapped_column(Text, default="", doc="owner/name at the time, '' for one of the installation")
    repo_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id, 0 for one of the whole installation or App")
    installation_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id, 0 for one of the App")
    sender: Mapped[str] = mapped_column(Text, default="", doc="login of the person behind it, '' when there is none")
    sender_id: Mapped[int] = mapped_column(BigInteger, default=0, doc="GitHub's id of that person")
    fence: Mapped[int] = mapped_column(Integer, default=0, doc="grows with every claim")
    owner: Mapped[str | None] = mapped_column(String(128), doc="host:pid/thread of the holder")
    lease_until: Mapped[float | None] = mapped_column(Double, doc="after this time somebody else may have it")
    tries: Mapped[int] = mapped_column(Integer, default=0, doc="claims so far")
    next_at: Mapped[float | None] = mapped_column(Double, doc="due from this time on, while nobody works on it")
    answer: Mapped[str] = mapped_column(Text, default="", doc="what was done, for people, redacted")
    error: Mapped[str] = mapped_column(Text, default="", doc="the last trouble, redacted")
    created_at: Mapped[float] = mapped_column(Double, doc="when the trigger was routed")
    finished_at: Mapped[float | None] = mapped_column(Double, doc="when it was done or given up")


class PullHead(Table):
    """A head that a pull request had, from the events that told of it: what a command was given for."""

    __tablename__ = "pull_head"
    __table_args__ = (Index(None, "repo_id", "number", "at"),)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True, doc="order of arrival")
    repo_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id of the base repository")
    number: Mapped[int] = mapped_column(Integer, doc="of the pull request")
    sha: Mapped[str] = mapped_column(String(64), doc="the head")
    fork: Mapped[bool] = mapped_column(doc="the head lies in another repository, or that one is gone")
    at: Mapped[float] = mapped_column(Double, doc="when it became the head, by GitHub's clock")


class Change(Table):
    """A fix of ours on GitHub, and what became of it: one row per pull request, push or suggestion."""

    __tablename__ = "change"
    __table_args__ = (
        UniqueConstraint("repo_id", "number", "how", "commit"),
        Index(None, "repo_id", "branch"),
        Index(None, "repo_id", "target", "state"),
    )

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    run_id: Mapped[str | None] = mapped_column(
        ForeignKey("run.id", ondelete="SET NULL"), doc="the newest run that wrote to it"
    )
    installation_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id")
    repo_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id")
    number: Mapped[int] = mapped_column(Integer, doc="our pull request; for a push or a suggestion, theirs")
    how: Mapped[str] = mapped_column(String(16), doc="a domain.How: pull, push, suggest or comment")
    branch: Mapped[str] = mapped_column(String(255), doc="the branch that holds our commit, '' for a suggestion")
    target: Mapped[str] = mapped_column(Text, doc="the branch it goes to")
    commit: Mapped[str] = mapped_column(String(64), doc="our newest commit, '' for a suggestion")
    onto: Mapped[str] = mapped_column(String(64), doc="the commit that the patch is against")
    patch: Mapped[str] = mapped_column(Text, doc="unified diff of all that it changes")
    fingerprint: Mapped[str] = mapped_column(String(64), doc="of the failure it mends")
    job: Mapped[str] = mapped_column(Text, default="", doc="name of the job that was red")
    state: Mapped[str] = mapped_column(String(16), doc="a ChangeState")
    ci: Mapped[str] = mapped_column(String(16), default="pending", doc="what the real CI says of `commit`")
    runs: Mapped[int] = mapped_column(Integer, default=1, doc="runs that have written to it")
    rebased: Mapped[int] = mapped_column(Integer, default=0, doc="how often it was made anew on a moved base")
    created_at: Mapped[float] = mapped_column(Double, doc="when it was published")
    updated_at: Mapped[float] = mapped_column(Double, doc="when this row was last changed")


class CallState(StrEnum):
    """Where a call of a model, or a stage's use of the sandbox, stands: under way at its worst case, or over."""

    RESERVED = "reserved"
    SETTLED = "settled"


class Reserved(Table):
    """What a run uses of something that budgets bound, reserved before: the sums of such rows are held against them."""

    __abstract__ = True

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        """An index for each span: of a run by its key, a repository, an installation, and everybody."""
        spans = (("run_id", "key"), ("repo_id", "at"), ("installation_id", "at"), ("at",))
        return tuple(Index(None, *columns) for columns in spans)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    run_id: Mapped[str | None] = mapped_column(
        ForeignKey("run.id", ondelete="SET NULL"), doc="the run that used it; None when it was pruned"
    )
    installation_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id of who had the repository then")
    repo_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id")
    key: Mapped[str] = mapped_column(String(64), doc="its name in the run: the same when the run is taken up again")
    state: Mapped[str] = mapped_column(String(16), doc="a CallState")
    at: Mapped[float] = mapped_column(Double, doc="when it was reserved: the day and the month it counts for")
    expires_at: Mapped[float] = mapped_column(Double, doc="a reservation counts no longer: none is used so long")
    settled_at: Mapped[float | None] = mapped_column(Double, doc="when what was used was written")


class LlmCall(Reserved):
    """One call of a model, reserved before it was sent; its key is the conversation's."""

    __tablename__ = "llm_call"

    purpose: Mapped[str] = mapped_column(String(16), doc="a budgets.Purpose")
    asks: Mapped[int] = mapped_column(
        Integer, default=1, doc="how often it was sent: more than once when workers died over it"
    )
    provider: Mapped[str] = mapped_column(String(32), doc="whose endpoint was asked")
    model: Mapped[str] = mapped_column(String(200), doc="the model that was asked for")
    answered: Mapped[str] = mapped_column(String(200), default="", doc="the model that says it answered")
    response: Mapped[str] = mapped_column(String(200), default="", doc="the endpoint's id of its answer")
    finish: Mapped[str] = mapped_column(String(200), default="", doc="why the answer ended, in the endpoint's word")
    reserved_tokens: Mapped[int] = mapped_column(Integer, doc="the most it can take, question and answer")
    reserved_usd: Mapped[float | None] = mapped_column(Double, doc="the most it can cost; None: the price is unknown")
    input_tokens: Mapped[int] = mapped_column(Integer, default=0, doc="tokens of the question, cached ones included")
    cached_tokens: Mapped[int] = mapped_column(Integer, default=0, doc="of them, read from the endpoint's cache")
    output_tokens: Mapped[int] = mapped_column(Integer, default=0, doc="tokens of the answer, thoughts included")
    reasoning_tokens: Mapped[int] = mapped_column(Integer, default=0, doc="of them, thoughts")
    usd: Mapped[float | None] = mapped_column(Double, doc="what it cost in US dollars; None: unknown, never 0 for it")
    estimated: Mapped[bool] = mapped_column(default=False, doc="the endpoint counted no tokens: ours are a guess")
    seconds: Mapped[float | None] = mapped_column(Double, doc="how long it took; None: nobody kept it")
    error: Mapped[str] = mapped_column(String(64), default="", doc="type of what came in place of a text")


class SandboxUse(Reserved):
    """What one stage of a run used of the sandbox, set aside before; its key is the stage's name and number."""

    __tablename__ = "sandbox_use"

    reserved_seconds: Mapped[float] = mapped_column(Double, doc="seconds of the sandbox that it could use")
    reserved_candidates: Mapped[int] = mapped_column(Integer, doc="candidate patches that it could try")
    seconds: Mapped[float] = mapped_column(Double, default=0.0, doc="seconds in which its commands ran")
    candidates: Mapped[int] = mapped_column(Integer, default=0, doc="candidate patches that it tried")


class Lesson(Table):
    """What people made of a fix: the memory that later runs of the same repository are held to."""

    __tablename__ = "lesson"
    __table_args__ = (Index(None, "repo_id", "fingerprint"), Index(None, "installation_id", "accepted"))

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    installation_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id; lessons never cross installations")
    repo_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id")
    number: Mapped[int] = mapped_column(Integer, doc="the pull request it was learned from")
    fingerprint: Mapped[str] = mapped_column(String(64), doc="of the failure")
    signature: Mapped[str] = mapped_column(Text, default="", doc="a diagnosis.signature as JSON, '' when not known")
    accepted: Mapped[bool] = mapped_column(doc="merged; else closed or called wrong")
    patch: Mapped[str] = mapped_column(Text, doc="unified diff, redacted")
    kind: Mapped[str] = mapped_column(String(16), default="edit", doc="a domain.Change: what the patch said to be")
    words: Mapped[str] = mapped_column(Text, default="", doc="what the reviewer said, redacted; data, not instructions")
    who: Mapped[str] = mapped_column(Text, default="", doc="login of the person who decided")
    at: Mapped[float] = mapped_column(Double, doc="when")


class Switch(Table):
    """Heal switched off for a repository, an installation or everything, until a time or until further notice."""

    __tablename__ = "switch"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True, doc="all, installation:ID or repo:ID")
    until: Mapped[float | None] = mapped_column(Double, doc="None: until it is switched on again")
    who: Mapped[str] = mapped_column(Text, doc="login, or operator")
    why: Mapped[str] = mapped_column(Text, default="", doc="their words, redacted")
    at: Mapped[float] = mapped_column(Double, doc="when it was switched off")


class Ignored(Table):
    """A failure that people told Heal to leave alone for a while."""

    __tablename__ = "ignored"
    __table_args__ = (UniqueConstraint("repo_id", "kind", "value"),)

    id: Mapped[int] = mapped_column(BIG_ID, primary_key=True)
    repo_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id")
    kind: Mapped[str] = mapped_column(String(16), doc="test, job or fingerprint")
    value: Mapped[str] = mapped_column(String(512), doc="the test's id, the job's name or the fingerprint")
    until: Mapped[float | None] = mapped_column(Double, doc="None: until it is taken back")
    who: Mapped[str] = mapped_column(Text, doc="login")
    at: Mapped[float] = mapped_column(Double, doc="when")


class Installation(Table):
    """An account that has installed the App. Rows stay when it leaves, without anything of its own."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, doc="GitHub's id")
    account: Mapped[str] = mapped_column(Text, doc="login at the time of the newest event")
    account_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id of the account")
    state: Mapped[str] = mapped_column(String(16), doc="an InstallationState")
    at: Mapped[float] = mapped_column(Double, doc="when the state was last told")


class Repo(Table):
    """A repository by its id, under the name of the newest event: history follows a rename or a transfer."""

    __tablename__ = "repo"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, doc="GitHub's id")
    installation_id: Mapped[int] = mapped_column(BigInteger, doc="GitHub's id")
    full_name: Mapped[str] = mapped_column(Text, doc="owner/name")
    state: Mapped[str] = mapped_column(String(16), default="active", doc="a RepoState")
    at: Mapped[float] = mapped_column(Double, doc="when it was last told")


class Worker(Table):
    """A worker process that has shown life."""

    __tablename__ = "worker"

    id: Mapped[str] = mapped_column(String(128), primary_key=True, doc="host:pid")
    version: Mapped[str] = mapped_column(String(32), doc="of the distribution it runs")
    slots: Mapped[int] = mapped_column(Integer, doc="how many runs it works on at a time")
    started_at: Mapped[float] = mapped_column(Double, doc="its first sign of life")
    seen_at: Mapped[float] = mapped_column(Double, doc="its last sign of life")
