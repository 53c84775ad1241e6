"""`/heal` in a comment, from the reaction to the runs: who may, what is meant, and that nothing happens twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from tests.workers.errands.office import REPO, Office, reactions
from workers.domain import Aim, Case, Outcome, RunId, Sha
from workers.errands.model import CommandGiven, Kind
from workers.errands.who import PERSON_LIMIT, REPO_LIMIT
from workers.run_key import run_key
from workers.store import models
from workers.store.database import db_now, transact
from workers.store.models import Errand
from workers.store.switches import Ignores, Switches
from workers.wishes import EVERYTHING


def test_fix_opens_the_run_of_the_red_workflow(office: Office) -> None:
    """Seen, then done; the run knows who asked and how, and says the rest itself."""
    comment = office.give('/heal fix hint="it is the sign" test=test_shop.py::test_total')
    assert reactions(comment) == ["eyes", "rocket"]
    assert office.said == []
    (case,) = office.cases
    assert office.red is not None
    assert (case.head_sha, case.branch, case.pull_request, case.fork) == (office.sha, "change", office.number, False)
    assert (case.job, case.job_id, case.actions_run_id) == ("test", office.red.job_id, office.red.run_id)
    assert (case.requested_by, case.aim, case.trusted_sha) == ("mona", Aim.CHECK, None)
    assert case.hint == "It is about the test test_shop.py::test_total. it is the sign"


def test_a_second_try_of_the_errand_changes_nothing(office: Office) -> None:
    """The process was killed after the run was opened, or after the reply: neither is made twice."""
    comment = office.give("/heal fix\n/heal help")
    given = CommandGiven(office.place("mona"), office.number, True, comment["id"], comment["body"], 5e9)
    office.do(given)
    office.end()
    office.do(given)
    assert len(office.cases) == 1
    assert len(office.said) == 1
    assert reactions(office.comment(comment["id"])) == ["eyes", "rocket"]


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    ("user", "body", "shown", "words", "runs"),
    [
        ("eve", "/heal", "-1", "", 0),
        ("eve", "/heal frobnicate", "-1", "", 0),
        ("eve", "/heal stop", "-1", "", 0),
        ("eve", "/heal status", "rocket", "No run so far.", 0),
        ("nobody", "/heal help", "-1", "", 0),
        ("octocat", "/heal", "rocket", "", 1),
        ("octocat", "/heal fix image=python:3.13", "-1", "", 0),
        ("octocat", "/heal retyr", "confused", "Did you mean `/heal retry`?", 0),
        ("mona", "/heal pause", "confused", "needs the *maintain* role on `octo/shop`; you have *write*", 0),
        ("mona", "/heal fix budget=2", "confused", "with `model=` or `budget=` needs the *maintain* role", 0),
        ("ada", "/heal fix budget=2 model=openai:gpt-5-mini", "rocket", "", 1),
        ("ada", "/heal fix model=ollama:tiny", "confused", "only models of `openai` can be asked here", 0),
        ("mona", "/heal fix jop=test", "confused", "Did you mean `job=`?", 0),
        ("mona", "/heal pause for=forever", "confused", "`for=forever`: expected a duration", 0),
    ],
)
def test_who_may_do_what(office: Office, user: str, body: str, shown: str, words: str, runs: int) -> None:
    """By the role that GitHub gives. People without any standing get a reaction, others a sentence."""
    assert reactions(office.give(body, user)) == ["eyes", shown]
    assert len(office.cases) == runs
    assert len(office.said) == bool(words)
    assert words in "".join(office.said)


def test_rights_fail_closed(office: Office) -> None:
    """No answer is no right; an answer about another person under the same login is none either."""
    office.hub.fail_requests("/permission$", status=403, times=2, message="Must have push access")
    assert reactions(office.give("/heal")) == ["eyes", "-1"]
    office.ids["mona"] = office.place("eve").sender_id
    assert reactions(office.give("/heal")) == ["eyes", "-1"]
    assert office.cases == []


def test_the_stronger_token_asks_where_the_weaker_may_not(office: Office) -> None:
    """GitHub's table says that metadata is enough, some of its answers say that it is not."""
    office.hub.fail_requests("/permission$", status=403, times=1, message="Must have push access")
    assert reactions(office.give("/heal")) == ["eyes", "rocket"]


