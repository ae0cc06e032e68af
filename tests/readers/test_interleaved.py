"""Batches whose images lie between each other in the file: the same values, with few reads."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from systems import tile_by_tile

from softdice_cli import evaluate
from softdice_cli.evaluation import Reading
from softdice_cli.overlap.devices import choose
from softdice_cli.readers import Blob, ReadOptions, Source, interleaved, read_array, stored
from softdice_cli.readers.interleaved import images_apart

pytestmark = tile_by_tile

SHAPE = (9, 2, 5, 7)
ORDERS = list(itertools.permutations(range(4)))


@pytest.fixture(autouse=True)
def in_files(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stored, "WHOLE", 0)


def tensor_in_order(array: np.ndarray, order: tuple[int, ...], path: Path) -> Source:
    """An array whose axes lie in the file in this order, the slowest one first."""
    tensor = torch.from_numpy(np.ascontiguousarray(array.transpose(order)))
    torch.save(tensor.permute(*np.argsort(order).tolist()), path)
    return read_array(Blob(str(path)), ReadOptions())


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("piece", [1, 40, 10**6])
def test_the_values_stay_where_they_are(
    piece: int, order: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(interleaved, "_PIECE", piece)
    array = np.random.default_rng(1).random(SHAPE)
    source = tensor_in_order(array, order, tmp_path / "p.pt")
    for batch in (0, 3):
        monkeypatch.setattr(interleaved, "_FEW", SHAPE[batch] - 1)
        apart = images_apart(source, batch, ReadOptions())
        np.testing.assert_array_equal(apart.load(apart.array), array)
        # The slowest axis stays in the file.
        assert (apart is source) == (order[0] == batch)


def test_what_takes_more_memory_than_allowed_stays_in_its_file(tmp_path: Path):
    source = tensor_in_order(np.zeros(SHAPE), (3, 2, 1, 0), tmp_path / "p.pt")
    assert images_apart(source, 0, ReadOptions(max_bytes=source.array.nbytes - 1)) is source
    assert images_apart(source, 0, ReadOptions(max_bytes=source.array.nbytes)) is not source


def batch(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Many small images, whose values lie far from each other in Fortran's order."""
    rng = np.random.default_rng(1)
    maps = rng.random((600, 30, 4, 4), np.float32) + 0.01
    return maps / maps.sum(1, keepdims=True), rng.integers(0, 30, (600, 4, 4)).astype(np.uint8)


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_the_order_of_the_axes_costs_few_reads_and_changes_no_bit(
    device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    maps, labels = batch(tmp_path)
    reads = []
    real = os.preadv
    monkeypatch.setattr(os, "preadv", lambda *arguments: reads.append(1) or real(*arguments))
    results = []
    for name, order in (("c", "C"), ("f", "F")):
        folder = tmp_path / name
        folder.mkdir()
        np.save(folder / "p.npy", np.array(maps, order=order))
        np.save(folder / "g.npy", np.array(labels, order=order))
        before = len(reads)
        found = evaluate(
            [(folder / "p.npy", folder / "g.npy")],
            device=choose(device, lambda *_: None),
            workers=1,
            reading=Reading(layout="BCHW"),
        )
        results.append([(image.id, image.sums) for image in found.images])
        # Both are images in a file: a read or two for each of them at most.
        assert len(reads) - before <= 4 * len(maps)
    assert results[0] == results[1]
    assert len(results[0]) == len(maps)
