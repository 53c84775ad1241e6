"""The errand about `heal.yml`: judges a proposed file on its pull request, watches the one on the default branch."""

from __future__ import annotations

from contextlib import closing

from workers.errands.desk import Desk
from workers.errands.model import ConfigTouched
from workers.github import config_check, config_issue, configs
from workers.github.config_check import Verdict
from workers.github.session import Purpose, Session
from workers.messages import config as words
from workers.repo_config.bounds import Rules
from workers.repo_config.layers import Files, merge
from workers.repo_config.reading import PATH


def config(desk: Desk) -> str:
    """Do the errand of the desk."""
    touched = desk.errand.payload
    if not isinstance(touched, ConfigTouched):
        raise TypeError(f"no errand about the configuration: {type(touched).__name__}")
    decided = configs.rules_of(desk.settings)
    with closing(desk.session(touched.place)) as session:
        if session.repository.archived:
            return "the repository is archived"
        if not decided.serves(session.repository.full_name):
            return "the operator's HEAL_REPOSITORIES does not name the repository"
        return judge(session, decided, touched) if touched.number else watch(session)


def watch(session: Session) -> str:
    """The file on the default branch: one issue while it cannot be used, none else."""
    problems = configs.own(session)[1]
    return config_issue.show(session, problems) if problems else config_issue.close(session)


def judge(session: Session, decided: Rules, touched: ConfigTouched) -> str:
    """The file that a pull request proposes, as data, whoever wrote it."""
    repo, api = session.repository, session.api(Purpose.READ)
    pull = api.get(repo.path(f"/pulls/{touched.number}"))
    if pull["state"] != "open" or pull["head"]["sha"] != touched.head_sha:
        return "the pull request has moved on"
    touches = any(
        PATH in (file["filename"], file.get("previous_filename"))
        for file in api.pages(repo.path(f"/pulls/{touched.number}/files"))
    )
    if not touches:
        return f"{PATH} is not touched"
    base = pull["base"]["ref"]
    return config_check.show(session, touched.number, touched.head_sha, _verdict(session, decided, touched, base))


def _verdict(session: Session, decided: Rules, touched: ConfigTouched, base: str) -> Verdict:
    repo, api = session.repository, session.api(Purpose.READ)
    would, wrong = configs.at(api, repo, touched.head_sha)
    if wrong:
        return Verdict(*words.refused(wrong), wrong)
    theirs, others = configs.organisation(session)
    mine, problems = configs.own(session)
    now = merge(Files(mine, theirs, problems, others), decided, repo.full_name)
    elsewhere = "" if base == repo.default_branch else base
    later = merge(Files(would, theirs, (), others), decided, repo.full_name)
    return Verdict(*words.accepted(now, later, removed=would is None, elsewhere=elsewhere))
