"""Images are made once per content, and what cannot be made is said with what is missing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sandbox.engine import Engine
from sandbox.errors import ImageMissing, SandboxError
from sandbox.images.build import build, resolve
from sandbox.images.sources import Sources
from sandbox.languages import CORE
from tests.sandbox.conftest import STATE


@pytest.mark.engine
def test_nothing_changed_nothing_built(engine: Engine) -> None:
    """Building again yields the same references at once, and that is what a plan's language key names."""
    lines: list[str] = []
    started = time.monotonic()
    references = build(engine, STATE, CORE, progress=lines.append)
    assert time.monotonic() - started < 1
    assert references == build(engine, STATE, CORE)
    assert len(lines) == len(CORE)
    assert all("up to date" in line for line in lines)
    for language, reference in zip(CORE, references, strict=True):
        assert engine.image_id(resolve(language)) == engine.image_id(reference)


@pytest.mark.engine
def test_images_bring_no_volume_of_their_own(engine: Engine) -> None:
    """No image declares a volume: each container would get an unlabelled one that nobody removes."""
    for language in CORE:
        config = engine.client().images.get(resolve(language)).attrs["Config"]
        assert not config.get("Volumes")


def test_unknown_language(tmp_path: Path) -> None:
    """A language without an image is refused with those there are."""
    with pytest.raises(SandboxError, match="python, debian"):
        build(Engine(), tmp_path, ["cobol"])


@pytest.mark.engine
def test_no_tool_to_make_the_image(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without registry and without debootstrap it is ImageMissing, with what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    sources = Sources(bases=(), mirror="http://mirror.invalid/debian")
    with pytest.raises(ImageMissing) as caught:
        build(engine, tmp_path, ["debian"], sources, fresh=True)
    assert "debootstrap" in caught.value.repair
