"""What owners do: suspend, remove and change installations; rename, move, archive and delete repositories.

The Apps that are concerned are told, by the events GitHub sends for it.
"""

from __future__ import annotations

from tests.hub import shapes
from tests.hub.events import Events
from tests.hub.state import Installation, Json, Repo, User, World


class Estate:
    """Verbs of the human side about installations and about repositories as a whole."""

    def __init__(self, world: World, events: Events) -> None:
        self._world, self._events = world, events

    def do_announce(self, asked: Json) -> Json:
        """Tell an installation's App that it was installed."""
        self._tell(self._installation(asked), "created", self._who(asked), with_repositories=True)
        return {}

    def do_suspend(self, asked: Json) -> Json:
        """Its tokens are refused and nothing is delivered until `unsuspend`."""
        one, who = self._installation(asked), self._who(asked)
        one.suspended, one.suspended_by = self._world.stamp(), who
        self._tell(one, "suspend", who)
        return {}

    def do_unsuspend(self, asked: Json) -> Json:
        one = self._installation(asked)
        one.suspended = one.suspended_by = None
        self._tell(one, "unsuspend", self._who(asked))
        return {}

    def do_uninstall(self, asked: Json) -> Json:
        """Its tokens die with it."""
        one = self._installation(asked)
        self._tell(one, "deleted", self._who(asked), with_repositories=True)
        del self._world.installations[one.id]
        for token in self._world.tokens.values():
            token.revoked = token.revoked or token.installation is one
        return {}

    def do_accept_permissions(self, asked: Json) -> Json:
        """An owner accepts other permissions and events; tokens that exist keep what they have."""
        one = self._installation(asked)
        one.permissions = {"metadata": "read", **asked["permissions"]}
        one.events = list(asked.get("events") or one.events)
        self._tell(one, "new_permissions_accepted", self._who(asked))
        return {}

    def do_choose_repos(self, asked: Json) -> Json:
        """Which repositories an installation covers from now on; the events name what came and what went."""
        one, who = self._installation(asked), self._who(asked)
        before = {repo.id for repo in self._covered(one)}
        one.repo_ids = {repo.id for name in asked["repos"] if (repo := self._world.repo(name)) is not None}
        after = {repo.id for repo in self._covered(one)}
        for action, added, removed in (("added", after - before, set()), ("removed", set(), before - after)):
            if added or removed:
                body = {
                    "repository_selection": "selected",
                    "repositories_added": self._short(added),
                    "repositories_removed": self._short(removed),
                    "requester": None,
                }
                self._events.of_installation(one, "installation_repositories", action, who, body)
        return {}

    def do_rename_repo(self, asked: Json) -> Json:
        """The old name leads to the new one from now on."""
        repo, who = self._repo(asked), self._who(asked)
        old = repo.name
        self._world.moved[repo.full_name.lower()] = repo.id
        repo.name = asked["name"]
        self._world.moved.pop(repo.full_name.lower(), None)
        self._events.fire("repository", "renamed", repo, who, {"changes": {"repository": {"name": {"from": old}}}})
        return {"full_name": repo.full_name}

    def do_rename_account(self, asked: Json) -> Json:
        """It has another login, and its repositories' names lead on. Nobody is told."""
        account = self._world.users.pop(asked["login"].lower())
        for repo in self._world.repos.values():
            if repo.owner is account:
                self._world.moved[repo.full_name.lower()] = repo.id
        account.login = asked["name"]
        self._world.users[account.login.lower()] = account
        return {}

    def do_transfer_repo(self, asked: Json) -> Json:
        """To another owner; who is told are the Apps installed there."""
        repo, who, old = self._repo(asked), self._who(asked), self._repo(asked).owner
        self._world.moved[repo.full_name.lower()] = repo.id
        repo.owner = self._world.user(asked["owner"], asked.get("owner_kind", "User"))
        repo.permissions[repo.owner.login.lower()] = "admin"
        changes = {"owner": {"from": {"user": shapes.user(self._world, old)}}}
        self._events.fire("repository", "transferred", repo, who, {"changes": changes})
        return {"full_name": repo.full_name}

    def do_archive_repo(self, asked: Json) -> Json:
        """Read-only; `archived` false takes it back."""
        repo = self._repo(asked)
        repo.archived = asked.get("archived", True)
        self._events.fire("repository", "archived" if repo.archived else "unarchived", repo, self._who(asked), {})
        return {}

    def do_delete_repo(self, asked: Json) -> Json:
        """Gone, without a word: `repository.deleted` is not sent to Apps."""
        self._repo(asked).gone = True
        return {}

    def _repo(self, asked: Json) -> Repo:
        found = self._world.repo(asked["repo"])
        if found is None:
            raise LookupError(asked["repo"])
        return found

    def _installation(self, asked: Json) -> Installation:
        return self._world.installations[asked["installation_id"]]

    def _who(self, asked: Json) -> User:
        return self._world.user(asked.get("user") or "octocat")

    def _covered(self, one: Installation) -> list[Repo]:
        repos = (repo for repo in self._world.repos.values() if repo.owner is one.account and not repo.gone)
        return [repo for repo in repos if one.repo_ids is None or repo.id in one.repo_ids]

    def _short(self, ids: set[int]) -> list[Json]:
        return [shapes.short_repository(self._world.repos[one]) for one in sorted(ids)]

    def _tell(self, one: Installation, action: str, who: User, *, with_repositories: bool = False) -> None:
        body: Json = {}
        if with_repositories:
            body["repositories"] = self._short({repo.id for repo in self._covered(one)})
        if action == "created":
            body["requester"] = None
        self._events.of_installation(one, "installation", action, who, body)
