"""Which tokens a run mints: for what, in which stage, for which repository, what each is used for, and when it ends.

The double keeps the record: every token that was minted, and every request with the token that it came with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

import pytest

from sandbox.spec import Result, Step
from tests.workers.forge.scene import LOG, Scene
from tests.workers.made import GREEN, PATCH, RED, ScriptedEnvironment, ScriptedSandbox
from tests.workers.test_pipeline import OneIdea
from workers.domain import Aim, Case, Sha, StageName
from workers.errors import LeaseLost, Park, Retryable, Stop
from workers.github.session import Purpose
from workers.pipeline import Parts, drive
from workers.store.memory import MemoryJournal

pytestmark = pytest.mark.uncounted

REPO, OWNERS = "octo/sums", "octo/.github"
FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    ".github/workflows/ci.yml": "name: CI\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n"
    "      - run: python -m pytest -q\n",
}
Answer = Callable[[Step, bytes | None, int], Result]


def honest(step: Step, patch: bytes | None, n: int) -> Result:
    return GREEN if patch == PATCH.encode() else RED


def never(step: Step, patch: bytes | None, n: int) -> Result:
    return RED


def green(step: Step, patch: bytes | None, n: int) -> Result:
    return GREEN


def green_base(step: Step, patch: bytes | None, n: int) -> Result:
    return GREEN if n == 0 else honest(step, patch, n)


def chance(step: Step, patch: bytes | None, n: int) -> Result:
    return RED if n == 0 else GREEN


def bug(step: Step, patch: bytes | None, n: int) -> Result:
    raise ZeroDivisionError


def away(step: Step, patch: bytes | None, n: int) -> Result:
    raise Retryable("it is away", blame="engine")


def lost(step: Step, patch: bytes | None, n: int) -> Result:
    raise LeaseLost("another worker has it")


def stopped(step: Step, patch: bytes | None, n: int) -> Result:
    raise SystemExit(0)


def nothing(scene: Scene) -> None:
    """As it is."""


def configured(text: str) -> Callable[[Scene], None]:
    def push(scene: Scene) -> None:
        scene.hub.push(REPO, {".github/heal.yml": text})

    return push


def archived(scene: Scene) -> None:
    scene.hub.set_repo(REPO, archived=True)


def gone(scene: Scene) -> None:
    scene.hub.set_repo(REPO, gone=True)


def owners_settings(scene: Scene) -> None:
    scene.hub.create_repo(OWNERS, files={".github/heal.yml": "mode: propose\n"})


def reported(scene: Scene) -> None:
    scene.hub.open_issue(REPO, "ada", "add subtracts", "`add(1, 2)` returns `-1`, expected `3`.")


def pushed(scene: Scene) -> None:
    scene.hub.push(REPO, {"c.txt": "1\n"})


def closed(scene: Scene) -> None:
    number = scene.hub.open_pull(REPO, "octocat", "change")["number"]
    scene.hub.close_pull(REPO, "octocat", number)


Minted = tuple[StageName | None, Purpose, str]
"""The stage that began last when a token was minted (None: before the first), what for, and the repository."""


@dataclass(frozen=True)
class Ending:
    """How a run ends, and the tokens that it mints on the way, in order."""

    name: str
    end: str
    tokens: tuple[Minted, ...]
    answer: Answer = honest
    before: Callable[[Scene], None] = nothing
    after: Callable[[Scene], None] = nothing
    """What happened before the job was red, and after."""
    case: Mapping[str, Any] = field(default_factory=dict)
    ci: str = ""
    """What the repository's CI says of the fix; "" for nothing yet."""
    pull: bool = False
    """The run is about a pull request."""


def _in(stage: StageName | None, purpose: Purpose, repo: str = REPO) -> tuple[Minted, ...]:
    return ((stage, purpose, repo),)


