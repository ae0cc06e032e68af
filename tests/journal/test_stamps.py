"""What a file is known by: no file that took the place of another one is taken for it, whatever its size and times."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from systems import linux, posix

import softdice_cli.journal.stamps as stamps
from softdice_cli.journal import is_unchanged, stamp

OLD, NEW = b"a good model", b"a bad model!"


@pytest.fixture(params=[pytest.param(True, marks=posix), False], ids=["times", "content"])
def file(request, tmp_path, monkeypatch) -> str:
    """A file that is stamped by its times, or by its content."""
    monkeypatch.setattr(stamps, "_is_dated", lambda status: request.param)
    path = tmp_path / "p.npy"
    path.write_bytes(OLD)
    os.utime(path, (0, 0))
    return str(path)


def unpacked(path: str) -> None:
    """As an archive with fixed times unpacks another file."""
    os.unlink(path)
    Path(path).write_bytes(NEW)
    os.utime(path, (0, 0))


def written_over(path: str) -> None:
    """As ``rsync --inplace -t`` does it."""
    Path(path).write_bytes(NEW)
    os.utime(path, (0, 0))


def moved_over(path: str) -> None:
    """As ``rsync -t`` does it."""
    Path(f"{path}.part").write_bytes(NEW)
    os.utime(f"{path}.part", (0, 0))
    os.replace(f"{path}.part", path)


def removed(path: str) -> None:
    os.unlink(path)


def longer(path: str) -> None:
    Path(path).write_bytes(OLD + b"!")


@pytest.mark.parametrize("change", [unpacked, written_over, moved_over, removed, longer])
def test_another_file_of_equal_size_and_time_is_told(file, change):
    then = stamp(file)
    assert is_unchanged(file, then)
    # Behind the tick of a coarse clock; younger files are stamped by their content.
    os.utime(file, ns=(0, 0))
    then = stamp(file)
    if len(then) > 2:
        # The last change of a file that is stamped by its times lies back.
        _wait_for_another_time(file)
    change(file)
    assert not is_unchanged(file, then)


def _wait_for_another_time(path: str) -> None:
    """Returns when a change of a file would get another time than its last one."""
    then = os.stat(path).st_ctime_ns
    probe = Path(f"{path}.probe")
    while True:
        probe.write_bytes(b"")
        if os.stat(probe).st_ctime_ns > then:
            return


def test_a_copy_is_known_by_its_content_only(file, tmp_path):
    then = stamp(file)
    copy = str(shutil.copy2(file, tmp_path / "copy"))
    assert is_unchanged(copy, then) == (len(then) == 2)


def test_a_young_file_is_stamped_by_its_content(tmp_path):
    path = tmp_path / "p"
    path.write_bytes(OLD)
    then = stamp(str(path))
    assert len(then) == 2
    written_over(str(path))
    assert not is_unchanged(str(path), then)


@linux
def test_an_old_file_is_stamped_by_its_times(tmp_path, monkeypatch):
    path = tmp_path / "p"
    path.write_bytes(OLD)
    status = path.stat()
    if stamps._file_systems().get(status.st_dev) not in stamps._DATED:
        pytest.skip("the file system of the tests keeps no times that tell")
    monkeypatch.setattr(stamps.time, "time_ns", lambda: status.st_ctime_ns + 3 * 10**9)
    assert stamp(str(path)) == (len(OLD), status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


@pytest.mark.parametrize(
    ("seconds", "kind", "dated"),
    [
        (1_000_000_000.5, "ext4", True),
        # FAT, a folder behind sshfs, and an image of a file system: the time is a copy of another one
        (1_000_000_000.5, "vfat", False),
        (1_000_000_000.5, "fuse.sshfs", False),
        (1_000_000_000.5, "squashfs", False),
        # whole seconds, as the lower layer of an overlay may have them
        (1_000_000_000.0, "overlay", False),
        # a system that does not tell, such as Windows
        (1_000_000_000.5, "", False),
        # a clock that was set back
        (9_000_000_000.5, "ext4", False),
    ],
)
def test_times_are_believed_where_every_change_has_its_own(monkeypatch, seconds, kind, dated):
    monkeypatch.setattr(stamps, "_file_systems", lambda: {7: kind} if kind else {})
    assert stamps._is_dated(SimpleNamespace(st_ctime_ns=int(seconds * 10**9), st_dev=7)) == dated


@linux
def test_the_file_systems_of_a_machine_are_known():
    assert stamps._file_systems()[os.stat("/proc").st_dev] == "proc"


@pytest.mark.parametrize("there", [True, False])
def test_where_no_file_systems_are_told_there_are_none(monkeypatch, there):
    monkeypatch.setattr(stamps.sys, "platform", "linux" if there else "win32")
    monkeypatch.setattr("builtins.open", _refuse)
    assert stamps._file_systems.__wrapped__() == {}


def _refuse(*_: object, **__: object) -> None:
    raise FileNotFoundError


@posix
def test_what_is_not_a_file_has_no_stamp_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "nothing", "", "\0"):
        assert stamp(str(tmp_path / name)) == ()
        assert not is_unchanged(str(tmp_path / name), ())
        assert not is_unchanged(str(tmp_path / name), (0, 0, 0, 0))
