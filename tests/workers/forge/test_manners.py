"""Heal never merges and never approves: there is one door to GitHub, and it does not open for that."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.workers.forge.scene import REPO, Scene
from workers.github.session import Purpose

WORKERS = Path(__file__).resolve().parents[3] / "workers"
WAYS_OUT = {f"workers/github/{name}.py" for name in ("api", "session", "download", "greeting")}
CALLS = {"requestJsonAndCheck", "requestJson", "requestBlobAndCheck", "graphql_query", "graphql_named_mutation"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/pulls/1/merge", {}),
        ("POST", "/merges", {"base": "main", "head": "x"}),
        ("PUT", "/pulls/1/update-branch", {}),
        ("POST", "/pulls/1/reviews", {"event": "APPROVE"}),
        ("PUT", "/pulls/1/reviews/2/dismissals", {"message": "no"}),
        ("POST", "/actions/runs/1/approve", {}),
    ],
)
def test_nothing_is_merged_or_approved(scene: Scene, method: str, path: str, body: dict[str, object]) -> None:
    """Asking for it is refused before anything is sent, whatever the token could do."""
    api = scene.forge()._session.api(Purpose.PUBLISH)
    with pytest.raises(ValueError, match="never merges and never approves"):
        api.send(method, f"/repos/{REPO}{path}", body)
    assert not scene.asked(method, path)


@pytest.mark.parametrize("name", ["mergePullRequest", "enablePullRequestAutoMerge", "mergeBranch"])
def test_no_mutation_merges(scene: Scene, name: str) -> None:
    """The same for GraphQL."""
    with pytest.raises(ValueError, match="never merges"):
        scene.forge()._session.api(Purpose.PUBLISH).mutate(name, {}, "clientMutationId")


def test_there_is_one_door() -> None:
    """No other module talks to GitHub: none calls PyGithub's requester or sends HTTP of its own."""
    found = set()
    for file in WORKERS.rglob("*.py"):
        name = file.relative_to(WORKERS.parent).as_posix()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in CALLS:
                found.add(name)
            if isinstance(node, ast.Import | ast.ImportFrom) and name.startswith(
                ("workers/github/", "workers/errands/")
            ):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
                if any(one.partition(".")[0] in {"github", "httpx", "requests", "urllib3"} for one in names):
                    found.add(name)
    assert found <= WAYS_OUT


def test_the_double_knows_no_merging_either(scene: Scene) -> None:
    """Who gets past the door is seen: the path is unknown to the double, which fails the test that asked."""
    api = scene.forge()._session.api(Purpose.PUBLISH)
    with pytest.raises(Exception, match="gone"):
        api._call("PUT", f"/repos/{REPO}/pulls/1/merge", body={})
    assert [one["kind"] for one in scene.hub.violations(take=True)] == ["unknown path"]