LOOKS = _in(StageName.ADMIT, Purpose.READ)
TELLS = (*LOOKS, *_in(StageName.ADMIT, Purpose.TELL))
PUBLISHES = (*TELLS, *_in(StageName.PUBLISH, Purpose.PUBLISH))
FOLLOWS = (*PUBLISHES, *_in(StageName.FOLLOW, Purpose.STATUS))
SUGGESTS = (*TELLS, *_in(StageName.PUBLISH, Purpose.SUGGEST))
ENDINGS = (
    Ending("CI agrees", "FIXED", FOLLOWS, ci="success"),
    Ending("CI disagrees", "UNCONFIRMED", (*FOLLOWS, *_in(StageName.FOLLOW, Purpose.AMEND)), ci="failure"),
    Ending("CI is waited for", "parked", FOLLOWS),
    Ending("suggested", "FIXED", SUGGESTS, answer=green_base, before=configured("publish: suggest\n"), pull=True),
    Ending("pushed", "parked", FOLLOWS, answer=green_base, before=configured("publish: push\n"), pull=True),
    Ending("the base is red", "BASE_ALREADY_RED", TELLS, pull=True),
    Ending("no idea holds", "NO_FIX_FOUND", TELLS, answer=never),
    Ending("green here", "NOT_REPRODUCED", TELLS, answer=green),
    Ending("chance", "FLAKY", TELLS, answer=chance),
    Ending(
        "chance, run again", "FLAKY", (*TELLS, *_in(StageName.REPRODUCE, Purpose.RERUN)), answer=chance,
        before=configured("flaky:\n  rerun: true\n"),
    ),
    Ending("only observed", "REFUSED_BY_POLICY", TELLS, before=configured("mode: observe\n")),
    Ending("switched off", "DISABLED", LOOKS, before=configured("mode: off\n")),
    Ending("archived", "DISABLED", TELLS, after=archived),
    Ending("not installed", "DISABLED", (), after=gone),
    Ending("superseded", "HEAD_MOVED", TELLS, after=pushed),
    Ending("closed", "CANCELLED", TELLS, before=closed, case={"pull_request": 1}),
    Ending(
        "a status, no job", "NO_FIX_FOUND", (*TELLS, *_in(StageName.CHECKOUT, Purpose.STATUS)), answer=never,
        case={"actions_run_id": 0, "job_id": 0, "job": "ci/other"},
    ),
    Ending(
        "a report", "parked", (*TELLS, *_in(StageName.BASE, Purpose.ISSUE), *FOLLOWS[2:]), before=reported,
        case={"aim": Aim.ISSUE, "issue": 1, "requested_by": "ada", "job": "", "job_id": 0, "actions_run_id": 0},
    ),
    Ending(
        "the owner has settings", "NO_FIX_FOUND",
        (*LOOKS, *_in(StageName.ADMIT, Purpose.FILES, OWNERS), *TELLS[1:]), answer=never, before=owners_settings,
    ),
    Ending("our bug", "ZeroDivisionError", TELLS, answer=bug),
    Ending("the engine is away", "Retryable", TELLS, answer=away),
    Ending("another worker has it", "LeaseLost", TELLS, answer=lost),
    Ending("the worker is stopped", "SystemExit", TELLS, answer=stopped),
)  # fmt: skip


