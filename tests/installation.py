"""The installation of one test process: what the command line and the stories' workers leave on the engine is its."""

from __future__ import annotations

import uuid
from contextlib import suppress

from sandbox.engine import Engine
from sandbox.errors import EngineDown
from sandbox.reaper import belongs, remove_all

NAME = f"tests-{uuid.uuid4().hex[:12]}"
SETTING = {"HEAL_INSTALLATION": NAME}


def remove() -> None:
    """Remove all of it from the engine, if one answers: the sessions' as well (`NAME/session`)."""
    engine = Engine()
    with suppress(EngineDown):
        held = [*engine.containers("heal.owner").values(), *(volume.labels for volume in engine.volumes("heal.owner"))]
        for owner in {labels["heal.owner"] for labels in held if belongs(labels, NAME)}:
            remove_all(engine, owner)
    engine.close()
