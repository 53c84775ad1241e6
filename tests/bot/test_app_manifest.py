"""`app.yml` asks GitHub for what the code handles: no event without a reader, no power without an event or effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.decisions import Identity, Ignore
from bot.reading import HANDLED_EVENTS, parse
from bot.triage import decide
from tests.bot.deliveries import PAYLOADS
from workers.github.session import Purpose

ALWAYS_SENT = {"installation", "installation_repositories", "installation_target", "ping"}
"""GitHub sends these to every App; they cannot be subscribed to."""

NEEDS = {
    "check_run": "checks",
    "check_suite": "checks",
    "workflow_run": "actions",
    "status": "statuses",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests",
    "push": "contents",
    "issue_comment": "issues",
    "repository": "metadata",
}
"""The permission GitHub demands for a subscription."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The file at the repository's root."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "app.yml").read_text())
    return found


def test_subscribed_events_are_those_that_lead_to_something(manifest: dict[str, Any]) -> None:
    """No event is asked for that nobody reads, and each that leads to anything is asked for."""
    matters = set()
    for path in PAYLOADS.glob("*.json"):
        event = path.name.partition(".")[0]
        decisions = decide(parse(event, path.read_bytes()), Identity(app_id=42))
        if not all(isinstance(decision, Ignore) for decision in decisions):
            matters.add(event)
    assert matters - ALWAYS_SENT == set(manifest["default_events"]) == HANDLED_EVENTS - ALWAYS_SENT


def test_permissions(manifest: dict[str, Any]) -> None:
    """Each event's permission is there; the power to change workflows or settings is not. Actions are written for one
    thing, running failed jobs once more."""
    granted = manifest["default_permissions"]
    assert {NEEDS[event] for event in manifest["default_events"]} <= set(granted)
    assert not {"workflows", "administration", "secrets", "members"} & set(granted)
    assert [purpose for purpose in Purpose if purpose.permissions.get("actions") == "write"] == [Purpose.RERUN]
    assert Purpose.RERUN.permissions == {"metadata": "read", "actions": "write"}


def test_permissions_are_what_tokens_ask_for(manifest: dict[str, Any]) -> None:
    """The App is granted the strongest access any purpose's token asks for, and nothing beyond."""
    strength = {"read": 1, "write": 2}
    asked: dict[str, str] = {"metadata": "read"}
    for purpose in Purpose:
        for name, access in purpose.permissions.items():
            asked[name] = max(access, asked.get(name, "read"), key=strength.__getitem__)
    assert manifest["default_permissions"] == asked


def test_no_token_asks_for_all_of_it() -> None:
    """Each purpose's token is weaker than the App: none both reads the job's log and writes code."""
    writes = [{name for name, access in purpose.permissions.items() if access == "write"} for purpose in Purpose]
    assert all("contents" not in found or "checks" not in found for found in writes)
    assert not any(
        "actions" in purpose.permissions and "contents" in found for purpose, found in zip(Purpose, writes, strict=True)
    )
