"""People, Apps, installations and repositories as GitHub writes them in answers and deliveries."""

from __future__ import annotations

from tests.hub.state import ACTIONS_APP_ID, App, Delivery, Installation, Json, Repo, User, World

_REPO_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
_USER_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def user(world: World, who: User) -> Json:
    """`simple-user`."""
    escaped = who.login.replace("[", "%5B").replace("]", "%5D")
    base = f"{world.api}/users/{escaped}"
    html = f"{world.url}/apps/{who.login.removesuffix('[bot]')}" if who.kind == "Bot" else f"{world.url}/{who.login}"
    return {
        "login": who.login,
        "id": who.id,
        "node_id": f"U_kgDO{who.id}",
        "avatar_url": f"{world.url}/avatars/u/{who.id}?v=4",
        "gravatar_id": "",
        "url": base,
        "html_url": html,
        **{key: base + tail for key, tail in _USER_URLS.items()},
        "type": who.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(world: World, who: User) -> Json:
    """`public-user`, the answer of `GET /users/{username}`."""
    return {
        **user(world, who),
        "name": who.login.removesuffix("[bot]"),
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
    }


def app(world: World, one: App) -> Json:
    """`integration`."""
    return {
        "id": one.id,
        "client_id": one.client_id,
        "slug": one.slug,
        "node_id": f"A_kwDO{one.id}",
        "owner": user(world, one.owner),
        "name": one.name,
        "description": "",
        "external_url": f"{world.url}/apps/{one.slug}",
        "html_url": f"{world.url}/apps/{one.slug}",
        "created_at": one.created,
        "updated_at": one.created,
        "permissions": dict(one.permissions),
        "events": list(one.events),
    }


def app_by_id(world: World, app_id: int) -> Json:
    """An App's shape by id; the id of GitHub Actions is known without registration."""
    if app_id == ACTIONS_APP_ID and app_id not in world.apps:
        owner = world.user("github", "Organization")
        actions = App(
            id=app_id,
            slug="github-actions",
            name="GitHub Actions",
            client_id="Iv1.05c79e9ad1f6bdfa",
            owner=owner,
            bot=world.user("github-actions[bot]", "Bot"),
            public_pem="",
            secret="",
            permissions={"actions": "write", "checks": "write", "contents": "write", "metadata": "read"},
            events=["check_run", "check_suite", "push", "pull_request", "workflow_run"],
            hook_id=0,
            created="2018-07-30T09:30:17Z",
        )
        return app(world, actions)
    return app(world, world.apps[app_id])


def installation(world: World, one: Installation) -> Json:
    """`installation`."""
    return {
        "id": one.id,
        "account": user(world, one.account),
        "repository_selection": "all" if one.repo_ids is None else "selected",
        "access_tokens_url": f"{world.api}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{world.api}/installation/repositories",
        "html_url": f"{world.url}/settings/installations/{one.id}",
        "app_id": one.app.id,
        "client_id": one.app.client_id,
        "app_slug": one.app.slug,
        "target_id": one.account.id,
        "target_type": one.account.kind,
        "permissions": dict(one.permissions),
        "events": list(one.events),
        "created_at": one.created,
        "updated_at": one.created,
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(world, one.suspended_by) if one.suspended_by else None,
        "suspended_at": one.suspended,
    }


def repository(world: World, repo: Repo) -> Json:
    """`repository`: the form inside pull requests, deliveries and token answers."""
    base = f"{world.api}/repos/{repo.full_name}"
    html = f"{world.url}/{repo.full_name}"
    host = world.url.split("://", 1)[1]
    open_issues = sum(issue.state == "open" for issue in repo.issues.values())
    return {
        "id": repo.id,
        "node_id": f"R_kgDO{repo.id}",
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(world, repo.owner),
        "html_url": html,
        "description": None,
        "fork": repo.parent is not None,
        "url": base,
        **{key: base + tail for key, tail in _REPO_URLS.items()},
        "created_at": repo.created,
        "updated_at": repo.created,
        "pushed_at": repo.pushed or repo.created,
        "git_url": f"git://{host}/{repo.full_name}.git",
        "ssh_url": f"git@{host}:{repo.full_name}.git",
        "clone_url": f"{html}.git",
        "svn_url": html,
        "homepage": None,
        "size": 1,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": repo.issues_on,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "has_pull_requests": True,
        "pull_request_creation_policy": "all",
        "forks_count": 0,
        "mirror_url": None,
        "archived": repo.archived,
        "disabled": False,
        "open_issues_count": open_issues,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if repo.private else "public",
        "forks": 0,
        "open_issues": open_issues,
        "watchers": 0,
        "default_branch": repo.default_branch,
    }


def full_repository(world: World, repo: Repo) -> Json:
    """`full-repository`, the answer of `GET /repos/{owner}/{repo}`."""
    extra: Json = {"subscribers_count": 0, "network_count": 0, "temp_clone_token": None}
    if repo.parent is not None:
        extra |= {"parent": repository(world, repo.parent), "source": repository(world, repo.parent)}
    return {**repository(world, repo), **extra}


def short_repository(repo: Repo) -> Json:
    """A repository inside the events of an installation."""
    return {
        "id": repo.id,
        "node_id": f"R_kgDO{repo.id}",
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
    }


def minimal_repository(world: World, repo: Repo) -> Json:
    """`minimal-repository`, the form inside workflow runs."""
    base = f"{world.api}/repos/{repo.full_name}"
    return {
        "id": repo.id,
        "node_id": f"R_kgDO{repo.id}",
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(world, repo.owner),
        "html_url": f"{world.url}/{repo.full_name}",
        "description": None,
        "fork": repo.parent is not None,
        "url": base,
        **{key: base + tail for key, tail in _REPO_URLS.items()},
    }


def delivery(world: World, one: Delivery, full: bool = False) -> Json:
    """`hook-delivery-item`, or `hook-delivery` with request and response."""
    short: Json = {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": one.delivered,
        "redelivery": one.redelivery,
        "duration": one.duration,
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.installation_id,
        "repository_id": one.repository_id,
        "throttled_at": None,
    }
    if not full:
        return short
    return {
        **short,
        "url": one.app.hook_url,
        "request": {"headers": one.request_headers, "payload": one.payload},
        "response": {"headers": one.response_headers, "payload": one.response_body},
    }
