"""heal.yml on GitHub: its layers, the check on a proposed file, and the one issue about a broken one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.workers.forge.scene import REPO, Scene
from workers.domain import Sha
from workers.errands.model import ConfigTouched, Place
from workers.errands.process import Counter
from workers.fencing import unfenced
from workers.github import App, GitHubForge, configs
from workers.github.session import Purpose, Session
from workers.repo_config.bounds import Bounds, Rules
from workers.repo_config.layers import Source
from workers.settings import WorkerSettings
from workers.store.database import open_engine
from workers.store.errands import Errands
from workers.store.ledger import Ledger
from workers.store.models import Errand
from workers.store.schema import upgrade

FILE = ".github/heal.yml"
BROKEN = "modus: off\npolicy: {max_files: 0}\n"


def app(scene: Scene) -> App:
    """The App of the scene."""
    return App(scene.hub.api_url, scene.keys.app_id, scene.keys.private_key, pace=0)


@pytest.fixture
def session(scene: Scene) -> Iterator[Session]:
    """GitHub as a run sees it."""
    made = Session(app(scene), scene.keys.installation_id, scene.info.id, scene.redactor, unfenced)
    with closing(made):
        yield made


class Desks:
    """Does errands about heal.yml as the process beside a worker does them, on a database of its own."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene = scene
        self._url = f"sqlite:///{folder / 'heal.db'}"
        upgrade(self._url)
        self._count = 0

    def do(self, number: int, sha: str = "", repo_id: int = 0, **settings: Any) -> str:
        """Open one errand, have it done, and give its answer, or its state when it is to be tried again."""
        scene, engine = self._scene, open_engine(self._url)
        place = Place(scene.keys.installation_id, repo_id or scene.info.id, REPO)
        self._count += 1
        with closing(_Engine(engine)):
            errands, ledger = Errands(engine), Ledger(engine, 60)
            errands.open(ConfigTouched(place, number, Sha(sha)), f"config:{self._count}")
            environment = WorkerSettings(database_url=self._url, app_id=scene.keys.app_id, **settings)
            assert Counter(environment, errands, ledger, app(scene), scene.redactor).once("here")
            with engine.connect() as connection:
                row = connection.execute(select(Errand.state, Errand.answer).order_by(Errand.id.desc()).limit(1)).one()
        return str(row.answer) if row.state == "done" else str(row.state)


class _Engine:
    def __init__(self, engine: Any) -> None:
        self.close = engine.dispose


@pytest.fixture
def desks(scene: Scene, tmp_path: Path) -> Desks:
    """The process beside a worker."""
    return Desks(scene, tmp_path)


def checks(scene: Scene) -> list[Any]:
    """The check runs about the configuration."""
    return [run for run in scene.state["check_runs"] if run["name"] == "heal / config"]


def issues(scene: Scene) -> list[Any]:
    """Our issues, oldest first."""
    return sorted(
        (issue for issue in scene.state["issues"] if issue["title"].startswith("Heal only")),
        key=lambda issue: int(issue["number"]),
    )


def test_the_organisations_file_is_a_layer_below_the_repositorys(scene: Scene, session: Session) -> None:
    """It is read from the owner's `.github` repository with a token for that repository's files alone."""
    shared = "limits: {attempts: 3, rounds: 1}\npublish: suggest\n"
    home = scene.hub.create_repo("octo/.github", files={"heal.yml": shared}, private=True)
    scene.hub.push(REPO, {FILE: "limits: {attempts: 5}\n"})
    settings = configs.effective(session, Rules(bounds=Bounds.model_validate({"publish": "stacked"})))
    assert (settings.config.limits.attempts, settings.config.limits.rounds) == (5, 1)
    assert settings.config.publish == "suggest"
    decided = {value.key: value.source for value in settings.values}
    assert (decided["limits.attempts"], decided["limits.rounds"]) == (Source.REPOSITORY, Source.ORGANISATION)
    minted = [one["body"] for one in scene.asked("POST", "/access_tokens")]
    assert minted[-1] == {"repositories": [".github"], "permissions": {"metadata": "read", "contents": "read"}}
    with closing(Session(app(scene), scene.keys.installation_id, home.id, scene.redactor, unfenced)) as there:
        assert configs.own(there)[0] is not None  # for the repository itself it is its own file
    scene.hub.push("octo/.github", {FILE: "limits: {rounds: 7}\n"})
    assert configs.effective(session, Rules()).config.limits.rounds == 7  # the more usual place comes first