def test_an_outage_is_tried_again(office: Office) -> None:
    """What passes is no refusal: the errand waits and is done later, once."""
    office.hub.fail_requests("/permission$", status=502, times=9)
    comment = office.give("/heal")
    assert reactions(comment) == ["eyes"]
    office.hub.clear_faults()
    transact(office.engine, lambda c: c.execute(update(Errand).values(next_at=db_now())))
    assert office.counter.once("host:1/0")
    assert reactions(office.comment(comment["id"])) == ["eyes", "rocket"]
    assert len(office.cases) == 1


@pytest.mark.fault(72)
def test_bots_are_refused_by_their_kind(office: Office) -> None:
    """Whatever role a bot has."""
    office.ids["helper[bot]"] = office.hub.create_user("helper[bot]", "Bot")["id"]
    office.hub.set_permission(REPO, "helper[bot]", "admin")
    assert reactions(office.give("/heal", "helper[bot]")) == ["eyes", "-1"]


def test_a_command_means_the_head_its_author_saw(office: Office) -> None:
    """A later head is refused with a sentence; named in full it is what was meant, seven digits prove too little."""
    later = office.hub.push(REPO, {"shop.py": "evil = 1\n"}, branch="change")
    office.hub.finish_ci(REPO, branch="change", event="pull_request")
    for body in ("/heal", f"/heal {later[:12]}"):
        assert reactions(office.give(body)) == ["eyes", "confused"]
        assert f"`{later[:7]}` may have come after your comment" in office.said[-1]
    assert reactions(office.give(f"/heal {office.sha}")) == ["eyes", "confused"]
    assert "is not the head of" in office.said[-1]
    assert office.cases == []
    assert reactions(office.give(f"/heal {later}")) == ["eyes", "rocket"]
    assert [case.head_sha for case in office.cases] == [later]


def test_a_head_that_no_delivery_told_of(office: Office) -> None:
    """It must have been in the repository before the comment, by GitHub's own record of it."""
    transact(office.engine, lambda c: c.execute(models.PullHead.__table__.delete()))  # type: ignore[attr-defined]
    assert reactions(office.give("/heal", at=1000.0)) == ["eyes", "confused"]
    assert reactions(office.give("/heal")) == ["eyes", "rocket"]


def test_a_fork_needs_a_named_commit_and_write_access(office: Office) -> None:
    """The author of the fork's pull request may not have its code run, whatever they name."""
    office.hub.create_repo("stranger/shop", fork_of=REPO)
    sha = office.hub.push("stranger/shop", {"shop.py": "x = 3\n"}, branch="theirs", user="stranger")
    office.hub.set_permission(REPO, "stranger", "read")
    office.number = office.hub.open_pull(REPO, "stranger", "stranger:theirs")["number"]
    office.hub.finish_ci(REPO, sha=sha, branch="theirs", event="pull_request", head_repo="stranger/shop")
    office.saw(sha, 1000.0, fork=True)
    assert reactions(office.give("/heal")) == ["eyes", "confused"]
    assert f"`/heal {sha[:12]}`" in office.said[-1]
    assert reactions(office.give(f"/heal {sha}", "stranger")) == ["eyes", "-1"]
    assert office.cases == []
    assert reactions(office.give(f"/heal {sha[:7]}")) == ["eyes", "rocket"]
    (case,) = office.cases
    assert (case.fork, case.trusted_sha, case.head_sha) == (True, sha, sha)


def test_what_is_red(office: Office) -> None:
    """A run for each red workflow, one for a matrix; a job by its name, also a green one."""
    office.hub.finish_ci(REPO, branch="change", event="pull_request", workflow=".github/workflows/lint.yml", job="lint")
    office.hub.finish_ci(REPO, branch="change", conclusion="success", job="docs", workflow=".github/workflows/docs.yml")
    assert reactions(office.give("/heal fix job=nope")) == ["eyes", "confused"]
    assert "There are: `docs`, `lint`, `test`." in office.said[-1]
    office.give("/heal")
    assert sorted(case.job for case in office.cases) == ["lint", "test"]
    office.give("/heal fix job=docs")
    assert office.cases[-1].job == "docs"


