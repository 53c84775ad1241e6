"""Runs in a container of our own that sees the folder of the engine's volumes: lends a package cache to a set-up.

Arguments: the cache's volume, the environment's volume. The cache's folder is moved into the environment's volume, a
line says so, and when a line comes back it is moved home. Both moves rename one entry of a folder that only the engine
and we can replace (a volume's root): no path leads through anything that set-up made, so no link of its can lead us
elsewhere. Who comes while the cache is lent gets none and starts an empty one; of two that return, the first stays.
"""

import shutil
import sys
from pathlib import Path

VOLUMES = Path("/volumes")


def main(cache: str, environment: str) -> None:
    home = VOLUMES / cache / "_data" / "cache"
    lent = VOLUMES / environment / "_data" / ".cache"
    try:
        home.rename(lent)
    except FileNotFoundError:
        lent.mkdir()
    sys.stdout.write("HEAL-READY\n")
    sys.stdout.flush()
    sys.stdin.readline()
    if lent.is_symlink() or not lent.is_dir():  # set-up left none: the next starts an empty one
        return
    try:
        lent.rename(home)
    except OSError:  # somebody else's came home first, or the cache was removed meanwhile
        shutil.rmtree(lent)  # nothing of set-up runs any more, and links are not followed


if __name__ == "__main__":
    main(*sys.argv[1:])
