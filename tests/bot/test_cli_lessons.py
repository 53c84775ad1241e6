"""`heal lessons` and `heal lessons forget`, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import insert

from tests.bot.command import heal
from workers.store.database import open_engine, transact
from workers.store.models import Lesson, Repo
from workers.store.schema import upgrade

SIGNATURE = json.dumps({"tool": "pytest", "rules": ["KeyError"], "words": [], "suffixes": []})


def test_lessons_are_listed_and_forgotten(tmp_path: Path) -> None:
    """Of all repositories or of one, for people or programs; what is not there is said, with exit code 2."""
    url = f"sqlite:///{tmp_path / 'heal.db'}"
    upgrade(url)
    engine = open_engine(url)
    row = {"installation_id": 1, "fingerprint": "f" * 64, "patch": "+x", "who": "maria", "words": "no", "at": 86_400.0}
    rows = (
        {**row, "repo_id": 7, "number": 12, "accepted": True, "signature": SIGNATURE},
        {**row, "repo_id": 8, "number": 3, "accepted": False, "signature": ""},
    )
    transact(engine, lambda c: c.execute(insert(Lesson), rows))
    transact(engine, lambda c: c.execute(insert(Repo).values(id=7, installation_id=1, full_name="octo/shop", at=1.0)))
    engine.dispose()
    assert heal("lessons", HEAL_DATABASE_URL=url).stdout.splitlines() == [
        "2  1970-01-02  repository 8#3  turned down by maria  a failure ffffffffffff",
        "1  1970-01-02  octo/shop#12  merged by maria  pytest, KeyError ffffffffffff",
    ]
    shown = json.loads(heal("lessons", "--repo", "octo/shop", "--json", HEAL_DATABASE_URL=url).stdout)
    assert (shown["id"], shown["patch"], shown["rules"], shown["words"]) == (1, "+x", ["KeyError"], "no")
    assert heal("lessons", "forget", "1", HEAL_DATABASE_URL=url).stderr == "lesson 1 is forgotten\n"
    gone = heal("lessons", "forget", "1", HEAL_DATABASE_URL=url)
    assert (gone.returncode, gone.stdout) == (2, "")
    assert "there is no lesson 1; `heal lessons` lists them" in gone.stderr
    assert heal("lessons", "--repo", "7", HEAL_DATABASE_URL=url).stdout == ""
