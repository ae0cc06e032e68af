"""Whether channels sum to 1: exactly, so the engine, the order in memory and the tiles cannot decide."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softdice_cli import evaluate
from softdice_cli.errors import ProbabilityError
from softdice_cli.overlap import Decoding, Facts
from softdice_cli.overlap.devices import engine_for
from softdice_cli.records import Settings

ENGINES = [engine_for("cpu"), engine_for("torch:cpu")]
CHANNELS = [2, 3, 19, 64, 300]
FLOATS = [np.float16, np.float32, np.float64]


def plain(classes: int, tolerance: float = 1e-3, **changes: object) -> Decoding:
    values = {"scale": None, "activation": "none", "thresholds": (), "top": 1.1, **changes}
    return Decoding(classes=classes, sum_tolerance=tolerance, **values)


def exact(column: np.ndarray) -> Fraction:
    """The sum of the values on the 2⁻⁶⁴ grid."""
    total = Fraction(0)
    for value in column.tolist():
        high = round(Fraction(value) * 2**32)
        total += Fraction(high * 2**32 + round((Fraction(value) * 2**32 - high) * 2**32), 2**64)
    return total


def at_the_limit(classes: int, dtype: type, seed: int, tolerance: float = 1e-3) -> np.ndarray:
    """Pixels ``(C, n)`` whose sums lie within a few ulp of 1 ± the tolerance, on both sides of each."""
    rng = np.random.default_rng(seed)
    values = rng.dirichlet(np.full(classes, 0.5), 24).T.astype(dtype)
    limits = np.where(np.arange(24) % 2, 1 - tolerance, 1 + tolerance)
    largest = values.argmax(0)
    for pixel, channel in enumerate(largest):
        others = sum(map(Fraction, np.delete(values[:, pixel], channel).tolist()))
        value = dtype(float(Fraction(float(limits[pixel])) - others))
        # One float down, as near as floats can be, and one up.
        for _ in range(pixel % 3):
            value = np.nextafter(value, dtype(2))
        values[channel, pixel] = np.nextafter(value, dtype(0))
    return values


def expected(values: np.ndarray, tolerance: float) -> Facts:
    sums = [exact(column) for column in values.T]
    off = [total for total in sums if abs(total - 1) > Fraction(tolerance)]
    low, high = float(values.min()), float(values.max())
    if not off:
        return Facts(low=low, high=high)
    return Facts(low=low, high=high, sum_low=float(min(off)), sum_high=float(max(off)), sum_off=len(off))


@pytest.mark.parametrize("classes", CHANNELS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_near_the_limit_every_engine_sees_what_is_exact(classes, dtype):
    tolerance = 2.0**-9 if dtype == np.float16 else 1e-3
    values = at_the_limit(classes, dtype, classes, tolerance)
    decoding, codes = plain(classes, tolerance), np.zeros(24, np.uint8)
    # The same pixels in every order of the axes in memory.
    strided = np.zeros((classes * 2, 48), dtype)[::2, ::2]
    strided[:] = values
    arrays = [values, np.asfortranarray(values), strided, values.astype(values.dtype.newbyteorder(">"))]
    truth = expected(values, tolerance)
    assert 0 < truth.sum_off < 24
    for engine in ENGINES:
        for array in arrays:
            assert engine.tally(array, codes, decoding).facts == truth
            pixels = (engine.tally(array[:, [i]], codes[:1], decoding).facts for i in range(24))
            assert reduce(add, pixels) == truth
            parts = (engine.tally(array[:, part], codes[part], decoding).facts for part in (slice(7), slice(7, None)))
            assert reduce(add, parts) == truth


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(CHANNELS), st.sampled_from(FLOATS), st.booleans())
def test_ignored_pixels_are_not_seen_by_any_engine(seed, classes, dtype, order):
    values = at_the_limit(classes, dtype, seed)
    codes = np.where(np.random.default_rng(seed).random(24) < 0.3, classes + 1, 0).astype(np.uint16)
    codes[0] = 0
    decoding = plain(classes)
    given_values = np.asfortranarray(values) if order else values
    truth = expected(values[:, codes == 0], 1e-3)
    for engine in ENGINES:
        assert engine.tally(given_values, codes, decoding).facts == truth


@pytest.mark.parametrize("tolerance", [0.0, 2.0**-30])
def test_a_tolerance_below_the_rounding_of_many_float32_is_kept(tolerance):
    """Sums of floats cannot tell here, and ignored pixels are not taken for sums of 0."""
    values = np.full((2000, 3), np.float32(2.0**-11))
    values[:48, :] = 2.0**-10
    values[0, 1] += np.float32(2.0**-29)
    codes, decoding = np.array([0, 0, 2001], np.uint16), plain(2000, tolerance)
    for engine in ENGINES:
        assert engine.tally(values, codes, decoding).facts.sum_off == 1


@pytest.mark.parametrize("scale", [255, 1000, 65535])
def test_scaled_integers_are_judged_alike(scale):
    rng = np.random.default_rng(scale)
    values = rng.multinomial(scale, np.full(5, 0.2), 40).T.astype(np.uint16)
    values[0, ::3] += np.arange(14, dtype=np.uint16)
    decoding = plain(5, 5 / scale, scale=scale, top=1.0)
    truth = expected(values / scale, 5 / scale)
    assert truth.sum_off
    for engine in ENGINES:
        for array in (values, np.asfortranarray(values)):
            assert engine.tally(array, np.zeros(40, np.uint8), decoding).facts == truth


def saved(folder, values: np.ndarray):
    np.save(folder / "p.npy", values)
    np.save(folder / "m.npy", np.zeros(values.shape[1:], np.uint8))
    return [(folder / "p.npy", folder / "m.npy")]


def refused(pairs, device: str = "cpu", **options: object) -> tuple[str, str]:
    results = evaluate(pairs, settings=replace(Settings(), **options), device=device)
    (failure,) = results.failures
    return failure.error, failure.found


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("last", [False, True])
def test_a_refusal_is_the_same_text_from_every_engine_and_order(tmp_path, order, last):
    image = at_the_limit(64, np.float32, 5).reshape(64, 4, 6)
    truth = expected(image.reshape(64, -1), 1e-3)
    values = np.moveaxis(image, 0, -1) if last else image
    np.save(tmp_path / "p.npy", np.asarray(values, order=order))
    np.save(tmp_path / "m.npy", np.zeros((4, 6), np.uint8))
    said = {refused([(tmp_path / "p.npy", tmp_path / "m.npy")], device) for device in ("cpu", "torch:cpu")}
    ((error, found),) = said
    assert "the 64 channels do not sum to 1" in error
    # as many digits as tell the sums from the limit
    assert f"{truth.sum_off} pixels are off, with sums from {truth.sum_low:.15g} to {truth.sum_high:.15g}" in found


def test_a_value_out_of_range_is_named_whatever_the_sums_of_other_tiles_are(tmp_path):
    """Tiles are larger on a device than on the CPU: a first tile has bad sums, and the last one a bad value."""
    values = np.full((2, 512, 300), 0.5, np.float32)
    values[0, 0] = 0.4
    values[0, -1, -1] = 1.5
    pairs = saved(tmp_path, values)
    said = {refused(pairs, device) for device in ("cpu", "torch:cpu")}
    ((error, _),) = said
    assert "the values are not probabilities" in error


def test_a_softmax_asks_for_the_sums_only_where_they_could_be_probabilities():
    """And the answer is that of all tiles together: not one that holds logits, nor one that is not finite."""
    asked = plain(2, activation="softmax")
    codes = np.zeros(2, np.uint8)
    probabilities, logits = np.array([[0.25, 0.5], [0.75, 0.5]]), np.array([[4.0, -1.0], [0.5, 1.0]])
    for engine in ENGINES:
        both = [engine.tally(tile, codes, asked).facts for tile in (probabilities, logits, probabilities * np.nan)]
        assert both[0].already(asked)
        assert both[1].sum_off == 0
        assert not (both[0] + both[1]).already(asked)
        assert not (both[0] + both[2]).already(asked)


def test_the_refusal_of_an_accumulator_says_the_same():
    from softdice_cli import Accumulator

    image = at_the_limit(19, np.float32, 2).reshape(1, 19, 4, 6)
    truth = expected(image.reshape(19, -1), 1e-3)
    assert math.isfinite(truth.sum_low)
    for array in (image, np.asfortranarray(image)):
        with pytest.raises(ProbabilityError) as caught:
            Accumulator().update(array, np.zeros((1, 4, 6), int))
        assert f"{truth.sum_off} pixels are off" in caught.value.found
