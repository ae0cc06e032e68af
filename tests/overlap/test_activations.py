"""The softmax and the sigmoid of a pixel are its own: neither its tile nor the order in memory changes a digit.

On the CPU this holds for NumPy and for torch. What it rests on is tested with it: `exp` gives one number for one
value, wherever in an array it stands.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softdice_cli.overlap import Decoding
from softdice_cli.overlap.devices import engine_for

FLOATS = [np.float16, np.float32, np.float64]


def sums(engine, values: np.ndarray, activation: str) -> list[int]:
    """Σp of each class."""
    classes, pixels = values.shape
    thresholds, tolerance = ((), 1e-3) if activation == "softmax" else ((0.5,) * classes, None)
    decoding = Decoding(classes, None, activation, thresholds, tolerance, 1.0)
    return list(engine.tally(values, np.zeros(pixels, np.uint16), decoding).probability)


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("classes", [2, 3, 8, 9, 19, 64, 300])
def test_a_pixel_alone_is_the_same_pixel_in_any_tile(device, activation, dtype, classes):
    engine = engine_for(device)
    values = (np.random.default_rng(classes).normal(size=(classes, 70)) * 6).astype(dtype)
    alone = np.array([sums(engine, values[:, [pixel]], activation) for pixel in range(70)], object)
    strided = np.zeros((classes * 2, 210), dtype)[::2, ::3]
    strided[:] = values
    swapped = values.astype(values.dtype.newbyteorder())
    for array in (values, np.asfortranarray(values), strided, swapped):
        for start, stop in ((0, 70), (0, 1), (3, 5), (1, 8), (1, 9), (1, 10), (5, 38), (7, 24), (2, 67)):
            assert sums(engine, array[:, start:stop], activation) == list(alone[start:stop].sum(axis=0))


def test_exp_of_a_value_does_not_depend_on_its_place():
    values = -np.abs(np.random.default_rng(2).normal(size=300) * 9)
    alone = np.array([np.exp(values[place : place + 1])[0] for place in range(300)])
    tensor = torch.from_numpy(values)
    torch_alone = torch.cat([torch.exp(tensor[[place]]) for place in range(300)])
    for length in range(1, 71):
        for start in range(9):
            part = slice(start, start + length)
            assert np.array_equal(np.exp(values[part]), alone[part])
            assert torch.equal(torch.exp(tensor[part]), torch_alone[part])


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_devices_agree_to_rounding(activation):
    values = np.random.default_rng(3).normal(size=(19, 500)) * 6
    one, other = (sums(engine_for(device), values, activation) for device in ("cpu", "torch:cpu"))
    assert [total / 2**64 for total in one] == pytest.approx([total / 2**64 for total in other], rel=1e-14)
