"""Blobs, trees, commits and refs: the calls a fix is published with."""

from __future__ import annotations

import base64
import binascii

from tests.hub import rules, shapes_git
from tests.hub.gitstore import Entry, Signature
from tests.hub.rest.dispatch import FORBIDDEN, NOT_FOUND, Answer, ApiError, Call, Route, allows
from tests.hub.state import ZERO_SHA, Json


def bot_signature(call: Call) -> Signature:
    """The identity GitHub gives to commits an App makes without naming an author."""
    bot = call.actor
    return Signature(bot.login, bot.email, call.world.stamp())


def create_blob(call: Call) -> Answer:
    asked = call.body or {}
    text = asked.get("content", "")
    try:
        content = base64.b64decode(text) if asked.get("encoding") == "base64" else text.encode()
    except binascii.Error:
        raise ApiError(422, "content is not valid Base64") from None
    sha = call.repo.git.write_blob(content)
    return Answer(201, {"sha": sha, "url": f"{shapes_git.base_url(call.world, call.repo)}/git/blobs/{sha}"})


def get_blob(call: Call) -> Answer:
    sha = call.params["file_sha"]
    if call.repo.git.kind(sha) != "blob":
        raise ApiError(404, NOT_FOUND)
    return Answer(200, shapes_git.blob(call.world, call.repo, sha))


def create_tree(call: Call) -> Answer:
    asked, git = call.body or {}, call.repo.git
    base = asked.get("base_tree")
    if base and git.kind(base) not in {"tree", "commit"}:
        raise ApiError(422, "base_tree is not a valid tree oid")
    entries = [_entry(call, raw) for raw in asked.get("tree", [])]
    if not entries:
        raise ApiError(422, "Invalid tree info")
    sha = git.write_tree(base, entries)
    return Answer(201, shapes_git.tree(call.world, call.repo, sha, recursive=False))


def _entry(call: Call, raw: Json) -> Entry:
    path, mode = str(raw.get("path", "")), str(raw.get("mode", "100644"))
    if not path or path.startswith("/") or ".." in path.split("/") or "" in path.split("/"):
        raise ApiError(422, "tree.path contains a malformed path component")
    sha = raw.get("sha")
    if "content" in raw:
        sha = call.repo.git.write_blob(raw["content"].encode())
    elif sha is None and "sha" not in raw:
        raise ApiError(422, "Must supply either tree.sha or tree.content")
    kind = raw.get("type") or {"040000": "tree", "160000": "commit"}.get(mode, "blob")
    if sha is not None and kind != "commit" and call.repo.git.kind(sha) != kind:
        raise ApiError(422, f"tree.sha {sha} is not a valid {kind}")
    return Entry(mode, kind, sha, path)


def get_tree(call: Call) -> Answer:
    sha = call.repo.git.resolve(call.params["tree_sha"], "tree")
    if sha is None:
        raise ApiError(404, NOT_FOUND)
    recursive = call.query.get("recursive") not in {None, "", "0", "false"}
    return Answer(200, shapes_git.tree(call.world, call.repo, sha, recursive))


def create_commit(call: Call) -> Answer:
    asked, git = call.body or {}, call.repo.git
    tree, parents = asked.get("tree", ""), asked.get("parents") or []
    if git.kind(tree) != "tree":
        raise ApiError(422, "Tree SHA does not exist")
    if any(git.kind(parent) != "commit" for parent in parents):
        raise ApiError(422, "Parent SHA does not exist or is not a commit object")
    bot = bot_signature(call)
    author = _signature(asked.get("author"), bot)
    committer = _signature(asked.get("committer"), author)
    sha = git.write_commit(tree, parents, asked.get("message", ""), author, committer)
    anonymous = not asked.get("author") and not asked.get("committer") and not asked.get("signature")
    if anonymous and not call.repo.unsigned:
        call.repo.verified.add(sha)
    return Answer(201, shapes_git.git_commit(call.world, call.repo, git.commit(sha)))


def _signature(raw: Json | None, otherwise: Signature) -> Signature:
    if not raw:
        return otherwise
    return Signature(raw["name"], raw["email"], raw.get("date") or otherwise.date)


def get_git_commit(call: Call) -> Answer:
    sha = call.params["commit_sha"]
    if call.repo.git.kind(sha) != "commit" or sha in call.repo.gone_commits:
        raise ApiError(404, NOT_FOUND)
    return Answer(200, shapes_git.git_commit(call.world, call.repo, call.repo.git.commit(sha)))


