"""Commits that are the attack: trees that lead elsewhere, names and links that mean more than they say, files that
other tools obey, and sizes. These travel: they come from GitHub as well as from a folder.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from tests.workers.git.checkouts import git
from tests.workers.git.hostile.ground import FILES, Ground, Hostile
from tests.workers.git.raw import FILE, FOLDER, LINK, SUBMODULE, Entry, Objects

Build = Callable[[Objects], Sequence[Entry]]

_NAIVE = 'git ls-tree -r -z --name-only HEAD | xargs -0 -I{} sh -c \'mkdir -p "$(dirname "{}")"; touch "{}"\''
"""What a program does that writes the files of a tree without a look at their names."""
_UNSAFE = "holds a name that leads out of it"
_FSCK = "refuses as damaged or unsafe"
_UNREAD = "could not be read|not committed"
_LARGER = "larger than Heal handles"


def usual(objects: Objects) -> list[Entry]:
    """The entries of the harmless commit."""
    found: dict[str, Entry] = {}
    for path, content in FILES.items():
        first, *rest = path.split("/")
        mode, sha = FILE, objects.blob(content)
        for name in reversed(rest):
            sha, mode = objects.tree((mode, name.encode(), sha)), FOLDER
        found[first] = (mode, first.encode(), sha)
    return list(found.values())


def tree(objects: Objects, *more: Entry) -> str:
    """The harmless tree with more in it, in git's order."""
    entries = [*usual(objects), *more]
    return objects.tree(*sorted(entries, key=lambda one: one[1] + b"/" * (one[0] == FOLDER)))


def _with(more: Build) -> Callable[[Ground], None]:
    """The harmless commit with these entries beside the others."""

    def build(ground: Ground) -> None:
        objects = Objects(ground.git_dir)
        _head(ground, objects.commit(tree(objects, *more(objects))))

    return build


def _whole(make: Callable[[Objects], str]) -> Callable[[Ground], None]:
    """A commit of this very tree, which nobody has ever checked out."""

    def build(ground: Ground) -> None:
        objects = Objects(ground.git_dir)
        (ground.git_dir / "refs" / "heads" / "main").write_text(f"{objects.commit(make(objects))}\n")

    return build


def _head(ground: Ground, sha: str) -> None:
    """The commit is checked out, as far as git agrees to write its files; nothing that it holds is configured."""
    (ground.git_dir / "refs" / "heads" / "main").write_text(f"{sha}\n")
    attributes = ground.git_dir / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("* -text !working-tree-encoding !eol\n")  # as they were committed
    with suppress(subprocess.CalledProcessError):
        git(ground.source, "read-tree", sha)
        git(ground.source, "checkout-index", "--all", "--force", "--quiet")
    attributes.unlink()


def _file(name: bytes, content: bytes = b"x\n", mode: str = FILE) -> Build:
    return lambda objects: [(mode, name, objects.blob(content))]


def _files(*names: bytes) -> Build:
    return lambda objects: [(FILE, name, objects.blob(b"x\n")) for name in names]


def _below(folder: bytes, name: bytes, content: bytes = b"x\n") -> Build:
    return lambda objects: [(FOLDER, folder, objects.tree((FILE, name, objects.blob(content))))]


def _deep(objects: Objects) -> str:
    sha = objects.tree((FILE, b"f", objects.blob(b"x\n")))
    for _ in range(1500):
        sha = objects.tree((FOLDER, b"d", sha))
    return tree(objects, (FOLDER, b"d", sha))


def _exploding(objects: Objects) -> str:
    """Forty trees of two entries each that both name the next one: a million million files."""
    sha = objects.tree((FILE, b"f", objects.blob(b"x\n")))
    for _ in range(40):
        sha = objects.tree((FOLDER, b"a", sha), (FOLDER, b"b", sha))
    return tree(objects, (FOLDER, b"d", sha))


def _heavy(objects: Objects) -> str:
    """The same ten megabytes a hundred times: ten kilobytes to send."""
    sha = objects.blob(bytes(10 << 20))
    return tree(objects, (FOLDER, b"d", objects.tree(*((FILE, b"f%03d" % n, sha) for n in range(100)))))


def _inner_repository(objects: Objects) -> list[Entry]:
    """A bare repository among the files, as git takes any folder that looks like one."""
    config = b"[core]\n\trepositoryFormatVersion = 0\n\tbare = false\n\tworktree = ..\n\tfsmonitor = ../evil\n"
    empty = objects.tree((FILE, b"x", objects.blob(b"")))
    return [(FOLDER, b"inner", objects.tree(
        (FILE, b"HEAD", objects.blob(b"ref: refs/heads/main\n")), (FILE, b"config", objects.blob(config)),
        (FOLDER, b"objects", empty), (FOLDER, b"refs", empty)))]  # fmt: skip


_MODULES = (
    b'[submodule "inner"]\n\tpath = inner\n\turl = ext::../evil\n\tupdate = !../evil\n'
    b'[submodule "-u../evil"]\n\tpath = in\\r\n\turl = -u../evil\n'
)
_ORDERS = (
    b"* export-subst ident filter=lfs diff=lfs merge=lfs working-tree-encoding=UTF-16 eol=crlf -text -diff\n"
    b"tests export-ignore\n"
)
_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 99999999999\n"
_LFS = b"[lfs]\n\turl = http://127.0.0.1:1/x\n\tstandalonetransferagent = evil\n"


