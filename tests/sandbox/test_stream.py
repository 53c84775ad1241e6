"""What comes over an attached connection is read from its first byte, whenever that arrives."""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

import docker

from sandbox.stream import Caps, Marks, Stream

HEAD = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def frame(channel: int, text: bytes) -> bytes:
    return struct.pack(">BxxxL", channel, len(text)) + text


def test_output_that_comes_with_the_head_of_the_answer(tmp_path: Path) -> None:
    """A short process of a busy machine has said all before anybody reads; here in one piece, and cut in a frame."""
    told = frame(1, b"all of it\n") + frame(2, b"x" * 3000) + frame(1, b"over\n") + frame(2, b"over\n")
    for cut in (0, 5, 12, len(told)):
        with socket.socket(socket.AF_UNIX) as door:
            place = str(tmp_path / f"{cut}.sock")
            door.bind(place)
            door.listen()

            def answer(door: socket.socket = door, cut: int = cut) -> None:
                here, _ = door.accept()
                with here:
                    here.recv(1 << 16)
                    here.sendall(HEAD + told[:cut])
                    here.sendall(told[cut:])

            serving = threading.Thread(target=answer)
            serving.start()
            client = docker.APIClient(base_url=f"unix://{place}", version="1.41")
            attached = client.exec_start("one", socket=True)
            serving.join()
            stream = Stream(attached, Caps(100, 100, 4000, 10000), Marks(over=b"over\n"))
            stream.begin()
            assert stream.watch(30, None) is None
            assert stream.over
            assert stream.stdout.bytes() == b"all of it\n"
            assert len(stream.stderr.output().text) == 3000
            stream.close()
            client.close()
