"""GitHub behind the `Forge` seam: the only package of the product that speaks GitHub's API.

api      one request, one answer; what goes wrong becomes `Stop`, `Retryable` or `Refused`
session  the App's key, short-lived tokens narrowed to one repository and one purpose, the repository by its id
pulls    which pull request a red commit belongs to, and where heads are
jobs     the failed job and its log
history  CI's word on other commits, and how they came into the repository
notices  the check run and the sticky comment
reviews  reviews of our pull requests, and what is said in their threads
changes  commit, branch and pull request through the Git Data API
forge    `workers.ports.Forge` made of these
"""

from workers.github.forge import GitHubForge
from workers.github.session import App

__all__ = ["App", "GitHubForge"]
