"""Small commits to run things in, as the tar archives the sandbox takes."""

from __future__ import annotations

import io
import tarfile

from sandbox.spec import Tree

ADDER = {
    "adder.py": "def add(a, b):\n    return a - b\n",
    "test_adder.py": "from adder import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\ndef test_zero():\n"
    "    assert add(0, 0) == 0\n",
}
FIX = b"""--- a/adder.py
+++ b/adder.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
"""


def tree(files: dict[str, str] | None = None, sha: str = "0" * 40) -> Tree:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in (files or {}).items():
            data = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return Tree(sha, buffer.getvalue())
