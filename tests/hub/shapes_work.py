"""Issues, pull requests, comments and reviews as GitHub writes them."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from tests.hub import shapes
from tests.hub.shapes_git import base_url, diff_entries, html_url
from tests.hub.state import Comment, Issue, Json, Pull, Repo, Review, User, World

REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def association(repo: Repo, who: User) -> str:
    if who is repo.owner:
        return "OWNER"
    return "COLLABORATOR" if repo.permissions.get(who.login.lower(), "none") in {"admin", "write"} else "NONE"


def label(world: World, repo: Repo, name: str) -> Json:
    """`label`; unknown names are made with GitHub's grey."""
    known = repo.labels.setdefault(
        name.lower(), {"id": world.id(), "name": name, "color": "ededed", "description": "", "default": False}
    )
    return {
        **known,
        "node_id": f"LA_kwDO{known['id']}",
        "url": f"{base_url(world, repo)}/labels/{quote(known['name'])}",
        "archived_at": None,
        "archived_by": None,
    }


def rollup(url: str, reactions: list[Json]) -> Json:
    counts = {name: sum(r["content"] == name for r in reactions) for name in REACTIONS}
    return {"url": f"{url}/reactions", "total_count": len(reactions), **counts}


def issue(world: World, repo: Repo, one: Issue) -> Json:
    """`issue`; for a pull request with its `pull_request` links."""
    base, html = base_url(world, repo), html_url(world, repo)
    url = f"{base}/issues/{one.number}"
    pull = repo.pulls.get(one.number)
    body: Json = {
        "url": url,
        "repository_url": base,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": f"{html}/{'pull' if pull else 'issues'}/{one.number}",
        "id": one.id,
        "node_id": f"I_kwDO{one.id}",
        "number": one.number,
        "title": one.title,
        "user": shapes.user(world, one.user),
        "labels": [label(world, repo, name) for name in one.labels],
        "state": one.state,
        "locked": False,
        "assignee": shapes.user(world, one.assignees[0]) if one.assignees else None,
        "assignees": [shapes.user(world, who) for who in one.assignees],
        "milestone": None,
        "comments": sum(c.number == one.number for c in repo.comments.values()),
        "created_at": one.created,
        "updated_at": one.updated,
        "closed_at": one.closed,
        "author_association": association(repo, one.user),
        "active_lock_reason": None,
        "body": one.body,
        "closed_by": shapes.user(world, one.closed_by) if one.closed_by else None,
        "reactions": rollup(url, one.reactions),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": shapes.app(world, one.app) if one.app else None,
        "state_reason": None,
    }
    if pull:
        page = f"{html}/pull/{one.number}"
        body["draft"] = pull.draft
        body["pull_request"] = {
            "url": f"{base}/pulls/{one.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": pull.merged,
        }
    return body


def comment(world: World, repo: Repo, one: Comment) -> Json:
    """`issue-comment`."""
    base, html = base_url(world, repo), html_url(world, repo)
    url = f"{base}/issues/comments/{one.id}"
    page = "pull" if one.number in repo.pulls else "issues"
    return {
        "url": url,
        "html_url": f"{html}/{page}/{one.number}#issuecomment-{one.id}",
        "issue_url": f"{base}/issues/{one.number}",
        "id": one.id,
        "node_id": f"IC_kwDO{one.id}",
        "user": shapes.user(world, one.user),
        "created_at": one.created,
        "updated_at": one.updated,
        "author_association": association(repo, one.user),
        "body": one.body,
        "reactions": rollup(url, one.reactions),
        "performed_via_github_app": shapes.app(world, one.app) if one.app else None,
    }


def reaction(world: World, one: Json) -> Json:
    """`reaction`."""
    return {**one, "node_id": f"REA_{one['id']}", "user": shapes.user(world, world.user(one["user"]))}


def _side(world: World, repo: Repo, ref: str, sha: str) -> Json:
    return {
        "label": f"{repo.owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": shapes.user(world, repo.owner),
        "repo": None if repo.gone else shapes.repository(world, repo),
    }


def pull_simple(world: World, repo: Repo, one: Pull) -> Json:
    """`pull-request-simple`: the form in lists."""
    base, page = base_url(world, repo), f"{html_url(world, repo)}/pull/{one.number}"
    url, issue_url = f"{base}/pulls/{one.number}", f"{base}/issues/{one.number}"
    links = {
        "self": url,
        "html": page,
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{base}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{base}/statuses/{one.head_sha}",
    }
    return {
        "url": url,
        "id": one.id,
        "node_id": one.node_id,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue_url,
        "number": one.number,
        "state": one.issue.state,
        "locked": False,
        "title": one.issue.title,
        "user": shapes.user(world, one.issue.user),
        "body": one.issue.body,
        "created_at": one.issue.created,
        "updated_at": one.issue.updated,
        "closed_at": one.issue.closed,
        "merged_at": one.merged,
        "merge_commit_sha": one.merge_sha,
        "assignee": shapes.user(world, one.issue.assignees[0]) if one.issue.assignees else None,
        "assignees": [shapes.user(world, who) for who in one.issue.assignees],
        "requested_reviewers": [shapes.user(world, who) for who in one.reviewers],
        "requested_teams": [],
        "labels": [label(world, repo, name) for name in one.issue.labels],
        "milestone": None,
        "draft": one.draft,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "head": _side(world, one.head_repo, one.head_ref, one.head_sha),
        "base": _side(world, repo, one.base_ref, one.base_sha),
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": association(repo, one.issue.user),
        "auto_merge": None,
        "active_lock_reason": None,
    }


