"""Tiles of pairs in batches for a device: too little memory there means smaller batches, and at last a failed pair."""

from __future__ import annotations

import numpy as np
import pytest
from folders import pairs_of, write

import softdice_cli.evaluation.evaluate_pairs as evaluate_pairs
from softdice_cli import evaluate
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
