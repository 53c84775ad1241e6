"""Reviews of pull requests and comments on their lines."""

from __future__ import annotations

import re

from tests.hub import shapes_work
from tests.hub.events import Events
from tests.hub.rest.dispatch import NOT_FOUND, Answer, ApiError, Call, Route, invalid
from tests.hub.rest.pulls import check_body, find_pull
from tests.hub.state import Comment, Json, Pull, Repo, Review, User, World

_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def diff_lines(patch: str) -> dict[tuple[str, int], str]:
    """The lines of a file's patch a comment may stand on, (side, line) to the hunk up to there."""
    found: dict[tuple[str, int], str] = {}
    hunk: list[str] = []
    left = right = 0
    for line in patch.splitlines():
        if match := _HUNK.match(line):
            left, right, hunk = int(match[1]), int(match[2]), [line]
            continue
        hunk.append(line)
        if not line.startswith("+"):
            found[("LEFT", left)] = "\n".join(hunk)
            left += 1
        if not line.startswith("-"):
            found[("RIGHT", right)] = "\n".join(hunk)
            right += 1
    return found


def line_comment(world: World, repo: Repo, pull: Pull, who: User, asked: Json, review_id: int | None) -> Comment:
    """A comment on a line of the diff; 422 when the line is not part of it."""
    check_body("PullRequestReviewComment", asked.get("body"))
    start = repo.git.merge_base(pull.base_sha, pull.head_sha) or repo.git.empty_tree()
    lines = diff_lines(repo.git.patch(start, pull.head_sha, asked["path"]))
    side, line = asked.get("side") or "RIGHT", asked.get("line")
    if line is None or (side, line) not in lines:
        raise invalid("PullRequestReviewComment", "pull_request_review_thread.line", "custom",
                      "must be part of the diff")  # fmt: skip
    first = asked.get("start_line")
    if first is not None and (asked.get("start_side") or side, first) not in lines:
        raise invalid("PullRequestReviewComment", "pull_request_review_thread.start_line", "custom",
                      "must be part of the same hunk as the line.")  # fmt: skip
    stamp = world.stamp()
    made = Comment(
        id=world.id(),
        number=pull.number,
        user=who,
        body=asked["body"],
        created=stamp,
        updated=stamp,
        path=asked["path"],
        line=line,
        side=side,
        start_line=first,
        start_side=(asked.get("start_side") or side) if first is not None else None,
        commit_id=pull.head_sha,
        diff_hunk=lines[(side, line)],
        review_id=review_id,
    )
    repo.review_comments[made.id] = made
    return made


def submit_review(world: World, events: Events, repo: Repo, pull: Pull, who: User, asked: Json) -> Review:
    """A review with its line comments, all or nothing."""
    event = asked.get("event") or "COMMENT"
    if event not in _STATES:
        raise invalid("PullRequestReview", "event", "invalid")
    if who is pull.issue.user and event != "COMMENT":
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise ApiError(422, "Unprocessable Entity", [f"Review Can not {verb} your own pull request"])
    if event != "APPROVE" and not asked.get("body") and not asked.get("comments"):
        raise ApiError(422, "Unprocessable Entity", ["Review Can not be blank"])
    check_body("PullRequestReview", asked.get("body"))
    number = world.id()
    try:
        made = [line_comment(world, repo, pull, who, raw, number) for raw in asked.get("comments") or []]
    except ApiError as error:
        # A whole review names its faults in plain strings; half of its comments must not stay.
        repo.review_comments = {key: one for key, one in repo.review_comments.items() if one.review_id != number}
        raise ApiError(422, "Unprocessable Entity", ["Line could not be resolved"]) from error
    review = Review(
        number, pull.number, who, asked.get("body") or "", _STATES[event], asked.get("commit_id") or pull.head_sha,
        world.stamp(),
    )  # fmt: skip
    repo.reviews[review.id] = review
    events.review(repo, review)
    for comment in made:
        events.review_comment(repo, comment)
    return review


def create_review(call: Call) -> Answer:
    review = submit_review(call.world, call.events, call.repo, find_pull(call), call.actor, call.body or {})
    return Answer(200, shapes_work.review(call.world, call.repo, review))


def list_reviews(call: Call) -> Answer:
    number = find_pull(call).number
    found = [r for r in call.repo.reviews.values() if r.number == number]
    return call.page(found, lambda r: shapes_work.review(call.world, call.repo, r))


def _review(call: Call) -> Review:
    found = call.repo.reviews.get(call.number("review_id"))
    if found is None or found.number != call.number("pull_number"):
        raise ApiError(404, NOT_FOUND)
    return found


def get_review(call: Call) -> Answer:
    return Answer(200, shapes_work.review(call.world, call.repo, _review(call)))


def review_comments(call: Call) -> Answer:
    review = _review(call)
    found = [c for c in call.repo.review_comments.values() if c.review_id == review.id]
    return call.page(found, lambda c: shapes_work.review_comment(call.world, call.repo, c))


