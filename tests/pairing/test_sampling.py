"""The fingerprint of the files of a run: what changes it, what does not, and what it never waits for."""

from __future__ import annotations

import os

import pytest
from systems import posix

from softdice_cli.pairing import Pair, fingerprint

LARGE = 1_000_000


@pytest.fixture
def pairs(tmp_path):
    """A small and a large pair."""
    for name, size in (("a", 100), ("b", LARGE)):
        for side in ("p", "m"):
            (tmp_path / f"{name}.{side}").write_bytes(os.urandom(size))
    return [Pair(name, str(tmp_path / f"{name}.p"), str(tmp_path / f"{name}.m")) for name in "ab"]


def changed(path: str, place: int) -> None:
    """One bit of a file is another."""
    with open(path, "r+b") as stream:
        stream.seek(place)
        byte = stream.read(1)[0]
        stream.seek(place)
        stream.write(bytes([byte ^ 1]))


@pytest.mark.parametrize(
    ("index", "place"),
    # any byte of a small file; of a large one the start, blocks between, and the end
    [(0, 0), (0, 50), (0, 99), (1, 0), (1, LARGE // 3), (1, 2 * LARGE // 3), (1, LARGE - 1)],
)
def test_other_contents_have_another_fingerprint(pairs, index, place):
    before = fingerprint(pairs)
    assert fingerprint(pairs) == before
    for path in pairs[index].files:
        changed(path, place)
        assert fingerprint(pairs) != before
        changed(path, place)
    assert fingerprint(pairs) == before


def test_a_large_file_is_not_read_whole(pairs):
    """A byte between the blocks is not seen, as docs/ci.md says."""
    before = fingerprint(pairs)
    changed(pairs[1].pred, LARGE // 6)
    assert fingerprint(pairs) == before


def test_size_order_and_ids_count_and_times_and_paths_do_not(pairs, tmp_path):
    before = fingerprint(pairs)
    os.utime(pairs[0].pred, (1, 1))
    moved = str(tmp_path / "elsewhere")
    os.rename(pairs[0].pred, moved)
    assert fingerprint([Pair("a", moved, pairs[0].gt), pairs[1]]) == before
    a, b = Pair("a", moved, pairs[0].gt), pairs[1]
    others = [
        [b, a],
        [a],
        [Pair("c", a.pred, a.gt), b],
        [Pair("a", a.gt, a.pred), b],
        [Pair("a", a.pred, a.gt, roi=b.gt), b],
    ]
    found = {fingerprint(other) for other in others}
    assert len(found | {before}) == len(others) + 1
    with open(moved, "ab") as stream:
        stream.write(b"\0")
    assert fingerprint([a, b]) != before


@posix
def test_what_is_not_a_regular_file_is_unreadable_and_never_waited_for(pairs, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    paths = (str(tmp_path / "fifo"), str(tmp_path), "-", "/dev/zero", str(tmp_path / "no"), "a\0b")
    found = {fingerprint([Pair("a", path, pairs[0].gt)]) for path in paths}
    assert len(found) == 1
    assert found != {fingerprint([Pair("a", pairs[0].pred, pairs[0].gt)])}
