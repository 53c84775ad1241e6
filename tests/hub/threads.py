"""Threads of comments on lines, as GraphQL tells them: asked for by pull request, and resolved one by one.

GitHub asks for write access to the contents as well before it resolves a thread; so does the double.
"""

from __future__ import annotations

from tests.hub import shapes_work
from tests.hub.state import Comment, Json, Pull, Repo, World

NEEDS = ("pull_requests:write", "contents:write")


def node_id(first: Comment) -> str:
    """The thread's global id; it is known by its first comment."""
    return f"PRRT_kwDO{first.id}"


def find(world: World, wanted: str) -> tuple[Repo, Comment] | None:
    """The thread with this id."""
    for repo in world.repos.values():
        for comment in repo.review_comments.values():
            if comment.reply_to is None and node_id(comment) == wanted:
                return repo, comment
    return None


def shape(world: World, repo: Repo, first: Comment) -> Json:
    """`PullRequestReviewThread`."""
    comments = [first, *(one for one in repo.review_comments.values() if one.reply_to == first.id)]
    head = repo.pulls[first.number].head_sha
    return {
        "__typename": "PullRequestReviewThread",
        "id": node_id(first),
        "isResolved": first.id in repo.resolved,
        "isOutdated": first.commit_id != head,
        "path": first.path,
        "line": first.line,
        "comments": [_comment(world, repo, one) for one in comments],
    }


def of_pull(world: World, repo: Repo, pull: Pull) -> list[Json]:
    """Every thread of a pull request."""
    firsts = [one for one in repo.review_comments.values() if one.number == pull.number and one.reply_to is None]
    return [shape(world, repo, one) for one in firsts]


def _comment(world: World, repo: Repo, one: Comment) -> Json:
    """`PullRequestReviewComment`; its number is left out, as it does not fit into GraphQL's integers on GitHub."""
    shown = shapes_work.review_comment(world, repo, one)
    return {"id": shown["node_id"], "body": one.body, "url": shown["html_url"], "databaseId": None}


def page(items: list[Json], arguments: Json) -> Json:
    """A connection: `first` items after the cursor `after`, which is the position as text."""
    start = int(arguments.get("after") or 0)
    end = start + int(arguments.get("first") or 100)
    info = {"hasNextPage": end < len(items), "endCursor": str(min(end, len(items)))}
    return {"nodes": items[start:end], "pageInfo": info}