def get_ref(call: Call) -> Answer:
    name = f"refs/{call.params['ref']}"
    sha = call.repo.git.refs(name).get(name)
    if sha is None:
        raise ApiError(404, NOT_FOUND)
    return Answer(200, shapes_git.git_ref(call.world, call.repo, name, sha))


def matching_refs(call: Call) -> Answer:
    prefix = f"refs/{call.params['ref']}"
    found = [(name, sha) for name, sha in sorted(call.repo.git.refs().items()) if name.startswith(prefix)]
    return Answer(200, [shapes_git.git_ref(call.world, call.repo, name, sha) for name, sha in found])


def create_ref(call: Call) -> Answer:
    asked, repo = call.body or {}, call.repo
    name, sha = asked.get("ref", ""), asked.get("sha", "")
    if not name.startswith("refs/") or name.count("/") < 2:
        raise ApiError(422, "Reference name must start with 'refs/' and contain at least two slashes")
    if not repo.git.is_ref_name(name):
        raise ApiError(422, f"{name} is not a valid ref name.")
    _needs_commit(call, sha)
    if repo.git.refs(name).get(name):
        raise ApiError(422, "Reference already exists")
    _refuse_workflows(call, repo.git.resolve(repo.default_branch), sha)
    refuse_broken_rules(call, name, sha)
    repo.git.update_ref(name, sha)
    call.events.ref_moved(repo, name, ZERO_SHA, sha, call.actor)
    return Answer(201, shapes_git.git_ref(call.world, repo, name, sha))


def update_ref(call: Call) -> Answer:
    asked, repo = call.body or {}, call.repo
    name, sha = f"refs/{call.params['ref']}", asked.get("sha", "")
    old = repo.git.refs(name).get(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    _needs_commit(call, sha)
    if not asked.get("force") and not repo.git.is_ancestor(old, sha):
        raise ApiError(422, "Update is not a fast forward")
    _refuse_workflows(call, old, sha)
    refuse_broken_rules(call, name, sha)
    repo.git.update_ref(name, sha, old)
    if sha != old:
        call.events.ref_moved(repo, name, old, sha, call.actor)
    return Answer(200, shapes_git.git_ref(call.world, repo, name, sha))


def delete_ref(call: Call) -> Answer:
    name = f"refs/{call.params['ref']}"
    old = call.repo.git.refs(name).get(name)
    if old is None:
        raise ApiError(422, "Reference does not exist")
    call.repo.git.delete_ref(name)
    call.events.ref_moved(call.repo, name, old, ZERO_SHA, call.actor)
    return Answer(204)


def refuse_broken_rules(call: Call, name: str, sha: str) -> None:
    """422 when the branch's rules forbid that it points to this commit."""
    said = rules.broken(call.repo, name, sha)
    if said is not None:
        raise ApiError(422, said)


def _needs_commit(call: Call, sha: str) -> None:
    if call.repo.git.kind(sha) != "commit" or sha in call.repo.gone_commits:
        raise ApiError(422, "Object does not exist")


def _refuse_workflows(call: Call, old: str | None, new: str) -> None:
    changed = call.repo.git.numstat(old or call.repo.git.empty_tree(), new)
    touched = any(one[1].startswith(".github/workflows/") for one in changed)
    if touched and call.token is not None and not allows(call.token, "workflows:write"):
        raise ApiError(403, FORBIDDEN)


_G = "/repos/{owner}/{repo}/git"
ROUTES = (
    Route("POST", _G + "/blobs", create_blob, ("contents:write",), "ShortBlob"),
    Route("GET", _G + "/blobs/{file_sha}", get_blob, ("contents:read",), "Blob"),
    Route("POST", _G + "/trees", create_tree, ("contents:write",), "GitTree"),
    Route("GET", _G + "/trees/{tree_sha}", get_tree, ("contents:read",), "GitTree"),
    Route("POST", _G + "/commits", create_commit, ("contents:write",), "GitCommit"),
    Route("GET", _G + "/commits/{commit_sha}", get_git_commit, ("contents:read",), "GitCommit"),
    Route("GET", _G + "/ref/{ref}", get_ref, ("contents:read",), "GitRef"),
    Route("GET", _G + "/matching-refs/{ref}", matching_refs, ("contents:read",), "[GitRef]"),
    Route("POST", _G + "/refs", create_ref, ("contents:write",), "GitRef"),
    Route("PATCH", _G + "/refs/{ref}", update_ref, ("contents:write",), "GitRef"),
    Route("DELETE", _G + "/refs/{ref}", delete_ref, ("contents:write",)),
)
