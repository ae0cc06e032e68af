"""Tiles of pairs in batches for a device: too little memory there means smaller batches, and at last a failed pair."""

from __future__ import annotations

import numpy as np
import pytest
from folders import pairs_of, write

import softdice_cli.evaluation.device_tiles as device_tiles
import softdice_cli.evaluation.evaluate_pairs as evaluate_pairs
import softdice_cli.evaluation.image_tally as image_tally
from softdice_cli import Reading, Settings, evaluate
from softdice_cli.execution import Grant
from softdice_cli.overlap.devices import engine_for


class Small:
    """The torch engine on the CPU, on which only so many values fit at once."""

    def __init__(self, values: int) -> None:
        self._engine, self._values = engine_for("torch:cpu"), values
        self.batches: list[int] = []

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def submit(self, values, codes, decoding):
        if values.size > self._values:
            raise MemoryError
        self.batches.append(len(values))
        return self._engine.submit(values, codes, decoding)


@pytest.mark.parametrize(
    ("values", "batches", "failed"),
    [
        (10**9, [6, 3], 0),  # all images of a size at once
        (3 * 7 * 6 * 3, [6, 3], 0),  # three of the larger ones, and all six of the others
        (3 * 5 * 4, [1] * 6, 3),  # the larger ones do not fit, and the others one by one
    ],
)
def test_a_batch_that_does_not_fit_is_halved(tmp_path, monkeypatch, values, batches, failed):
    names = tuple(f"i{index}" for index in range(9))
    write(tmp_path, names)
    pairs = pairs_of(tmp_path, names)
    pairs.sort(key=lambda pair: np.load(pair.pred).size)
    engine = Small(values)
    monkeypatch.setattr(evaluate_pairs, "engine_for", lambda device: engine)
    found = evaluate(pairs, device="cuda")
    assert engine.batches == batches
    assert len(found.failures) == failed
    assert {failure.hint for failure in found.failures} <= {"--device cpu"}
    monkeypatch.undo()
    whole = {row.id: row for row in evaluate(pairs).images}
    assert all(whole[row.id] == row for row in found.images)
    assert len(found.images) == 9 - failed


def test_a_large_image_is_not_read_before_its_turn(tmp_path, monkeypatch):
    write(tmp_path, ("a",))
    (pair,) = pairs_of(tmp_path, ("a",))
    engine = engine_for("torch:cpu")
    task = device_tiles.ReadTiles(Settings(), Reading(), False, engine)
    size = np.load(pair.pred).nbytes
    for limit, read in ((size, True), (size - 1, False)):
        monkeypatch.setattr(device_tiles, "_READ_AHEAD", limit)
        (tiles,) = task(pair, Grant()).tiles
        assert isinstance(tiles, list) == read


@pytest.mark.parametrize("read_ahead", [0, 2**26])
def test_memory_that_ends_while_tiles_are_read_is_a_failure(tmp_path, monkeypatch, read_ahead):
    write(tmp_path, ("a", "b"))
    pairs = pairs_of(tmp_path, ("a", "b"))

    def short_of_memory(*arguments):
        raise MemoryError

    monkeypatch.setattr(device_tiles, "_READ_AHEAD", read_ahead)
    monkeypatch.setattr(image_tally, "_read_tile", short_of_memory)
    found = evaluate(pairs, device="torch:cpu")
    assert [failure.id for failure in found.failures] == ["a", "b"]
    assert all("needs more memory than there is" in failure.error for failure in found.failures)