def test_nothing_is_red(office: Office) -> None:
    """It is said, and how to insist."""
    office.sha = office.hub.push(REPO, {"shop.py": "x = 4\n"}, branch="change")
    office.saw(office.sha, 2000.0)
    office.hub.finish_ci(REPO, branch="change", conclusion="success")
    assert reactions(office.give("/heal")) == ["eyes", "confused"]
    green = f"All checks on `{office.sha[:7]}` are green; nothing to fix. `/heal fix job=<name>` forces one."
    assert office.said == [green]


def test_never_a_second_run_while_one_is_at_work(office: Office) -> None:
    """The event's run counts too; once it is over, there is one more try, and another one after that."""
    office.give("/heal")
    first = office.cases[0]
    event = replace(first, requested_by=None, hint="", run=RunId(""))
    assert office.ledger.open_run(event, run_key(event), "delivery")[1] is False
    assert reactions(office.give("/heal retry")) == ["eyes", "confused"]
    assert "is already working on" in office.said[-1]
    assert "`/heal stop` cancels it." in office.said[-1]
    for tries in (2, 3):
        office.end()
        office.give("/heal retry once more")
        assert len(office.cases) == tries


def test_on_an_issue(office: Office) -> None:
    """A run for the bug report, on the default branch as it is now."""
    issue = office.hub.open_issue(REPO, "eve", "total is wrong")["number"]
    assert reactions(office.give("/heal", number=issue)) == ["eyes", "rocket"]
    assert reactions(office.give("/heal", number=issue)) == ["eyes", "confused"]
    (case,) = office.cases
    assert (case.aim, case.issue, case.branch, case.pull_request) == (Aim.ISSUE, issue, "main", None)
    assert case.head_sha == office.info.sha


@pytest.mark.parametrize(("body", "aim"), [("/heal retry", Aim.AGAIN), ("/heal retry keep the name", Aim.REVISE)])
def test_on_a_pull_request_of_ours(office: Office, body: str, aim: Aim) -> None:
    """It is gone on with: by what CI says, or by what the person asks for."""
    origin, number = made_by_us(office)
    assert reactions(office.give(body, number=number, on_pull_request=True)) == ["eyes", "rocket"]
    case = office.cases[-1]
    assert (case.aim, case.branch, case.pull_request) == (aim, origin.branch, origin.pull_request)
    assert case.ours is not None
    assert (case.ours.pull_request, case.ours.branch) == (number, "heal/fix")
    assert [remark.body for remark in case.remarks] == (["keep the name"] if aim is Aim.REVISE else [])
    assert reactions(office.give(body, number=number, on_pull_request=True)) == ["eyes", "confused"]


def made_by_us(office: Office, outcome: Outcome = Outcome.FIXED) -> tuple[Case, int]:
    """A pull request of ours, made by a run that is over."""
    commit = office.hub.push(REPO, {"shop.py": "x = 9\n"}, branch="heal/fix", new_from="change", user=office.keys.bot)
    number = int(office.hub.open_pull(REPO, office.keys.bot, "heal/fix", base="change")["number"])
    office.saw(commit, 1500.0, number=number)
    case = Case(
        RunId(""), REPO, office.info.id, office.keys.installation_id, Sha(office.sha), "change", job="test",
        pull_request=office.number,
    )  # fmt: skip
    run, _ = office.ledger.open_run(case, "made", "delivery")
    published = {"published_pull_request": number, "published_branch": "heal/fix", "fingerprint": "f00d"}
    change = {
        "run_id": run, "installation_id": case.installation_id, "repo_id": case.repo_id, "number": number,
        "how": "pull", "branch": "heal/fix", "target": "change", "commit": commit, "onto": office.sha, "patch": "",
        "fingerprint": "f00d", "job": "test", "state": "open", "created_at": 1.0, "updated_at": 1.0,
    }  # fmt: skip
    stored = {
        "run_id": run, "stage": "publish", "n": 0, "fence": 1, "kind": "Published", "seconds": 0.0, "finished_at": 1.0,
        "data": f'{{"pull_request": {number}, "branch": "heal/fix", "commit": "{commit}"}}',
    }  # fmt: skip
    tables = models.Table.metadata.tables
    transact(office.engine, lambda c: c.execute(tables["change"].insert().values(**change)))
    transact(office.engine, lambda c: c.execute(tables["stage_result"].insert().values(**stored)))
    office.ledger.cancel(run, outcome, "")
    transact(office.engine, lambda c: c.execute(update(models.Run).where(models.Run.id == run).values(**published)))
    return replace(case, run=run), number