def test_a_broken_organisations_file_is_told_and_observed(scene: Scene, session: Session) -> None:
    """What an organisation meant cannot be guessed either; the repository is not bothered with an issue about it."""
    scene.hub.create_repo("octo/.github", files={"heal.yml": BROKEN})
    settings = configs.effective(session, Rules())
    assert settings.config.mode == "observe"
    assert "`octo/.github/heal.yml` on the default branch cannot be used" in settings.note
    assert scene.forge().admission(scene.case).note == settings.note
    assert issues(scene) == []


def test_a_broken_file_means_a_run_that_observes_and_one_issue(scene: Scene) -> None:
    """The run goes on, says why it only observes, and the maintainers are told once."""
    scene.hub.push(REPO, {FILE: BROKEN})
    for _ in range(2):
        found = scene.forge().admission(scene.case)
        assert found.config.mode == "observe"
        assert "line 1, modus - unknown key" in found.note
    (issue,) = issues(scene)
    assert "policy.max_files" in issue["body"]
    assert "max_files: 1" in issue["body"]


def test_a_file_that_is_no_file_or_far_too_big(scene: Scene, session: Session) -> None:
    """A folder of that name is no configuration; megabytes are refused without being read."""
    scene.hub.push(REPO, {f"{FILE}/deep.txt": "x"})
    assert configs.effective(session, Rules()).files.repository is None
    scene.hub.push(REPO, {f"{FILE}/deep.txt": None, FILE: "#" * 1_500_000})
    assert "the file has 1500000 bytes, more than the 65536 allowed" in configs.effective(session, Rules()).note


def test_the_issue_follows_the_file(scene: Scene, desks: Desks) -> None:
    """Opened once, edited when the problems change, closed when they are gone, opened again when they come back."""
    assert desks.do(0) == "nothing to close"
    scene.hub.push(REPO, {FILE: BROKEN})
    assert desks.do(0).startswith("opened #")
    assert desks.do(0).endswith("says it already")
    scene.hub.push(REPO, {FILE: "modus: off\n"})
    assert desks.do(0).startswith("edited #")
    (issue,) = issues(scene)
    assert "policy.max_files" not in issue["body"]
    scene.hub.push(REPO, {FILE: "mode: off\n"})
    assert desks.do(0).startswith("closed #")
    assert [one["state"] for one in issues(scene)] == ["closed"]
    assert desks.do(0) == "nothing to close"
    scene.hub.push(REPO, {FILE: "modus: off\n"})
    assert desks.do(0).startswith("opened #")
    assert [one["state"] for one in issues(scene)] == ["closed", "open"]


def test_an_issue_that_people_closed_stays_closed(scene: Scene, session: Session, desks: Desks) -> None:
    """Nobody is asked the same thing twice; other problems are other news."""
    scene.hub.push(REPO, {FILE: BROKEN})
    desks.do(0)
    path = session.repository.path(f"/issues/{issues(scene)[0]['number']}")
    session.api(Purpose.TELL).send("PATCH", path, {"state": "closed"})
    assert desks.do(0).endswith("was closed: left alone")
    scene.hub.push(REPO, {FILE: "mode: sideways\n"})
    assert desks.do(0).startswith("opened #")


def test_somebody_elses_issue_with_our_marker_is_not_ours(scene: Scene, desks: Desks) -> None:
    """Anybody can write the marker; only what the App opened is edited."""
    scene.hub.create_user("mallory")
    scene.hub.open_issue(REPO, "mallory", "Heal only observes", "<!-- heal:config problems=0123456789abcdef -->")
    scene.hub.push(REPO, {FILE: BROKEN})
    assert desks.do(0).startswith("opened #")
    assert issues(scene)[0]["body"].startswith("<!--")


def test_a_lost_answer_opens_no_second_issue(scene: Scene, desks: Desks) -> None:
    """GitHub made it and its answer was lost: the next try finds it."""
    scene.hub.push(REPO, {FILE: BROKEN})
    scene.hub.fail_requests("/issues$", method="POST", status=502, after=True)
    assert desks.do(0) == "queued"
    assert desks.do(0).endswith("says it already")
    assert len(issues(scene)) == 1


def pull(
    scene: Scene, files: dict[str, str | bytes | None], branch: str = "topic", base: str = "main"
) -> tuple[int, str]:
    """A pull request with these changes: its number and head."""
    sha = scene.hub.push(REPO, files, branch=branch, new_from="main")
    return int(scene.hub.open_pull(REPO, "octocat", branch, base)["number"]), sha


