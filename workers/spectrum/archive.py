"""What is sent into the sandbox: the package `sandboxed` as one archive that Python runs, the same bytes every time."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

NAME = "screen.pyz"
_SENT = Path(__file__).with_name("sandboxed")
_PACKAGE = "heal_inside"
"""Its name in there: nobody's project has it."""
_MAIN = f"import sys\n\nfrom {_PACKAGE}.main import main\n\nsys.exit(main())\n"


@cache
def archive() -> bytes:
    """A zip archive with a `__main__`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("__main__.py"), _MAIN)
        for path in sorted(_SENT.glob("*.py")):
            file.writestr(zipfile.ZipInfo(f"{_PACKAGE}/{path.name}"), path.read_bytes())
    return buffer.getvalue()