def test_stop_status_and_explain(office: Office) -> None:
    """What is at work is told, ended in the person's name, and explained afterwards."""
    assert reactions(office.give("/heal stop")) == ["eyes", "confused"]
    assert reactions(office.give("/heal explain")) == ["eyes", "confused"]
    office.give("/heal")
    office.give("/heal status", "eve")
    assert "waiting for its turn" in office.said[-1]
    assert reactions(office.give("/heal stop", "octocat")) == ["eyes", "rocket"]
    office.give("/heal status\n/heal explain", "eve")
    assert "**CANCELLED**" in office.said[-1]
    assert "Stopped by `octocat`." in office.said[-1]
    assert "(http://heal.example/runs/" in office.said[-1]


def test_pause_and_resume(office: Office) -> None:
    """What is at work ends, nothing new begins, and only a few commands work; a wider switch is not theirs to end."""
    office.give("/heal")
    assert reactions(office.give("/heal pause for=7d", "ada")) == ["eyes", "rocket"]
    assert office.said[-1].startswith("Paused for this repository until 20")
    assert "1 run ended" in office.said[-1]
    assert reactions(office.give("/heal", "ada")) == ["eyes", "confused"]
    assert "by `ada`." in office.said[-1]
    assert office.press("retry", run=office.cases[0].run).startswith("done: left alone: Heal is paused")
    assert len(office.cases) == 1
    assert reactions(office.give("/heal resume", "ada")) == ["eyes", "rocket"]
    assert reactions(office.give("/heal resume", "ada")) == ["eyes", "confused"]
    Switches(office.engine).off(EVERYTHING, "operator", "an upgrade")
    assert reactions(office.give("/heal resume", "ada")) == ["eyes", "confused"]
    assert "Only whoever operates Heal can change that." in office.said[-1]
    assert [off.scope for off in Switches(office.engine).listed()] == ["all"]


def test_ignore_and_unignore(office: Office) -> None:
    """A test, a job, or without a name the failure that was diagnosed here last."""
    assert reactions(office.give("/heal ignore", "ada")) == ["eyes", "confused"]
    made_by_us(office)
    office.give("/heal ignore test=t.py::a for=30d\n/heal ignore job=lint\n/heal ignore", "ada")
    listed = Ignores(office.engine, office.info.id).listed()
    assert {(one.kind, one.value, one.who) for one in listed} == {
        ("test", "t.py::a", "ada"), ("job", "lint", "ada"), ("fingerprint", "f00d", "ada"),
    }  # fmt: skip
    assert "The test `t.py::a` is ignored until 20" in office.said[-1]
    assert reactions(office.give("/heal unignore\n/heal unignore job=lint", "ada")) == ["eyes", "rocket"]
    assert reactions(office.give("/heal unignore job=lint", "ada")) == ["eyes", "confused"]


def test_undo_closes_our_pull_request(office: Office) -> None:
    """And deletes the branch, which nobody else pushed to; done twice it is said that there is nothing."""
    _, number = made_by_us(office)
    assert reactions(office.give("/heal undo", "ada")) == ["eyes", "rocket"]
    assert office.said == [f"Closed #{number} and deleted `heal/fix`."]
    assert "heal/fix" not in office.state["branches"]
    assert [pull["state"] for pull in office.state["pulls"]] == ["open", "closed"]
    assert reactions(office.give("/heal undo", "ada")) == ["eyes", "confused"]


def test_undo_leaves_what_others_made(office: Office) -> None:
    """A branch that a person pushed to stays."""
    _, number = made_by_us(office)
    theirs = office.hub.push(REPO, {"shop.py": "x = 10\n"}, branch="heal/fix", user="octocat")
    office.give("/heal undo", "ada")
    assert office.said == [f"Closed #{number}. `heal/fix` holds commits that are not mine, so it stays."]
    assert office.state["branches"]["heal/fix"] == theirs


