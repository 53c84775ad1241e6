"""The theatre that all stories share. Every story has repositories of its own and leaves the double honest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub.process import Files
from tests.installation import SETTING
from tests.story.theatre import OWNER, Theatre

Play = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """The running installation; stories use `theatre`."""
    folder = tmp_path_factory.mktemp("theatre")
    with Theatre(folder, folder / "state", SETTING, sweep_seconds=0.5) as running:
        yield running


@pytest.fixture
def theatre(stage: Theatre) -> Iterator[Theatre]:
    """The running installation. The story fails when it made the double hear or say what GitHub would not."""
    yield stage
    stage.hub.settle()
    stage.hub.clear_faults()
    assert stage.hub.violations(take=True) == []


@pytest.fixture
def repo(request: pytest.FixtureRequest) -> str:
    """A repository name of the story's own."""
    return f"{OWNER}/{Path(request.node.name).name.removeprefix('test_').replace('_', '-')[:60]}"


@pytest.fixture
def play(theatre: Theatre, repo: str) -> Play:
    """Make the repository from files, let its CI turn red, and give the run when it has ended."""

    def played(files: Files, seconds: float = 60, **ci: Any) -> dict[str, Any]:
        theatre.hub.create_repo(repo, files=files)
        theatre.hub.finish_ci(repo, **ci)
        return theatre.wait_for_run(repo, seconds)

    return played
