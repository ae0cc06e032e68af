"""Files that change while they are read: in place, also with their old times, by growing, and by replacement."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from systems import POSIX, posix, tile_by_tile

from softdice_cli import Reading, Settings, evaluate, readers
from softdice_cli.errors import UnreadableError
from softdice_cli.evaluation import image_tally
from softdice_cli.evaluation.outcomes import Evaluated
from softdice_cli.evaluation.pair_tasks import EvaluatePair
from softdice_cli.execution import Grant
from softdice_cli.inspection import inspect
from softdice_cli.overlap.devices import choose, engine_for
from softdice_cli.pairing import Pair
from softdice_cli.readers import Blob, ReadOptions, Source, in_file, read_array
from softdice_cli.readers.unchanged import Version

Change = Callable[[Path], object]


def overwrite(path: Path) -> None:
    """Write the last byte again, as it is."""
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read()
        file.seek(-1, os.SEEK_END)
        file.write(last)


def overwrite_and_set_back(path: Path) -> None:
    before = path.stat()
    overwrite(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def replace(path: Path) -> None:
    other = path.with_suffix(".other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


CHANGES = {
    "overwritten": (overwrite, "(mtime)"),
    "grown": (append, "bytes"),
    **({"set back": (overwrite_and_set_back, "(ctime)")} if POSIX else {}),
    **({"replaced": (replace, "another file of this name")} if POSIX else {}),
    **({"removed": (Path.unlink, "another file of this name, or none")} if POSIX else {}),
}
each_change = pytest.mark.parametrize(("change", "found"), CHANGES.values(), ids=CHANGES)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that is read tile by tile."""
    path = tmp_path / "p.npy"
    np.save(path, np.full((2, 600, 600), 0.5, np.float32))
    return path


@tile_by_tile
@each_change
def test_a_file_that_changes_between_its_tiles_is_refused(change: Change, found: str, large: Path):
    source = read_array(Blob(str(large)), ReadOptions())
    source.load(source.array[0])
    source.check()
    change(large)
    with pytest.raises(UnreadableError, match="changed while it was read") as caught:
        source.check()
    assert caught.value.path == str(large)
    assert found in caught.value.found
    assert "run again" in caught.value.hint


@each_change
@pytest.mark.parametrize("name", ["m.npy", "m.npz", "m.png", "m.tif"])
def test_a_file_that_changes_while_it_is_read_at_once_is_refused(
    name: str, change: Change, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = saved(tmp_path / name, np.zeros((8, 8), np.uint8))
    # Within a tick of the clock, a second write does not show in the times.
    os.utime(path, (1, 1))
    real = readers._read

    def read(*arguments: object) -> Source:
        source = real(*arguments)
        change(path)
        return source

    assert read_array(Blob(str(path)), ReadOptions()).array.size == 64
    monkeypatch.setattr(readers, "_read", read)
    monkeypatch.setattr("softdice_cli.readers.unchanged._LARGE", 0)
    with pytest.raises(UnreadableError, match="changed while it was read") as caught:
        read_array(Blob(str(path)), ReadOptions())
    assert found in caught.value.found


def saved(path: Path, array: np.ndarray) -> Path:
    from PIL import Image

    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez(path, array)
    else:
        Image.fromarray(array).save(path)
    return path


def test_bytes_in_memory_cannot_change(large: Path):
    read_array(Blob("standard input", large.read_bytes()), ReadOptions()).check()


def test_a_write_right_after_another_one_is_seen(large: Path):
    for _ in range(20):
        overwrite(large)
        with large.open("rb") as stream:
            version = Version.of(stream.fileno())
            overwrite(large)
            with pytest.raises(UnreadableError, match="changed while it was read"):
                version.check(stream.fileno(), str(large))


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A pair of which every file is read tile by tile."""
    labels = np.zeros((1100, 1000), np.uint8)
    labels[:, 500:] = 1
    np.save(tmp_path / "p.npy", np.stack([labels == 0, labels == 1]).astype(np.float32))
    for name in ("g", "roi"):
        np.save(tmp_path / f"{name}.npy", labels)
    return Pair("p", *(str(tmp_path / f"{name}.npy") for name in ("p", "g", "roi")))


@tile_by_tile
@pytest.mark.parametrize("side", ["pred", "gt", "roi"])
@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_a_pair_whose_file_changes_has_no_row(device: str, side: str, pair: Pair, monkeypatch: pytest.MonkeyPatch):
    path = getattr(pair, side)
    assert evaluate([pair], device=choose(device, lambda *_: None)).images
    load = in_file.FileLoader.__call__

    def loaded(loader: in_file.FileLoader, view: np.ndarray) -> np.ndarray:
        values = load(loader, view)
        overwrite(Path(path))
        return values

    monkeypatch.setattr(in_file.FileLoader, "__call__", loaded)
    results = evaluate([pair], device=choose(device, lambda *_: None))
    assert not results.images
    (failure,) = results.failures
    assert failure.error == f"{path}: changed while it was read"


@posix
def test_an_image_that_several_processes_share_has_no_row_if_it_changes(pair: Pair, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(image_tally, "_WORTH_PROCESSES", 0)
    monkeypatch.setattr("softdice_cli.execution.choice.can_fork", lambda: True)
    task = EvaluatePair(Settings(), Reading(), False, engine_for("cpu"))
    assert isinstance(task(pair, Grant(workers=2)), Evaluated)
    program, tally = os.getpid(), image_tally._tally_views

    def tally_views(*arguments: Any) -> Any:
        # In one of the processes, and as long as the others read.
        assert os.getpid() != program
        overwrite(Path(pair.pred))
        return tally(*arguments)

    monkeypatch.setattr(image_tally, "_tally_views", tally_views)
    error = task(pair, Grant(workers=2))
    assert isinstance(error, UnreadableError)
    assert str(error).startswith(f"{pair.pred}: changed while it was read")


@tile_by_tile
def test_inspect_says_nothing_of_a_file_that_changes(large: Path, monkeypatch: pytest.MonkeyPatch):
    assert inspect(str(large), ReadOptions()).high == 0.5
    load = in_file.FileLoader.__call__

    def loaded(loader: in_file.FileLoader, view: np.ndarray) -> np.ndarray:
        append(large)
        return load(loader, view)

    monkeypatch.setattr(in_file.FileLoader, "__call__", loaded)
    with pytest.raises(UnreadableError, match="changed while it was read"):
        inspect(str(large), ReadOptions())