def test_undo_reverts_a_pushed_commit(office: Office) -> None:
    """By a new commit with the files of before; once others have built on it, it is said how to do it by hand."""
    made_by_us(office)
    before = office.state["commits"][office.sha]["tree"]["sha"]
    pushed = office.hub.push(REPO, {"shop.py": "x = 11\n"}, branch="change", user=office.keys.bot, message="fix: x")
    data = f'{{"pull_request": {office.number}, "branch": "change", "commit": "{pushed}", "how": "push"}}'
    table = models.Table.metadata.tables["stage_result"]
    transact(office.engine, lambda c: c.execute(table.update().values(data=data)))
    assert reactions(office.give("/heal undo", "ada")) == ["eyes", "rocket"]
    head = office.state["branches"]["change"]
    commit = office.state["commits"][head]
    assert [parent["sha"] for parent in commit["parents"]] == [pushed]
    assert commit["tree"]["sha"] == before
    assert commit["message"].startswith('Revert "fix: x"')
    assert commit["verification"]["verified"]
    office.give("/heal undo", "ada")
    assert office.state["branches"]["change"] == head
    office.hub.push(REPO, {"other.py": "y = 1\n"}, branch="change")
    assert reactions(office.give("/heal undo", "ada")) == ["eyes", "confused"]
    assert f"`git revert {pushed[:12]}`" in office.said[-1]


def test_the_configuration_in_effect(office: Office) -> None:
    """What the default branch says, and every default beside it; a file that cannot be used says why."""
    office.hub.push(REPO, {".github/heal.yml": "verify:\n  repeat: 3\n"})
    assert reactions(office.give("/heal config", "ada")) == ["eyes", "rocket"]
    own, _, everything = office.said[-1].partition("<details>")
    assert "verify.repeat: 3" in own
    assert "policy.max_files" not in own
    assert "policy.max_files: 5" in everything


def test_a_refusal_of_github_is_an_answer(office: Office) -> None:
    """What GitHub will not let us do is said to who asked, instead of nothing."""
    office.hub.fail_requests("/check-runs", status=451, message="Repository access blocked")
    assert reactions(office.give("/heal")) == ["eyes", "confused"]
    assert office.said == ["GitHub does not let Heal do this: Repository access blocked"]


@pytest.mark.fault(72)
def test_too_many_commands(office: Office) -> None:
    """A person has a share; strangers together have one, and cannot lock out those who work here."""
    for n in range(PERSON_LIMIT):
        office.errands.open(CommandGiven(office.place("mona"), 1, True, n, "", 1.0), f"m{n}")
    transact(office.engine, lambda c: c.execute(update(Errand).values(state="done")))
    assert reactions(office.give("/heal help")) == ["eyes", "confused"]
    for n in range(REPO_LIMIT):
        office.errands.open(CommandGiven(office.place(f"s{n % 20}"), 1, True, n, "", 1.0), f"s{n}")
    transact(office.engine, lambda c: c.execute(update(Errand).values(state="done")))
    assert reactions(office.give("/heal help", "eve")) == ["eyes", "confused"]
    assert office.said == []
    assert reactions(office.give("/heal help", "ada")) == ["eyes", "rocket"]
    assert office.errands.given_lately(office.info.id, None, 60, Kind.COMMAND) > REPO_LIMIT


def test_at_a_line_of_a_diff(office: Office) -> None:
    """The reaction and the reply go to the thread; a second try replies to nobody twice."""
    comments = [{"path": "shop.py", "line": 1, "side": "RIGHT", "body": "/heal status"}]
    office.hub.review(REPO, "mona", office.number, comments=comments)
    first = office.state["review_comments"][0]
    reply = office.hub.reply(REPO, "mona", first["id"], "/heal status")
    for comment_id in (first["id"], reply["id"], reply["id"]):
        given = CommandGiven(office.place("mona"), office.number, True, comment_id, "/heal status", 5e9)
        office.do(replace(given, review_comment=True))
    thread = office.state["review_comments"]
    assert [one["user"]["login"] for one in thread] == ["mona", "mona", office.keys.bot, office.keys.bot]
    assert {one.get("in_reply_to_id") for one in thread[1:]} == {first["id"]}
    assert office.said == []


def test_a_comment_that_was_deleted(office: Office) -> None:
    """It cannot be reacted to; what it asked for is done all the same."""
    given = CommandGiven(office.place("mona"), office.number, True, 999_999, "/heal", 5e9)
    assert office.do(given) == "done: fix: done"
    assert len(office.cases) == 1
