"""Only regular files are read, without waiting, and no further than a limit."""

from __future__ import annotations

import os
import re
import socket
import tracemalloc

import pytest
from systems import linux

from softdice_cli.errors import UnreadableError
from softdice_cli.opening import open_regular, read_up_to


def test_a_regular_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with open_regular(str(tmp_path / "a")) as stream:
        assert stream.read() == b"abc"


@linux
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere", "there is no such file"),
        ("folder", "is a folder, and a file was expected"),
        ("fifo", "is not a regular file"),
        ("socket", "is not a regular file"),
        ("link-to-fifo", "is not a regular file"),
        ("link-to-nothing", "there is no such file"),
        ("loop", "cannot be opened: Too many levels of symbolic links"),
        ("a" * 300, "cannot be opened: File name too long"),
        ("a\0b", "cannot be opened: embedded null byte"),
        ("\ud800", "cannot be opened: "),
        ("/dev/zero", "is a device, and a file was expected"),
    ],
)
def test_nothing_else_is(tmp_path, monkeypatch, name, says):
    monkeypatch.chdir(tmp_path)
    os.mkdir("folder")
    os.mkfifo("fifo")
    os.symlink("fifo", "link-to-fifo")
    os.symlink("gone", "link-to-nothing")
    os.symlink("loop", "loop")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        with pytest.raises(UnreadableError, match=re.escape(says)) as caught:
            open_regular(name)
    assert (caught.value.path, bool(caught.value.hint)) == (name, True)


@linux
def test_a_pipe_of_the_shell_is_read_where_that_is_asked_for():
    read, write = os.pipe()
    os.write(write, b"abc")
    os.close(write)
    name = f"/dev/fd/{read}"
    with pytest.raises(UnreadableError, match="is not a regular file"):
        open_regular(name)
    with open_regular(name, pipes=True) as stream:
        assert stream.read() == b"abc"
    os.close(read)


def test_no_more_is_read_than_the_limit_and_one_byte():
    asked: list[int] = []

    def endless(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    with pytest.raises(UnreadableError):
        read_up_to(endless, 3 * 2**20, UnreadableError("is longer"))
    assert sum(asked) == 3 * 2**20 + 1


def test_memory_is_taken_for_what_comes():
    pieces = iter([b"abc", b"de", b""])
    tracemalloc.start()
    try:
        assert read_up_to(lambda _: next(pieces), 2**40, UnreadableError("is longer")) == b"abcde"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_stream_that_does_not_wait_is_an_error():
    with pytest.raises(BlockingIOError):
        read_up_to(lambda _: None, 10, UnreadableError("is longer"))
