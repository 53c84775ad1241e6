"""placeholder"""

from __future__ import annotations
from tests.hub.runs import Runs
from tests.hub.state import Repo, User, World


class CiRunner:
    def __init__(self, world: World, runs: Runs) -> None:
        self._world, self._runs = world, runs

    def start(self, repo: Repo, sha: str, branch: str, actor: User) -> None: ...