def test_a_proposed_file_is_told_what_it_would_change(scene: Scene, desks: Desks) -> None:
    """Green, with a row per setting that would be another, and what the operator overrules; one check for the head."""
    scene.hub.push(REPO, {FILE: "limits: {attempts: 4}\n"})
    number, sha = pull(scene, {FILE: "limits: {attempts: 9}\npublish: push\nverify: {command: 'a | b'}\n"})
    policy = scene.mirrors.parent / "policy.yml"
    policy.write_text("limits: {attempts: 6}\n")
    for _ in range(2):
        desks.do(number, sha, policy_file=policy)
    (check,) = checks(scene)
    assert (check["conclusion"], check["output"]["title"]) == ("success", "3 settings would change")
    summary = check["output"]["summary"]
    assert "| `limits.attempts` | `4` | `6` | the operator |" in summary
    assert "| `publish` | `stacked` | `push` | this file |" in summary
    assert "| `verify.command` | `auto` | `a \\| b` | this file |" in summary
    assert "- `limits.attempts`: `9` is asked for, `6` counts (the operator)" in summary


def test_a_proposed_file_that_is_wrong_fails_at_its_lines(scene: Scene, desks: Desks) -> None:
    """Red, because it judges nothing but our own file; the mended file turns it green."""
    number, sha = pull(scene, {FILE: BROKEN})
    assert desks.do(number, sha) == f"failure: 2 problems in {FILE}"
    (check,) = checks(scene)
    assert check["conclusion"] == "failure"
    assert [(note["start_line"], note["title"]) for note in check["annotations"]] == [
        (1, "modus"),
        (2, "policy.max_files"),
    ]
    assert desks.do(number, sha) == "the check says it already"
    mended = scene.hub.push(REPO, {FILE: "mode: observe\n"}, branch="topic")
    assert desks.do(number, sha) == "the pull request has moved on"
    assert desks.do(number, mended).startswith("success")
    assert issues(scene) == []


def test_a_fork_proposes_data(scene: Scene, desks: Desks) -> None:
    """The file of a fork is read at its commit and judged like any other."""
    scene.hub.create_user("forker")
    scene.hub.create_repo("forker/shop", fork_of=REPO)
    sha = scene.hub.push("forker/shop", {FILE: "mode: [off]\n"}, branch="wish", new_from="main", user="forker")
    number = int(scene.hub.open_pull(REPO, "forker", "forker:wish")["number"])
    assert desks.do(number, sha) == f"failure: 1 problem in {FILE}"


@pytest.mark.parametrize(
    ("files", "base", "answer"),
    [
        ({"shop.py": "x = 1\n"}, "main", f"{FILE} is not touched"),
        ({FILE: "# nothing\n"}, "main", "success: Nothing would change"),
        ({FILE: "mode: observe\n"}, "release", "success: 1 setting would change"),
    ],
)
def test_what_else_a_pull_request_may_be(
    scene: Scene, desks: Desks, files: dict[str, str | bytes | None], base: str, answer: str
) -> None:
    """One that leaves the file alone gets no check; one to another branch is told that only the default one counts."""
    scene.hub.push(REPO, {"note.txt": "x"}, branch="release", new_from="main")
    assert desks.do(*pull(scene, files, base=base)) == answer
    told = ["this goes to `release`" in run["output"]["summary"] for run in checks(scene)]
    assert told == ([] if "touched" in answer else [base == "release"])


def test_a_removed_file_is_told_too(scene: Scene, desks: Desks) -> None:
    """What then counts are the defaults, or the organisation's settings."""
    scene.hub.push(REPO, {FILE: "mode: observe\n"})
    number, sha = pull(scene, {FILE: None})
    assert desks.do(number, sha) == "success: 1 setting would change"
    assert "would be removed" in checks(scene)[0]["output"]["summary"]


def test_a_repository_that_takes_no_part_hears_nothing(scene: Scene, desks: Desks) -> None:
    """Neither check nor issue, and a run that ends at the door."""
    scene.hub.push(REPO, {FILE: BROKEN})
    assert "HEAL_REPOSITORIES" in desks.do(0, repositories=("other/*",))
    elsewhere = Rules(repositories=("other/*",))
    with GitHubForge(app(scene), scene.mirrors, scene.case, rules=lambda: elsewhere) as forge:
        assert forge.admission(scene.case).config.mode == "off"
    assert issues(scene) == []


def test_where_issues_are_switched_off_the_run_still_says_it(scene: Scene, desks: Desks) -> None:
    """There is nowhere to open one; observing does not fail for it."""
    scene.hub.set_repo(REPO, issues_on=False)
    scene.hub.push(REPO, {FILE: BROKEN})
    assert desks.do(0) == "the repository has no issues"
    assert "cannot be used" in scene.forge().admission(scene.case).note


def test_a_broken_policy_stops_the_errand(scene: Scene, desks: Desks) -> None:
    """No bound is dropped because its file cannot be read."""
    assert "HEAL_POLICY_FILE" in desks.do(0, policy_file=scene.mirrors / "none.yml")
