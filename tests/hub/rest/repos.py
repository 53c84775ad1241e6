"""Repositories, branches, contents, commits, comparison and who may do what."""

from __future__ import annotations

import base64
import binascii

from tests.hub import rules, shapes, shapes_git, shapes_work
from tests.hub.gitstore import Entry
from tests.hub.rest.dispatch import FORBIDDEN, NOT_FOUND, Answer, ApiError, Call, Route, allows
from tests.hub.rest.gitdata import bot_signature, refuse_broken_rules
from tests.hub.state import Repo


def get_repo(call: Call) -> Answer:
    return Answer(200, shapes.full_repository(call.world, call.repo))


def sha_of(call: Call, name: str) -> str:
    """The commit of a ref or id in the path or query; 404 or 422 as GitHub answers."""
    repo = call.repo
    sha = repo.git.resolve(name.removeprefix("heads/") if name.startswith("heads/") else name)
    if sha is None or sha in repo.gone_commits:
        raise ApiError(422, f"No commit found for SHA: {name}")
    return sha


def get_content(call: Call) -> Answer:
    repo, path = call.repo, call.params["path"].strip("/")
    ref = call.query.get("ref") or repo.default_branch
    sha = repo.git.resolve(ref)
    if sha is None or sha in repo.gone_commits:
        raise ApiError(404, f"No commit found for the ref {ref}")
    entry = repo.git.entry(sha, path)
    if entry is None:
        raise ApiError(404, NOT_FOUND)
    if entry.kind != "tree":
        return Answer(200, shapes_git.content(call.world, repo, ref, entry, whole=True))
    prefix = f"{path}/" if path else ""
    listing = [Entry(e.mode, e.kind, e.sha, prefix + e.path, e.size) for e in repo.git.tree(str(entry.sha))]
    return Answer(200, [shapes_git.content(call.world, repo, ref, e, whole=False) for e in listing])


def put_content(call: Call) -> Answer:
    repo, path, asked = call.repo, call.params["path"].strip("/"), call.body or {}
    branch = asked.get("branch") or repo.default_branch
    head = repo.git.ref(f"refs/heads/{branch}")
    if head is None:
        raise ApiError(404, f"Branch {branch} not found")
    refuse_workflows(call, [path])
    try:
        content = base64.b64decode(asked.get("content", ""), validate=False)
    except binascii.Error:
        raise ApiError(422, "content is not valid Base64") from None
    old = repo.git.entry(head, path)
    if old is not None and asked.get("sha") != old.sha:
        if not asked.get("sha"):
            raise ApiError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
        raise ApiError(409, f"{path} does not match {asked['sha']}")
    blob = repo.git.write_blob(content)
    tree = repo.git.write_tree(head, [Entry("100644", "blob", blob, path)])
    who = bot_signature(call)
    sha = repo.git.write_commit(tree, [head], asked.get("message", ""), who, who)
    if not repo.unsigned:
        repo.verified.add(sha)
    refuse_broken_rules(call, f"refs/heads/{branch}", sha)
    repo.git.update_ref(f"refs/heads/{branch}", sha, head)
    call.events.ref_moved(repo, f"refs/heads/{branch}", head, sha, call.actor)
    entry = repo.git.entry(sha, path)
    assert entry is not None
    shape = shapes_git.content(call.world, repo, branch, entry, whole=False)
    body = {"content": shape, "commit": shapes_git.git_commit(call.world, repo, repo.git.commit(sha))}
    return Answer(200 if old else 201, body)


def refuse_workflows(call: Call, paths: list[str]) -> None:
    """403 when workflow files change and the token may not write workflows."""
    touched = any(path.startswith(".github/workflows/") for path in paths)
    if touched and call.token is not None and not allows(call.token, "workflows:write"):
        raise ApiError(403, FORBIDDEN)


def list_branches(call: Call) -> Answer:
    refs = sorted(call.repo.git.refs("refs/heads").items())
    return call.page(
        refs,
        lambda ref: shapes_git.short_branch(call.world, call.repo, ref[0].removeprefix("refs/heads/"), ref[1]),
    )


def get_branch(call: Call) -> Answer:
    name = call.params["branch"]
    sha = call.repo.git.ref(f"refs/heads/{name}")
    if sha is None:
        raise ApiError(404, "Branch not found")
    return Answer(200, shapes_git.branch(call.world, call.repo, name, sha))


def branch_rules(call: Call) -> Answer:
    return call.page(rules.of_branch(call.repo, call.params["branch"]), lambda rule: rule)