def list_comments(call: Call) -> Answer:
    number = find_pull(call).number
    found = [c for c in call.repo.review_comments.values() if c.number == number]
    return call.page(found, lambda c: shapes_work.review_comment(call.world, call.repo, c))


def create_comment(call: Call) -> Answer:
    pull, asked = find_pull(call), call.body or {}
    if asked.get("in_reply_to"):
        return _reply(call, pull, int(asked["in_reply_to"]), asked["body"])
    number = call.world.id()
    made = line_comment(call.world, call.repo, pull, call.actor, asked, number)
    _lone_review(call.world, call.events, call.repo, made)
    call.events.review_comment(call.repo, made)
    return Answer(201, shapes_work.review_comment(call.world, call.repo, made))


def reply(call: Call) -> Answer:
    return _reply(call, find_pull(call), call.number("comment_id"), (call.body or {})["body"])


def _reply(call: Call, pull: Pull, first_id: int, body: str) -> Answer:
    first = call.repo.review_comments.get(first_id)
    if first is None or first.number != pull.number:
        raise ApiError(404, NOT_FOUND)
    made = add_reply(call.world, call.events, call.repo, first, call.actor, body)
    return Answer(201, shapes_work.review_comment(call.world, call.repo, made))


def _lone_review(world: World, events: Events, repo: Repo, comment: Comment) -> None:
    """A comment that was not part of a review makes one of its own, without words."""
    assert comment.review_id is not None
    review = Review(comment.review_id, comment.number, comment.user, "", "COMMENTED", comment.commit_id, world.stamp())
    repo.reviews[review.id] = review
    events.review(repo, review)


def add_reply(world: World, events: Events, repo: Repo, first: Comment, who: User, body: str) -> Comment:
    """A reply in the thread of a comment, told as a review of its own; replies to replies are refused."""
    if first.reply_to is not None:
        raise invalid("PullRequestReviewComment", "in_reply_to", "invalid")
    check_body("PullRequestReviewComment", body)
    stamp = world.stamp()
    made = Comment(
        id=world.id(), number=first.number, user=who, body=body, created=stamp, updated=stamp, path=first.path,
        line=first.line, side=first.side, start_line=first.start_line, start_side=first.start_side,
        commit_id=first.commit_id, diff_hunk=first.diff_hunk, review_id=world.id(), reply_to=first.id,
    )  # fmt: skip
    repo.review_comments[made.id] = made
    _lone_review(world, events, repo, made)
    events.review_comment(repo, made)
    return made


def _comment(call: Call) -> Comment:
    found = call.repo.review_comments.get(call.number("comment_id"))
    if found is None:
        raise ApiError(404, NOT_FOUND)
    return found


def get_comment(call: Call) -> Answer:
    return Answer(200, shapes_work.review_comment(call.world, call.repo, _comment(call)))


def update_comment(call: Call) -> Answer:
    comment = _comment(call)
    check_body("PullRequestReviewComment", (call.body or {}).get("body"))
    comment.body, comment.updated = (call.body or {})["body"], call.world.stamp()
    return Answer(200, shapes_work.review_comment(call.world, call.repo, comment))


def react(call: Call) -> Answer:
    return add_reaction(call, _comment(call).reactions)


def add_reaction(call: Call, reactions: list[Json]) -> Answer:
    """201 for a new reaction, 200 when it is already there."""
    content = (call.body or {}).get("content")
    if content not in shapes_work.REACTIONS:
        raise invalid("Reaction", "content", "invalid")
    for known in reactions:
        if (known["user"], known["content"]) == (call.actor.login, content):
            return Answer(200, shapes_work.reaction(call.world, known))
    made = {"id": call.world.id(), "user": call.actor.login, "content": content, "created_at": call.world.stamp()}
    reactions.append(made)
    return Answer(201, shapes_work.reaction(call.world, made))


_P = "/repos/{owner}/{repo}/pulls"
_READ, _WRITE = ("pull_requests:read",), ("pull_requests:write",)
_COMMENT = "PullRequestReviewComment"
ROUTES = (
    Route("GET", _P + "/{pull_number}/reviews", list_reviews, _READ, "[PullRequestReview]"),
    Route("POST", _P + "/{pull_number}/reviews", create_review, _WRITE, "PullRequestReview"),
    Route("GET", _P + "/{pull_number}/reviews/{review_id}", get_review, _READ, "PullRequestReview"),
    Route("GET", _P + "/{pull_number}/reviews/{review_id}/comments", review_comments, _READ, "[ReviewComment]"),
    Route("GET", _P + "/{pull_number}/comments", list_comments, _READ, f"[{_COMMENT}]"),
    Route("POST", _P + "/{pull_number}/comments", create_comment, _WRITE, _COMMENT),
    Route("POST", _P + "/{pull_number}/comments/{comment_id}/replies", reply, _WRITE, _COMMENT),
    Route("GET", _P + "/comments/{comment_id}", get_comment, _READ, _COMMENT),
    Route("PATCH", _P + "/comments/{comment_id}", update_comment, _WRITE, _COMMENT),
    Route("POST", _P + "/comments/{comment_id}/reactions", react, _WRITE, "Reaction"),
)
