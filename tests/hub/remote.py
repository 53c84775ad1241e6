"""What a test asks the running double for, beyond the basics of `process.py`: faults, first of all.

Each method is one verb of the human side under `/_control`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
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

    def hide_mergeable(self, path: str = "/pulls/", times: int = 1) -> None:
        """GitHub does not know yet whether a pull request can be merged, for the next asks."""
        self.call("fault", kind="unknown_mergeable", path=path, times=times)

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