def pull(world: World, repo: Repo, one: Pull) -> Json:
    """`pull-request`: the whole form, with mergeability and counts."""
    start = repo.git.merge_base(one.base_sha, one.head_sha) or repo.git.empty_tree()
    files = repo.git.numstat(start, one.head_sha)
    is_open = one.issue.state == "open"
    mergeable = _mergeable(repo, one) if is_open else None
    return {
        **pull_simple(world, repo, one),
        "merged": one.merged is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": "unknown" if mergeable is None else _merge_state(one) if mergeable else "dirty",
        "merged_by": shapes.user(world, one.merged_by) if one.merged_by else None,
        "comments": sum(c.number == one.number for c in repo.comments.values()),
        "review_comments": sum(c.number == one.number for c in repo.review_comments.values()),
        "maintainer_can_modify": False,
        "commits": len(repo.git.between(one.base_sha, one.head_sha)),
        "additions": sum(f[2] for f in files),
        "deletions": sum(f[3] for f in files),
        "changed_files": len(files),
    }


def _mergeable(repo: Repo, one: Pull) -> bool | None:
    """Whether it fits onto its base as that is now; None while GitHub is said to be working it out."""
    if one.unknown:
        return None
    base = repo.git.ref(f"refs/heads/{one.base_ref}")
    return not repo.git.conflicts(base or one.base_sha, one.head_sha)


def _merge_state(one: Pull) -> str:
    return "draft" if one.draft else "clean"


def pull_minimal(world: World, repo: Repo, one: Pull) -> Json:
    """`pull-request-minimal`: the form inside check runs, suites and workflow runs."""

    def side(of: Repo, ref: str, sha: str) -> Json:
        return {"ref": ref, "sha": sha, "repo": {"id": of.id, "url": base_url(world, of), "name": of.name}}

    return {
        "url": f"{base_url(world, repo)}/pulls/{one.number}",
        "id": one.id,
        "number": one.number,
        "head": side(one.head_repo, one.head_ref, one.head_sha),
        "base": side(repo, one.base_ref, one.base_sha),
    }


def pull_files(world: World, repo: Repo, one: Pull) -> list[Json]:
    start = repo.git.merge_base(one.base_sha, one.head_sha) or repo.git.empty_tree()
    return diff_entries(world, repo, start, one.head_sha)


def review(world: World, repo: Repo, one: Review, lower: bool = False) -> Json:
    """`pull-request-review`; deliveries write the state in lower case, answers in upper case."""
    base, page = base_url(world, repo), f"{html_url(world, repo)}/pull/{one.number}"
    here, there = f"{page}#pullrequestreview-{one.id}", f"{base}/pulls/{one.number}"
    return {
        "id": one.id,
        "node_id": f"PRR_kwDO{one.id}",
        "user": shapes.user(world, one.user),
        "body": one.body,
        "state": one.state.lower() if lower else one.state,
        "html_url": here,
        "pull_request_url": there,
        "author_association": association(repo, one.user),
        "_links": {"html": {"href": here}, "pull_request": {"href": there}},
        "submitted_at": one.submitted,
        "commit_id": one.commit_id,
    }


def review_comment(world: World, repo: Repo, one: Comment) -> Json:
    """`pull-request-review-comment`."""
    base, page = base_url(world, repo), f"{html_url(world, repo)}/pull/{one.number}"
    url, here, there = f"{base}/pulls/comments/{one.id}", f"{page}#discussion_r{one.id}", f"{base}/pulls/{one.number}"
    kind: Literal["line", "file"] = "line"
    body: Json = {
        "url": url,
        "pull_request_review_id": one.review_id,
        "id": one.id,
        "node_id": f"PRRC_kwDO{one.id}",
        "diff_hunk": one.diff_hunk,
        "path": one.path,
        "position": 1,
        "original_position": 1,
        "commit_id": one.commit_id,
        "original_commit_id": one.commit_id,
        "user": shapes.user(world, one.user),
        "body": one.body,
        "created_at": one.created,
        "updated_at": one.updated,
        "html_url": here,
        "pull_request_url": there,
        "author_association": association(repo, one.user),
        "_links": {"self": {"href": url}, "html": {"href": here}, "pull_request": {"href": there}},
        "reactions": rollup(url, one.reactions),
        "start_line": one.start_line,
        "original_start_line": one.start_line,
        "start_side": one.start_side,
        "line": one.line,
        "original_line": one.line,
        "side": one.side,
        "subject_type": kind,
    }
    return {**body, "in_reply_to_id": one.reply_to} if one.reply_to else body
