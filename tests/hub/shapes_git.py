"""Commits, trees, refs, files and diffs as GitHub writes them."""

from __future__ import annotations

import base64
from urllib.parse import quote

from tests.hub import shapes
from tests.hub.gitstore import CommitInfo, Entry, Signature
from tests.hub.state import Json, Repo, World


def base_url(world: World, repo: Repo) -> str:
    return f"{world.api}/repos/{repo.full_name}"


def html_url(world: World, repo: Repo) -> str:
    return f"{world.url}/{repo.full_name}"


def _zulu(date: str) -> str:
    return date.replace("+00:00", "Z")


def _person(who: Signature) -> Json:
    return {"name": who.name, "email": who.email, "date": _zulu(who.date)}


def verification(repo: Repo, sha: str, when: str) -> Json:
    if sha in repo.verified:
        signature = "-----BEGIN PGP SIGNATURE-----\n\nhub\n-----END PGP SIGNATURE-----\n"
        return {"verified": True, "reason": "valid", "signature": signature, "payload": sha, "verified_at": when}
    return {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def git_commit(world: World, repo: Repo, info: CommitInfo) -> Json:
    """`git-commit`."""
    base, html = base_url(world, repo), html_url(world, repo)
    return {
        "sha": info.sha,
        "node_id": f"C_kwDO{info.sha}",
        "url": f"{base}/git/commits/{info.sha}",
        "html_url": f"{html}/commit/{info.sha}",
        "author": _person(info.author),
        "committer": _person(info.committer),
        "tree": {"sha": info.tree, "url": f"{base}/git/trees/{info.tree}"},
        "message": info.message,
        "parents": [
            {"sha": p, "url": f"{base}/git/commits/{p}", "html_url": f"{html}/commit/{p}"} for p in info.parents
        ],
        "verification": verification(repo, info.sha, _zulu(info.committer.date)),
    }


def commit(world: World, repo: Repo, sha: str, whole: bool = False) -> Json:
    """`commit`; with `whole` also stats and files."""
    info = repo.git.commit(sha)
    base, html = base_url(world, repo), html_url(world, repo)
    author, committer = world.by_email(info.author.email), world.by_email(info.committer.email)
    body: Json = {
        "sha": sha,
        "node_id": f"C_kwDO{sha}",
        "commit": {
            "author": _person(info.author),
            "committer": _person(info.committer),
            "message": info.message,
            "tree": {"sha": info.tree, "url": f"{base}/git/trees/{info.tree}"},
            "url": f"{base}/git/commits/{sha}",
            "comment_count": 0,
            "verification": verification(repo, sha, _zulu(info.committer.date)),
        },
        "url": f"{base}/commits/{sha}",
        "html_url": f"{html}/commit/{sha}",
        "comments_url": f"{base}/commits/{sha}/comments",
        "author": shapes.user(world, author) if author else None,
        "committer": shapes.user(world, committer) if committer else None,
        "parents": [{"sha": p, "url": f"{base}/commits/{p}", "html_url": f"{html}/commit/{p}"} for p in info.parents],
    }
    if whole:
        files = diff_entries(world, repo, info.parents[0] if info.parents else repo.git.empty_tree(), sha)
        plus, minus = sum(f["additions"] for f in files), sum(f["deletions"] for f in files)
        body |= {"stats": {"total": plus + minus, "additions": plus, "deletions": minus}, "files": files}
    return body


def diff_entries(world: World, repo: Repo, base: str, head: str) -> list[Json]:
    """`diff-entry` for every file that differs between two commits."""
    names = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}
    api, html = base_url(world, repo), html_url(world, repo)
    found = []
    for letter, path, plus, minus, sha, _ in repo.git.numstat(base, head):
        safe = quote(path)
        one: Json = {
            "sha": sha,
            "filename": path,
            "status": names.get(letter, "modified"),
            "additions": plus,
            "deletions": minus,
            "changes": plus + minus,
            "blob_url": f"{html}/blob/{head}/{safe}",
            "raw_url": f"{html}/raw/{head}/{safe}",
            "contents_url": f"{api}/contents/{safe}?ref={head}",
        }
        patch = repo.git.patch(base, head, path)
        found.append({**one, "patch": patch} if patch else one)
    return found


def git_ref(world: World, repo: Repo, name: str, sha: str) -> Json:
    """`git-ref`."""
    base = base_url(world, repo)
    kind = repo.git.kind(sha) or "commit"
    return {
        "ref": name,
        "node_id": f"REF_{repo.id}_{name}",
        "url": f"{base}/git/{name}",
        "object": {"sha": sha, "type": kind, "url": f"{base}/git/{kind}s/{sha}"},
    }