def list_commits(call: Call) -> Answer:
    name = call.query.get("sha") or call.repo.default_branch
    sha = call.repo.git.resolve(name)
    if sha is None:
        raise ApiError(404, NOT_FOUND)
    shas = call.repo.git.log(sha, path=call.query.get("path", ""))
    return call.page(shas, lambda one: shapes_git.commit(call.world, call.repo, one))


def get_commit(call: Call) -> Answer:
    return Answer(200, shapes_git.commit(call.world, call.repo, sha_of(call, call.params["ref"]), whole=True))


def commit_pulls(call: Call) -> Answer:
    sha = sha_of(call, call.params["commit_sha"])
    repo = call.repo
    of = [p for p in repo.pulls.values() if sha in {p.head_sha, p.merge_sha}]
    found = of or [p for p in repo.pulls.values() if sha in repo.git.between(p.base_sha, p.head_sha)]
    return call.page(found, lambda pull: shapes_work.pull_simple(call.world, repo, pull))


def compare(call: Call) -> Answer:
    base_name, dots, head_name = call.params["basehead"].partition("...")
    repo = call.repo
    base, head = repo.git.resolve(base_name), repo.git.resolve(head_name)
    if not dots or base is None or head is None:
        raise ApiError(404, NOT_FOUND)
    merge = repo.git.merge_base(base, head)
    if merge is None:
        raise ApiError(404, f"No common ancestor between {base_name} and {head_name}.")
    ahead, behind = repo.git.between(base, head), repo.git.between(head, base)
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    url, page = shapes_git.base_url(call.world, repo), shapes_git.html_url(call.world, repo)
    middle = f"compare/{base_name}...{head_name}"
    body = {
        "url": f"{url}/{middle}",
        "html_url": f"{page}/{middle}",
        "permalink_url": f"{page}/compare/{repo.owner.login}:{base[:7]}...{repo.owner.login}:{head[:7]}",
        "diff_url": f"{page}/{middle}.diff",
        "patch_url": f"{page}/{middle}.patch",
        "base_commit": shapes_git.commit(call.world, repo, base),
        "merge_base_commit": shapes_git.commit(call.world, repo, merge),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [shapes_git.commit(call.world, repo, sha) for sha in ahead],
        "files": shapes_git.diff_entries(call.world, repo, merge, head),
    }
    return Answer(200, body)


def collaborator_permission(call: Call) -> Answer:
    who = call.world.users.get(call.params["username"].lower())
    if who is None:
        raise ApiError(404, f"{call.params['username']} is not a user")
    role = role_of(call.repo, who.login)
    level = {"maintain": "write", "triage": "read"}.get(role, role)
    flags = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    order = ["none", "read", "triage", "write", "maintain", "admin"]
    held = {name: order.index(role) >= order.index(least) for name, least in flags.items()}
    user = {**shapes.user(call.world, who), "permissions": held, "role_name": role}
    return Answer(200, {"permission": level, "role_name": role, "user": user})


def role_of(repo: Repo, login: str) -> str:
    """A person's role; outsiders can read public repositories."""
    if login.lower() == repo.owner.login.lower():
        return "admin"
    return repo.permissions.get(login.lower(), "none" if repo.private else "read")


def protection(call: Call) -> Answer:
    raise ApiError(404, "Branch not protected")


_R = "/repos/{owner}/{repo}"
ROUTES = (
    Route("GET", _R, get_repo, ("metadata:read",), "FullRepository"),
    Route("GET", _R + "/contents/{path}", get_content, ("contents:read",)),
    Route("PUT", _R + "/contents/{path}", put_content, ("contents:write",), "FileCommit"),
    Route("GET", _R + "/branches", list_branches, ("contents:read",), "[ShortBranch]"),
    Route("GET", _R + "/branches/{branch}", get_branch, ("contents:read",), "BranchWithProtection"),
    Route("GET", _R + "/branches/{branch}/protection", protection, ("administration:read",)),
    Route("GET", _R + "/rules/branches/{branch}", branch_rules, ("metadata:read",)),
    Route("GET", _R + "/commits", list_commits, ("contents:read",), "[Commit]"),
    Route("GET", _R + "/commits/{ref}", get_commit, ("contents:read",), "Commit"),
    Route("GET", _R + "/commits/{commit_sha}/pulls", commit_pulls, ("pull_requests:read",), "[PullRequestSimple]"),
    Route("GET", _R + "/compare/{basehead}", compare, ("contents:read",), "CommitComparison"),
    Route("GET", _R + "/collaborators/{username}/permission", collaborator_permission, ("metadata:read",),
          "RepositoryCollaboratorPermission"),
)  # fmt: skip
