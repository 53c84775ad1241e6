"""What a test asks the running double for, beyond the basics of `process.py`: faults, first of all.

Each method is one verb of the human side under `/_control`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


class Remote(ABC):
    """The verbs; how they travel is the caller's."""

    @abstractmethod
    def call(self, verb: str, **asked: object) -> Json:
        """Any control verb by name."""

    def fail_requests(
        self,
        path: str,
        *,
        method: str = "",
        status: int = 502,
        times: int = 1,
        after: bool = False,
        headers: Mapping[str, str] | None = None,
        message: str = "Server Error",
    ) -> None:
        """Answer the next matching API requests with an error; `after` does the work first."""
        asked = {"path": path, "method": method, "status": status, "times": times, "after": after}
        self.call("fault", kind="answer", headers=dict(headers or {}), message=message, **asked)

    def sever_requests(self, path: str, *, method: str = "", times: int = 1, after: bool = True) -> None:
        """Close the connection of the next matching requests instead of answering; `after` does the work first."""
        self.call("fault", kind="sever", path=path, method=method, times=times, after=after)

    def limit_requests(
        self, path: str, *, method: str = "", status: int = 403, retry_after: int | None = None, times: int = 1
    ) -> None:
        """GitHub's secondary rate limit, with or without a Retry-After."""
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        self.fail_requests(path, method=method, status=status, times=times, headers=headers, message=SECONDARY)

    def exhaust_requests(self, path: str, *, method: str = "", reset_in: int, status: int = 403) -> None:
        """GitHub's primary rate limit: nothing remains until `reset_in` seconds from now."""
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + reset_in)}
        text = "API rate limit exceeded for installation."
        self.fail_requests(path, method=method, status=status, headers=headers, message=text)

    def expire_tokens(self) -> None:
        """Every token is over, now."""
        self.call("expire_tokens")

    def expire_tokens_at(self, path: str, *, method: str = "", times: int = 1) -> None:
        """Every token is over when the next matching request arrives, also the one it carries."""
        self.call("fault", kind="expire", path=path, method=method, times=times)

    def expire_log_links(self, times: int = 1) -> None:
        """The next addresses of logs are too old when they are given out."""
        self.call("fault", kind="expired_link", path="/logs$", times=times)

    def clear_faults(self) -> None:
        """Take back faults that nobody met."""
        self.call("clear_faults")

    def drop_deliveries(self, event: str = "", times: int = 1) -> None:
        """GitHub cannot bring the next matching deliveries; it keeps them for `/app/hook/deliveries`."""
        self.call("fault", kind="drop", event=event, times=times)

    def duplicate_deliveries(self, event: str = "", times: int = 1) -> None:
        """The next matching deliveries arrive twice, with the same GUID."""
        self.call("fault", kind="duplicate", event=event, times=times)

    def reorder_deliveries(self, event: str = "", times: int = 2) -> None:
        """The next `times` matching deliveries are held and then sent, the last one first; `settle` lets them go."""
        self.call("fault", kind="reorder", event=event, times=times)

    def delay_deliveries(self, event: str = "", times: int = 1, seconds: float = 1.0) -> None:
        """The next matching deliveries arrive so many seconds late; others overtake them."""
        self.call("fault", kind="delay", event=event, times=times, seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Move the double's clock."""
        self.call("advance", seconds=seconds)

    def disagree(self, seconds: float) -> None:
        """The double's clock is so many seconds ahead of its callers'; behind them when negative."""
        self.call("disagree", seconds=seconds)

    # What owners do

    def announce(self, installation_id: int, user: str = "octocat") -> None:
        """Send `installation.created`."""
        self.call("announce", installation_id=installation_id, user=user)

    def install(self, app_id: int, account: str, account_kind: str = "User") -> int:
        """An App that is there on one more account, without a word; the installation's id."""
        return int(self.call("install", app_id=app_id, account=account, account_kind=account_kind)["installation_id"])

    def suspend(self, installation_id: int, user: str = "octocat") -> None:
        self.call("suspend", installation_id=installation_id, user=user)

    def unsuspend(self, installation_id: int, user: str = "octocat") -> None:
        self.call("unsuspend", installation_id=installation_id, user=user)

    def uninstall(self, installation_id: int, user: str = "octocat") -> None:
        self.call("uninstall", installation_id=installation_id, user=user)

    def accept_permissions(
        self, installation_id: int, permissions: Mapping[str, str], events: Sequence[str] = ()
    ) -> None:
        """An owner accepts other permissions (and events, when some are given)."""
        asked = {"permissions": dict(permissions), "events": list(events)}
        self.call("accept_permissions", installation_id=installation_id, **asked)

    def choose_repos(self, installation_id: int, repos: Sequence[str]) -> None:
        """Which repositories the installation covers from now on."""
        self.call("choose_repos", installation_id=installation_id, repos=list(repos))

    def rename_repo(self, repo: str, name: str, user: str = "octocat") -> str:
        """`name` without its owner. Gives the new full name; the old one redirects."""
        return str(self.call("rename_repo", repo=repo, name=name, user=user)["full_name"])

    def rename_account(self, login: str, name: str) -> None:
        """A person or an organization, without a word; the old names of its repositories redirect."""
        self.call("rename_account", login=login, name=name)

    def transfer_repo(self, repo: str, owner: str, user: str = "octocat", owner_kind: str = "User") -> str:
        asked = {"owner": owner, "user": user, "owner_kind": owner_kind}
        return str(self.call("transfer_repo", repo=repo, **asked)["full_name"])

    def archive_repo(self, repo: str, archived: bool = True, user: str = "octocat") -> None:
        self.call("archive_repo", repo=repo, archived=archived, user=user)

    def delete_repo(self, repo: str) -> None:
        """Gone without an event. Pull requests from it keep their head, without its repository."""
        self.call("delete_repo", repo=repo)

    # What people and other systems do

    def label(self, repo: str, user: str, number: int, name: str, off: bool = False) -> None:
        """Put a label on an issue or pull request, or take it off."""
        self.call("label", repo=repo, user=user, number=number, name=name, off=off)

    def edit_pull(self, repo: str, user: str, number: int, **changes: str) -> None:
        """title=, body=, base=."""
        self.call("edit_pull", repo=repo, user=user, number=number, **changes)

    def set_draft(self, repo: str, user: str, number: int, draft: bool) -> None:
        self.call("set_draft", repo=repo, user=user, number=number, draft=draft)

    def reopen(self, repo: str, user: str, number: int) -> None:
        """An issue or a pull request."""
        self.call("reopen", repo=repo, user=user, number=number)

    def close_issue(self, repo: str, user: str, number: int) -> None:
        self.call("close_issue", repo=repo, user=user, number=number)

    def edit_comment(self, repo: str, user: str, comment_id: int, body: str) -> None:
        self.call("edit_comment", repo=repo, user=user, comment_id=comment_id, body=body)

    def delete_comment(self, repo: str, user: str, comment_id: int) -> None:
        self.call("delete_comment", repo=repo, user=user, comment_id=comment_id)

    def resolve(self, repo: str, user: str, comment_id: int, off: bool = False) -> None:
        """Resolve the thread of a review comment, or open it again."""
        self.call("resolve", repo=repo, user=user, comment_id=comment_id, off=off)

    def status(self, repo: str, state: str, context: str = "ci/old", **more: object) -> Json:
        """A commit status of an old CI. More: sha, branch, description, target_url, user."""
        return self.call("status", repo=repo, state=state, context=context, **more)

    def finish_check(
        self, repo: str, name: str, *, app: str = "other-ci", conclusion: str = "failure", **more: object
    ) -> Json:
        """A completed check run of another App. More: sha, branch, output (title, summary, text, annotations),
        details_url, external_id."""
        return self.call("finish_check", repo=repo, name=name, app=app, conclusion=conclusion, **more)

    def rerequest_suite(self, repo: str, user: str, app_id: int, *, sha: str = "") -> None:
        """A person runs all checks of an App on a commit again."""
        self.call("rerequest_suite", repo=repo, user=user, app_id=app_id, sha=sha)