def tree(world: World, repo: Repo, sha: str, recursive: bool) -> Json:
    """`git-tree`."""
    base = base_url(world, repo)
    entries = repo.git.tree(sha, recursive)
    return {
        "sha": sha,
        "url": f"{base}/git/trees/{sha}",
        "truncated": False,
        "tree": [_tree_entry(base, entry) for entry in entries],
    }


def _tree_entry(base: str, entry: Entry) -> Json:
    one: Json = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}
    if entry.size is not None:
        one["size"] = entry.size
    if entry.kind != "commit":
        one["url"] = f"{base}/git/{entry.kind}s/{entry.sha}"
    return one


def blob(world: World, repo: Repo, sha: str) -> Json:
    """`blob`."""
    content = repo.git.blob(sha)
    return {
        "sha": sha,
        "node_id": f"B_kwDO{sha}",
        "size": len(content),
        "url": f"{base_url(world, repo)}/git/blobs/{sha}",
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }


def content(world: World, repo: Repo, ref: str, entry: Entry, whole: bool) -> Json:
    """`content-file`, or with `whole` False a line of `content-directory`."""
    base, html, safe = base_url(world, repo), html_url(world, repo), quote(entry.path)
    kind = {"tree": "dir", "blob": "symlink" if entry.mode == "120000" else "file"}.get(entry.kind, "file")
    api_url = f"{base}/contents/{safe}?ref={quote(ref)}"
    git_url = f"{base}/git/{'trees' if kind == 'dir' else 'blobs'}/{entry.sha}"
    page = f"{html}/{'tree' if kind == 'dir' else 'blob'}/{quote(ref)}/{safe}"
    one: Json = {
        "name": entry.path.rsplit("/", 1)[-1],
        "path": entry.path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": api_url,
        "html_url": page,
        "git_url": git_url,
        "download_url": None if kind == "dir" else f"{html}/raw/{quote(ref)}/{safe}",
        "type": kind,
        "_links": {"self": api_url, "git": git_url, "html": page},
    }
    if whole and kind == "file":
        raw = repo.git.blob(str(entry.sha))
        one |= {"content": base64.encodebytes(raw).decode(), "encoding": "base64"}
    if whole and kind == "symlink":
        one["target"] = repo.git.blob(str(entry.sha)).decode(errors="replace")
    return one


def branch(world: World, repo: Repo, name: str, sha: str) -> Json:
    """`branch-with-protection`."""
    base = base_url(world, repo)
    return {
        "name": name,
        "commit": commit(world, repo, sha),
        "_links": {"self": f"{base}/branches/{quote(name)}", "html": f"{html_url(world, repo)}/tree/{quote(name)}"},
        "protected": False,
        "protection": {
            "enabled": False,
            "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
        },
        "protection_url": f"{base}/branches/{quote(name)}/protection",
    }


def short_branch(world: World, repo: Repo, name: str, sha: str) -> Json:
    """`short-branch`."""
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{base_url(world, repo)}/commits/{sha}"},
        "protected": False,
    }


def simple_commit(repo: Repo, sha: str) -> Json:
    """`simple-commit`: the head commit inside suites and workflow runs."""
    info = repo.git.commit(sha)
    return {
        "id": sha,
        "tree_id": info.tree,
        "message": info.message,
        "timestamp": _zulu(info.committer.date),
        "author": {"name": info.author.name, "email": info.author.email},
        "committer": {"name": info.committer.name, "email": info.committer.email},
    }


def push_commit(world: World, repo: Repo, sha: str) -> Json:
    """A commit inside a `push` delivery."""
    info = repo.git.commit(sha)
    base = info.parents[0] if info.parents else repo.git.empty_tree()
    by: dict[str, list[str]] = {"A": [], "M": [], "D": []}
    for letter, path, *_ in repo.git.numstat(base, sha):
        by.setdefault(letter if letter in by else "M", []).append(path)
    people: Json = {}
    for role, who in (("author", info.author), ("committer", info.committer)):
        known = world.by_email(who.email)
        people[role] = {"name": who.name, "email": who.email, "username": known.login if known else who.name}
    return {
        "id": sha,
        "tree_id": info.tree,
        "distinct": True,
        "message": info.message,
        "timestamp": info.committer.date,
        "url": f"{html_url(world, repo)}/commit/{sha}",
        **people,
        "added": by["A"],
        "removed": by["D"],
        "modified": by["M"],
    }
