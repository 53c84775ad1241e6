"""An owner took the App off an account or off repositories: what Heal keeps of them goes, also from this disk.

What is being ended may still write and is waited for. The sweepers of workers on other machines clear their own disks.
"""

from __future__ import annotations

from typing import cast

from workers.errands.desk import Desk
from workers.errands.model import Forget
from workers.errors import Retryable
from workers.git import mirrors
from workers.store.forgetting import Forgetting
from workers.store.tenants import Tenants

AGAIN_S = 20.0


def forget(desk: Desk) -> str:
    """Wipe the database's rows, then the mirrors. Raises `Retryable` while runs have not ended."""
    asked = cast(Forget, desk.errand.payload)
    forgetting = Forgetting(desk.engine, asked.installation_id, asked.repo_ids)
    repos = forgetting.repositories()
    left = forgetting.wipe(desk.errand.id)
    dropped = mirrors.drop(mirrors.folder(desk.settings.state_dir), Tenants(desk.engine).gone)
    if left:
        raise Retryable(f"{left} runs and errands have not ended", blame="ledger", after=AGAIN_S)
    return f"forgot {len(repos)} repositories and {dropped} mirrors"
