"""No secret leaves through GitHub's door, and no token outlives its run."""

from __future__ import annotations

import json

import pytest

from tests.workers.forge.scene import Scene
from workers.domain import Finding
from workers.github.session import Purpose
from workers.ports import Notice, Proposal
from workers.redact import MARK

TOKEN = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"


def test_what_is_posted_is_redacted_at_the_door(scene: Scene) -> None:
    """Whatever words reach the forge, registered values and keys do not pass it."""
    scene.redactor.add("registered-value-1")
    leak = f"registered-value-1 {TOKEN}"
    with scene.forge() as forge:
        forge.tell(scene.case, Notice(leak, leak, leak, annotations=(Finding(leak, "calc.py", 1),), final=True))
        tree = forge.tree(scene.case)
        patch = tree.diff({"new.txt": b"new\n"})
        forge.publish(scene.case, tree, patch, Proposal("heal/x", "main", leak, leak, leak, True))
    state = json.dumps(scene.hub.repo(scene.case.repo))
    assert "registered-value-1" not in state
    assert TOKEN not in state
    assert MARK in state


def _crash(scene: Scene) -> None:
    with scene.forge() as forge:
        forge.job(scene.case)
        forge._session._tokens[Purpose.READ].expires = 0.0
        forge.job(scene.case)
        raise ZeroDivisionError


def test_every_token_is_revoked(scene: Scene) -> None:
    """A run that crashes, and one that minted a second token for a purpose, leaves no token that works."""
    with pytest.raises(ZeroDivisionError):
        _crash(scene)
    assert [token["revoked"] for token in scene.hub.tokens()] == [True, True]