def _linked_settings(ground: Ground) -> None:
    """Where we look for our settings and for workflows there are links to somebody else's file."""
    objects = Objects(ground.git_dir)
    secret = objects.blob(b"../../victim/secret.py")
    flows = objects.tree((LINK, b"ci.yml", secret))
    github = objects.tree((LINK, b"heal.yml", secret), (FOLDER, b"workflows", flows))
    entries = [(FOLDER, b".github", github) if one[1] == b".github" else one for one in usual(objects)]
    entries.append((LINK, b"heal.yml", objects.blob(b"../victim/secret.py")))
    _head(ground, objects.commit(objects.tree(*sorted(entries, key=lambda one: one[1]))))


def _large_attributes(objects: Objects) -> list[Entry]:
    return [(FILE, b".gitattributes", objects.blob(b"".join(b"f%d export-ignore\n" % n for n in range(300_000))))]


def _travelling(name: str, build: Callable[[Ground], None], control: str = "", fires: str = "trap",
                refused: str = "", fetched: str | None = None) -> Hostile:  # fmt: skip
    return Hostile(name, build, control, fires, refused, True, refused if fetched is None else fetched)


COMMITS = (
    _travelling("a name that leads out", _with(_file(b"../trap")), _NAIVE, refused=_UNSAFE, fetched=_FSCK),
    _travelling("a folder that leads out", _with(_below(b"..", b"trap")), _NAIVE, refused=_UNSAFE, fetched=_FSCK),
    _travelling("git's own settings", _with(_below(b".git", b"config")), refused=_UNSAFE, fetched=_FSCK),
    _travelling("git's own folder in another case", _with(_below(b".GiT", b"config")), refused=_UNSAFE,
                fetched=_FSCK),
    _travelling("git's own folder as Windows reads it", _with(_below(b"git~1", b"config")),
                refused=_UNREAD, fetched=_FSCK),
    _travelling("git's own folder as macOS reads it", _with(_below(".g\u200cit".encode(), b"config")),
                refused=_UNREAD, fetched=_FSCK),
    _travelling("an absolute name", _with(_file(b"/etc/heal-trap")), refused=_UNSAFE, fetched=_FSCK),
    _travelling("an empty name", _with(_file(b"")), refused="could not be read", fetched="could not be fetched"),
    _travelling("a name that comes twice", _with(_file(b"a.py", b"y\n")), refused="come twice", fetched=_FSCK),
    _travelling("a file that is a folder too", _with(_below(b"a.py", b"b")), refused="a file and a folder",
                fetched=_FSCK),
    _travelling("entries out of order", _whole(lambda o: o.tree(*reversed(usual(o)))), refused="out of order",
                fetched=_FSCK),
    _travelling("a link to somebody else's file", _with(_file(b"secret.py", b"../victim/secret.py", LINK)),
                "git reset -q --hard; cat secret.py", "canary"),
    _travelling("a link to somebody else's folder", _with(_file(b"out", b"../victim", LINK)),
                "git reset -q --hard; cat out/secret.py", "canary"),
    _travelling("links in the place of settings", _linked_settings,
                "git reset -q --hard; cat heal.yml", "canary"),
    _travelling("a link into git's own folder", _with(_file(b"own", b".git", LINK)),
                "git reset -q --hard; echo 'touch ../trap' > own/hooks/pre-commit; chmod +x own/hooks/pre-commit; "
                "git commit --allow-empty -m x"),
    _travelling("submodules that are programs", _with(lambda o: [
        (FILE, b".gitmodules", o.blob(_MODULES)), (SUBMODULE, b"inner", "b" * 40)]),
        "git -c protocol.ext.allow=always submodule add -f 'ext::../evil' inner2", fetched=_FSCK),
    _travelling("attributes and pointers", _with(lambda o: [
        (FILE, b".gitattributes", o.blob(_ORDERS)), (FILE, b".lfsconfig", o.blob(_LFS)),
        (FILE, b"data.bin", o.blob(_POINTER))]),
        "git config filter.lfs.smudge ../evil; git reset -q --hard; touch data.bin; rm a.py; git checkout a.py"),
    _travelling("three hundred thousand attributes", _with(_large_attributes)),
    _travelling("a repository among the files", _with(_inner_repository),
                "git reset -q --hard; cd inner; mkdir -p objects refs; git status"),
    _travelling("names like options and patterns", _with(_files(
        b"--output=trap", b"-n", b":(glob)**", b"@", b"HEAD", b"a b;touch trap", b"$(touch trap)", b"`touch trap`")),
        'git reset -q --hard; for one in *; do sh -c "echo $one"; done; mv trap ../trap'),
    _travelling("names that are no text", _with(_files(
        b"\xff\xfe", b"new\nline", b"tab\tquote\"back\\slash", b"\x1b[31mred", "r\u202eli\u200bz".encode(), b"n" * 255,
        b"con", b"aux.py", b"trailing.", b"trailing "))),
    _travelling("names that differ in their case", _with(_files(b"A.py", b"a.PY", b"Tests", b"README", b"readme"))),
    _travelling("folders fifteen hundred deep", _whole(_deep), refused="nested more than"),
    _travelling("a tree that unfolds to a million million files", _whole(_exploding), refused=_LARGER),
    _travelling("ten kilobytes that unfold to a gigabyte", _whole(_heavy), refused=_LARGER),
    _travelling("a folder that is a file", _with(_file(b"d", b"x\n", FOLDER)), refused="could not be read",
                fetched="could not be fetched"),
    _travelling("a file that is not there", _with(lambda o: [(FILE, b"d", "a" * 40)]), refused=_UNREAD,
                fetched="could not be fetched"),
    _travelling("a file with a zero byte", _with(_file(b"b.py", b"x = 1\0\n"))),
)  # fmt: skip
