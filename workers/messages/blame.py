"""Which commit brought a failure, in words: its author is named as code, so that nobody is called by it."""

from __future__ import annotations

from workers.domain import Blame, Commit
from workers.messages.markup import cut, plain, quote


def brought(blame: Blame | None) -> str:
    """One or two sentences; nothing where nothing was found out by looking."""
    if blame is None or not (blame.suspects or blame.runs):
        return ""
    return " ".join(part for part in (_who(blame), plain(blame.note)) if part)


def _who(blame: Blame) -> str:
    if not blame.suspects:
        return ""
    if (culprit := blame.culprit) is not None:
        where = f", in #{blame.pull_request}" if blame.pull_request else ""
        before = f"`{blame.good[:7]}` before it is green"
        return f"**It came with {_commit(culprit)}{where}**: {before} ({_found(blame)})."
    more = f" and {blame.count - len(blame.suspects)} more" if blame.count > len(blame.suspects) else ""
    named = ", ".join(map(_commit, blame.suspects))
    return f"**It came after `{blame.good[:7]}`, with one of {blame.count} commits** ({_found(blame)}): {named}{more}."


def _found(blame: Blame) -> str:
    among = "the only commit since then" if blame.span == 1 else f"{blame.span} commits since the last green one"
    return f"{among}, {blame.runs} run{'' if blame.runs == 1 else 's'} on other commits"


def _commit(commit: Commit) -> str:
    author = commit.login or commit.author
    parts = [quote(cut(commit.subject, 72))] if commit.subject else []
    parts += [f"by {quote(author, 60)}"] if author else []
    parts += [commit.at[:10]] if commit.at[:10].replace("-", "").isdigit() else []
    return f"`{commit.sha[:7]}`" + (f" ({', '.join(parts)})" if parts else "")
