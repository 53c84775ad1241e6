"""Which examples in a file's texts are untrue: those that say something else, not those that take long."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from workers.spectrum.sandboxed.examples import failing
from workers.spectrum.sandboxed.swapping import Original

TEXT = '''def double(x):
    """Twice.

    >>> double(2)
    4
    >>> double(3)
    7
    >>> double(None)
    Traceback (most recent call last):
    TypeError: no
    >>> double(Ever())
    0
    """
    return x + x


class Ever:
    def __add__(self, other):
        while True:
            pass
'''


def test_only_what_gives_something_else_is_untrue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is raised may be what the example is about."""
    path = tmp_path / "twice.py"
    path.write_text(TEXT)
    module = ModuleType("twice")
    exec(compile(TEXT, str(path), "exec"), vars(module))  # noqa: S102 - the text above
    monkeypatch.setitem(sys.modules, "twice", module)
    original = Original(str(path))
    original.live.append(module.double)
    assert [untrue.split(": ")[1] for untrue in failing(original)] == ["double(3)"]
