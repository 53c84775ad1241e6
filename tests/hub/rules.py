"""Rules of branches: which ones a branch has, and the refusal of what breaks them.

Of GitHub's rules the double enforces signatures and the patterns of branch names; others are only listed.
"""

from __future__ import annotations

import fnmatch
import re

from tests.hub.state import Json, Repo


def of_branch(repo: Repo, branch: str) -> list[Json]:
    """The rules that hold for a branch, as `repository-rule-detailed`."""
    source = {"ruleset_source_type": "Repository", "ruleset_source": repo.full_name, "ruleset_id": 1}
    found = [rule for rule in repo.rules if fnmatch.fnmatchcase(branch, rule.get("branches", "*"))]
    return [{**{key: value for key, value in rule.items() if key != "branches"}, **source} for rule in found]


def broken(repo: Repo, ref: str, new: str) -> str | None:
    """What GitHub answers when a ref is to point to a commit that its rules forbid; None when they do not."""
    branch = ref.removeprefix("refs/heads/")
    if branch == ref:
        return None
    why = [said for rule in of_branch(repo, branch) if (said := _breaks(repo, rule, branch, new))]
    if not why:
        return None
    lines = ["Repository rule violations found", "", f"GH013: Repository rule violations found for {ref}.", "", *why]
    return "\n".join(lines)


def _breaks(repo: Repo, rule: Json, branch: str, new: str) -> str:
    if rule["type"] == "required_signatures":
        unsigned = [sha for sha in repo.git.fresh(new) if sha not in repo.verified]
        return f"- Commits must have verified signatures. Found {len(unsigned)} violation(s)" if unsigned else ""
    if rule["type"] == "branch_name_pattern":
        fits = _fits(rule["parameters"], branch)
        return "" if fits else f"- Branch name must match a given pattern: {rule['parameters']['pattern']}"
    return ""


def _fits(parameters: Json, text: str) -> bool:
    pattern = parameters["pattern"]
    fits = {
        "starts_with": text.startswith(pattern),
        "ends_with": text.endswith(pattern),
        "contains": pattern in text,
        "regex": parameters["operator"] == "regex" and re.search(pattern, text) is not None,
    }[parameters["operator"]]
    return fits != bool(parameters.get("negate"))
