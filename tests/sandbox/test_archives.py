"""What of a commit's tar is sent into a workspace: everything git can mean, and nothing that leads anywhere else."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.archives import FileArchive, contents, members

FORMATS = pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])


def tar(*entries: tarfile.TarInfo | tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return buffer.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Names and contents of the files in what is sent."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(contents(archive).pieces()))) as sent:
        return {entry.name: file.read() if (file := sent.extractfile(entry)) else b"" for entry in sent}


@FORMATS
def test_everything_a_commit_can_hold_is_sent(form: int) -> None:
    """Long, odd and non-UTF-8 names, links and folders pass byte for byte, in every kind of tar."""
    names = ["a", "d/" * 40 + "long", "new\nline", "caf\udce9", "x.git", ".gitignore", "..a", "a..", " "]
    if form != tarfile.USTAR_FORMAT:
        names.append("p" * 200 + "/" + "q" * 250)
    raw = {name.encode("utf-8", "surrogateescape") for name in names}
    odd = (special("out", tarfile.SYMTYPE, "../../etc/passwd"), special("d", tarfile.DIRTYPE))
    archive = tar(*((name, name.encode("utf-8", "surrogateescape")) for name in names), *odd, form=form)
    held = contents(archive)
    assert b"".join(held.pieces()) == archive
    assert (held.entries, held.left_out, held.size) == (len(names) + 2, 0, len(archive))
    found = {member.name: archive[member.content : member.content + member.size] for member in members(archive)}
    assert {name: content for name, content in found.items() if name in raw} == {name: name for name in raw}


@FORMATS
@pytest.mark.parametrize(
    "bad",
    [
        ("/etc/cron.d/x", b"x"),
        ("../x", b"x"),
        ("a/../../x", b"x"),
        (".git/config", b"[core]\n\tfsmonitor = touch /tmp/x\n"),
        ("sub/.git", b"gitdir: /x\n"),
        special("hard", tarfile.LNKTYPE, "/etc/passwd"),
        special("device", tarfile.BLKTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda bad: bad.name if isinstance(bad, tarfile.TarInfo) else bad[0],
)
def test_what_leads_elsewhere_is_left_out(bad: tarfile.TarInfo | tuple[str, bytes], form: int) -> None:
    """Names outside the workspace, repositories, hard links and devices are cut out; their neighbours stay whole."""
    archive = tar(("before", b"1" * 600), bad, bad, ("after", b"2" * 600), form=form)
    held = contents(archive)
    assert (held.entries, held.left_out) == (2, 2)
    assert unpacked(archive) == {"before": b"1" * 600, "after": b"2" * 600}
    assert held.size == len(b"".join(held.pieces()))


@pytest.mark.parametrize("name", ["n" * 256, "deep/" * 900 + "x", ".git/" + "n" * 200, "d/" * 60 + "../x"])
def test_names_that_no_file_system_takes_are_left_out(name: str) -> None:
    """A long name's own header goes with it."""
    archive = tar(("a", b"1"), (name, b"2"), ("b", b"3"))
    assert unpacked(archive) == {"a": b"1", "b": b"3"}
    assert contents(archive).left_out == 1


@pytest.mark.parametrize("data", [b"", b"no tar at all" * 100, tar(("a", b"1" * 5000))[:1500], bytes(10240)])
def test_what_is_no_archive_is_sent_as_it_is(data: bytes) -> None:
    """The container's tar is the one to say what is wrong with it; here nothing fails."""
    held = contents(data)
    assert b"".join(held.pieces()) == data
    assert held.left_out == 0


@given(st.lists(st.tuples(st.integers(0, 2047), st.integers(0, 255)), max_size=8))
def test_no_header_leads_astray(changes: list[tuple[int, int]]) -> None:
    """Whatever stands in the headers, the look at them ends, and what is sent is made of pieces of the archive."""
    data = bytearray(tar(("a", b"1" * 700), ("../b", b"2"), form=tarfile.GNU_FORMAT))
    for place, value in changes:
        data[place] = value
    held = contents(bytes(data))
    assert all(0 <= begin < end <= len(data) for begin, end in held.parts)
    assert list(held.parts) == sorted(held.parts)
    assert held.size == sum(map(len, held.pieces())) <= len(data)


def test_a_large_archive_takes_no_memory(tmp_path: Path) -> None:
    """A large file is looked through and sent with a few mebibytes, and the file is gone afterwards."""
    code = (
        "import resource, sys; from pathlib import Path; from sandbox.archives import FileArchive, contents\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "held = contents(FileArchive(Path(sys.argv[1]))); before = peak()\n"
        "print(held.entries, sum(map(len, held.pieces())) == held.size, peak() - before)\n"
    )
    path = tmp_path / "large.tar"
    with tarfile.open(path, "w") as archive, Path("/dev/zero").open("rb") as zeros:
        for n in range(4):
            info = tarfile.TarInfo(f"file {n}")
            info.size = 64 << 20
            archive.addfile(info, zeros)
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    entries, whole, grown = done.stdout.split()
    assert (entries, whole, path.exists()) == ("4", "True", False)
    assert int(grown) * 1024 < 16 << 20


def test_threads_read_one_archive(tmp_path: Path) -> None:
    """Parts are read by place, so readers do not disturb each other, and slices mean what they mean for bytes."""
    path = tmp_path / "tar"
    path.write_bytes(bytes(range(256)) * 8)
    archive = FileArchive(path)
    assert len(archive) == 2048
    assert [archive[3:5], archive[2040:9999], archive[:2], archive[5:5], archive[-2:]] == [
        b"\3\4", bytes(range(248, 256)), b"\0\1", b"", b"\xfe\xff"]  # fmt: skip
