"""Hostile repositories: each is a folder or a commit that somebody hands us, with a tripwire that plain tools spring.

ground    where one is built, what its tripwires are, and whether one was sprung
planted   one checkout in which everything known is planted at once
settings  checkouts whose configuration starts programs or calls elsewhere
folders   checkouts whose git folder stands for something else
commits   commits whose trees, names, links or sizes are the attack: these travel
"""

from __future__ import annotations

from tests.workers.git.hostile.commits import COMMITS
from tests.workers.git.hostile.folders import FOLDERS
from tests.workers.git.hostile.settings import SETTINGS

HOSTILE = (*SETTINGS, *FOLDERS, *COMMITS)