class Marked(MemoryJournal):
    """Notes before which request each stage began."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(self._mark)
        self._scene = scene
        self._began: list[tuple[int, StageName]] = []

    def _mark(self, kind: str, title: str, data: Mapping[str, object]) -> None:
        if kind == "stage" and data.get("state") == "started":
            self._began.append((len(self._scene.hub.requests()), StageName(title)))

    def stage(self, request: int) -> StageName | None:
        """The one that had begun last when a request was made."""
        return next((stage for first, stage in reversed(self._began) if first <= request), None)


@dataclass(frozen=True)
class Played:
    """A run that has ended or waits: its end, the tokens in order, and (token, request) of all that came with one."""

    end: str
    tokens: tuple[Minted, ...]
    used: tuple[tuple[Minted, Mapping[str, Any]], ...]


def play(scene: Scene, ending: Ending) -> Played:
    """The run to its end, by the real spine and the real client of GitHub; only the sandbox is a script."""
    journal, case = Marked(scene), red_case(scene, ending)
    with scene.forge(case) as forge:
        sandbox = ScriptedSandbox(ScriptedEnvironment(ending.answer))
        parts = Parts(forge, sandbox, (OneIdea(),), journal, Event(), run_url="http://heal.example/runs/r1")
        end = _driven(case, parts)
        if ending.ci:
            ours = scene.hub.repo(REPO)["pulls"][-1]
            scene.hub.finish_ci(REPO, branch=ours["head"]["ref"], conclusion=ending.ci)
            end = _driven(case, parts)
    asked = scene.hub.requests()
    when = [n for n, one in enumerate(asked) if one["path"].endswith("/access_tokens") and one["status"] == 201]
    made = {one["serial"]: one for one in scene.hub.tokens()}
    known = {one: _minted(made[one], journal.stage(n)) for one, n in zip(made, when, strict=True)}
    used = tuple((known[one["token"]], one) for one in asked if one.get("token"))
    return Played(end, tuple(known.values()), used)


def red_case(scene: Scene, ending: Ending) -> Case:
    """A repository with a red run, and the case of that."""
    hub, branch = scene.hub, "main"
    info = hub.create_repo(REPO, files=FILES, private=True)
    if ending.pull:
        hub.push(REPO, {"calc.py": "def add(a, b):\n    return b + a\n"})
    hub.push(REPO, {"b.txt": "1\n", "calc.py": FILES["calc.py"]}, branch="change", new_from="main")
    ending.before(scene)
    number = None
    if ending.pull:
        branch, number = "change", hub.open_pull(REPO, "octocat", "change")["number"]
    red = hub.finish_ci(REPO, branch=branch, log=LOG, job="test")
    ending.after(scene)
    about = replace(scene.case, repo=REPO, repo_id=info.id, head_sha=Sha(red.sha), branch=branch, pull_request=number)
    return replace(about, **{"job_id": red.job_id, "actions_run_id": red.run_id, **ending.case})


def _driven(case: Case, parts: Parts) -> str:
    try:
        return drive(case, parts).outcome.value
    except Park:
        return "parked"
    except Stop as stop:  # nobody can be told
        return stop.outcome.value
    except (ZeroDivisionError, Retryable, LeaseLost, SystemExit) as trouble:
        return type(trouble).__name__


def _minted(token: Mapping[str, Any], stage: StageName | None) -> Minted:
    """By its permissions, which CONVERSE and SUGGEST share; a token for all repositories, or for two, has no name."""
    (repo,) = token["repos"]
    (*_, purpose) = (one for one in Purpose if dict(one.permissions) == token["permissions"])
    return stage, purpose, repo


USES: Mapping[Purpose, str] = {
    Purpose.READ: r"POST /\S+\.git/git-upload-pack",  # a clone is asked for by POST
    Purpose.FILES: r"nothing",
    Purpose.ISSUE: r"nothing",
    Purpose.STATUS: r"nothing",
    Purpose.TELL: r"(POST|PATCH) \S+/check-runs(/\d+)?|POST \S+/issues/\d+/comments|PATCH \S+/issues/comments/\d+",
    Purpose.RERUN: r"POST \S+/actions/runs/\d+/rerun-failed-jobs",
    Purpose.SUGGEST: r"POST \S+/pulls/\d+/reviews",
    Purpose.AMEND: r"PATCH \S+/pulls/\d+|POST \S+/issues/\d+/labels",
    Purpose.PUBLISH: r"(POST|PATCH) \S+/git/\S+|POST \S+/pulls|PATCH \S+/pulls/\d+|POST /api/graphql"
    r"|POST \S+/issues/\d+/labels",
}
"""What each token changes, and all that it changes. What only reads is not named."""


def _used_as_meant(played: Played) -> None:
    """No token changes what is not its purpose, and none that may write to the contents is there before publishing."""
    for (stage, purpose, _), request in played.used:
        asked = f"{request['method']} {request['path']}"
        if request["method"] != "GET" and asked != "DELETE /installation/token":
            assert re.fullmatch(USES[purpose], asked), (stage, purpose, asked)
        if purpose.permissions.get("contents") == "write":
            assert stage in (StageName.PUBLISH, StageName.FOLLOW), asked
        if ".git/" in asked or asked.endswith("/logs"):
            assert purpose is Purpose.READ, asked


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda one: one.name.replace(" ", "-"))
def test_every_ending_mints_these_tokens_and_no_other(scene: Scene, ending: Ending) -> None:
    """Each for one repository and one purpose, in the stage that needs it; in the end none of them works any more."""
    played = play(scene, ending)
    assert (played.end, played.tokens) == (ending.end, ending.tokens)
    assert [one for one in scene.hub.tokens() if not one["revoked"]] == []
    assert {one["repos"][0] for one in scene.hub.tokens()} <= {REPO, OWNERS}
    _used_as_meant(played)
